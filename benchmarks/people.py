"""People beside bulk work over loopback sockets: how long a person's call takes while a walk uses up the quota.

    uv run --group benchmarks python benchmarks/people.py

The server counts calls in another process: 120 in an "hour" of ten seconds, each answered after 50 to 100 ms. Someone
asks for a case about every second, which is what the reserve of a tenth is for; the bulk work never ends. Without
priorities the walk is interactive, too. Plain httpx shares four connections and backs off after a 429, with jitter
and for a tenth of the "hour" at most.
With matplotlib the calls are drawn into docs/people.svg.
"""

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import attrs
import httpx
from _bench import print_table
from _desk import KEY, Plan, counted, served
from _ways import HEADERS
from tenacity import retry, retry_if_exception_type, wait_random_exponential

from fusedesk_async import FuseDesk, FuseDeskError, RateLimiter
from fusedesk_async._http.pipeline import Priority

WINDOW = 10.0
LIMIT = 120
LATENCY = (0.05, 0.1)
SECONDS = 30
GAP = 1.0
PLACES = 4
PAGE_SIZE = 50
ROWS = 1_000_000
FIGURE = Path(__file__).parents[1] / "docs" / "people.svg"
COLOURS = ("#0b6e4f", "#d1495b", "#777777")
SERVERS = {
    "fixed hour": Plan(ROWS, "FixedHour", {"limit": LIMIT, "window": WINDOW, "phase": WINDOW / 2}, LATENCY),
    "sliding hour": Plan(ROWS, "SlidingHour", {"limit": LIMIT, "window": WINDOW}, LATENCY),
}

Ask = Callable[[int], Awaitable[object]]
Bulk = Callable[[], Awaitable[None]]


@attrs.frozen
class Asked:
    """A person's call: when it was made, how long it took, and whether it failed in the end."""

    at: float
    took: float
    failed: bool


@attrs.frozen
class Day:
    """What people met, how many seconds it lasted, and what the server counted."""

    calls: list[Asked]
    lasted: float
    counts: dict[str, int]

    def percentile(self, part: float) -> float:
        """Seconds within which this part of the calls was answered; a failed call never was."""
        took = sorted(math.inf if call.failed else call.took for call in self.calls)
        return took[math.ceil(part * len(took)) - 1]


@asynccontextmanager
async def library(url: str, *, priority: Priority) -> AsyncIterator[tuple[Ask, Bulk]]:
    """Our client: one for the people and the walk."""
    limiter = RateLimiter(window=WINDOW)
    async with FuseDesk("benchmark", api_key=KEY, base_url=url, concurrency=PLACES, limiter=limiter) as desk:

        async def bulk() -> None:
            view = desk.with_options(priority=priority)
            async with view.cases.walk(status="all", page_size=PAGE_SIZE, concurrency=PLACES) as walk:
                async for _ in walk:
                    pass

        yield desk.cases.get, bulk


@asynccontextmanager
async def plain_httpx(url: str) -> AsyncIterator[tuple[Ask, Bulk]]:
    """One httpx client: people and four tasks that share the pages."""

    @retry(
        retry=retry_if_exception_type(httpx.HTTPStatusError), wait=wait_random_exponential(WINDOW / 100, WINDOW / 10)
    )
    async def get(path: str, **query: int) -> object:
        return (await http.get(path, params=query)).raise_for_status().json()

    async def work(pages: "count[int]") -> None:
        for page in pages:
            await get("/api/v1/cases", limit=PAGE_SIZE, offset=page * PAGE_SIZE)

    async def bulk() -> None:
        pages = count()
        await asyncio.gather(*(work(pages) for _ in range(PLACES)))

    limits = httpx.Limits(max_connections=PLACES)
    async with httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=None, limits=limits) as http:
        yield lambda number: get(f"/api/v1/cases/{number}"), bulk


WAYS: dict[str, Callable[[str], AbstractAsyncContextManager[tuple[Ask, Bulk]]]] = {
    "fusedesk_async": partial(library, priority="bulk"),
    "the same without priorities": partial(library, priority="interactive"),
    "httpx, tenacity": plain_httpx,
}


async def person(ask: Ask, began: float, moment: float) -> Asked:
    """Ask for a case at a moment."""
    await asyncio.sleep(began + moment - time.perf_counter())
    start = time.perf_counter()
    try:
        await ask(1 + int(moment))
    except FuseDeskError:
        return Asked(moment, time.perf_counter() - start, failed=True)
    return Asked(moment, time.perf_counter() - start, failed=False)


async def day(url: str, way: Callable[[str], AbstractAsyncContextManager[tuple[Ask, Bulk]]]) -> list[Asked]:
    """People ask while the bulk work is on, which ends when the last of them has an answer."""
    source = random.Random(1)
    moments = [GAP * (number + source.uniform(0, 0.5)) for number in range(int(SECONDS / GAP))]
    async with way(url) as (ask, bulk):
        at_work = asyncio.ensure_future(bulk())
        began = time.perf_counter()
        calls = await asyncio.gather(*(person(ask, began, moment) for moment in moments))
        if at_work.done():
            at_work.result()
        at_work.cancel()
        await asyncio.wait([at_work])
    return calls


def observe(plan: Plan, way: str) -> Day:
    """Let people ask a fresh server."""
    with served(plan) as url:
        start = time.perf_counter()
        calls = asyncio.run(day(url, WAYS[way]))
        return Day(calls, time.perf_counter() - start, counted(url))


def rows(server: str, days: dict[str, Day]) -> list[list[str]]:
    """What the table says."""
    slowest = LATENCY[1]
    return [
        [
            way,
            server,
            *(f"{found.percentile(part) / slowest:.1f} x" for part in (0.5, 0.95, 1.0)),
            str(sum(call.failed for call in found.calls)),
            f"{found.counts['pages'] / found.lasted * WINDOW:.0f}",
            str(found.counts["refused"]),
        ]
        for way, found in days.items()
    ]


def draw(days: dict[str, dict[str, Day]]) -> None:
    """One panel for each server: when people asked, and how long it took."""
    import_module("matplotlib").use("svg")
    plt: Any = import_module("matplotlib.pyplot")
    plt.rcParams.update({"svg.hashsalt": "people", "svg.fonttype": "none", "font.size": 9})
    figure, panels = plt.subplots(1, len(days), figsize=(9, 3.4), sharey=True, layout="constrained")
    for axes, (server, found) in zip(panels, days.items(), strict=True):
        for (way, one), colour in zip(found.items(), COLOURS, strict=True):
            label = f"{way}: p95 {one.percentile(0.95):.2f} s"
            axes.scatter(*_points(one.calls), s=10, color=colour, label=label)
        axes.set(title=server, xlabel="asked after, seconds (an “hour” is ten)", yscale="log")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.08), frameon=False)
    panels[0].set_ylabel("answered within, seconds")
    FIGURE.parent.mkdir(exist_ok=True)
    figure.savefig(FIGURE, metadata={"Date": None})


def _points(calls: Sequence[Asked]) -> tuple[list[float], list[float]]:
    return [call.at for call in calls], [call.took for call in calls]


def main() -> None:
    days = {server: {way: observe(plan, way) for way in WAYS} for server, plan in SERVERS.items()}
    head = ["way", "server", "p50 ÷ latency", "p95", "longest", "failed", "bulk calls an hour", "refused"]
    print_table(head, [row for server, found in days.items() for row in rows(server, found)])
    if find_spec("matplotlib"):
        draw(days)


if __name__ == "__main__":
    main()
