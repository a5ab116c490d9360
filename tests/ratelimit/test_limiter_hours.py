"""Bulk work against every kind of hour that a server may keep, over many hours.

On one backend only: what is tested here are the rules, which are pure, over thousands of calls; that their shell works
on both backends is tested by the other files of this folder. asyncio is the one, since its jumping loop is the faster.

`FUSEDESK_TEST_EXAMPLES` asks for more than the usual examples.
"""

import os
import random

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limiter_calls import INTERACTIVE, CountingServer
from virtual_loops import LoopClock, backend

from fusedesk_async import RateLimiter
from fusedesk_async._ratelimit.queues import Slots
from fusedesk_async.sandbox import FixedHour, SlidingHour, TokenBucket

pytestmark = pytest.mark.anyio

EXAMPLES = int(os.environ.get("FUSEDESK_TEST_EXAMPLES", "10"))
HOUR = 3_600.0


@pytest.fixture
def anyio_backend():
    return backend("asyncio")


def hours(limit):
    return st.one_of(
        st.builds(lambda phase: FixedHour(limit, phase=phase), st.floats(0, HOUR)),
        st.builds(lambda: SlidingHour(limit)),
        st.builds(lambda: TokenBucket(limit)),
    )


async def bulk_work(hour, says, workers, calls, slowest, seed, *, pause=0.0):
    """Bulk calls until all are answered, and an interactive one after each pause: the server, and their waits."""
    clock, limiter = LoopClock(), RateLimiter(source=random.Random(seed))
    limiter.attach(clock)
    server = CountingServer(limiter, clock, hour, says, slowest, source=random.Random(seed))
    slots, left, waits = Slots(workers), list(range(calls)), []

    async def interactive():
        while True:
            await clock.sleep(pause)
            waits.append(await server.call(slots, INTERACTIVE))

    async with anyio.create_task_group() as outer:
        if pause:
            outer.start_soon(interactive)
        async with anyio.create_task_group() as group:
            for _ in range(workers):
                group.start_soon(server.work, slots, left)
        outer.cancel_scope.cancel()
    assert len(server.moments) >= calls
    assert server.most_in_flight <= workers
    assert (slots.free, limiter._rules.in_flight) == (workers, 0)
    return server, waits


@settings(max_examples=EXAMPLES)
@given(hours(1_800), st.integers(1, 8), st.integers(1_700, 4_000), st.floats(0.2, 3.0), st.integers(0, 10**6))
async def test_bulk_work_alone_is_never_rejected_whatever_hour_the_server_keeps(hour, workers, calls, slowest, seed):
    server, _ = await bulk_work(hour, ("limit", "left"), workers, calls, slowest, seed)
    assert server.rejections == []


@settings(max_examples=5 * EXAMPLES)
@given(hours(40), st.integers(1, 8), st.integers(1, 150), st.floats(0.2, 30.0), st.integers(0, 10**6))
async def test_with_the_limit_alone_it_is_not_rejected_either(hour, workers, calls, slowest, seed):
    server, _ = await bulk_work(hour, ("limit",), workers, calls, slowest, seed)
    assert server.rejections == []


@settings(max_examples=EXAMPLES)
@given(hours(1_800), st.integers(2, 8), st.integers(1_700, 4_000), st.floats(30.0, 600.0), st.integers(0, 10**6))
async def test_interactive_calls_within_the_reserve_wait_for_nothing(hour, workers, calls, pause, seed):
    server, waits = await bulk_work(hour, ("limit", "left"), workers, calls, 0.6, seed, pause=pause)
    assert server.rejections == []
    assert sum(wait > server.slowest for wait in waits) <= 0.05 * len(waits) + 1
