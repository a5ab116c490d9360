"""Many cases by their ids: against the sandbox what comes, with fake cases when and how."""

import itertools
from contextlib import aclosing, suppress

import anyio
import httpx
import pytest
from anyio import wait_all_tasks_blocked
from clients import client
from fake_cases import FakeCases, cases_of
from hypothesis import given, settings
from hypothesis import strategies as st

from fusedesk_async import (
    AnswerLostError,
    AuthenticationError,
    Bookmark,
    ConfigurationError,
    FuseDesk,
    FuseDeskWarning,
    NotFoundError,
    PaginationError,
    PermissionDeniedError,
    RateLimitError,
    RequestRejectedError,
    ServerError,
    UnexpectedResponseError,
)
from fusedesk_async.sandbox import Sandbox, VirtualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def sandbox(clock):
    return Sandbox(60, clock=clock)


@pytest.fixture
async def desk(sandbox, clock):
    async with client(sandbox, clock) as desk:
        yield desk


async def collected(lookup, got=None):
    got = [] if got is None else got
    async for number, result in lookup:
        got.append((number, result if isinstance(result, Exception) else result.id))
    return got


async def test_cases_come_with_their_history_in_the_order_asked_for(desk):
    wanted = [7, 3, 3, 60, 1]
    async with desk.cases.get_many(wanted, concurrency=2) as lookup:
        results = [(number, result) async for number, result in lookup]
    assert [number for number, _ in results] == [result.id for _, result in results] == wanted
    assert results[0][1] == await desk.cases.get(7)
    assert lookup.completed == 5


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 404}, NotFoundError),
        ({"status": 403}, PermissionDeniedError),
        ({"status": 405}, RequestRejectedError),
        ({"status": 502, "times": 9}, ServerError),
        ({"drop": True, "times": 9}, AnswerLostError),
        ({"body": "[]", "times": 9}, UnexpectedResponseError),
    ],
)
async def test_what_goes_wrong_with_one_case_is_its_result(desk, sandbox, fault, kind):
    async with desk.cases.get_many([1, 2, 3], concurrency=1) as lookup:
        assert (await anext(lookup))[1].id == 1
        sandbox.fault("get", **fault)
        results = dict(await collected(lookup))
    failed = [result for result in results.values() if isinstance(result, kind)]
    assert set(results) == {2, 3}
    assert failed
    assert failed[0].request.path in {"v1/cases/2", "v1/cases/3"}


@pytest.mark.parametrize("wrong", ["12", -1, 1.5, None, True, "../reps"])
async def test_what_is_no_id_costs_no_call(desk, sandbox, wrong):
    async with desk.cases.get_many([wrong]) as lookup:
        ((asked, result),) = await collected(lookup)
    assert asked is wrong
    assert isinstance(result, ConfigurationError)
    assert not sandbox.received


async def test_ids_may_come_from_a_walk(desk):
    async with desk.cases.walk(page_size=10) as walk, desk.cases.get_many(walk) as lookup:
        assert await collected(lookup) == [(number, number) for number in range(1, 61)]


async def test_a_walk_that_fails_fails_for_the_lookup_too(desk, sandbox):
    sandbox.fault("search", nth=3, status=405, times=9)
    async with desk.cases.walk(page_size=10, concurrency=1) as walk, desk.cases.get_many(walk) as lookup:
        with pytest.raises(RequestRejectedError):
            await collected(lookup)
    assert lookup.completed == 19


async def test_a_key_that_is_no_good_any_more_ends_it(desk, sandbox):
    sandbox.fault("get", nth=3, status=401, times=99)
    got = []
    async with desk.cases.get_many(range(1, 60)) as lookup:
        with pytest.raises(AuthenticationError):
            await collected(lookup, got)
        with pytest.raises(ConfigurationError, match="this lookup has failed"):
            await anext(lookup)
    assert got == [(number, number) for number in range(1, len(got) + 1)]
    assert len(sandbox.received) < 12


async def test_a_limit_ends_it_where_waiting_is_not_wanted(desk, sandbox):
    sandbox.fault("get", nth=2, status=429, times=99)
    async with desk.with_options(on_rate_limit="raise").cases.get_many([1, 2, 3]) as lookup:
        with pytest.raises(RateLimitError):
            await collected(lookup)


async def test_a_closed_client_ends_it(sandbox):
    desk = FuseDesk("acme", api_key=sandbox.api_key, transport=httpx.ASGITransport(sandbox.app))
    async with desk:
        lookup = desk.cases.get_many([1, 2, 3])
    async with lookup:
        with pytest.raises(ConfigurationError, match="closed"):
            await anext(lookup)


async def test_endless_ids_are_read_as_they_are_needed():
    read, fake = [], FakeCases()

    def numbers():
        for number in itertools.count():
            read.append(number)
            yield number

    async with cases_of(fake).get_many(numbers(), concurrency=3) as lookup:
        await wait_all_tasks_blocked()
        assert read == []
        async for number, _ in lookup:
            assert len(fake.asked) <= len(read) <= number + 1 + 2 * 3
            if number % 10 == 0:  # it takes a while
                await wait_all_tasks_blocked()
                assert len(fake.asked) == len(read) <= number + 1 + 2 * 3
            if number == 20:
                break
    assert fake.most_in_flight == 3
    assert fake.bulk == {True}


async def test_asynchronous_ids_that_keep_us_waiting_do_not_keep_results_waiting():
    fake, more = FakeCases(), anyio.Event()

    async def numbers():
        yield 1
        yield 2
        await more.wait()
        yield 3

    async with aclosing(numbers()) as source, cases_of(fake).get_many(source) as lookup:
        assert [(await anext(lookup))[0] for _ in range(2)] == [1, 2]
        more.set()
        assert await collected(lookup) == [(3, 3)]
        assert await collected(lookup) == []


async def test_a_slow_case_holds_back_no_more_than_its_share():
    fake = FakeCases()
    fake.gates[0] = anyio.Event()
    async with cases_of(fake).get_many(range(100), concurrency=4) as lookup, anyio.create_task_group() as group:

        async def consume():
            assert await collected(lookup) == [(number, number) for number in range(100)]

        group.start_soon(consume)
        await wait_all_tasks_blocked()
        assert sorted(fake.asked) == list(range(8))
        fake.gates[0].set()


@pytest.mark.parametrize("error", [ValueError("no more"), RateLimitError("enough")])
async def test_what_the_ids_raise_comes_as_it_is_after_the_results_before_it(error):
    def numbers():
        yield 1
        yield 2
        raise error

    got = []
    async with cases_of(FakeCases()).get_many(numbers()) as lookup:
        with pytest.raises(type(error)) as caught:
            await collected(lookup, got)
    assert caught.value is error
    assert got == [(1, 1), (2, 2)]


@pytest.mark.parametrize("error", [AuthenticationError("no"), ZeroDivisionError("a bug")])
async def test_an_end_waits_for_its_turn_and_nothing_is_asked_beyond_it(error):
    fake = FakeCases()
    fake.gates[1] = anyio.Event()
    fake.failures[2] = error
    fake.gates[3] = anyio.Event()
    got = []
    async with cases_of(fake).get_many(range(1, 100)) as lookup, anyio.create_task_group() as group:

        async def consume():
            with pytest.raises(type(error)) as caught:
                await collected(lookup, got)
            assert caught.value is error

        group.start_soon(consume)
        await wait_all_tasks_blocked()
        asked = list(fake.asked)
        assert fake.in_flight == 1, "what lies beyond is given up"
        fake.gates[1].set()
    assert got == [(1, 1)]
    assert fake.asked == asked


async def test_an_id_that_is_read_too_late_is_not_asked_for():
    fake, more = FakeCases(), anyio.Event()
    fake.failures[1] = AuthenticationError("no")

    async def numbers():
        yield 1
        await more.wait()
        yield 2
        raise AssertionError

    async with aclosing(numbers()) as source, cases_of(fake).get_many(source) as lookup:
        with pytest.raises(AuthenticationError):
            await anext(lookup)
        more.set()
        await wait_all_tasks_blocked()
    assert fake.asked == [1]


async def test_who_leaves_early_ends_the_calls():
    fake = FakeCases()
    fake.gates = {number: anyio.Event() for number in range(2, 100)}
    async with cases_of(fake).get_many(range(1, 100)) as lookup:
        await anext(lookup)
        await wait_all_tasks_blocked()
        assert fake.in_flight == 4
    assert fake.in_flight == 0
    assert sorted(fake.asked) == [1, 2, 3, 4, 5]


async def test_what_was_about_to_be_asked_when_it_is_left_is_not():
    fake, read = FakeCases(), []

    def numbers():
        for number in itertools.count():
            read.append(number)
            yield number

    async with cases_of(fake).get_many(numbers()) as lookup:
        async for _ in lookup:
            asked = len(fake.asked)
            break
    assert len(fake.asked) == asked
    assert len(read) <= asked + 4


@pytest.mark.parametrize("ids", [5, None])
def test_ids_come_from_something_that_has_several(ids):
    with pytest.raises(ConfigurationError, match="ids come from an iterable"):
        cases_of(FakeCases()).get_many(ids)


def test_no_concurrency_is_refused():
    with pytest.raises(ConfigurationError, match="concurrency"):
        cases_of(FakeCases()).get_many([], concurrency=0)


@pytest.mark.parametrize("anyio_backend", ["trio"], indirect=True)
async def test_an_interrupt_that_hits_the_source_of_the_ids_passes_as_it_is():
    def numbers():
        yield 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        async with cases_of(FakeCases()).get_many(numbers()) as lookup:
            await collected(lookup)


@given(
    stops=st.lists(st.integers(0, 12), max_size=6),
    page_size=st.integers(2, 9),
    concurrency=st.integers(1, 5),
    first=st.integers(0, 3),
    by_name=st.booleans(),
)
@settings(max_examples=40, deadline=None)
async def test_resumed_from_its_bookmark_at_any_point_a_lookup_misses_no_case(
    stops, page_size, concurrency, first, by_name
):
    clock = VirtualClock()
    sandbox = Sandbox(20, clock=clock)
    department = {"department": next(iter(sandbox.state.departments.values())).name} if by_name else {}
    filters = {"status": "all", **department}
    got, after = [], None
    async with client(sandbox, clock) as desk:
        expected = [case.id async for case in desk.cases.search(**filters)]
        for stop in [*stops, None]:
            async with (
                desk.cases.walk(after=after, page_size=page_size, concurrency=2, **filters) as walk,
                desk.cases.get_many(walk, concurrency=concurrency) as lookup,
            ):
                if first and not got:
                    got += [case.id async for case in limited(walk, first)]
                async for number, _ in limited(lookup, stop):
                    got.append(number)
                with suppress(ConfigurationError):  # of names, nothing was asked for yet
                    after = Bookmark.parse(str(lookup.bookmark))
    assert got == expected


async def limited(stream, number):
    """The first so many of a stream; all for None."""
    while number is None or number > 0:
        try:
            yield await anext(stream)
        except StopAsyncIteration:
            return
        number = None if number is None else number - 1


async def test_before_the_first_result_the_bookmark_is_where_the_walk_was(desk):
    async with desk.cases.walk(status="all") as walk, desk.cases.get_many(walk) as lookup:
        begin = walk.bookmark
        assert lookup.bookmark == begin
        await anext(lookup)
        assert lookup.bookmark == Bookmark(1, 0, begin.job)
        assert walk.bookmark.id > 1, "the walk is ahead"


async def test_a_failure_that_was_given_is_done(sandbox, desk):
    sandbox.fault("get", nth=2, status=404)
    async with desk.cases.walk(status="all") as walk, desk.cases.get_many(walk, concurrency=1) as lookup:
        await anext(lookup)
        _, failure = await anext(lookup)
        assert isinstance(failure, NotFoundError)
        assert lookup.bookmark.id == 2


async def test_of_names_the_first_result_tells_where_it_began(sandbox, desk):
    name = next(iter(sandbox.state.departments.values())).name
    gate = anyio.Event()
    async with desk.cases.walk(status="all", department=name) as walk, desk.cases.get_many(walk) as lookup:
        with pytest.raises(ConfigurationError, match="names of this walk are not looked up"):
            _ = lookup.bookmark
        async with anyio.create_task_group() as group:

            async def first():
                await anext(lookup)
                gate.set()

            group.start_soon(first)
            while walk.report.rows == 0:
                await anyio.lowlevel.checkpoint()
            assert not gate.is_set()
            assert (lookup.bookmark.id, lookup.bookmark.rank) == (None, 0)


async def test_without_a_walk_there_is_no_bookmark(desk):
    async with desk.cases.get_many([1, 2]) as lookup:
        await anext(lookup)
        with pytest.raises(ConfigurationError, match="come from no walk"):
            _ = lookup.bookmark


async def test_a_walk_that_keeps_no_order_gives_no_bookmark_here_either(sandbox, desk):
    sandbox.fault("search", times=99, body=[{"caseid": 9}, {"caseid": 3}, {"caseid": 4}])
    async with desk.cases.walk(on_unordered="report") as walk, desk.cases.get_many(walk) as lookup:
        with pytest.warns(FuseDeskWarning, match="does not keep the order"):
            await anext(lookup)
        with pytest.raises(PaginationError, match="does not keep id order"):
            _ = lookup.bookmark
