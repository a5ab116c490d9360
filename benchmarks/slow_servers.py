"""Imports into servers that take longer than the client waits: whether any row is opened twice.

    uv run python benchmarks/slow_servers.py [--runs 1000] [--rows 12] [--seed 1]

Each run imports rows into a server of its own, over virtual time. A request to open a case takes up to four times as
long as the client waits, and some are never carried out; the server keeps the date of opening that was asked for,
ignores it, or keeps the day only; it stores texts as they are, trimmed, with other white space, escaped once or twice,
or cut off; and others open similar cases meanwhile. Bar: no row is open twice, and none is said to be not opened that
is. What is left in doubt is counted: such rows are never sent again.
"""

import argparse
import asyncio
import random
import sys
import warnings
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import httpx
from _bench import judge, print_table

from fusedesk_async import CannotTellError, FuseDesk, FuseDeskWarning, NewCase, OutcomeUnknownError, RateLimiter
from fusedesk_async.importing import import_cases
from fusedesk_async.sandbox import VirtualClock

sys.path.append(str(Path(__file__).parents[1] / "tests" / "helpers"))

from slow_server import STORES, Dates, SlowServer  # the server of the tests

TIMEOUT = 30.0
OLD = 600
DATES: tuple[Dates, ...] = ("kept", "ignored", "days")
SUMMARY, OPENER = "Row {} of an older help desk", "jo@mail.example"


@attrs.define
class Count:
    """What became of rows.

    Attributes:
        runs: Imports.
        rows: Their rows.
        twice: Rows that are open more than once.
        missing: Rows that are called opened or found and are not open.
        unknown: Rows left in doubt.
        looked_up: Cases that were looked up one by one.
        wrong: Look-ups that said "not opened" of a case that is or will be open, or that found another one.
        doubtful: Look-ups that could not tell.
    """

    runs: int = 0
    rows: int = 0
    twice: int = 0
    missing: int = 0
    unknown: int = 0
    looked_up: int = 0
    wrong: int = 0
    doubtful: int = 0


def make_server(source: random.Random, dates: Dates, store: str, rows: int) -> SlowServer:
    """A server at which every other request is slow or comes to nothing."""
    server = SlowServer(VirtualClock(), timeout=TIMEOUT, dates=dates, store=STORES[store], old=OLD, offset=-5)
    for _ in range(3 * rows):
        slow, kind = source.uniform(TIMEOUT, 4 * TIMEOUT), source.random()
        server.durations.append(slow if kind < 0.3 else None if kind < 0.45 else source.uniform(0.1, 3.0))
    for _ in range(rows):
        number = source.randrange(rows)
        text = {"summary": SUMMARY.format(number), "details": f"another text {number}", "openedby": OPENER}
        server.open(source.uniform(0, 600), **text, depid="3")
    return server


def make_row(source: random.Random, number: int) -> NewCase:
    """A row; two of three were opened long ago."""
    opened = datetime(2019, 1, 1, tzinfo=UTC) + timedelta(days=source.randrange(1_500), hours=10)
    return NewCase(
        department_id=3,
        summary=SUMMARY.format(number),
        details=f"{number}: the parcel was left with a neighbour, and nobody has called back since.",
        opened_by=OPENER,
        date_opened=opened if number % 3 else None,
    )


def make_desk(server: SlowServer) -> FuseDesk:
    """A client of the server, with the server's time."""
    return FuseDesk(
        "acme",
        api_key="secret-7731",
        transport=httpx.MockTransport(server),
        clock=server.clock,
        timeout=TIMEOUT,
        limiter=RateLimiter(assumed_limit=1_000_000),
    )


async def run_import(server: SlowServer, rows: list[NewCase], count: Count) -> None:
    """One import, which is run again if too many responses in a row were lost."""
    report = None
    with TemporaryDirectory() as folder:
        while report is None:
            try:
                async with make_desk(server) as desk:
                    report = await import_cases(desk, rows, journal=Path(folder) / "journal")
            except OutcomeUnknownError:
                server.clock.advance(60)
    times = opened(server)
    count.runs += 1
    count.rows += len(rows)
    count.twice += sum(times[row.summary] > 1 for row in rows)
    count.missing += max(0, sum(not times[row.summary] for row in rows) - report.unknown)
    count.unknown += report.unknown


async def run_look_up(server: SlowServer, rows: list[NewCase], count: Count) -> None:
    """Look up each case whose response was lost, with `find_created`."""
    async with make_desk(server) as desk:
        for row in rows:
            try:
                await desk.cases.create(row)
            except OutcomeUnknownError as lost:
                await look_up(desk, server, lost, count)


async def look_up(desk: FuseDesk, server: SlowServer, lost: OutcomeUnknownError, count: Count) -> None:
    """One look-up, and whether it is right."""
    count.looked_up += 1
    mine = next(
        (
            each
            for each in (*server.cases, *server.coming)
            if each.sender == "client" and each.fields["summary"] == lost.fields["summary"]
        ),
        None,
    )
    try:
        found = await desk.cases.find_created(lost)
    except CannotTellError:
        count.doubtful += 1
    else:
        count.wrong += (found and found.id) != (mine and mine.id)


def opened(server: SlowServer) -> Counter[str]:
    """How often each row is open once all requests have ended."""
    server.clock.advance(1_000)
    server.settle()
    return Counter(each.fields["summary"] for each in server.cases if each.sender == "client")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--rows", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore", FuseDeskWarning)
    source, stores = random.Random(options.seed), sorted(STORES)
    counts = {(dates, texts): Count() for dates in DATES for texts in ("whole", "cut off")}
    for run in range(options.runs):
        dates, store = DATES[run % len(DATES)], stores[run // len(DATES) % len(stores)]
        rows = [make_row(source, number) for number in range(options.rows)]
        server = make_server(source, dates, store, options.rows)
        count = counts[dates, "cut off" if "cut" in store else "whole"]
        asyncio.run(run_import(server, rows, count))
        asyncio.run(run_look_up(make_server(source, dates, store, options.rows), rows, count))
    names = list(attrs.fields_dict(Count))
    print_table(
        ["dates", "texts", *(name.replace("_", " ") for name in names)],
        [[*kind, *(str(getattr(count, name)) for name in names)] for kind, count in counts.items()],
    )
    bars = ("twice", "missing", "wrong")
    judge([(name, sum(getattr(count, name) for count in counts.values()), 0) for name in bars], "")


if __name__ == "__main__":
    main()
