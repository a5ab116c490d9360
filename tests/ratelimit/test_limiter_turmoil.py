"""A limiter under all that may happen at once, and against every kind of hour. In virtual time.

`FUSEDESK_TEST_EXAMPLES` asks for more than the usual examples.
"""

import os

import anyio
import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limiter_calls import BULK, INTERACTIVE, REQUEST, answer, rejected

from fusedesk_async import RateLimiter
from fusedesk_async._ratelimit.queues import Slots
from fusedesk_async._ratelimit.rules import TIME_EPSILON
from fusedesk_async.sandbox import VirtualClock

pytestmark = pytest.mark.anyio

EXAMPLES = int(os.environ.get("FUSEDESK_TEST_EXAMPLES", "100"))
HOUR = 3_600.0


@attrs.frozen
class Plan:
    """What becomes of one call.

    Attributes:
        fate: `good`; `rejected` at first, with a hint, or with none; `lost`; or its caller is `cancelled`.
        start: When it is asked for, in seconds.
        lasts: How long the server takes.
        bulk: Whether it is a bulk call.
        client: Which of two clients makes it.
        left: What the answer says of the calls left; None if nothing.
        cancelled_after: When its caller is cancelled, in parts of the time until it would be answered if it went at
            once, and twice that.
    """

    fate: str
    start: float
    lasts: float
    bulk: bool
    client: int
    left: int | None
    cancelled_after: float


PLANS = st.builds(
    Plan,
    st.sampled_from(["good", "good", "rejected", "rejected without a hint", "lost", "cancelled", "cancelled"]),
    st.floats(0, 20),
    st.floats(0, 60),
    st.booleans(),
    st.integers(0, 1),
    st.sampled_from([None, 0, 1, 5, 20, 21, 1800]),
    st.floats(0, 2),
)


class Turmoil:
    """Two clients with one limiter, and what becomes of their calls."""

    def __init__(self, totals):
        self.clock, self.limiter = VirtualClock(quiet=20), RateLimiter()
        self.totals, self.clients = totals, [Slots(total) for total in totals]
        self.in_flight, self.quiet_until, self.served = [0, 0], 0.0, 0

    async def run(self, plans):
        self.limiter.attach(self.clock)
        async with anyio.create_task_group() as group:
            for plan in plans:
                group.start_soon(self._call, plan)

    async def _call(self, plan):
        await self.clock.sleep(plan.start)
        if plan.fate != "cancelled":
            await self._insist(plan)
            return
        async with anyio.create_task_group() as group:
            group.start_soon(self._insist, plan)
            await self.clock.sleep(plan.lasts * plan.cancelled_after)
            group.cancel_scope.cancel()

    async def _insist(self, plan):
        rejection = rejected(retry_after="30") if plan.fate == "rejected" else rejected()
        rejections = 1 if plan.fate.startswith("rejected") else 0
        while True:
            permit = await self.limiter.acquire(self.clients[plan.client], BULK if plan.bulk else INTERACTIVE, REQUEST)
            reply = None
            try:
                await self._exchange(plan)
                reply = (
                    rejection
                    if rejections
                    else answer(**({} if plan.left is None else {"limit": 40, "left": plan.left}))
                )
                if rejections and plan.fate == "rejected":
                    self.quiet_until = max(self.quiet_until, self.clock.waited + 30)
            finally:
                self.limiter.finish(permit, None if plan.fate == "lost" else reply)
            if not rejections:
                self.served += 1
                return
            rejections -= 1

    async def _exchange(self, plan):
        self.in_flight[plan.client] += 1
        assert self.in_flight[plan.client] <= self.totals[plan.client]
        assert self.clock.waited >= self.quiet_until - TIME_EPSILON
        try:
            await self.clock.sleep(plan.lasts)
        finally:
            self.in_flight[plan.client] -= 1


@settings(max_examples=EXAMPLES)
@given(st.tuples(st.integers(1, 4), st.integers(1, 3)), st.lists(PLANS, max_size=14))
async def test_in_any_turmoil_everybody_who_stays_is_served_and_nothing_is_left_behind(totals, plans):
    turmoil = Turmoil(totals)
    await turmoil.run(plans)
    assert turmoil.served >= sum(plan.fate != "cancelled" for plan in plans)
    limiter, clock = turmoil.limiter, turmoil.clock
    assert [slots.free for slots in turmoil.clients] == list(totals)
    assert (limiter._rules.in_flight, sum(map(len, limiter._queues.values()))) == (0, 0)
    limiter.finish(await limiter.acquire(turmoil.clients[0], INTERACTIVE, REQUEST), answer())
    assert limiter.allowance.blocked_until is None
    limiter.attach(VirtualClock())  # which only an idle one lets happen
    assert clock.sleeping == 0
