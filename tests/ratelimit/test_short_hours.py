"""Servers whose "hour" is a second, or a few, of which nobody has told the client: it finds out by looking early.

On one backend only, as the rules are pure and these are thousands of calls; see `test_limiter_hours`.

`FUSEDESK_TEST_EXAMPLES` asks for more than the usual examples.
"""

import os
import random

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limiter_calls import CountingServer
from virtual_loops import LoopClock, backend

from fusedesk_async import RateLimiter
from fusedesk_async._ratelimit.queues import Slots
from fusedesk_async.sandbox import FixedHour, SlidingHour, TokenBucket

pytestmark = pytest.mark.anyio

EXAMPLES = int(os.environ.get("FUSEDESK_TEST_EXAMPLES", "10"))
WINDOWS = 10
START = {5: 500.0, 20: 90.0, 100: 30.0}
"""Seconds until it has found out, by the limit. Of five calls only one is left for an early look, after a minute."""
LEAST_PART = {5: 0.04, 20: 0.25, 100: 0.4}
"""Of the calls that the server would accept. Less where these are few, as each look is one of them."""


@pytest.fixture
def anyio_backend():
    return backend("asyncio")


def hours(limit):
    windows = st.sampled_from([1.0, 5.0, 30.0]) | st.floats(1.0, 30.0)
    return st.one_of(
        st.builds(lambda window, part: FixedHour(limit, window=window, phase=part * window), windows, st.floats(0, 1)),
        st.builds(lambda window: SlidingHour(limit, window=window), windows),
        st.builds(lambda window: TokenBucket(limit, window=window), windows),
    )


async def bulk_work(hour, seconds, *, workers=8, slowest=0.2, seed=1):
    """Bulk work without end that is stopped after so many seconds: the server."""
    clock, limiter = LoopClock(), RateLimiter(source=random.Random(seed))
    limiter.attach(clock)
    server = CountingServer(limiter, clock, hour, slowest=slowest, source=random.Random(seed))
    slots, endless = Slots(workers), [None] * 10**6
    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as group:
            for _ in range(workers):
                group.start_soon(server.work, slots, endless)
    return server


@settings(max_examples=EXAMPLES)
@given(
    st.sampled_from([5, 20, 100]).flatmap(hours),
    st.sampled_from([1, 8, 64]),
    st.sampled_from([0.0002, 0.2]),
    st.integers(0, 10**6),
)
async def test_it_finds_out_that_an_hour_is_short(hour, workers, slowest, seed):
    start, span = START[hour.limit] + 2 * hour.window, WINDOWS * hour.window
    server = await bulk_work(hour, start + span, workers=workers, slowest=slowest, seed=seed)
    most = min(WINDOWS * hour.limit, workers * span / (0.75 * slowest + 0.001))
    assert sum(moment > start for moment in server.moments) >= LEAST_PART[hour.limit] * most
    assert len(server.rejections) <= 0.01 * len(server.moments) + 3
