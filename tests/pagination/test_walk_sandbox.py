"""Walks and searches against the sandbox: what they bring while cases move, what they cost, how they go on."""

import math

import anyio
import httpx
import pytest
from fake_pages import ids

from fusedesk_async import (
    Bookmark,
    ConfigurationError,
    FuseDesk,
    FuseDeskWarning,
    RateLimitError,
    UnexpectedResponseError,
    WalkReport,
)
from fusedesk_async.sandbox import Sandbox, SandboxProfile, VirtualClock

pytestmark = pytest.mark.anyio

CONCURRENCY = [1, 4]


def client_of(sandbox, **options):
    return FuseDesk(
        "acme",
        api_key=sandbox.api_key,
        transport=httpx.ASGITransport(sandbox.app),
        **{"clock": VirtualClock(), **options},
    )


def set_open(sandbox, count, every):
    """Let so many cases be open and the others closed, one in `every`; their ids."""
    cases = sandbox.state.cases
    for case in cases.ids():
        cases.change(case, status="closed" if case % every else "open")
    wanted = [case for case in cases.ids() if not case % every][:count]
    assert len(wanted) == count
    return wanted


def pages_asked(sandbox):
    return sum(received.operation == "search" for received in sandbox.received)


@pytest.mark.parametrize("concurrency", CONCURRENCY)
@pytest.mark.parametrize("count", [700, 5_000])
async def test_a_worker_that_closes_what_it_gets_gets_all(count, concurrency):
    sandbox = Sandbox(count * 3)
    wanted, got = set_open(sandbox, count, 3), []
    async with client_of(sandbox) as desk, desk.cases.walk(status="open", concurrency=concurrency) as walk:
        async for case in walk:
            got.append(case.id)
            sandbox.close_cases(ids=[case.id])
    assert got == wanted


async def test_a_worker_that_closes_what_it_searches_for_by_the_api_gets_all():
    sandbox = Sandbox(2_100)
    wanted, got = set_open(sandbox, 700, 3), []
    async with client_of(sandbox) as desk:
        async for case in desk.cases.search(status="open"):
            got.append(case.id)
            await desk.cases.close(case.id)
    assert got == wanted


@pytest.mark.parametrize("concurrency", CONCURRENCY)
@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 2_000])
async def test_what_a_quiet_walk_costs(count, concurrency):
    sandbox = Sandbox(count)
    async with client_of(sandbox) as desk, desk.cases.walk(page_size=100, concurrency=concurrency) as walk:
        assert await ids(walk) == list(range(1, count + 1))
    assert pages_asked(sandbox) <= math.ceil(count / 100) * 1.01 + 3 + concurrency
    assert walk.report.calls <= pages_asked(sandbox)


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_what_a_walk_costs_while_five_rows_leave_per_call():
    sandbox = Sandbox(20_000)
    set_open(sandbox, 20_000, 1)
    sandbox.churn("search", lambda desk: desk.close_cases(5))
    async with client_of(sandbox) as desk, desk.cases.walk(status="open", concurrency=1) as walk:
        got = await ids(walk)
    left = {case for case in range(1, 20_001) if sandbox.state.cases.value(case, "status") == "open"}
    assert left <= set(got)
    assert pages_asked(sandbox) <= 1.2 * 40


@pytest.mark.parametrize("cap", [500, 100, 7])
async def test_a_server_that_caps_its_pages_is_followed(cap):
    sandbox = Sandbox(1_000, profile=SandboxProfile(largest_limit=cap, over_limit="cut"))
    async with client_of(sandbox) as desk, desk.cases.walk() as walk:
        assert await ids(walk) == list(range(1, 1_001))


async def test_a_limit_ends_a_walk_that_does_not_want_to_wait_and_the_bookmark_is_good():
    sandbox, got = Sandbox(500), []
    sandbox.fault("search", nth=4, status=429, retry_after="30", times=4)
    async with client_of(sandbox, on_rate_limit="raise") as desk:
        async with desk.cases.walk(page_size=50) as walk:
            with pytest.raises(RateLimitError):
                await ids(walk, got)
        assert got == list(range(1, len(got) + 1))
        assert walk.bookmark.id == len(got) > 0
        bookmark = Bookmark.parse(str(walk.bookmark))
    before = pages_asked(sandbox)
    async with client_of(sandbox) as desk, desk.cases.walk(page_size=50, after=bookmark, concurrency=1) as walk:
        assert got + await ids(walk) == list(range(1, 501))
    assert pages_asked(sandbox) - before <= math.ceil((500 - len(got)) / 49) + 4


async def test_a_bookmark_is_good_after_every_single_case():
    sandbox, got, bookmark = Sandbox(30), [], None
    async with client_of(sandbox) as desk:
        while bookmark is None or bookmark.id < 30:
            async with desk.cases.walk(page_size=7, concurrency=2, after=bookmark) as walk:
                got.append((await anext(walk)).id)
                bookmark = walk.bookmark
                assert bookmark.rank == bookmark.id - 1
    assert got == list(range(1, 31))


async def test_a_walk_that_was_finished_goes_on_with_what_was_added():
    sandbox = Sandbox(40)
    async with client_of(sandbox) as desk:
        async with desk.cases.walk(page_size=10) as walk:
            await ids(walk)
        async with desk.cases.walk(page_size=10, after=walk.bookmark) as again:
            assert await ids(again) == []
        assert again.bookmark == walk.bookmark
        sandbox.delete_cases(ids=range(1, 20))
        added = sandbox.open_cases(15)
        async with desk.cases.walk(page_size=25, after=walk.bookmark) as again:
            assert await ids(again) == added
    assert again.report.seams_mended == 1


async def test_a_bookmark_of_other_filters_is_refused_before_anything_is_sent():
    sandbox = Sandbox(5)
    async with client_of(sandbox) as desk:
        bookmark = desk.cases.walk(status="open").bookmark
        with pytest.raises(ConfigurationError, match="other filters"):
            desk.cases.walk(status="closed", after=bookmark)
        async with desk.cases.walk(status="open", after=bookmark, page_size=3):
            pass
    assert not sandbox.received


async def test_a_report_tells_noise_from_records_that_could_not_be_read():
    sandbox = Sandbox(0)
    rows = [{"caseid": 1}, {"caseid": 2, "date_opened": "soon"}, {"caseid": "3x"}, {"caseid": 4}]
    sandbox.fault("search", body=rows, prefix="<b>Warning</b>: out of paper")
    sandbox.fault("search", nth=2, body=rows[3:])
    async with client_of(sandbox) as desk, desk.cases.walk(page_size=4, concurrency=1) as walk:
        with pytest.warns(FuseDeskWarning) as warned:
            assert await ids(walk) == [1, 2, 4]
    assert walk.report == WalkReport(calls=4, rows=3, salvaged=1, rejected=1, odd_fields=1)
    assert len(warned) == 3


async def test_in_strict_mode_one_bad_record_ends_the_walk():
    sandbox = Sandbox(0)
    sandbox.fault("search", body=[{"caseid": 1}, {"caseid": 2, "date_opened": "soon"}], times=9)
    async with client_of(sandbox, strict=True) as desk, desk.cases.walk() as walk:
        with pytest.raises(UnexpectedResponseError, match=r"date_opened of record 2"):
            await ids(walk)
    assert walk.report.rejected == 0


async def test_a_search_of_a_server_that_ignores_the_order_brings_all_it_sends_and_tells():
    sandbox = Sandbox(0)
    sandbox.fault("search", body=[{"caseid": 9}, {"caseid": 3}, {"caseid": 7}], times=2)
    async with client_of(sandbox) as desk:
        with pytest.warns(FuseDeskWarning, match="order by id"):
            assert [case.id async for case in desk.cases.search()] == [9, 3, 7]


async def test_a_search_loses_nothing_while_cases_leave():
    sandbox = Sandbox(2_000)
    wanted = set_open(sandbox, 2_000, 1)
    sandbox.churn("search", lambda desk: desk.close_cases(20))
    async with client_of(sandbox) as desk:
        got = [case.id async for case in desk.cases.search(status="open", page_size=100)]
    left = {case for case in wanted if sandbox.state.cases.value(case, "status") == "open"}
    assert left <= set(got)
    assert got == sorted(set(got))


async def test_the_client_is_good_after_a_walk_that_was_left_or_cancelled():
    clock = VirtualClock()
    sandbox = Sandbox(5_000, latency=0.3, clock=clock)
    async with client_of(sandbox, clock=clock, concurrency=4) as desk:
        for rows in (1, 30, 600):
            async with desk.cases.walk(page_size=20) as walk:
                async for case in walk:
                    if case.id == rows:
                        break
            asked = pages_asked(sandbox)
            await desk.session.permissions()
            assert pages_asked(sandbox) == asked
            with anyio.CancelScope() as scope:
                async with desk.cases.walk(page_size=20) as walk:
                    async for case in walk:
                        if case.id == rows:
                            scope.cancel()
        assert (await desk.cases.get(42)).id == 42


async def test_two_walks_and_a_search_go_side_by_side():
    sandbox = Sandbox(300)
    async with (
        client_of(sandbox) as desk,
        desk.cases.walk(page_size=20) as one,
        desk.with_options(priority="interactive").cases.walk(page_size=30) as other,
    ):
        found = aiter(desk.cases.search(page_size=40))
        for number in range(1, 301):
            assert [(await anext(listing)).id for listing in (one, other, found)] == [number] * 3
