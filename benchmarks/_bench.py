"""What the benchmarks share: a clock that counts only this process's work, pages from the sandbox, tables, bars."""

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx

from fusedesk_async.sandbox import Sandbox

PAGE_SIZE = 500


def best_of(rounds: int, ways: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """The least processor time of each way, in seconds. They take turns, so that a noisy moment hits all alike."""
    gc.collect()
    gc.freeze()  # else one way pays for looking through the modules that another has imported
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.process_time()
            result = way()
            best[name] = min(best[name], time.process_time() - start)
            del result  # what it cost to make counts, not what it costs to throw away
    return best


async def render(sandbox: Sandbox, pages: int, **filters: str) -> list[bytes]:
    """The first pages of a search over all cases, by id, as the sandbox answers it."""
    transport = httpx.ASGITransport(sandbox.app)
    headers = {"X-FuseDesk-API-Key": sandbox.api_key}
    query = {"status": "all", "orderby": "caseid asc", "limit": str(PAGE_SIZE)} | filters
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", headers=headers) as http:
        return [await _page(http, query | {"offset": str(number * PAGE_SIZE)}) for number in range(pages)]


def first_page(sandbox: Sandbox, **filters: str) -> bytes:
    """The first page of a search over all cases."""
    return asyncio.run(render(sandbox, 1, **filters))[0]


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows as Markdown."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, ["-" * width for width in widths], *rows):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")


def judge(bars: Sequence[tuple[str, float, float]], unit: str = "x") -> None:
    """Print each measured ratio with its bar, and leave with status 1 if one is missed."""
    print()
    for what, ratio, bar in bars:
        print(f"{'met' if ratio <= bar else 'MISSED'}: {what} {ratio:.2f} {unit}, bar {bar:.2f} {unit}")
    sys.exit(any(ratio > bar for _, ratio, bar in bars))


async def _page(http: httpx.AsyncClient, query: dict[str, Any]) -> bytes:
    response = await http.get("/api/v1/cases", params=query)
    return response.raise_for_status().content
