"""Exports and updates against servers that cannot send some rows, and that keep other orders or none."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import httpx
import pytest
from exports import ids_in, select
from hypothesis import given, settings
from hypothesis import strategies as st

from fusedesk_async import FuseDesk, RateLimiter
from fusedesk_async.export import export_cases
from fusedesk_async.sandbox import VirtualClock

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::fusedesk_async.FuseDeskWarning")]


class Server:
    """A list of cases that answers as told.

    Args:
        ids: The cases.
        spoilt: Those with which a page cannot be sent.
        order: How it sorts, whatever is asked for.
    """

    def __init__(self, ids, spoilt=(), order=None):
        self.ids, self.spoilt, self.order = set(ids), set(spoilt), order
        self.changed = set()
        self.calls = 0

    def __call__(self, request):
        self.calls += 1
        name = request.url.path.rpartition("/")[2]
        if name.isdecimal():
            if int(name) in self.spoilt:
                return httpx.Response(500)
            return httpx.Response(200, json=self.row(int(name)) | {"history": [{"type": "note", "note": "n"}]})
        query = request.url.params
        ids = self.sorted(query.get("orderby", ""))
        if "date_updated" in query:
            ids = [each for each in ids if each in self.changed]
        offset, limit = int(query["offset"]), int(query["limit"])
        page = ids[offset : offset + limit]
        if self.spoilt.intersection(page):
            return httpx.Response(200, content=b"")
        return httpx.Response(200, json=[self.row(each) for each in page])

    def sorted(self, asked):
        if self.order is not None:
            return sorted(self.ids, key=self.order)
        return sorted(self.ids, reverse=asked == "caseid desc")

    def row(self, number):
        day = "2026-11-20" if number in self.changed else "2026-01-02"
        return {"caseid": number, "casenum": f"N{number}", "departmentid": 1, "date_updated": f"{day} 00:00:00"}


def desk_of(server):
    return FuseDesk(
        "acme",
        api_key="key",
        transport=httpx.MockTransport(server),
        clock=VirtualClock(),
        limiter=RateLimiter(assumed_limit=10**6),
    )


def is_named(report, number):
    return any((row.after or 0) < number < (row.before or 10**9) for row in report.unreadable)


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.db", "out.parquet", "postgres"])
async def test_a_row_that_cannot_be_had_is_named_and_the_rest_is_there(name, place):
    server = Server(range(1, 121), spoilt={7, 64})
    async with desk_of(server) as desk:
        report = await export_cases(desk, place(name), page_size=50)
    assert ids_in(place(name)) == [each for each in range(1, 121) if each not in {7, 64}]
    assert [row.id for row in report.unreadable] == [7, 64]
    assert (report.unreadable_count, report.is_whole, report.cases) == (2, False, 118)
    assert [row["after"] for row in json.loads(json.dumps(report.as_dict()))["unreadable"]] == [6, 63]


@pytest.mark.parametrize("history", [False, True])
async def test_an_update_asks_again_for_rows_that_could_not_be_had(history, out):
    server = Server(range(1, 61), spoilt={1, 30, 60})
    async with desk_of(server) as desk:
        first = await export_cases(desk, out, page_size=20, history=history, update=True)
        assert (first.unreadable_count, first.is_whole) == (3, False)
        server.spoilt = {30}
        second = await export_cases(desk, out, page_size=20, history=history, update=True)
        assert ([row.id for row in second.unreadable], second.is_whole) == ([30], False)
        server.spoilt = set()
        third = await export_cases(desk, out, page_size=20, history=history, update=True)
    assert third.is_whole
    assert sorted(ids_in(out)) == [*range(1, 61)]
    histories = {each for (each,) in select(out, "SELECT DISTINCT case_id FROM history")}
    assert histories == (set(range(1, 61)) if history else set())


async def test_an_update_takes_nothing_away_where_it_cannot_see(out):
    server = Server(range(1, 61))
    async with desk_of(server) as desk:
        await export_cases(desk, out, status="open", page_size=20)
        server.changed = {10, 20, 30}
        server.spoilt = {20}
        report = await export_cases(desk, out, status="open", page_size=20, update=True)
        assert not report.is_whole
        assert select(out, "SELECT count(*) FROM cases WHERE NOT matches") == [(0,)]
        server.spoilt = set()
        assert (await export_cases(desk, out, status="open", page_size=20, update=True)).is_whole


ORDERS = {
    "descending": lambda number: -number,
    "by text": str,
    "none": lambda number: (number * 7919) % 101,
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", ["out.jsonl", "out.db", "postgres"])
@pytest.mark.parametrize("history", [False, True])
async def test_any_order_will_do_and_is_told(order, name, history, place):
    server = Server(range(1, 121), order=ORDERS[order])
    async with desk_of(server) as desk:
        report = await export_cases(desk, place(name), page_size=30, history=history)
    assert sorted(ids_in(place(name))) == [*range(1, 121)]
    assert report.cases == 120
    assert report.is_unordered == (order != "descending")
    assert report.is_whole == (order == "descending")


class CutOffError(Exception):
    pass


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", ["out.jsonl", "out.db", "postgres"])
@pytest.mark.parametrize("history", [False, True])
@pytest.mark.parametrize("cut_at", [3, 5, 9])
async def test_an_export_that_is_cut_off_has_each_case_once_in_any_order(order, name, history, cut_at, place):
    server, out = Server(range(1, 121), order=ORDERS[order]), place(name)
    count = 0

    def cut(_):
        nonlocal count
        count += 1
        if count == cut_at:
            raise CutOffError

    async with desk_of(server) as desk:
        for _ in range(2):
            try:
                report = await export_cases(desk, out, page_size=30, history=history, on_progress=cut)
                break
            except CutOffError:
                continue
    assert sorted(ids_in(out)) == [*range(1, 121)]
    assert report.cases == 120


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@given(
    spoilt=st.sets(st.integers(1, 60), max_size=6),
    changed=st.sets(st.integers(1, 60), max_size=20),
    later=st.sets(st.integers(1, 60), max_size=4),
)
@settings(max_examples=25)
def test_whatever_cannot_be_had_is_in_the_output_or_named(backend, spoilt, changed, later):
    async def exported(out):
        server = Server(range(1, 61), spoilt)
        async with desk_of(server) as desk:
            report = await export_cases(desk, out, page_size=15)
            assert all(each in ids_in(out) or is_named(report, each) for each in range(1, 61))
            server.changed, server.spoilt = changed, later
            report = await export_cases(desk, out, page_size=15, update=True)
            there = {*ids_in(out)}
            assert all(each in there or is_named(report, each) for each in range(1, 61))
            server.spoilt = set()
            report = await export_cases(desk, out, page_size=15, update=True)
            assert {*ids_in(out)} == {*range(1, 61)}
            assert report.is_whole

    with TemporaryDirectory() as folder:
        anyio.run(exported, Path(folder, "out.db"), backend=backend)
