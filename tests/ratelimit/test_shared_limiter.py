"""Limiters of several processes with one quota, in a made-up time."""

import logging
import random

import anyio
import pytest
from anyio.lowlevel import checkpoint
from limiter_calls import (
    BULK,
    INTERACTIVE,
    NO_WAIT,
    NO_WAIT_BULK,
    REQUEST,
    CountingServer,
    answer,
    rejected,
)
from shared_quotas import InLoop, MemoryQuota, shared_limiter
from virtual_loops import LoopClock, backend

from fusedesk_async import (
    ConfigurationError,
    QuotaWait,
    QuotaWaitOver,
    RateLimiter,
    RateLimitError,
    ServerProfile,
)
from fusedesk_async._ratelimit import shared_limiter as module
from fusedesk_async._ratelimit.queues import Slots, WaitPolicy
from fusedesk_async._ratelimit.shared_limiter import SharedRateLimiter
from fusedesk_async._wire.decode import error_for_status
from fusedesk_async.sandbox import FixedHour, SlidingHour, TokenBucket, VirtualClock

pytestmark = pytest.mark.anyio

HOUR = 3_600.0
SOME = answer(limit=1_800, left=1_700)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return backend(request.param)


@pytest.fixture
async def clock():
    return LoopClock()


@pytest.fixture
async def store(clock):
    return MemoryQuota(clock)


@pytest.fixture
async def pair(store, clock):
    """The limiters of two processes."""
    return shared_limiter(store, clock, 1), shared_limiter(store, clock, 2)


async def call(limiter, reply=SOME, policy=INTERACTIVE, slots=None):
    """One call, of which the store knows in the end."""
    permit = await limiter.acquire(slots or Slots(1), policy, REQUEST)
    limiter.finish(permit, reply)
    await settled(limiter)


async def settled(limiter):
    """Wait until the store has heard all."""
    await limiter._talk_over.wait()


def leases(limiter):
    return limiter._link.quota.leases


async def test_a_limiter_that_shares_is_a_rate_limiter_and_only_where_it_shares(store):
    assert type(RateLimiter()) is RateLimiter
    shared = RateLimiter(shared=store, reserve=0.2, window=60, assumed_limit=7)
    assert isinstance(shared, SharedRateLimiter)
    assert isinstance(shared, RateLimiter)
    assert (RateLimiter().allowance.store, RateLimiter().allowance.processes) == ("none", 1)
    await RateLimiter().flush()
    with pytest.raises(ConfigurationError, match="reserve"):
        RateLimiter(shared=store, reserve=2)


async def test_what_one_process_hears_the_other_knows(pair):
    one, other = pair
    await call(one, answer(limit=1_800, left=900))
    await call(other, answer(limit=1_800, left=890))
    assert (other.allowance.limit, other.allowance.remaining) == (1_800, 890)
    assert (one.allowance.processes, other.allowance.processes) == (1, 2)
    await call(one, answer(limit=1_800, left=889))
    assert (one.allowance.remaining, one.allowance.processes, one.allowance.store) == (889, 2, "up")
    assert one.usage_header == "x-fusedesk-usage-remaining"
    assert one.estimate(5_000, concurrency=4).at_least > 0
    assert one.seconds_for(5_000) > HOUR


@pytest.mark.parametrize("kind", [FixedHour, SlidingHour, TokenBucket])
@pytest.mark.parametrize("says", [("limit", "left"), ("limit",), ()], ids=["both", "limit", "none"])
async def test_no_call_of_several_processes_is_refused(store, clock, kind, says):
    limiters, limit = [shared_limiter(store, clock, seed, assumed_limit=120) for seed in range(3)], kind(120)
    servers = [CountingServer(limiter, clock, limit, says, source=random.Random(1)) for limiter in limiters]
    calls = [None] * 150
    async with anyio.create_task_group() as group:
        for server in servers:
            slots = Slots(2)
            for _ in range(2):
                group.start_soon(server.work, slots, calls)
    assert sum(len(server.moments) for server in servers) == 150
    assert [server.rejections for server in servers] == [[]] * 3
    assert clock.waited < 1.5 * HOUR
    assert all(len(state) < 4_096 for state in store.states.values())


async def test_interactive_calls_of_one_process_go_before_bulk_calls_of_another(store, clock):
    bulk, web = (shared_limiter(store, clock, seed, assumed_limit=60) for seed in (1, 2))
    hour = FixedHour(60, phase=HOUR)
    worker, people = (CountingServer(limiter, clock, hour, source=random.Random(1)) for limiter in (bulk, web))
    waits = []
    async with anyio.create_task_group() as group:
        slots, calls = Slots(4), [None] * 70
        for _ in range(4):
            group.start_soon(worker.work, slots, calls)
        for _ in range(5):
            await clock.sleep(500)
            waits.append(await people.call(Slots(4), INTERACTIVE))
    assert max(waits) < 0.7
    assert worker.rejections == people.rejections == []


@pytest.mark.parametrize("turns", range(9))
async def test_a_call_that_is_cancelled_takes_no_permit_with_it(store, clock, turns):
    """Before, while and after the store is asked."""
    limiter, slots = shared_limiter(store, clock), Slots(2)
    await call(limiter)
    granted = []

    async def ask():
        granted.append(await limiter.acquire(slots, INTERACTIVE, REQUEST))

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        group.start_soon(ask)
        for _ in range(turns):
            await checkpoint()
        group.cancel_scope.cancel()
    for permit in granted:
        limiter.finish(permit, None, sent=False)
    await settled(limiter)
    assert (slots.free, leases(limiter), limiter._asking) == (2, {}, set())
    await call(limiter)


async def test_the_next_in_line_looks_at_the_clock_when_the_first_has_left(store, clock):
    limiter, slots = shared_limiter(store, clock, assumed_limit=2, reserve=0.0), Slots(4)
    for _ in range(2):
        await call(limiter, answer(), slots=slots)
    async with anyio.create_task_group() as group:
        with anyio.CancelScope() as first:

            async def leave():
                await clock.sleep(1)
                first.cancel()

            async def follow():
                await clock.sleep(0.5)
                await call(limiter, answer(), BULK, slots)

            group.start_soon(leave)
            group.start_soon(follow)
            await limiter.acquire(slots, BULK, REQUEST)
    assert HOUR <= clock.waited <= HOUR + 30


async def test_a_permit_that_was_asked_for_before_a_429_is_not_used(clock):
    class Store(MemoryQuota):
        def change(self, account, change):
            result = super().change(account, change)
            if open_permits and self.changes > 2:
                limiter.finish(open_permits.pop(), rejected())
            return result

    open_permits = []
    limiter, slots = shared_limiter(Store(clock), clock), Slots(2)
    await call(limiter, slots=slots)
    open_permits.append(await limiter.acquire(slots, INTERACTIVE, REQUEST))
    permit = await limiter.acquire(slots, INTERACTIVE, REQUEST)
    assert clock.waited >= 0.25, "it waits for the end of the cooldown"
    limiter.finish(permit, SOME)
    await settled(limiter)
    assert leases(limiter) == {}


async def test_a_permit_that_comes_too_late_is_not_used():
    class Store(MemoryQuota):
        def change(self, account, change):
            result = super().change(account, change)
            if self.changes == 3:
                clock.advance(31)  # the machine was asleep
            return result

    clock = VirtualClock()
    store = Store(clock)
    limiter, slots = shared_limiter(store, clock), Slots(1)
    await call(limiter, slots=slots)
    assert store.changes == 2
    permit = await limiter.acquire(slots, INTERACTIVE, REQUEST)
    assert store.changes == 4
    limiter.finish(permit, SOME)
    await settled(limiter)
    assert (leases(limiter), slots.free) == ({}, 1)


async def test_calls_that_do_not_wait_are_told_moments_of_their_own_in_all_processes(pair):
    for limiter in pair:
        await call(limiter, answer(limit=1_800, left=0))
    moments = []
    for limiter in (*pair, *pair):
        with pytest.raises(RateLimitError, match="no calls remain this hour") as failure:
            await limiter.acquire(Slots(1), NO_WAIT, REQUEST)
        moments.append(failure.value.retry_after)
    assert moments == sorted(set(moments))
    with pytest.raises(RateLimitError, match="no calls remain"):
        await pair[0].acquire(Slots(1), NO_WAIT_BULK, REQUEST)


async def test_a_call_that_does_not_wait_for_quota_waits_for_a_slot(store, clock):
    limiter, slots = shared_limiter(store, clock), Slots(1)
    await call(limiter)
    permit = await limiter.acquire(slots, NO_WAIT, REQUEST)
    async with anyio.create_task_group() as group:
        group.start_soon(call, limiter, SOME, NO_WAIT, slots)
        await clock.sleep(3)
        assert len(leases(limiter)) == 1
        limiter.finish(permit, SOME)
    assert slots.free == 1


async def test_one_that_does_not_wait_learns_so_at_once_though_all_slots_are_taken(store, clock):
    limiter, slots = shared_limiter(store, clock), Slots(1)
    await call(limiter, answer(limit=1_800, left=1))
    permit = await limiter.acquire(slots, INTERACTIVE, REQUEST)
    with pytest.raises(RateLimitError):
        await limiter.acquire(slots, NO_WAIT, REQUEST)
    limiter.finish(permit, SOME)
    assert not limiter._denied


async def test_a_rejected_call_that_is_raised_is_told_a_moment_that_nobody_else_is(pair):
    one, other = pair
    await call(one)
    await call(other)
    permits = [await limiter.acquire(Slots(1), NO_WAIT, REQUEST) for limiter in (one, one, other)]
    moments = []
    for limiter, permit in zip((one, one, other), permits, strict=True):
        limiter.finish(permit, rejected(limit=1_800, left=0))
        error = limiter.rate_limit_error(REQUEST, NO_WAIT, error_for_status(rejected(), REQUEST))
        moments.append(error.retry_after)
        await settled(limiter)
    with pytest.raises(RateLimitError) as failure:
        await other.acquire(Slots(1), NO_WAIT, REQUEST)
    moments.append(failure.value.retry_after)
    assert min(moments) >= 1
    assert len({round(moment, 3) for moment in moments[:2] + moments[3:]}) == 3


async def test_a_call_whose_patience_ends_fails(store, clock):
    limiter = shared_limiter(store, clock)
    await call(limiter, answer(limit=1_800, left=0))
    with pytest.raises(RateLimitError):
        await limiter.acquire(Slots(1), WaitPolicy(max_wait=0.5), REQUEST)
    store.states.clear()  # what was known does not matter to one who asks anew
    await clock.sleep(500)
    await call(limiter, policy=WaitPolicy(max_wait=0.5))


async def test_settings_that_differ_are_refused_by_name_until_the_others_have_left(store, clock):
    one, other = shared_limiter(store, clock), shared_limiter(store, clock, reserve=0.3)
    await call(one)
    slots = Slots(1)
    async with anyio.create_task_group() as group:

        async def refused():
            with pytest.raises(ConfigurationError, match=r"reserve=0.1.*this one has reserve=0.3") as failure:
                await other.acquire(slots, INTERACTIVE, REQUEST)
            assert failure.value.request == REQUEST

        for _ in range(3):
            group.start_soon(refused)
    assert slots.free == 1
    await one.flush()
    assert store.closed == 1
    await call(other)
    with pytest.raises(ConfigurationError, match="reserve"):
        await call(one)


async def test_a_state_that_is_not_ours_is_left_as_it_is(store, clock):
    limiter = shared_limiter(store, clock)
    await call(limiter)
    (account,) = store.states
    for state, words in [(b"FuseDesk quota\x07", "another version"), (b"else", "no state"), (b"", "no state")]:
        store.states[account] = state
        with pytest.raises(ConfigurationError, match=words):
            await limiter.acquire(Slots(1), INTERACTIVE, REQUEST)
        assert store.states[account] == state


async def test_what_a_store_of_others_raises_reaches_those_who_wait(store, clock):
    class Broken(MemoryQuota):
        def change(self, *_):
            raise ZeroDivisionError("a bug")

    limiter = shared_limiter(Broken(clock), clock)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        await limiter.acquire(Slots(1), INTERACTIVE, REQUEST)


async def test_who_closes_the_last_client_says_so_and_closes_the_store(store, clock):
    limiter, slots, account = InLoop(shared=store), (Slots(1), Slots(1)), "acme/0"
    for one in slots:
        limiter.attach(clock, one, account)
    await limiter.flush()
    assert store.changes == 0
    permit = await limiter.acquire(slots[0], INTERACTIVE, REQUEST)
    limiter.detach(slots[1])
    await limiter.flush()
    assert (store.closed, limiter.allowance.processes) == (0, 1)
    limiter.detach(slots[0])
    limiter.finish(permit, SOME)
    await limiter.flush()
    assert (store.closed, limiter._link.quota.members, leases(limiter)) == (1, {}, {})
    limiter.attach(clock, slots[0], account)
    with pytest.raises(ConfigurationError, match="one app and one key"):
        limiter.attach(clock, slots[1], "other/0")


def test_a_limiter_may_go_on_in_another_event_loop_while_other_processes_are_busy():
    clock = VirtualClock()
    store = MemoryQuota(clock)
    limiter, account = InLoop(shared=store), "acme.fusedesk.com/0123456789abcdef"

    async def leave_in_flight():
        await shared_limiter(store, clock).acquire(Slots(1), INTERACTIVE, REQUEST)

    async def task():
        slots = Slots(1)
        limiter.attach(clock, slots, account)
        await call(limiter, slots=slots)
        limiter.detach(slots)
        await limiter.flush()

    anyio.run(task)
    anyio.run(leave_in_flight)
    anyio.run(task)
    anyio.run(task, backend="trio")
    assert limiter._rules.in_flight == 1


async def test_calls_that_wait_fail_when_their_client_is_closed(store, clock):
    limiter, slots = shared_limiter(store, clock), Slots(1)
    limiter.attach(clock, slots)
    await call(limiter, answer(limit=1_800, left=0))
    async with anyio.create_task_group() as group:

        async def closed(seconds):
            await clock.sleep(seconds)
            with pytest.raises(ConfigurationError, match="closed before"):
                await limiter.acquire(slots, BULK, REQUEST)

        for seconds in (0, 0, 0.6):
            group.start_soon(closed, seconds)
        await clock.sleep(0.6)
        limiter.detach(slots)
    await settled(limiter)
    assert leases(limiter) == {}
    assert not limiter._asking


async def test_a_permit_that_comes_after_its_client_was_closed_is_given_back(clock):
    class Store(MemoryQuota):
        def change(self, account, change):
            slots.closed = True
            return super().change(account, change)

    slots = Slots(1)
    limiter = shared_limiter(Store(clock), clock)
    with pytest.raises(ConfigurationError, match="closed before"):
        await limiter.acquire(slots, INTERACTIVE, REQUEST)
    await settled(limiter)
    assert (slots.free, leases(limiter)) == (1, {})


async def test_all_of_a_great_many_calls_go(store, clock, monkeypatch):
    monkeypatch.setattr(module, "MOST_WANTED", 4)
    limiter, slots = shared_limiter(store, clock), Slots(10)
    await call(limiter)
    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(call, limiter, SOME, INTERACTIVE, slots)
    await call(limiter, answer(limit=1_800, left=0))
    failures = []
    async with anyio.create_task_group() as group:

        async def put_off():
            with pytest.raises(RateLimitError):
                await limiter.acquire(slots, NO_WAIT, REQUEST)
            failures.append(1)

        for _ in range(15):
            group.start_soon(put_off)
    assert (len(failures), slots.free) == (15, 10)


async def test_how_long_the_hour_lasts_is_learned_by_all(pair, store):
    one, other = pair
    await call(one, answer(limit=100, left=90, x_simulated_window=60))
    await call(other, answer(limit=100, left=90))
    assert (one._rules.window, other._rules.window) == (60, 60)
    assert (one._reporter.min_wait, other._interactive.window) == (1 / 60, 60)
    fixed = shared_limiter(MemoryQuota(store.clock), store.clock, window=30)
    await call(fixed, answer(limit=100, left=90, x_simulated_window=60))
    await call(fixed)
    assert fixed._rules.window == 30


async def test_the_first_process_begins_with_what_was_known_of_the_header(store, clock):
    limiter = shared_limiter(store, clock)
    limiter.begin_with(ServerProfile(usage_header="x-fusedesk-usage-count", usage_counts="used"))
    assert limiter.usage_header == "x-fusedesk-usage-count"
    await call(limiter, answer(limit=1_800, x_fusedesk_usage_count=10))
    assert (limiter.usage_counts, limiter.allowance.remaining) == ("used", 1_790)


async def test_one_process_says_that_interactive_calls_exceed_the_reserve(pair, caplog):
    caplog.set_level(logging.WARNING)
    await call(pair[0], answer(limit=20, left=19), BULK)
    for limiter in (*pair, *pair, *pair):
        await call(limiter, answer(limit=20, left=10))
    assert [record.getMessage() for record in caplog.records] == [
        "3 interactive calls in the last hour exceed the reserve; raise RateLimiter(reserve=…)"
    ]


async def test_observers_hear_of_waits(store, clock):
    limiter, events = shared_limiter(store, clock), []
    await call(limiter, answer(limit=1_800, left=0))
    with limiter.observers.subscribed(events.append):
        async with anyio.create_task_group() as group:
            group.start_soon(call, limiter, answer(limit=1_800, left=1_800), BULK)
            await clock.sleep(0.5)
            assert limiter.allowance.blocked_until is not None
        await call(limiter, answer(limit=1_800, left=1_799), BULK)
    assert [type(event) for event in events] == [QuotaWait, QuotaWaitOver]


async def test_a_slot_stays_free_while_interactive_calls_of_this_process_are_active(store, clock):
    limiter, slots = shared_limiter(store, clock), Slots(2)
    await call(limiter, slots=slots)
    first = await limiter.acquire(slots, BULK, REQUEST)
    async with anyio.create_task_group() as group:
        group.start_soon(call, limiter, SOME, BULK, slots)
        await clock.sleep(5)
        assert slots.free == 1
        await call(limiter, slots=slots)
    assert 300 <= clock.waited <= 320
    limiter.finish(first, SOME)
