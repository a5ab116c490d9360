"""Many cases by their ids: against the sandbox what comes, in front of a stand-in for the drawer when and how."""

import itertools
from contextlib import aclosing

import anyio
import httpx
import pytest
from anyio import wait_all_tasks_blocked
from clients import client
from fake_pages import Drawer

from fusedesk_async import (
    AnswerLostError,
    AuthenticationError,
    ConfigurationError,
    FuseDesk,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestRejectedError,
    ServerError,
    UnexpectedResponseError,
)
from fusedesk_async.resources.cases import Cases
from fusedesk_async.sandbox import Sandbox

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


async def test_a_closed_drawer_ends_it(sandbox):
    desk = FuseDesk("acme", api_key=sandbox.api_key, transport=httpx.ASGITransport(sandbox.app))
    async with desk:
        lookup = desk.cases.get_many([1, 2, 3])
    async with lookup:
        with pytest.raises(ConfigurationError, match="closed"):
            await anext(lookup)


async def test_endless_ids_are_read_as_they_are_needed():
    read, drawer = [], Drawer()

    def numbers():
        for number in itertools.count():
            read.append(number)
            yield number

    async with Cases(drawer).get_many(numbers(), concurrency=3) as lookup:
        await wait_all_tasks_blocked()
        assert read == []
        async for number, _ in lookup:
            await wait_all_tasks_blocked()
            assert len(read) == len(drawer.asked) <= number + 1 + 2 * 3
            if number == 20:
                break
    assert drawer.most_flying == 3
    assert drawer.bulk == {True}


async def test_asynchronous_ids_that_keep_us_waiting_do_not_keep_results_waiting():
    drawer, more = Drawer(), anyio.Event()

    async def numbers():
        yield 1
        yield 2
        await more.wait()
        yield 3

    async with aclosing(numbers()) as source, Cases(drawer).get_many(source) as lookup:
        assert [(await anext(lookup))[0] for _ in range(2)] == [1, 2]
        more.set()
        assert await collected(lookup) == [(3, 3)]
        assert await collected(lookup) == []


async def test_a_slow_case_holds_back_no_more_than_its_share():
    drawer = Drawer()
    drawer.gates[0] = anyio.Event()
    async with Cases(drawer).get_many(range(100), concurrency=4) as lookup, anyio.create_task_group() as group:

        async def consume():
            assert await collected(lookup) == [(number, number) for number in range(100)]

        group.start_soon(consume)
        await wait_all_tasks_blocked()
        assert sorted(drawer.asked) == list(range(8))
        drawer.gates[0].set()


@pytest.mark.parametrize("error", [ValueError("no more"), RateLimitError("enough")])
async def test_what_the_ids_raise_comes_as_it_is_after_the_results_before_it(error):
    def numbers():
        yield 1
        yield 2
        raise error

    got = []
    async with Cases(Drawer()).get_many(numbers()) as lookup:
        with pytest.raises(type(error)) as caught:
            await collected(lookup, got)
    assert caught.value is error
    assert got == [(1, 1), (2, 2)]


@pytest.mark.parametrize("error", [AuthenticationError("no"), ZeroDivisionError("a bug")])
async def test_an_end_waits_for_its_turn_and_nothing_is_asked_beyond_it(error):
    drawer = Drawer()
    drawer.gates[1] = anyio.Event()
    drawer.failures[2] = error
    drawer.gates[3] = anyio.Event()
    got = []
    async with Cases(drawer).get_many(range(1, 100)) as lookup, anyio.create_task_group() as group:

        async def consume():
            with pytest.raises(type(error)) as caught:
                await collected(lookup, got)
            assert caught.value is error

        group.start_soon(consume)
        await wait_all_tasks_blocked()
        asked = list(drawer.asked)
        assert drawer.flying == 1, "what lies beyond is given up"
        drawer.gates[1].set()
    assert got == [(1, 1)]
    assert drawer.asked == asked


async def test_an_id_that_is_read_too_late_is_not_asked_for():
    drawer, more = Drawer(), anyio.Event()
    drawer.failures[1] = AuthenticationError("no")

    async def numbers():
        yield 1
        await more.wait()
        yield 2
        raise AssertionError

    async with aclosing(numbers()) as source, Cases(drawer).get_many(source) as lookup:
        with pytest.raises(AuthenticationError):
            await anext(lookup)
        more.set()
        await wait_all_tasks_blocked()
    assert drawer.asked == [1]


async def test_who_leaves_early_ends_the_calls():
    drawer = Drawer()
    drawer.gates = {number: anyio.Event() for number in range(2, 100)}
    async with Cases(drawer).get_many(range(1, 100)) as lookup:
        await anext(lookup)
        await wait_all_tasks_blocked()
        assert drawer.flying == 4
    assert drawer.flying == 0
    assert sorted(drawer.asked) == [1, 2, 3, 4, 5]


async def test_what_was_about_to_be_asked_when_it_is_left_is_not():
    drawer, read = Drawer(), []

    def numbers():
        for number in itertools.count():
            read.append(number)
            yield number

    async with Cases(drawer).get_many(numbers()) as lookup:
        async for _ in lookup:
            asked = len(drawer.asked)
            break
    assert len(drawer.asked) == asked
    assert len(read) <= asked + 4


@pytest.mark.parametrize("ids", [5, None])
def test_ids_come_from_something_that_has_several(ids):
    with pytest.raises(ConfigurationError, match="ids come from an iterable"):
        Cases(Drawer()).get_many(ids)


def test_no_concurrency_is_refused():
    with pytest.raises(ConfigurationError, match="concurrency"):
        Cases(Drawer()).get_many([], concurrency=0)


@pytest.mark.parametrize("anyio_backend", ["trio"], indirect=True)
async def test_an_interrupt_that_hits_the_source_of_the_ids_passes_as_it_is():
    def numbers():
        yield 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        async with Cases(Drawer()).get_many(numbers()) as lookup:
            await collected(lookup)
