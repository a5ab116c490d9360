"""Limiters whose store is out of reach: they go on from what they knew, at their part of the pace, and come back."""

import logging
import random
import threading

import anyio
import pytest
from limiter_calls import BULK, INTERACTIVE, REQUEST, CountingServer, answer
from shared_quotas import MemoryQuota, shared_limiter
from virtual_loops import LoopClock, backend

from fusedesk_async import QuotaStoreBack, QuotaStoreLost
from fusedesk_async._ratelimit import store_access
from fusedesk_async._ratelimit.queues import Slots
from fusedesk_async._ratelimit.quota_store import StoreUnreachable
from fusedesk_async._ratelimit.store_access import StoreAccess
from fusedesk_async.sandbox import FixedHour

pytestmark = pytest.mark.anyio

HOUR, POLL = 3_600.0, 10.0


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return backend(request.param)


@pytest.fixture
async def clock():
    return LoopClock()


@pytest.fixture
async def store(clock):
    return MemoryQuota(clock)


async def call(limiter, left=1_700, policy=INTERACTIVE):
    limiter.finish(await limiter.acquire(Slots(1), policy, REQUEST), answer(limit=1_800, left=left))
    await limiter._talk_over.wait()


async def test_without_a_store_at_the_start_a_process_goes_by_its_own_rules_and_says_so_once(store, clock, caplog):
    caplog.set_level(logging.INFO)
    store.is_away, limiter, events = True, shared_limiter(store, clock), []
    with limiter.observers.subscribed(events.append):
        for left in range(1_700, 1_690, -1):
            await call(limiter, left, BULK)
        assert clock.waited == 0
        assert (limiter.allowance.store, limiter.allowance.processes, limiter.allowance.remaining) == ("down", 1, 1_691)
        assert store.changes == 1
        await clock.sleep(4 * POLL)
        store.is_away = False
        await call(limiter)
    (lost, back) = events
    assert isinstance(lost, QuotaStoreLost)
    assert isinstance(lost.error, StoreUnreachable)
    assert back == QuotaStoreBack(seconds=4 * POLL)
    assert [record.getMessage() for record in caplog.records] == [
        "the store of the shared quota cannot be reached (nobody is there); this process goes on alone",
        "the store of the shared quota is back after 40 s",
    ]
    assert limiter.allowance.store == "up"


async def test_calls_that_were_made_meanwhile_count(store, clock):
    limiter = shared_limiter(store, clock, assumed_limit=100)
    store.is_away = True
    for _ in range(5):
        limiter.finish(await limiter.acquire(Slots(1), INTERACTIVE, REQUEST), answer())
    limiter.finish(await limiter.acquire(Slots(1), INTERACTIVE, REQUEST), None, sent=False)
    open_permit = await limiter.acquire(Slots(1), INTERACTIVE, REQUEST)
    await clock.sleep(4 * POLL)
    store.is_away = False
    await call(limiter)
    assert limiter._rules.next_number == 5 + 1
    limiter.finish(open_permit, answer(limit=1_800, left=1_000))
    await limiter._talk_over.wait()
    assert (limiter._rules.next_number, limiter._rules.in_flight) == (7, 0)
    assert limiter.allowance.remaining == 1_700, "what an answer said is of a moment nobody knows here"


async def test_calls_that_were_granted_before_end_with_the_store(store, clock):
    limiter, other = shared_limiter(store, clock, 1), shared_limiter(store, clock, 2)
    await call(limiter)
    permit = await limiter.acquire(Slots(1), INTERACTIVE, REQUEST)
    store.is_away = True
    await call(limiter, 1_650)
    limiter.finish(permit, answer(limit=1_800, left=1_600))
    await limiter._talk_over.wait()
    assert limiter.allowance.remaining in {1_600, 1_650}
    store.is_away = False
    await clock.sleep(4 * POLL)
    await call(limiter, 1_500)
    await call(other, 1_499)
    assert other._rules.in_flight == 0


async def test_each_of_several_processes_takes_its_part(store, clock):
    """Bulk calls of four processes together are no faster than those of one, and interactive ones go at once."""
    limiters, hour = [shared_limiter(store, clock, seed) for seed in range(4)], FixedHour(1_800)
    servers = [CountingServer(limiter, clock, hour, source=random.Random(1)) for limiter in limiters]
    for limiter in limiters * 2:
        await call(limiter, 1_000)
    began, store.is_away = clock.waited, True
    async with anyio.create_task_group() as group:
        calls = [None] * 120
        for server in servers:
            group.start_soon(server.work, Slots(4), calls)
        waits = [await server.call(Slots(1), INTERACTIVE) for server in servers]
    assert max(waits) < 0.7
    assert 0.9 * 240 <= clock.waited - began <= 3 * 240  # each takes the calls of the others for those of strangers
    assert {limiter.allowance.processes for limiter in limiters} == {4}


async def test_little_that_is_left_lasts_for_all(store, clock):
    limiters, hour = [shared_limiter(store, clock, seed) for seed in range(3)], FixedHour(1_800, used=1_650)
    servers = [CountingServer(limiter, clock, hour, source=random.Random(1)) for limiter in limiters]
    for limiter in limiters * 2:
        await call(limiter, 150)
    store.is_away = True
    async with anyio.create_task_group() as group:
        calls = [None] * 90
        for server in servers:
            group.start_soon(server.work, Slots(2), calls)
    assert [server.rejections for server in servers] == [[]] * 3
    assert clock.waited > 900


async def test_it_is_shared_again_soon_after_the_store_is_back(store, clock):
    limiter, events = shared_limiter(store, clock), []
    await call(limiter)
    store.is_away = True
    with limiter.observers.subscribed(lambda event: events.append((clock.waited, event))):
        await call(limiter)
        await clock.sleep(1_007)
        store.is_away = False
        await clock.sleep(4 * POLL + 1)
    assert [type(event) for _, event in events] == [QuotaStoreLost, QuotaStoreBack]
    assert 1_007 <= events[1][0] <= 1_007 + 4 * POLL + 1
    assert limiter._rules.next_number == 2, "it has heard of the call that was made meanwhile"
    store.is_away = True
    await call(limiter)
    limiter.detach(Slots(1))
    changes = store.changes
    await limiter.flush()
    await clock.sleep(1_000)
    assert store.changes <= changes + 1


async def test_a_store_that_forgets_what_it_held_is_filled_anew(store, clock):
    limiter = shared_limiter(store, clock)
    await call(limiter)
    permit = await limiter.acquire(Slots(1), INTERACTIVE, REQUEST)
    store.states.clear()
    await call(limiter, 1_600)
    assert limiter._rules.next_number == 1
    limiter.finish(permit, answer(limit=1_800, left=7))
    await limiter._talk_over.wait()
    assert (limiter.allowance.remaining, limiter._rules.in_flight) == (1_600, 0)


class Hanging:
    """A store that does not answer, until the test is over."""

    def __init__(self):
        self.let_go = threading.Event()

    def change(self, *_):
        self.let_go.wait()

    def close(self):
        return "closed"


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_store_that_hangs_counts_as_out_of_reach(monkeypatch, anyio_backend):
    monkeypatch.setattr(store_access, "STORE_TIMEOUT", 0.02)
    store = Hanging()
    access = StoreAccess(store, "account")
    for _ in range(2):  # the second time the thread of the first still hangs
        with pytest.raises(StoreUnreachable, match="no answer within"):
            await access.change(lambda *_: (b"", None))
    store.let_go.set()
    await access.close()
