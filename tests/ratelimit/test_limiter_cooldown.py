"""What a limiter makes of a 429: nothing is sent until a deadline, then one call, then the rest."""

import anyio
import pytest
from limiter_calls import BULK, GOOD, INTERACTIVE, NO_WAIT, REQUEST, answer, rejected, respond

from fusedesk_async import RateLimitError
from fusedesk_async._ratelimit.queues import Slots, WaitPolicy

pytestmark = pytest.mark.anyio


async def test_a_429_between_the_permit_and_its_use_delays_the_call(limiter, clock):
    slots = Slots(2)
    first = await limiter.acquire(slots, INTERACTIVE, REQUEST)
    second = await limiter.acquire(slots, INTERACTIVE, REQUEST)
    sent_at = []

    async def call():
        permit = await limiter.acquire(slots, INTERACTIVE, REQUEST)
        sent_at.append(clock.waited)
        limiter.finish(permit, GOOD)

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        limiter.finish(first, GOOD)
        limiter.finish(second, rejected(retry_after="30"))
    assert sent_at[0] >= 30


async def test_during_a_cooldown_nothing_is_sent_then_one_call_then_the_rest(limiter, make_calls):
    await respond(limiter, rejected(retry_after="30"))
    sent_at = await make_calls(limiter, Slots(10), 5, lasting=5)
    assert 30 <= sent_at[0] <= 33
    assert sent_at[1:] == [sent_at[0] + 5 * step for step in (1, 2, 3, 4)]  # which was a burst, it seems


async def test_after_the_hour_was_used_up_all_are_sent_when_the_probe_is_back(fresh_limiter, make_calls):
    await respond(fresh_limiter, rejected(retry_after="30"))
    sent_at = await make_calls(fresh_limiter, Slots(10), 5, lasting=5)
    assert sent_at[1:] == [sent_at[0] + 5] * 4


async def test_a_probe_that_is_cancelled_is_followed_by_another(limiter):
    slots = Slots(10)
    limiter.finish(await limiter.acquire(slots, INTERACTIVE, REQUEST), rejected(retry_after="30"))
    probe = await limiter.acquire(slots, INTERACTIVE, REQUEST)
    limiter.finish(probe, None)
    await limiter.acquire(slots, INTERACTIVE, REQUEST)


@pytest.mark.parametrize("outcome", [GOOD, None])
async def test_who_waits_for_a_probe_is_not_forgotten_when_the_deadline_moves(limiter, clock, outcome):
    slots = Slots(4)
    first, second = [await limiter.acquire(slots, INTERACTIVE, REQUEST) for _ in range(2)]
    limiter.finish(first, rejected(retry_after="1"))
    probe = await limiter.acquire(slots, INTERACTIVE, REQUEST)
    async with anyio.create_task_group() as group:
        group.start_soon(limiter.acquire, slots, BULK, REQUEST)
        await anyio.wait_all_tasks_blocked()
        limiter.finish(second, rejected(retry_after="30"))
        limiter.finish(probe, outcome)
    assert clock.waited >= 30


async def test_an_old_429_without_a_hint_does_not_undo_a_good_probe(limiter, clock):
    slots = Slots(4)
    first, second = [await limiter.acquire(slots, INTERACTIVE, REQUEST) for _ in range(2)]
    limiter.finish(first, rejected(retry_after="1"))
    limiter.finish(await limiter.acquire(slots, INTERACTIVE, REQUEST), GOOD)
    limiter.finish(second, rejected())
    assert limiter.allowance.blocked_until is None


async def test_patience_ends_while_a_probe_hangs(limiter, clock):
    slots = Slots(4)
    limiter.finish(await limiter.acquire(slots, INTERACTIVE, REQUEST), rejected(retry_after="1"))
    await limiter.acquire(slots, INTERACTIVE, REQUEST)
    began = clock.waited
    with pytest.raises(RateLimitError) as caught:
        await limiter.acquire(slots, WaitPolicy(max_wait=5), REQUEST)
    assert clock.waited == began + 5
    assert caught.value.retry_after == pytest.approx(2.0, abs=0.01)


async def test_calls_whose_permit_was_revoked_keep_their_order(limiter, clock):
    slots, order = Slots(4), []
    taken = [await limiter.acquire(slots, INTERACTIVE, REQUEST) for _ in range(4)]

    async def call(name):
        permit = await limiter.acquire(slots, INTERACTIVE, REQUEST)
        order.append((permit.number, name))
        limiter.finish(permit, GOOD)

    async with anyio.create_task_group() as group:
        for name in "abc":
            group.start_soon(call, name)
            await anyio.wait_all_tasks_blocked()
        for permit in taken[:3]:
            limiter.finish(permit, GOOD)
        limiter.finish(taken[3], rejected(retry_after="30"))
    assert [name for _, name in sorted(order)] == ["a", "b", "c"]


async def test_a_call_that_would_wait_too_long_fails_at_once_and_says_when_to_come_back(limiter, clock):
    slots = Slots(1)
    limiter.finish(await limiter.acquire(slots, INTERACTIVE, REQUEST), rejected(retry_after="300"))
    with pytest.raises(RateLimitError) as caught:
        await limiter.acquire(slots, WaitPolicy(max_wait=120), REQUEST)
    assert clock.waited == 0
    assert 300 <= caught.value.retry_after <= 330
    assert caught.value.retry_at.timestamp() == pytest.approx(clock.time() + caught.value.retry_after)
    assert slots.free == 1


async def test_a_call_that_waits_for_a_slot_fails_with_a_429_of_another(fresh_limiter, clock):
    slots, caught = Slots(1), []
    first = await fresh_limiter.acquire(slots, INTERACTIVE, REQUEST)

    async def call():
        with pytest.raises(RateLimitError) as error:
            await fresh_limiter.acquire(slots, NO_WAIT, REQUEST)
        caught.append(error.value)

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        fresh_limiter.finish(first, rejected())
    assert 60 <= caught[0].retry_after <= 66
    assert clock.waited < 1


async def test_a_burst_limit_is_distinguished_from_a_used_up_hour_by_the_calls_remaining(fresh_limiter, clock):
    await respond(fresh_limiter, rejected(limit=1800, left=1700))
    await respond(fresh_limiter)
    assert clock.waited < 1


async def test_a_burst_of_ten_seconds_is_not_taken_for_the_hour_while_calls_remain(fresh_limiter, clock):
    while clock.waited < 10:
        await respond(fresh_limiter, rejected(limit=1800, left=1700))
    assert clock.waited < 20
    await respond(fresh_limiter, answer(limit=1800, left=1699))
    before = clock.waited
    for left in range(1698, 1600, -1):
        await respond(fresh_limiter, answer(limit=1800, left=left), BULK)
    assert clock.waited < before + 60


async def test_an_hour_that_is_used_up_is_asked_for_after_a_minute(fresh_limiter, clock):
    await respond(fresh_limiter, rejected(limit=1800, left=0))
    await respond(fresh_limiter)
    assert 60 <= clock.waited <= 66


async def test_an_estimate_of_bulk_calls_includes_what_is_left_of_a_cooldown(limiter, clock):
    await respond(limiter, answer(limit=1800, left=1000))
    assert limiter.seconds_for(100) == 0.0
    await respond(limiter, rejected(limit=1800, left=999, retry_after="30"))
    clock.advance(10)
    assert 20 <= limiter.seconds_for(100) <= 23
