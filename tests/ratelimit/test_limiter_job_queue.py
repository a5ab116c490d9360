"""Jobs that raise instead of waiting and come back when they are told to: few are put off often, none is lost."""

import random

import anyio
import pytest
from limiter_calls import NO_WAIT, REQUEST, answer

from fusedesk_async import RateLimiter, RateLimitError
from fusedesk_async._ratelimit.queues import Slots
from fusedesk_async._wire.decode import error_for_status
from fusedesk_async.sandbox import FixedHour, SlidingHour, TokenBucket, VirtualClock

pytestmark = pytest.mark.anyio

HOUR = 3_600.0
JOBS, LIMIT = 30, 20
LIMITS = {
    "fixed": lambda source: FixedHour(LIMIT, phase=source.uniform(0, HOUR)),
    "sliding": lambda _: SlidingHour(LIMIT),
    "bucket": lambda _: TokenBucket(LIMIT),
}


@pytest.fixture
def clock():
    return VirtualClock(quiet=20)


class Jobs:
    """Thirty jobs of one call each at a server of so many calls an hour."""

    def __init__(self, limiter, clock, limit, says, source):
        self.limiter, self.clock, self.limit, self.says, self.source = limiter, clock, limit, says, source
        self.slots, self.put_off, self.refused = Slots(4), [0] * JOBS, 0
        self.told = []

    async def run(self):
        async with anyio.create_task_group() as group:
            for number in range(JOBS):
                group.start_soon(self._job, number)

    async def _job(self, number):
        while True:
            try:
                await self._call()
            except RateLimitError as error:
                self.put_off[number] += 1
                self.told.append(error.retry_at.timestamp() - (self.clock.time() + error.retry_after))
                await self.clock.sleep(error.retry_after + self.source.uniform(0, 0.5))
            else:
                return

    async def _call(self):
        permit = await self.limiter.acquire(self.slots, NO_WAIT, REQUEST)
        await self.clock.sleep(self.source.uniform(0.05, 0.3))
        now = self.clock.waited
        status = 200 if self.limit.admit(now) else 429
        said = {"limit": LIMIT, "left": self.limit.remaining(now)}
        reply = answer(status, **{name: said[name] for name in self.says})
        await self.clock.sleep(self.source.uniform(0.05, 0.3))
        self.limiter.finish(permit, reply)
        if status == 429:
            self.refused += 1
            raise self.limiter.rate_limit_error(REQUEST, NO_WAIT, error_for_status(reply, REQUEST))


@pytest.mark.parametrize("kind", LIMITS)
@pytest.mark.parametrize("says", [("limit", "left"), ("limit",), ()])
@pytest.mark.parametrize("seed", range(3))
async def test_jobs_that_come_back_when_told_are_put_off_at_most_twice_more(clock, kind, says, seed):
    source = random.Random(seed)
    limiter = RateLimiter(assumed_limit=LIMIT, source=random.Random(seed))
    limiter.attach(clock)
    jobs = Jobs(limiter, clock, LIMITS[kind](source), says, source)
    await jobs.run()
    assert max(jobs.put_off) <= 3
    assert sum(jobs.put_off) <= 90
    assert jobs.refused <= 2
    assert jobs.told == pytest.approx([0.0] * len(jobs.told), abs=1e-5)
    assert clock.waited < 3 * HOUR
