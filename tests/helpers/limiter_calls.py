"""Calls that ask a limiter for permits, and a server that counts them."""

import random
from typing import Any

import attrs
from virtual_loops import LoopClock

from fusedesk_async import RateLimiter, Request
from fusedesk_async._ratelimit.queues import Slots, WaitPolicy
from fusedesk_async._wire.answer import Answer
from fusedesk_async.sandbox import VirtualClock

REQUEST = Request("GET", "v1/cases")
INTERACTIVE = WaitPolicy()
BULK = WaitPolicy(bulk=True)
NO_WAIT = WaitPolicy(max_wait=0.0)
NO_WAIT_BULK = WaitPolicy(bulk=True, max_wait=0.0)
HEADERS = {"limit": "x-fusedesk-usage-limit", "left": "x-fusedesk-usage-remaining"}


def answer(status: int = 200, **said: object) -> Answer:
    """An answer that says something: `limit` and `left`, or any header by its name."""
    headers = {HEADERS.get(name, name.replace("_", "-")): str(value) for name, value in said.items()}
    return Answer(status, headers, b"[]")


def rejected(**said: object) -> Answer:
    """An answer that says "too many", and perhaps more."""
    return answer(429, **said)


GOOD = answer()


async def respond(limiter: RateLimiter, last: Answer = GOOD, policy: WaitPolicy = INTERACTIVE) -> None:
    """Give the limiter a response, to a call of another client."""
    limiter.finish(await limiter.acquire(Slots(1), policy, REQUEST), last)


@attrs.define
class CountingServer:
    """A server that counts calls somewhere between their start and their response.

    Attributes:
        limiter: Asked for permits.
        clock: Brings the time.
        limit: How it counts; one of the sandbox's ways.
        says: What its answers tell, of `limit` and `left`.
        slowest: Seconds that a call takes at most.
        counts_used: Whether `left` is the calls used.
        source: Draws how long a call takes, and when it is counted.
        moments: When calls were counted, from the start of the clock.
        rejections: When calls were rejected.
        in_flight: Calls in flight.
        most_in_flight: How many there were at most.
    """

    limiter: RateLimiter
    clock: VirtualClock | LoopClock
    limit: Any
    says: tuple[str, ...] = ("limit", "left")
    slowest: float = 0.6
    counts_used: bool = False
    source: random.Random = attrs.field(factory=lambda: random.Random(1))
    moments: list[float] = attrs.field(factory=list[float])
    rejections: list[float] = attrs.field(factory=list[float])
    in_flight: int = 0
    most_in_flight: int = 0

    async def call(self, slots: Slots, policy: WaitPolicy = BULK) -> float:
        """One call, sent again as often as it is rejected; seconds from asking to its response."""
        asked_at = self.clock.waited
        while True:
            permit = await self.limiter.acquire(slots, policy, REQUEST)
            reply = None
            try:
                reply = await self._exchange()
            finally:
                self.limiter.finish(permit, reply)
            if reply.status != 429:
                return self.clock.waited - asked_at

    async def work(self, slots: Slots, calls: list[int], policy: WaitPolicy = BULK) -> None:
        """Make calls one after the other as long as some are left on the list, which others may share."""
        while calls:
            calls.pop()
            await self.call(slots, policy)

    async def _exchange(self) -> Answer:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self.clock.sleep(self.source.uniform(min(0.05, self.slowest / 2), self.slowest / 2))
            now = self.clock.waited
            admitted = self.limit.admit(now)
            (self.moments if admitted else self.rejections).append(now)
            left = self.limit.remaining(now)
            says = {"limit": self.limit.limit, "left": self.limit.limit - left if self.counts_used else left}
            await self.clock.sleep(self.source.uniform(min(0.05, self.slowest / 2), self.slowest / 2))
            return answer(200 if admitted else 429, **{name: says[name] for name in self.says})
        finally:
            self.in_flight -= 1
