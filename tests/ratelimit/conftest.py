"""Openings that the tests of the limiter share."""

import anyio
import pytest
from limiter_calls import GOOD, INTERACTIVE, REQUEST

from fusedesk_async import RateLimiter


@pytest.fixture
async def fresh_limiter(clock):
    """A limiter that has got no response yet."""
    limiter = RateLimiter()
    limiter.attach(clock)
    return limiter


@pytest.fixture
def make_calls(clock):
    """A function that makes calls at the same time, each of which lasts so many seconds; when each was sent."""

    async def make_calls(limiter, slots, count, *, lasting, policy=INTERACTIVE):
        sent_at = []

        async def call():
            permit = await limiter.acquire(slots, policy, REQUEST)
            sent_at.append(clock.waited)
            await clock.sleep(lasting)
            limiter.finish(permit, GOOD)

        async with anyio.create_task_group() as group:
            for _ in range(count):
                group.start_soon(call)
        return sent_at

    return make_calls
