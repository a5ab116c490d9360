"""Ways to fetch all pages of a list under a quota, each in a process of its own: `_ways.py NAME TASK`, TASK as JSON.

Prints the seconds it took, imports left out, and the rows it got.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeAlias

import attrs
import httpx
from _desk import KEY
from download import dlt_pages, make_singer
from tenacity import retry, retry_if_exception_type, wait_random_exponential

from fusedesk_async import FuseDesk, RateLimiter

Way: TypeAlias = tuple[str, Callable[["Task"], int]]
HEADERS = {"X-FuseDesk-API-Key": KEY}
MANY = 8
"""Calls that the ways with several tasks have in flight at once."""


@attrs.frozen
class Task:
    """What is to be fetched.

    Attributes:
        url: Of the server.
        pages: How many there are. The ways with several tasks are told; the others, and ours, find the end.
        page_size: Rows in each.
        rate: Calls a second that the server permits. Only aiolimiter is told.
        window: The server's "hour", if it lasts other than an hour. Only our client is told.
        slots: Calls that our client may have in flight at once.
    """

    url: str
    pages: int
    page_size: int
    rate: float
    window: float | None = None
    slots: int = MANY


async def ours(task: Task) -> int:
    """The library, as its users write it."""
    limiter = None if task.window is None else RateLimiter(window=task.window)
    count = 0
    async with (
        FuseDesk("benchmark", api_key=KEY, base_url=task.url, concurrency=task.slots, limiter=limiter) as desk,
        desk.cases.walk(status="all", page_size=task.page_size, concurrency=task.slots) as walk,
    ):
        async for _ in walk:
            count += 1
    return count


def requests_retry(task: Task, backoff_factor: float) -> int:
    """Requests, with urllib3's retries."""
    requests: Any = import_module("requests")
    retries: Any = import_module("urllib3.util").Retry(
        total=50, status_forcelist=[429], backoff_factor=backoff_factor, respect_retry_after_header=True
    )
    count = 0
    with requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retries))
        while page := _requests_page(session, task, count):
            count += len(page)
    return count


def _requests_page(session: Any, task: Task, offset: int) -> list[Any]:
    query = {"limit": task.page_size, "offset": offset}
    response = session.get(f"{task.url}/api/v1/cases", params=query, headers=HEADERS)
    response.raise_for_status()
    page: list[Any] = response.json()
    return page


async def httpx_tenacity(
    task: Task, make_limiter: Callable[[], AbstractAsyncContextManager[object]] = nullcontext
) -> int:
    """Tasks that share the pages, back off with jitter after a 429, and ask a limiter first if there is one."""
    limiter = make_limiter()

    @retry(retry=retry_if_exception_type(httpx.HTTPStatusError), wait=wait_random_exponential(max=60))
    async def fetch(http: httpx.AsyncClient, offset: int) -> int:
        async with limiter:
            response = await http.get("/api/v1/cases", params={"limit": task.page_size, "offset": offset})
        return len(response.raise_for_status().json())

    async def work(http: httpx.AsyncClient, offsets: Iterator[int]) -> int:
        return sum([await fetch(http, offset) for offset in offsets])

    offsets = iter(range(0, task.pages * task.page_size, task.page_size))
    async with httpx.AsyncClient(base_url=task.url, headers=HEADERS, timeout=30) as http:
        return sum(await asyncio.gather(*(work(http, offsets) for _ in range(MANY))))


def aiolimiter(task: Task, *, even: bool) -> int:
    """The same, with aiolimiter given the exact rate: as a burst and what follows, or one call at a time."""
    arguments = (1, 1 / task.rate) if even else (task.rate, 1)
    module: Any = import_module("aiolimiter")
    return asyncio.run(httpx_tenacity(task, lambda: module.AsyncLimiter(*arguments)))


OURS = "fusedesk_async"
ONE_BY_ONE: dict[str, Way] = {
    "dlt REST client": ("dlt.sources.helpers.rest_client.client", lambda task: dlt_pages(task.url, task.page_size)),
    "requests, urllib3 Retry, factor 1": ("requests", lambda task: requests_retry(task, 1.0)),
    "requests, urllib3 Retry, factor 0.1": ("requests", lambda task: requests_retry(task, 0.1)),
    "Singer stream": ("singer_sdk.pagination", lambda task: make_singer(task.url, task.page_size)()),
}
SEVERAL_AT_ONCE: dict[str, Way] = {
    "httpx, 8 tasks, tenacity": ("httpx", lambda task: asyncio.run(httpx_tenacity(task))),
    "the same, aiolimiter given the rate": ("aiolimiter", lambda task: aiolimiter(task, even=False)),
    "the same, aiolimiter one at a time": ("aiolimiter", lambda task: aiolimiter(task, even=True)),
}
WAYS: dict[str, Way] = {
    OURS: ("fusedesk_async", lambda task: asyncio.run(ours(task))),
    **ONE_BY_ONE,
    **SEVERAL_AT_ONCE,
}
"""By name, what to import before the clock starts, and the way."""


def peers() -> dict[str, int]:
    """The peers that are installed, and how many calls each has in flight at once."""
    slots = dict.fromkeys(ONE_BY_ONE, 1) | dict.fromkeys(SEVERAL_AT_ONCE, MANY)
    return {name: number for name, number in slots.items() if find_spec(WAYS[name][0].partition(".")[0])}


def main(name: str, task: Task) -> None:
    module, way = WAYS[name]
    import_module(module)
    start = time.perf_counter()
    rows = way(task)
    print(json.dumps({"seconds": time.perf_counter() - start, "rows": rows}))


if __name__ == "__main__":
    main(sys.argv[1], Task(**json.loads(sys.argv[2])))
