"""Imports into servers that are slow and change what they store: no row is opened twice."""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_server import STORES, SlowServer

from fusedesk_async import FuseDesk, FuseDeskError, NewCase, RateLimiter
from fusedesk_async.importing import import_cases
from fusedesk_async.importing._journal import Journal
from fusedesk_async.importing._rows import read_row
from fusedesk_async.sandbox import VirtualClock

TIMEOUT = 30.0
OLD = datetime(2019, 5, 1, 10, tzinfo=UTC)
pytestmark = pytest.mark.filterwarnings("ignore::fusedesk_async.FuseDeskWarning")


def rows_of(dated):
    return [
        NewCase(
            department_id=3,
            summary=f"Row {number} of an older help desk",
            details=f"{number}: the parcel was left with a neighbour",
            opened_by="jo@mail.example",
            date_opened=OLD + timedelta(days=7 * number) if is_dated else None,
        )
        for number, is_dated in enumerate(dated)
    ]


def desk_of(server, clock=None):
    limiter = RateLimiter(assumed_limit=100_000)
    transport = httpx.MockTransport(server)
    return FuseDesk(
        "acme",
        api_key="secret-7731",
        transport=transport,
        clock=clock or server.clock,
        timeout=TIMEOUT,
        limiter=limiter,
    )


async def run_often(server, rows, folder, runs):
    """Several runs of an import; the last report."""
    report = None
    for _ in range(runs):
        async with desk_of(server) as desk:
            try:
                report = await import_cases(
                    desk, rows, journal=Path(folder) / "journal", rejects=Path(folder) / "rejects"
                )
            except FuseDeskError:
                server.clock.advance(1)
    return report


def opened(server):
    server.clock.advance(1_000)
    server.settle()
    return Counter(each.fields["summary"] for each in server.cases if each.sender == "client")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=25)
@given(
    dated=st.lists(st.booleans(), min_size=1, max_size=5),
    durations=st.lists(st.none() | st.floats(0, 4 * TIMEOUT), max_size=9),
    store=st.sampled_from(sorted(STORES)),
    dates=st.sampled_from(["kept", "ignored", "days", "odd"]),
    old=st.sampled_from([0, 60, 1_200]),
    others=st.lists(st.tuples(st.floats(0, 300), st.integers(0, 4)), max_size=4),
    flaws=st.sampled_from(
        [{}, {}, {"filters": "empty"}, {"filters": "ignored"}, {"keeps_order": False}, {"gives_time": False}]
    ),
)
def test_no_row_is_opened_twice(backend, dated, durations, store, dates, old, others, flaws):
    server = SlowServer(
        VirtualClock(),
        timeout=TIMEOUT,
        durations=durations,
        store=STORES[store],
        dates=dates,
        old=old,
        offset=-5,
        **flaws,
    )
    for seconds, number in others:
        text = {"summary": f"Row {number} of an older help desk", "details": "another text", "depid": "3"}
        server.open(seconds, openedby="jo@mail.example", **text)
    rows = rows_of(dated)
    with TemporaryDirectory() as folder:
        report = anyio.run(run_often, server, rows, folder, 2, backend=backend)
    counts = opened(server)
    assert max(counts.values(), default=0) <= 1
    if report and not report.unknown:
        assert counts == Counter(row.summary for row in rows)


@pytest.mark.anyio
async def test_rows_of_a_process_that_died_are_waited_for_from_the_next_start(clock, tmp_path):
    server, rows = SlowServer(clock, timeout=TIMEOUT), rows_of([True])
    journal_of_a_row_that_was_sent(tmp_path / "journal", rows[0], sent_at=clock.time() - 10_000)
    before = clock.waited
    async with desk_of(server) as desk:
        report = await import_cases(desk, rows, journal=tmp_path / "journal")
    assert report.opened == 1
    assert clock.waited - before >= 120


def journal_of_a_row_that_was_sent(path, row, *, sent_at):
    journal = Journal(path, "https://acme.fusedesk.com")
    entry = journal.claim(None, read_row(1, row, skip_infusionsoft=False).content, row.date_opened.isoformat())
    journal.mark(entry.id, state="sent", sent_at=sent_at)
    journal.close()


@pytest.mark.anyio
async def test_an_unknown_row_says_why_and_what_to_do(clock, tmp_path):
    server = SlowServer(clock, timeout=TIMEOUT, durations=[None], filters="empty", dates="odd")
    async with desk_of(server) as desk:
        report = await import_cases(desk, rows_of([True]), journal=tmp_path / "journal", rejects=tmp_path / "rejects")
    assert report.unknown == 1
    (line,) = (tmp_path / "rejects").read_text().splitlines()
    reason = json.loads(line)["reason"]
    assert "it was not found, but searches by date were not seen to bring what they should" in reason
    assert "if it is not there, import the row under another source_id" in reason
    assert server.calls.count("POST") == 1


@pytest.mark.anyio
@pytest.mark.parametrize("dates", ["kept", "ignored"])
async def test_what_confirmed_rows_of_an_earlier_run_show_of_dates_counts(clock, tmp_path, dates):
    server = SlowServer(clock, timeout=TIMEOUT, dates=dates, old=1_200)
    rows = rows_of([True] * 4)
    async with desk_of(server) as desk:
        await import_cases(desk, rows[:3], journal=tmp_path / "journal")
    server.durations += [None]
    async with desk_of(server) as desk:
        report = await import_cases(desk, rows, journal=tmp_path / "journal")
    assert (report.skipped, report.opened, report.unknown) == (3, 1, 0)


class Killed(BaseException):
    """The process ends."""


@pytest.mark.anyio
@pytest.mark.parametrize("late", [40.0, 600.0])
async def test_a_row_that_left_long_after_its_mark_is_found_after_the_process_died(clock, tmp_path, late):
    server, rows = SlowServer(clock, timeout=TIMEOUT, dates="ignored", old=1_200), rows_of([True] * 4)
    async with desk_of(server) as desk:
        await import_cases(desk, rows[:3], journal=tmp_path / "journal")
    clock.advance(10_000)

    async def stopped_in_between(request):
        if request.method == "POST":
            clock.advance(late)
            server.durations.append(4 * TIMEOUT)
            with anyio.move_on_after(0):
                await server(request)
            raise Killed
        return await server(request)

    async with desk_of(stopped_in_between, clock) as desk:
        with pytest.raises(Killed):
            await import_cases(desk, rows, journal=tmp_path / "journal")
    clock.advance(1)
    async with desk_of(server) as desk:
        report = await import_cases(desk, rows, journal=tmp_path / "journal")
    assert report.found == 1
    assert set(opened(server).values()) == {1}


class SuspendedClock(VirtualClock):
    """The clock of a machine that is suspended right after one of its next moments was read."""

    def __init__(self, journal):
        super().__init__()
        self.journal = journal
        self.suspended_after = -1
        self.was_marked = False

    def time(self):
        moment = super().time()
        self.suspended_after -= 1
        if not self.suspended_after:
            self.advance(100_000)
            self.was_marked = bool(marks(self.journal))
        return moment


def marks(path):
    """When rows were sent, as a journal says."""
    with closing(sqlite3.connect(path)) as journal:
        return [moment for (moment,) in journal.execute("SELECT sent_at FROM rows WHERE sent_at IS NOT NULL")]


@pytest.mark.anyio
@pytest.mark.parametrize("looks", range(1, 8))
async def test_a_mark_that_took_long_is_made_again(tmp_path, looks):
    clock, arrivals = SuspendedClock(tmp_path / "journal"), []
    start, server = clock.time(), SlowServer(clock, timeout=TIMEOUT)

    async def note(request):
        arrivals.append(start + clock.waited)
        return await server(request)

    async with desk_of(note, clock) as desk:
        clock.suspended_after = looks
        await import_cases(desk, rows_of([True]), journal=tmp_path / "journal")
    assert clock.was_marked or arrivals == marks(tmp_path / "journal")
