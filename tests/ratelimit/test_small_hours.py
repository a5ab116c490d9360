"""Hours of few calls, used by many tasks at once: none is rejected, and the trickle does not run dry."""

import anyio
import pytest
from limiter_calls import BULK, CountingServer

from fusedesk_async._ratelimit.queues import Slots
from fusedesk_async.sandbox import FixedHour, SlidingHour, TokenBucket, VirtualClock

pytestmark = pytest.mark.anyio

HOUR = 3_600.0
HOURS = {
    "fixed": lambda limit: FixedHour(limit, phase=900.0),
    "sliding": SlidingHour,
    "bucket": TokenBucket,
}


@pytest.fixture
def clock():
    return VirtualClock(quiet=100)


@pytest.mark.parametrize("limit", [2, 5, 10, 60])
@pytest.mark.parametrize("kind", HOURS)
async def test_none_is_rejected_where_an_hour_has_few_calls(fresh_limiter, clock, kind, limit):
    server, slots, calls = (
        CountingServer(fresh_limiter, clock, HOURS[kind](limit)),
        Slots(32),
        list(range(2 * limit + 2)),
    )
    async with anyio.create_task_group() as group:
        for _ in range(32):
            group.start_soon(server.work, slots, calls, BULK)
    assert server.rejections == []
    assert len(server.moments) == 2 * limit + 2
    assert clock.waited < 4.5 * HOUR


async def test_a_limit_of_one_costs_one_rejection_as_nobody_knows_it_before_the_second_call(fresh_limiter, clock):
    server, slots, calls = CountingServer(fresh_limiter, clock, SlidingHour(1)), Slots(4), list(range(4))
    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(server.work, slots, calls, BULK)
    assert len(server.rejections) <= 1
    assert 3 * HOUR < clock.waited < 3.5 * HOUR
