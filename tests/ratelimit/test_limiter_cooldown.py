"""What a limiter makes of a 429: nobody leaves until a deadline, then one, then the rest."""

import anyio
import pytest
from limiter_calls import BULK, GOOD, HASTY, PERSON, REQUEST, refused, told

from fusedesk_async import RateLimiter, RateLimitError
from fusedesk_async._ratelimit.queues import Patience, Places

pytestmark = pytest.mark.anyio


async def test_a_refusal_between_grant_and_departure_holds_the_call_back(limiter, clock):
    places = Places(2)
    first = await limiter.acquire(places, PERSON, REQUEST)
    second = await limiter.acquire(places, PERSON, REQUEST)
    left_at = []

    async def call():
        grant = await limiter.acquire(places, PERSON, REQUEST)
        left_at.append(clock.waited)
        limiter.finish(grant, GOOD)

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        limiter.finish(first, GOOD)
        limiter.finish(second, refused(retry_after="30"))
    assert left_at[0] >= 30


async def test_during_a_cooldown_nobody_leaves_then_one_then_the_rest(limiter, clock):
    places = Places(10)
    limiter.finish(await limiter.acquire(places, PERSON, REQUEST), refused(retry_after="30"))
    left_at = []

    async def call():
        grant = await limiter.acquire(places, PERSON, REQUEST)
        left_at.append(clock.waited)
        await clock.sleep(5)
        limiter.finish(grant, GOOD)

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(call)
    assert 30 <= left_at[0] <= 33
    assert left_at[1:] == [left_at[0] + 5 * step for step in (1, 2, 3, 4)]  # which was a burst, it seems


async def test_after_the_hour_was_used_up_all_leave_when_the_probe_is_back(clock):
    limiter, places, left_at = RateLimiter(), Places(10), []
    limiter.attach(clock)
    limiter.finish(await limiter.acquire(places, PERSON, REQUEST), refused(retry_after="30"))

    async def call():
        grant = await limiter.acquire(places, PERSON, REQUEST)
        left_at.append(clock.waited)
        await clock.sleep(5)
        limiter.finish(grant, GOOD)

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(call)
    assert left_at[1:] == [left_at[0] + 5] * 4


async def test_a_probe_that_is_cancelled_is_followed_by_another(limiter):
    places = Places(10)
    limiter.finish(await limiter.acquire(places, PERSON, REQUEST), refused(retry_after="30"))
    probe = await limiter.acquire(places, PERSON, REQUEST)
    limiter.finish(probe, None)
    await limiter.acquire(places, PERSON, REQUEST)


@pytest.mark.parametrize("outcome", [GOOD, None])
async def test_who_waits_for_a_probe_is_not_forgotten_when_the_deadline_moves(limiter, clock, outcome):
    places = Places(4)
    first, second = [await limiter.acquire(places, PERSON, REQUEST) for _ in range(2)]
    limiter.finish(first, refused(retry_after="1"))
    probe = await limiter.acquire(places, PERSON, REQUEST)
    async with anyio.create_task_group() as group:
        group.start_soon(limiter.acquire, places, BULK, REQUEST)
        await anyio.wait_all_tasks_blocked()
        limiter.finish(second, refused(retry_after="30"))
        limiter.finish(probe, outcome)
    assert clock.waited >= 30


async def test_an_old_refusal_without_a_hint_does_not_undo_a_good_probe(limiter, clock):
    places = Places(4)
    first, second = [await limiter.acquire(places, PERSON, REQUEST) for _ in range(2)]
    limiter.finish(first, refused(retry_after="1"))
    limiter.finish(await limiter.acquire(places, PERSON, REQUEST), GOOD)
    limiter.finish(second, refused())
    assert limiter.allowance.blocked_until is None


async def test_patience_ends_while_a_probe_hangs(limiter, clock):
    places = Places(4)
    limiter.finish(await limiter.acquire(places, PERSON, REQUEST), refused(retry_after="1"))
    await limiter.acquire(places, PERSON, REQUEST)
    began = clock.waited
    with pytest.raises(RateLimitError) as caught:
        await limiter.acquire(places, Patience(seconds=5), REQUEST)
    assert clock.waited == began + 5
    assert caught.value.retry_after == 1.0


async def test_calls_whose_leave_was_revoked_keep_their_order(limiter, clock):
    places, order = Places(4), []
    taken = [await limiter.acquire(places, PERSON, REQUEST) for _ in range(4)]

    async def call(name):
        grant = await limiter.acquire(places, PERSON, REQUEST)
        order.append((grant.number, name))
        limiter.finish(grant, GOOD)

    async with anyio.create_task_group() as group:
        for name in "abc":
            group.start_soon(call, name)
            await anyio.wait_all_tasks_blocked()
        for grant in taken[:3]:
            limiter.finish(grant, GOOD)
        limiter.finish(taken[3], refused(retry_after="30"))
    assert [name for _, name in sorted(order)] == ["a", "b", "c"]


async def test_who_has_no_patience_hears_at_once_when_to_come_back(limiter, clock):
    places = Places(1)
    limiter.finish(await limiter.acquire(places, PERSON, REQUEST), refused(retry_after="300"))
    with pytest.raises(RateLimitError) as caught:
        await limiter.acquire(places, Patience(seconds=120), REQUEST)
    assert clock.waited == 0
    assert 300 <= caught.value.retry_after <= 330
    assert caught.value.retry_at.timestamp() == pytest.approx(clock.time() + caught.value.retry_after)
    assert places.free == 1


async def test_who_waits_for_a_place_hears_of_a_refusal(clock):
    limiter, places, caught = RateLimiter(), Places(1), []
    limiter.attach(clock)
    first = await limiter.acquire(places, PERSON, REQUEST)

    async def call():
        with pytest.raises(RateLimitError) as error:
            await limiter.acquire(places, HASTY, REQUEST)
        caught.append(error.value)

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        limiter.finish(first, refused())
    assert 60 <= caught[0].retry_after <= 66
    assert clock.waited < 1


async def test_a_burst_limit_is_told_from_a_used_up_hour_by_the_calls_left(clock):
    limiter = RateLimiter()
    limiter.attach(clock)
    await told(limiter, refused(limit=1800, left=1700))
    await told(limiter)
    assert clock.waited < 1


async def test_an_hour_that_is_used_up_is_asked_for_after_a_minute(clock):
    limiter = RateLimiter()
    limiter.attach(clock)
    await told(limiter, refused(limit=1800, left=0))
    await told(limiter)
    assert 60 <= clock.waited <= 66
