"""Who asks a limiter for leave: the queues, the places of a client, and callers that go away."""

import math

import anyio
import pytest
from anyio.lowlevel import checkpoint
from limiter_calls import BULK, GOOD, PERSON, REQUEST, refused, told

from fusedesk_async import ConfigurationError, RateLimiter
from fusedesk_async._ratelimit.queues import Places
from fusedesk_async.sandbox import VirtualClock

pytestmark = pytest.mark.anyio


async def test_calls_go_at_once_while_there_are_places(limiter, clock):
    places = Places(3)
    for _ in range(3):
        await limiter.acquire(places, PERSON, REQUEST)
    assert clock.waited == 0
    assert places.free == 0


async def test_a_call_waits_for_a_place(limiter, clock):
    places, order = Places(1), []

    async def call(name):
        grant = await limiter.acquire(places, PERSON, REQUEST)
        order.append(name)
        await clock.sleep(10)
        limiter.finish(grant, GOOD)

    async with anyio.create_task_group() as group:
        for name in "abc":
            group.start_soon(call, name)
    assert sorted(order) == ["a", "b", "c"]
    assert clock.waited == 30


async def test_a_client_whose_places_are_taken_does_not_hold_up_another(limiter, clock):
    full, other, left = Places(1), Places(1), []
    taken = [await limiter.acquire(full, PERSON, REQUEST), await limiter.acquire(other, PERSON, REQUEST)]

    async def call(places, name):
        limiter.finish(await limiter.acquire(places, PERSON, REQUEST), GOOD)
        left.append(name)

    async with anyio.create_task_group() as group:
        group.start_soon(call, full, "full")
        await anyio.wait_all_tasks_blocked()
        group.start_soon(call, other, "other")
        await anyio.wait_all_tasks_blocked()
        limiter.finish(taken[1], GOOD)
        await anyio.wait_all_tasks_blocked()
        assert left == ["other"]
        limiter.finish(taken[0], GOOD)
    assert left == ["other", "full"]


async def test_interactive_calls_go_first_and_each_kind_in_the_order_it_came(limiter):
    places, order = Places(1), []
    first = await limiter.acquire(places, PERSON, REQUEST)

    async def call(name, patience):
        grant = await limiter.acquire(places, patience, REQUEST)
        order.append(name)
        limiter.finish(grant, GOOD)

    async with anyio.create_task_group() as group:
        for name, patience in [("bulk 1", BULK), ("bulk 2", BULK), ("person 1", PERSON), ("person 2", PERSON)]:
            group.start_soon(call, name, patience)
            await anyio.wait_all_tasks_blocked()
        limiter.finish(first, GOOD)
    assert order == ["person 1", "person 2", "bulk 1", "bulk 2"]


async def test_a_cancelled_waiter_leaves_its_place_in_the_queue(limiter):
    places = Places(1)
    first = await limiter.acquire(places, PERSON, REQUEST)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await limiter.acquire(places, PERSON, REQUEST)
    limiter.finish(first, GOOD)
    assert places.free == 1
    await limiter.acquire(places, PERSON, REQUEST)


async def test_a_waiter_cancelled_after_its_grant_gives_it_back(limiter):
    places = Places(1)
    first = await limiter.acquire(places, PERSON, REQUEST)

    async def call():
        grant = await limiter.acquire(places, PERSON, REQUEST)
        limiter.finish(grant, None)  # asyncio may let the acquisition win over the cancellation

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        limiter.finish(first, GOOD)  # the grant is given, its task has not run yet
        assert places.free == 0
        group.cancel_scope.cancel()
    assert places.free == 1


async def test_when_the_first_in_line_leaves_the_next_one_looks_at_the_clock(limiter, clock):
    places = Places(1)
    await told(limiter, refused(retry_after="30"))
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            first, second = anyio.CancelScope(), []

            async def leaves():
                with first:
                    await limiter.acquire(places, PERSON, REQUEST)

            async def stays():
                second.append(await limiter.acquire(places, PERSON, REQUEST))

            group.start_soon(leaves)
            await checkpoint()
            group.start_soon(stays)
            await checkpoint()
            first.cancel()
    assert len(second) == 1
    assert clock.waited >= 30


async def test_a_grant_that_comes_too_late_goes_to_the_next_in_line(limiter):
    places, second = Places(1), []
    held = await limiter.acquire(places, PERSON, REQUEST)
    leaves = anyio.CancelScope()

    async def first():
        with leaves:
            limiter.finish(await limiter.acquire(places, PERSON, REQUEST), None)

    async def then():
        second.append(await limiter.acquire(places, PERSON, REQUEST))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            for call in (first, then):
                group.start_soon(call)
                await anyio.wait_all_tasks_blocked()
            limiter.finish(held, GOOD)  # the grant is given, its task has not run yet
            leaves.cancel()
    assert len(second) == 1


async def test_a_limiter_is_for_one_clock_at_a_time(limiter, clock):
    places = Places(1)
    grant = await limiter.acquire(places, PERSON, REQUEST)
    with pytest.raises(ConfigurationError, match="one event loop and one clock"):
        limiter.attach(VirtualClock())
    limiter.attach(clock)
    limiter.finish(grant, GOOD)
    limiter.attach(VirtualClock())


def test_a_limiter_may_serve_one_event_loop_after_the_other():
    limiter = RateLimiter()

    async def use():
        clock = VirtualClock()
        limiter.attach(clock)
        limiter.finish(await limiter.acquire(Places(1), PERSON, REQUEST), GOOD)

    for backend in ("asyncio", "trio", "asyncio"):
        anyio.run(use, backend=backend)


@pytest.mark.parametrize("window", [0, -1, math.inf, math.nan])
def test_an_hour_that_is_none_is_refused(window):
    with pytest.raises(ConfigurationError, match="window"):
        RateLimiter(window=window)


@pytest.mark.parametrize("reserve", [1, -0.1, True, math.nan, math.inf, "0.1", None])
def test_a_reserve_that_is_no_part_of_the_hour_is_refused(reserve):
    with pytest.raises(ConfigurationError, match="reserve is a part of the hour's calls, from 0 to below 1"):
        RateLimiter(reserve=reserve)


@pytest.mark.parametrize("limit", [0, -1, 0.5, True])
def test_an_assumed_limit_that_allows_nothing_is_refused(limit):
    with pytest.raises(ConfigurationError, match="assumed_limit is a whole number above 0"):
        RateLimiter(assumed_limit=limit)


async def test_the_first_call_goes_alone_and_after_its_answer_all_the_others(clock):
    limiter, places, left_at = RateLimiter(), Places(10), []
    limiter.attach(clock)

    async def call():
        grant = await limiter.acquire(places, BULK, REQUEST)
        left_at.append(clock.waited)
        await clock.sleep(0.2)
        limiter.finish(grant, GOOD)

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(call)
    assert left_at == [0.0, *[0.2] * 9]


async def test_while_the_first_answer_is_not_there_yet_the_others_follow_one_by_one(clock):
    limiter, places, left_at = RateLimiter(), Places(10), []
    limiter.attach(clock)

    async def call():
        grant = await limiter.acquire(places, BULK, REQUEST)
        left_at.append(clock.waited)
        await clock.sleep(1.0)
        limiter.finish(grant, GOOD)

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(call)
    assert left_at == pytest.approx([0.0, 0.3, 0.6, 0.9, *[1.0] * 6])


async def test_a_client_that_is_closed_lets_those_who_wait_fail_and_the_others_go_on(limiter):
    closing, other = Places(1), Places(1)
    taken = [await limiter.acquire(closing, PERSON, REQUEST), await limiter.acquire(other, PERSON, REQUEST)]

    async def fail():
        with pytest.raises(ConfigurationError, match="closed before the call could leave"):
            await limiter.acquire(closing, PERSON, REQUEST)

    async def go():
        limiter.finish(await limiter.acquire(other, PERSON, REQUEST), GOOD)

    async with anyio.create_task_group() as group:
        group.start_soon(fail)
        group.start_soon(go)
        await anyio.wait_all_tasks_blocked()
        limiter.detach(closing)
        await anyio.wait_all_tasks_blocked()
        for grant in taken:
            limiter.finish(grant, GOOD)
    assert other.free == 1


async def test_a_place_is_left_free_for_people_after_one_of_them_called(limiter, clock):
    places, granted_at = Places(3), []
    await told(limiter, GOOD, PERSON)

    async def work():
        await limiter.acquire(places, BULK, REQUEST)
        granted_at.append(clock.waited)

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(work)
        for _ in range(10):  # fewer turns than the clock takes for stillness
            await checkpoint()
        assert (granted_at, places.free) == ([0, 0], 1)
        person = await limiter.acquire(places, PERSON, REQUEST)
        assert clock.waited == 0
        clock.advance(100)
        limiter.finish(person, GOOD)
    assert granted_at == [0, 0, pytest.approx(300)]


async def test_the_only_place_of_a_client_is_not_kept_for_people(limiter):
    await told(limiter, GOOD, PERSON)
    await limiter.acquire(Places(1), BULK, REQUEST)
