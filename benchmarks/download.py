"""Downloading: 100 000 typed cases over loopback, as a multiple of `orjson.loads` of their pages.

    uv run --group benchmarks python benchmarks/download.py

Processor time of the client's process alone, best of interleaved rounds; another process serves pages that the
sandbox has rendered before. Bar: 4.5 x, also for pages as other servers may send them. A peer that is not installed
is left out.
"""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cattrs
import httpx
import orjson
from _bench import PAGE_SIZE, best_of, judge, print_table, render
from decode import OTHER_SERVERS, changed, make_plain_converter

from fusedesk_async import Case, FuseDesk
from fusedesk_async.sandbox import Sandbox

CASES = 100_000
OTHERS = ("only id", "numbers as text everywhere", '"", false, null for nothing', "0000-00-00 00:00:00 for no date")
ROUNDS = 10
BAR = 4.5
DICTS = "httpx, response.json(), dicts"
KEY = "not-checked-here"


async def ours(url: str) -> int:
    """The library, as its users write it."""
    count = 0
    async with FuseDesk("benchmark", api_key=KEY, base_url=url) as desk:
        async for case in desk.cases.search(status="all", page_size=PAGE_SIZE):
            assert type(case) is Case
            count += 1
    return count


async def httpx_dicts(url: str, read: Callable[[httpx.Response], list[Any]] = httpx.Response.json) -> int:
    """A loop around httpx; dicts unless `read` makes more of a page."""
    count = 0
    async with httpx.AsyncClient(base_url=url, headers={"X-FuseDesk-API-Key": KEY}) as http:
        while True:
            response = await http.get("/api/v1/cases", params={"limit": PAGE_SIZE, "offset": count})
            page = read(response.raise_for_status())
            if not page:
                return count
            for _ in page:
                count += 1


async def httpx_cattrs(url: str, converter: cattrs.Converter) -> int:
    """The same, with a converter without any of our shortcuts."""
    return await httpx_dicts(url, lambda response: converter.structure(response.json(), list[Case]))


def dlt_pages(url: str, page_size: int = PAGE_SIZE) -> int:
    """The REST client of dlt: dicts."""
    rest_client = import_module("dlt.sources.helpers.rest_client.client")
    paginators = import_module("dlt.sources.helpers.rest_client.paginators")
    paginator = paginators.OffsetPaginator(limit=page_size, total_path=None)
    client = rest_client.RESTClient(
        base_url=url, headers={"X-FuseDesk-API-Key": KEY}, paginator=paginator, data_selector="$"
    )
    return sum(1 for page in client.paginate("api/v1/cases") for _ in page)


def make_singer(url: str, rows: int = PAGE_SIZE) -> Callable[[], int]:
    """A stream of Singer's SDK: dicts, not yet written as messages."""
    singer: Any = import_module("singer_sdk")
    pagination: Any = import_module("singer_sdk.pagination")

    class Offsets(pagination.BaseOffsetPaginator):  # type: ignore[misc] # may not be installed
        def has_more(self, response: Any) -> bool:
            return bool(response.content != b"[]")

    class Cases(singer.RESTStream):  # type: ignore[misc] # may not be installed
        name, path, url_base = "cases", "/api/v1/cases", url
        schema = {"type": "object", "properties": {"caseid": {"type": "integer"}}}  # noqa: RUF012 - as Singer wants it
        http_headers = {"X-FuseDesk-API-Key": KEY}  # noqa: RUF012 - as Singer wants it

        def get_new_paginator(self) -> Offsets:
            return Offsets(start_value=0, page_size=rows)

        def get_url_params(self, context: Any, next_page_token: int | None) -> dict[str, Any]:
            del context
            return {"limit": rows, "offset": next_page_token or 0}

    class Desk(singer.Tap):  # type: ignore[misc] # may not be installed
        name = "tap-fusedesk"
        config_jsonschema = {"type": "object", "properties": {}}  # noqa: RUF012 - as Singer wants it

        def discover_streams(self) -> list[Any]:
            return [Cases(self)]

    stream = Desk(config={}).streams["cases"]
    return lambda: sum(1 for _ in stream.get_records(None))


@contextmanager
def served(pages: list[bytes]) -> Iterator[str]:
    """Serve the pages from another process; gives the base URL."""
    with TemporaryDirectory() as folder:
        for number, page in enumerate(pages):
            Path(folder, str(number * PAGE_SIZE)).write_bytes(page)
        command = [sys.executable, str(Path(__file__).with_name("_pages_server.py")), folder]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
            assert server.stdout
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
            assert server.stdin
            server.stdin.close()


def peers(url: str) -> dict[str, Callable[[], int]]:
    """The peers that are installed."""
    converter = make_plain_converter()
    found: dict[str, Callable[[], int]] = {
        "httpx, plain cattrs": lambda: asyncio.run(httpx_cattrs(url, converter)),
    }
    if find_spec("dlt"):
        found["dlt REST client, dicts"] = lambda: dlt_pages(url)
    if find_spec("singer_sdk"):
        found["Singer stream, dicts"] = make_singer(url)
    return found


def measured(pages: list[bytes], *, with_peers: bool) -> dict[str, float]:
    """The processor time of each way to download the pages, as a multiple of `orjson.loads` of them."""
    cases = sum(len(orjson.loads(page)) for page in pages)
    with served(pages) as url:
        ways: dict[str, Callable[[], int]] = {
            "orjson.loads of the pages": lambda: sum(len(orjson.loads(page)) for page in pages),
            "fusedesk_async, typed": lambda: asyncio.run(ours(url)),
            DICTS: lambda: asyncio.run(httpx_dicts(url)),
            **(peers(url) if with_peers else {}),
        }
        for name, way in ways.items():
            if (count := way()) != cases:
                message = f"{name} got {count} cases, not {cases}"
                raise SystemExit(message)
        best = best_of(ROUNDS, ways)
    return {name: seconds / best["orjson.loads of the pages"] for name, seconds in best.items()}


def main() -> None:
    pages = asyncio.run(render(Sandbox(CASES), CASES // PAGE_SIZE))
    print(f"{CASES:,} cases in {len(pages)} pages, {sum(map(len, pages)):,} bytes; client process only")
    ratios = measured(pages, with_peers=True)
    print_table(["way", "processor time"], [[name, f"{ratio:.2f} x"] for name, ratio in ratios.items()])
    bars = [("downloading", ratios["fusedesk_async, typed"], BAR)]
    rows: list[list[str]] = []
    for kind in OTHERS:
        ratios = measured([changed(page, OTHER_SERVERS[kind]) for page in pages], with_peers=False)
        rows.append([kind, *(f"{ratios[way]:.2f} x" for way in ("fusedesk_async, typed", DICTS))])
        bars.append((f"downloading {kind}", ratios["fusedesk_async, typed"], BAR))
    print()
    print_table(["pages", "fusedesk_async, typed", DICTS], rows)
    judge(bars)


if __name__ == "__main__":
    main()
