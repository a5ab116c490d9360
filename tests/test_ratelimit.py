import math

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusedesk_async import ConfigurationError, RateLimiter, RateLimitError, Request
from fusedesk_async._ratelimit import Patience, Places
from fusedesk_async._wire import Answer
from fusedesk_async.sandbox import VirtualClock

pytestmark = pytest.mark.anyio

REQUEST = Request("GET", "v1/cases")
WAITING = Patience()
BULK = Patience(bulk=True)
GOOD = Answer(200, {}, b"[]")
PLANS = st.sampled_from(["good", "refused", "lost", "leaves"])


def refused(**headers):
    return Answer(429, {name.replace("_", "-"): value for name, value in headers.items()}, b"")


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
async def limiter(clock):
    limiter = RateLimiter()
    limiter.attach(clock)
    return limiter


async def test_calls_go_at_once_while_there_are_places(limiter, clock):
    places = Places(3)
    for _ in range(3):
        await limiter.acquire(places, WAITING, REQUEST)
    assert clock.waited == 0
    assert places.free == 0


async def test_a_call_waits_for_a_place(limiter, clock):
    places, order = Places(1), []

    async def call(name):
        grant = await limiter.acquire(places, WAITING, REQUEST)
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
    taken = [await limiter.acquire(full, WAITING, REQUEST), await limiter.acquire(other, WAITING, REQUEST)]

    async def call(places, name):
        limiter.finish(await limiter.acquire(places, WAITING, REQUEST), GOOD)
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
    first = await limiter.acquire(places, WAITING, REQUEST)

    async def call(name, patience):
        grant = await limiter.acquire(places, patience, REQUEST)
        order.append(name)
        limiter.finish(grant, GOOD)

    async with anyio.create_task_group() as group:
        for name, patience in [("bulk 1", BULK), ("bulk 2", BULK), ("person 1", WAITING), ("person 2", WAITING)]:
            group.start_soon(call, name, patience)
            await anyio.wait_all_tasks_blocked()
        limiter.finish(first, GOOD)
    assert order == ["person 1", "person 2", "bulk 1", "bulk 2"]


async def test_a_cancelled_waiter_leaves_its_place_in_the_queue(limiter):
    places = Places(1)
    first = await limiter.acquire(places, WAITING, REQUEST)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await limiter.acquire(places, WAITING, REQUEST)
    limiter.finish(first, GOOD)
    assert places.free == 1
    await limiter.acquire(places, WAITING, REQUEST)


async def test_a_waiter_cancelled_after_its_grant_gives_it_back(limiter):
    places = Places(1)
    first = await limiter.acquire(places, WAITING, REQUEST)

    async def call():
        grant = await limiter.acquire(places, WAITING, REQUEST)
        limiter.finish(grant, None)  # asyncio may let the acquisition win over the cancellation

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        limiter.finish(first, GOOD)  # the grant is given, its task has not run yet
        assert places.free == 0
        group.cancel_scope.cancel()
    assert places.free == 1


async def test_a_refusal_between_grant_and_departure_holds_the_call_back(limiter, clock):
    places = Places(2)
    first = await limiter.acquire(places, WAITING, REQUEST)
    second = await limiter.acquire(places, WAITING, REQUEST)
    left_at = []

    async def call():
        grant = await limiter.acquire(places, WAITING, REQUEST)
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
    limiter.finish(await limiter.acquire(places, WAITING, REQUEST), refused(retry_after="30"))
    left_at = []

    async def call():
        grant = await limiter.acquire(places, WAITING, REQUEST)
        left_at.append(clock.waited)
        await clock.sleep(5)
        limiter.finish(grant, GOOD)

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(call)
    assert left_at[0] >= 30
    assert left_at[1:] == [left_at[0] + 5] * 4


async def test_a_probe_that_is_cancelled_is_followed_by_another(limiter):
    places = Places(10)
    limiter.finish(await limiter.acquire(places, WAITING, REQUEST), refused(retry_after="30"))
    probe = await limiter.acquire(places, WAITING, REQUEST)
    limiter.finish(probe, None)
    await limiter.acquire(places, WAITING, REQUEST)


@pytest.mark.parametrize("outcome", [GOOD, None])
async def test_who_waits_for_a_probe_is_not_forgotten_when_the_deadline_moves(limiter, clock, outcome):
    places = Places(4)
    first, second = [await limiter.acquire(places, WAITING, REQUEST) for _ in range(2)]
    limiter.finish(first, refused(retry_after="1"))
    probe = await limiter.acquire(places, WAITING, REQUEST)
    async with anyio.create_task_group() as group:
        group.start_soon(limiter.acquire, places, BULK, REQUEST)
        await anyio.wait_all_tasks_blocked()
        limiter.finish(second, refused(retry_after="30"))
        limiter.finish(probe, outcome)
    assert clock.waited >= 30


async def test_an_old_refusal_without_a_hint_does_not_undo_a_good_probe(limiter, clock):
    places = Places(4)
    first, second = [await limiter.acquire(places, WAITING, REQUEST) for _ in range(2)]
    limiter.finish(first, refused(retry_after="1"))
    limiter.finish(await limiter.acquire(places, WAITING, REQUEST), GOOD)
    limiter.finish(second, refused())
    assert limiter.allowance.blocked_until is None


async def test_patience_ends_while_a_probe_hangs(limiter, clock):
    places = Places(4)
    limiter.finish(await limiter.acquire(places, WAITING, REQUEST), refused(retry_after="1"))
    await limiter.acquire(places, WAITING, REQUEST)
    began = clock.waited
    with pytest.raises(RateLimitError) as caught:
        await limiter.acquire(places, Patience(seconds=5), REQUEST)
    assert clock.waited == began + 5
    assert caught.value.retry_after == 1.0


async def test_calls_whose_leave_was_revoked_keep_their_order(limiter, clock):
    places, order = Places(4), []
    taken = [await limiter.acquire(places, WAITING, REQUEST) for _ in range(4)]

    async def call(name):
        grant = await limiter.acquire(places, WAITING, REQUEST)
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
    limiter.finish(await limiter.acquire(places, WAITING, REQUEST), refused(retry_after="300"))
    with pytest.raises(RateLimitError) as caught:
        await limiter.acquire(places, Patience(seconds=120), REQUEST)
    assert clock.waited == 0
    assert 300 <= caught.value.retry_after <= 330
    assert caught.value.retry_at.timestamp() == pytest.approx(clock.time() + caught.value.retry_after)
    assert places.free == 1


async def test_who_waits_for_a_place_hears_of_a_refusal(limiter, clock):
    places = Places(1)
    first = await limiter.acquire(places, WAITING, REQUEST)
    caught = []

    async def call():
        with pytest.raises(RateLimitError) as error:
            await limiter.acquire(places, Patience(seconds=0), REQUEST)
        caught.append(error.value)

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        limiter.finish(first, refused())
    assert caught[0].retry_after >= 60
    assert clock.waited == 0


async def test_the_allowance_is_what_the_newest_answer_said(limiter, clock):
    places = Places(1)
    assert limiter.allowance.limit is None
    usage = {"x-fusedesk-usage-limit": "1800", "x-fusedesk-usage-remaining": "1700"}
    answer = Answer(200, usage, b"", clock.time())
    limiter.finish(await limiter.acquire(places, WAITING, REQUEST), answer)
    allowance = limiter.allowance
    assert (allowance.limit, allowance.remaining, allowance.blocked_until) == (1800, 1700, None)
    assert allowance.observed_at.timestamp() == clock.time()
    assert allowance.observed_at.utcoffset().total_seconds() == 0
    limiter.finish(await limiter.acquire(places, WAITING, REQUEST), refused(retry_after="60"))
    assert 60 <= limiter.allowance.blocked_until.timestamp() - clock.time() <= 66


async def test_a_burst_limit_is_told_from_a_used_up_hour_by_the_calls_left(limiter, clock):
    answer = refused(x_fusedesk_usage_limit="1800", x_fusedesk_usage_remaining="1700")
    limiter.finish(await limiter.acquire(Places(1), WAITING, REQUEST), answer)
    await limiter.acquire(Places(1), WAITING, REQUEST)
    assert clock.waited < 2


async def test_a_limiter_is_for_one_clock_at_a_time(limiter, clock):
    places = Places(1)
    grant = await limiter.acquire(places, WAITING, REQUEST)
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
        limiter.finish(await limiter.acquire(Places(1), WAITING, REQUEST), GOOD)

    for backend in ("asyncio", "trio", "asyncio"):
        anyio.run(use, backend=backend)


@pytest.mark.parametrize("window", [0, -1, math.inf, math.nan])
def test_an_hour_that_is_none_is_refused(window):
    with pytest.raises(ConfigurationError, match="window"):
        RateLimiter(window=window)


@settings(deadline=None, max_examples=60)
@given(
    total=st.integers(1, 4),
    plans=st.lists(st.tuples(PLANS, st.floats(0, 20), st.floats(0, 60), st.booleans()), max_size=12),
)
async def test_in_any_turmoil_everybody_gets_a_turn_and_nothing_is_left_behind(total, plans):
    clock, limiter = VirtualClock(quiet=20), RateLimiter()
    limiter.attach(clock)
    places, on_their_way, refused_until, served = Places(total), 0, 0.0, []

    async def call(plan, start, lasts, bulk):
        nonlocal on_their_way, refused_until
        await clock.sleep(start)
        while True:
            grant = await limiter.acquire(places, BULK if bulk else WAITING, REQUEST)
            on_their_way += 1
            assert on_their_way <= total
            assert clock.waited >= refused_until
            answer = None
            try:
                await clock.sleep(lasts)
                answer = refused(retry_after="30") if plan == "refused" else GOOD
                if plan == "refused":
                    refused_until = max(refused_until, clock.waited + 30)
            finally:
                on_their_way -= 1
                limiter.finish(grant, None if plan == "lost" else answer)
            if plan != "refused":
                break
            plan = "good"
        served.append(plan)

    async def leaves_early(start, lasts, bulk):
        async with anyio.create_task_group() as group:
            group.start_soon(call, "good", start, lasts, bulk)
            await clock.sleep(start + lasts / 2)
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for plan, start, lasts, bulk in plans:
            if plan == "leaves":
                group.start_soon(leaves_early, start, lasts, bulk)
            else:
                group.start_soon(call, plan, start, lasts, bulk)
    assert len(served) >= sum(plan != "leaves" for plan, *_ in plans)
    assert (places.free, on_their_way) == (total, 0)
    grant = await limiter.acquire(places, WAITING, REQUEST)  # what is left of a cooldown ends with a probe
    limiter.finish(grant, GOOD)
    assert limiter.allowance.blocked_until is None
