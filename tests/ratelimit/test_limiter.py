"""Who asks a limiter for a permit: the queues, the slots of a client, and callers that are cancelled."""

import asyncio
import math

import anyio
import pytest
from anyio.lowlevel import checkpoint
from limiter_calls import BULK, GOOD, INTERACTIVE, REQUEST, rejected, respond

from fusedesk_async import ConfigurationError, RateLimiter
from fusedesk_async._ratelimit.queues import Slots
from fusedesk_async.sandbox import VirtualClock

pytestmark = pytest.mark.anyio


async def test_calls_go_at_once_while_there_are_slots(limiter, clock):
    slots = Slots(3)
    for _ in range(3):
        await limiter.acquire(slots, INTERACTIVE, REQUEST)
    assert clock.waited == 0
    assert slots.free == 0


async def test_a_call_waits_for_a_slot(limiter, clock):
    slots, order = Slots(1), []

    async def call(name):
        permit = await limiter.acquire(slots, INTERACTIVE, REQUEST)
        order.append(name)
        await clock.sleep(10)
        limiter.finish(permit, GOOD)

    async with anyio.create_task_group() as group:
        for name in "abc":
            group.start_soon(call, name)
    assert sorted(order) == ["a", "b", "c"]
    assert clock.waited == 30


async def test_a_client_whose_slots_are_taken_does_not_hold_up_another(limiter, clock):
    full, other, left = Slots(1), Slots(1), []
    taken = [await limiter.acquire(full, INTERACTIVE, REQUEST), await limiter.acquire(other, INTERACTIVE, REQUEST)]

    async def call(slots, name):
        limiter.finish(await limiter.acquire(slots, INTERACTIVE, REQUEST), GOOD)
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
    slots, order = Slots(1), []
    first = await limiter.acquire(slots, INTERACTIVE, REQUEST)

    async def call(name, policy):
        permit = await limiter.acquire(slots, policy, REQUEST)
        order.append(name)
        limiter.finish(permit, GOOD)

    async with anyio.create_task_group() as group:
        for name, policy in [("bulk 1", BULK), ("bulk 2", BULK), ("person 1", INTERACTIVE), ("person 2", INTERACTIVE)]:
            group.start_soon(call, name, policy)
            await anyio.wait_all_tasks_blocked()
        limiter.finish(first, GOOD)
    assert order == ["person 1", "person 2", "bulk 1", "bulk 2"]


async def test_a_cancelled_waiter_is_removed_from_the_queue(limiter):
    slots = Slots(1)
    first = await limiter.acquire(slots, INTERACTIVE, REQUEST)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await limiter.acquire(slots, INTERACTIVE, REQUEST)
    limiter.finish(first, GOOD)
    assert slots.free == 1
    await limiter.acquire(slots, INTERACTIVE, REQUEST)


async def test_a_waiter_cancelled_after_its_permit_gives_it_back(limiter):
    slots = Slots(1)
    first = await limiter.acquire(slots, INTERACTIVE, REQUEST)

    async def call():
        permit = await limiter.acquire(slots, INTERACTIVE, REQUEST)
        limiter.finish(permit, None)  # asyncio may let the acquisition win over the cancellation

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        limiter.finish(first, GOOD)  # the permit is given, its task has not run yet
        assert slots.free == 0
        group.cancel_scope.cancel()
    assert slots.free == 1


async def test_when_the_first_in_line_is_cancelled_the_next_one_looks_at_the_clock(limiter, clock):
    slots = Slots(1)
    await respond(limiter, rejected(retry_after="30"))
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            first, second = anyio.CancelScope(), []

            async def is_cancelled():
                with first:
                    await limiter.acquire(slots, INTERACTIVE, REQUEST)

            async def stays():
                second.append(await limiter.acquire(slots, INTERACTIVE, REQUEST))

            group.start_soon(is_cancelled)
            await checkpoint()
            group.start_soon(stays)
            await checkpoint()
            first.cancel()
    assert len(second) == 1
    assert clock.waited >= 30


async def test_a_permit_that_comes_too_late_goes_to_the_next_in_line(limiter):
    slots, second = Slots(1), []
    held = await limiter.acquire(slots, INTERACTIVE, REQUEST)
    scope = anyio.CancelScope()

    async def first():
        with scope:
            limiter.finish(await limiter.acquire(slots, INTERACTIVE, REQUEST), None)

    async def then():
        second.append(await limiter.acquire(slots, INTERACTIVE, REQUEST))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            for call in (first, then):
                group.start_soon(call)
                await anyio.wait_all_tasks_blocked()
            limiter.finish(held, GOOD)  # the permit is given, its task has not run yet
            scope.cancel()
    assert len(second) == 1


async def test_a_limiter_is_for_one_clock_at_a_time(limiter, clock):
    slots = Slots(1)
    permit = await limiter.acquire(slots, INTERACTIVE, REQUEST)
    with pytest.raises(ConfigurationError, match="one event loop and one clock"):
        limiter.attach(VirtualClock())
    limiter.attach(clock)
    limiter.finish(permit, GOOD)
    limiter.attach(VirtualClock())


async def test_a_limiter_of_an_open_client_is_for_its_clock_even_while_it_is_idle(limiter, clock):
    slots = Slots(1)
    limiter.attach(clock, slots)
    limiter.attach(clock, Slots(1))
    with pytest.raises(ConfigurationError, match="one event loop and one clock"):
        limiter.attach(VirtualClock(), Slots(1))


async def test_a_limiter_of_an_open_client_is_for_its_event_loop_even_while_it_is_idle(limiter, clock):
    slots = Slots(1)
    limiter.attach(clock, slots)

    async def attach():
        limiter.attach(clock, Slots(1))

    with pytest.raises(ConfigurationError, match="one event loop and one clock"):
        await anyio.to_thread.run_sync(anyio.run, attach)
    limiter.detach(slots)
    await anyio.to_thread.run_sync(anyio.run, attach)


def test_a_client_that_was_left_open_in_a_loop_that_is_over_is_in_nobodys_way():
    limiter, clock, slots = RateLimiter(), VirtualClock(), [Slots(1), Slots(1)]

    async def attach(slots):
        limiter.attach(clock, slots)

    for one in slots:
        asyncio.run(attach(one))


async def test_a_slot_kept_free_has_an_alarm_of_its_own_beside_a_client_whose_slots_are_taken(limiter, clock):
    full, hanging, granted = Slots(1), Slots(2), []
    await respond(limiter)  # somebody asks
    await limiter.acquire(full, BULK, REQUEST)
    await limiter.acquire(hanging, BULK, REQUEST)

    async def call(slots):
        permit = await limiter.acquire(slots, BULK, REQUEST)
        granted.append((slots, clock.waited))
        limiter.finish(permit, GOOD)

    async with anyio.create_task_group() as group:
        for slots in (full, hanging):
            group.start_soon(call, slots)
            await anyio.wait_all_tasks_blocked()
        for _ in range(200):
            await checkpoint()
        group.cancel_scope.cancel()
    assert granted == [(hanging, pytest.approx(300))]


def test_a_limiter_may_serve_one_event_loop_after_the_other():
    limiter = RateLimiter()

    async def use():
        clock = VirtualClock()
        limiter.attach(clock)
        limiter.finish(await limiter.acquire(Slots(1), INTERACTIVE, REQUEST), GOOD)

    for backend in ("asyncio", "trio", "asyncio"):
        anyio.run(use, backend=backend)


@pytest.mark.parametrize("window", [0, -1, math.inf, math.nan])
def test_a_window_that_is_no_time_is_rejected(window):
    with pytest.raises(ConfigurationError, match="window"):
        RateLimiter(window=window)


@pytest.mark.parametrize("reserve", [1, -0.1, True, math.nan, math.inf, "0.1", None])
def test_a_reserve_that_is_no_part_of_the_hour_is_rejected(reserve):
    with pytest.raises(ConfigurationError, match="reserve is a part of the hour's calls, from 0 to below 1"):
        RateLimiter(reserve=reserve)


@pytest.mark.parametrize("limit", [0, -1, 0.5, True])
def test_an_assumed_limit_that_allows_nothing_is_rejected(limit):
    with pytest.raises(ConfigurationError, match="assumed_limit is a whole number above 0"):
        RateLimiter(assumed_limit=limit)


async def test_the_first_call_goes_alone_and_after_its_response_all_the_others(fresh_limiter, make_calls):
    sent_at = await make_calls(fresh_limiter, Slots(10), 10, lasting=0.2, policy=BULK)
    assert sent_at == [0.0, *[0.2] * 9]


async def test_while_the_first_response_is_not_there_yet_the_others_follow_one_by_one(fresh_limiter, make_calls):
    sent_at = await make_calls(fresh_limiter, Slots(10), 10, lasting=1.0, policy=BULK)
    assert sent_at == pytest.approx([0.0, 0.3, 0.6, 0.9, *[1.0] * 6])


async def test_a_client_that_is_closed_lets_those_who_wait_fail_and_the_others_go_on(limiter):
    closing, other = Slots(1), Slots(1)
    taken = [await limiter.acquire(closing, INTERACTIVE, REQUEST), await limiter.acquire(other, INTERACTIVE, REQUEST)]

    async def fail():
        with pytest.raises(ConfigurationError, match="closed before the call could be sent"):
            await limiter.acquire(closing, INTERACTIVE, REQUEST)

    async def go():
        limiter.finish(await limiter.acquire(other, INTERACTIVE, REQUEST), GOOD)

    async with anyio.create_task_group() as group:
        group.start_soon(fail)
        group.start_soon(go)
        await anyio.wait_all_tasks_blocked()
        limiter.detach(closing)
        await anyio.wait_all_tasks_blocked()
        for permit in taken:
            limiter.finish(permit, GOOD)
    assert other.free == 1


async def test_a_slot_is_kept_free_after_an_interactive_call(limiter, clock):
    slots, granted_at = Slots(3), []
    await respond(limiter, GOOD, INTERACTIVE)

    async def work():
        await limiter.acquire(slots, BULK, REQUEST)
        granted_at.append(clock.waited)

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(work)
        for _ in range(10):  # fewer turns than the clock takes for stillness
            await checkpoint()
        assert (granted_at, slots.free) == ([0, 0], 1)
        person = await limiter.acquire(slots, INTERACTIVE, REQUEST)
        assert clock.waited == 0
        clock.advance(100)
        limiter.finish(person, GOOD)
    assert granted_at == [0, 0, pytest.approx(300)]


async def test_the_only_slot_of_a_client_is_not_kept_free(limiter):
    await respond(limiter, GOOD, INTERACTIVE)
    await limiter.acquire(Slots(1), BULK, REQUEST)
