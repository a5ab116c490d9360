"""Exports: 100 000 cases to JSON Lines over loopback, and what it costs that they can be killed.

    uv run --group benchmarks python benchmarks/export_speed.py [ROUNDS]

First the processor time of the client's process, as a multiple of `orjson.loads` of the pages (bar 5.0), beside peers
that write the same cases to a file: a loop around httpx, and dlt. Then the elapsed time of exports that commit each
page as usual, against the same ones without any of it: no fsync, no checkpoint (bar: 10 % of the elapsed time). Another
process serves pages that the sandbox has rendered before.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import orjson
from _bench import PAGE_SIZE, best_of, judge, print_table, render
from download import served

from fusedesk_async import FuseDesk, RateLimiter
from fusedesk_async.export import _append, export_cases
from fusedesk_async.sandbox import Sandbox

CASES = 100_000
BAR, SHARE = 5.0, 0.10
KEY = "not-checked-here"


async def ours(url: str, out: Path) -> int:
    """The library, as its users write it."""
    async with FuseDesk("x", api_key=KEY, base_url=url, limiter=RateLimiter(assumed_limit=10**6)) as desk:
        report = await export_cases(desk, out, status="all", overwrite=True)
    return report.cases


async def httpx_loop(url: str, out: Path) -> int:
    """A loop around httpx that writes each record on a line: nothing is kept if it is cut off."""
    count = 0
    with out.open("wb") as file:
        async with httpx.AsyncClient(base_url=url, headers={"X-FuseDesk-API-Key": KEY}) as http:
            while True:
                response = await http.get("/api/v1/cases", params={"limit": PAGE_SIZE, "offset": count})
                page = response.raise_for_status().json()
                if not page:
                    return count
                file.writelines(orjson.dumps(case) + b"\n" for case in page)
                count += len(page)


def dlt_file(url: str, folder: Path) -> int:
    """A pipeline of dlt into JSON Lines files."""
    dlt: Any = import_module("dlt")
    rest_client: Any = import_module("dlt.sources.helpers.rest_client.client")
    paginators: Any = import_module("dlt.sources.helpers.rest_client.paginators")

    def pages() -> Iterator[Any]:
        paginator = paginators.OffsetPaginator(limit=PAGE_SIZE, total_path=None)
        client = rest_client.RESTClient(base_url=url, paginator=paginator, data_selector="$")
        yield from client.paginate("api/v1/cases")

    destination = dlt.destinations.filesystem(bucket_url=str(folder))
    pipeline = dlt.pipeline("cases", destination=destination, dataset_name="cases", pipelines_dir=str(folder / "state"))
    resource = dlt.resource(pages, name="cases", max_table_nesting=0)
    pipeline.run(resource, loader_file_format="jsonl", write_disposition="replace")
    return int(pipeline.last_trace.last_normalize_info.row_counts["cases"])


@contextmanager
def without_commits() -> Iterator[None]:
    """Let exports write their rows only: no fsync, no checkpoint."""
    kept = {name: getattr(_append, name) for name in ("sync", "write_durably")}
    for name in kept:
        setattr(_append, name, _nothing)
    try:
        yield
    finally:
        for name, function in kept.items():
            setattr(_append, name, function)


def _nothing(*_: object) -> None:
    """In place of what makes things durable."""


def elapsed(way: Callable[[], object]) -> float:
    """Seconds that something takes."""
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


def share_of_commits(way: Callable[[], object], rounds: int) -> float:
    """The part of the elapsed time that commits take: of pairs, one after the other."""
    shares: list[float] = []
    for _ in range(rounds):
        usual = elapsed(way)
        with without_commits():
            bare = elapsed(way)
        shares.append((usual - bare) / usual)
    return statistics.median(shares)


def main() -> None:
    rounds = int(sys.argv[1]) if sys.argv[1:] else 7
    pages = asyncio.run(render(Sandbox(CASES), CASES // PAGE_SIZE))
    with served(pages) as url, TemporaryDirectory(dir=Path.cwd()) as folder:
        out = Path(folder, "cases.jsonl")
        export = "fusedesk_async, export_cases"
        ways: dict[str, Callable[[], int]] = {
            "orjson.loads of the pages": lambda: sum(len(orjson.loads(page)) for page in pages),
            export: lambda: asyncio.run(ours(url, out)),
            "httpx, response.json(), a file": lambda: asyncio.run(httpx_loop(url, out)),
        }
        if find_spec("dlt"):
            ways["dlt into a file"] = lambda: dlt_file(url, Path(folder, "dlt"))
        for name, way in ways.items():
            if (count := way()) != CASES:
                message = f"{name} got {count} cases, not {CASES}"
                raise SystemExit(message)
        best = best_of(rounds, {name: way for name, way in ways.items() if "dlt" not in name})
        best |= best_of(2, {name: way for name, way in ways.items() if "dlt" in name})
        share = share_of_commits(ways[export], rounds)
    base = best["orjson.loads of the pages"]
    print(f"{CASES:,} cases in {len(pages)} pages, {sum(map(len, pages)):,} bytes; client process only")
    print_table(["way", "processor time"], [[name, f"{seconds / base:.2f} x"] for name, seconds in best.items()])
    judge([("processor time of an export", best[export] / base, BAR), ("part of commits", share, SHARE)])


if __name__ == "__main__":
    main()
