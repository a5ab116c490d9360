"""Calls that ask a limiter for leave, and a server that counts them."""

import random
from typing import Any

import attrs
from virtual_loops import LoopClock

from fusedesk_async import RateLimiter, Request
from fusedesk_async._ratelimit.queues import Patience, Places
from fusedesk_async._wire.answer import Answer
from fusedesk_async.sandbox import VirtualClock

REQUEST = Request("GET", "v1/cases")
PERSON = Patience()
BULK = Patience(bulk=True)
HASTY = Patience(seconds=0.0)
HASTY_BULK = Patience(bulk=True, seconds=0.0)
HEADERS = {"limit": "x-fusedesk-usage-limit", "left": "x-fusedesk-usage-remaining"}


def answer(status: int = 200, **said: object) -> Answer:
    """An answer that says something: `limit` and `left`, or any header by its name."""
    headers = {HEADERS.get(name, name.replace("_", "-")): str(value) for name, value in said.items()}
    return Answer(status, headers, b"[]")


def refused(**said: object) -> Answer:
    """An answer that says "too many", and perhaps more."""
    return answer(429, **said)


GOOD = answer()


async def told(limiter: RateLimiter, last: Answer = GOOD, patience: Patience = PERSON) -> None:
    """Let the limiter hear an answer, to a call of another client."""
    limiter.finish(await limiter.acquire(Places(1), patience, REQUEST), last)


@attrs.define
class Counting:
    """A server that counts calls somewhere between their start and their answer.

    Attributes:
        limiter: Asked for leave.
        clock: Brings the time.
        limit: How it counts; one of the sandbox's ways.
        says: What its answers tell, of `limit` and `left`.
        slowest: Seconds that a call takes at most.
        source: Draws how long a call takes, and when it is counted.
        moments: When calls were counted, from the start of the clock.
        refusals: When calls were refused.
        flying: Calls on their way.
        most_flying: How many there were at most.
    """

    limiter: RateLimiter
    clock: VirtualClock | LoopClock
    limit: Any
    says: tuple[str, ...] = ("limit", "left")
    slowest: float = 0.6
    source: random.Random = attrs.field(factory=lambda: random.Random(1))
    moments: list[float] = attrs.field(factory=list[float])
    refusals: list[float] = attrs.field(factory=list[float])
    flying: int = 0
    most_flying: int = 0

    async def call(self, places: Places, patience: Patience = BULK) -> float:
        """One call, sent again as often as it is refused; seconds from asking to its answer."""
        asked_at = self.clock.waited
        while True:
            grant = await self.limiter.acquire(places, patience, REQUEST)
            reply = None
            try:
                reply = await self._exchange()
            finally:
                self.limiter.finish(grant, reply)
            if reply.status != 429:
                return self.clock.waited - asked_at

    async def work(self, places: Places, calls: list[int], patience: Patience = BULK) -> None:
        """Make calls one after the other as long as some are left on the list, which others may share."""
        while calls:
            calls.pop()
            await self.call(places, patience)

    async def _exchange(self) -> Answer:
        self.flying += 1
        self.most_flying = max(self.most_flying, self.flying)
        try:
            await self.clock.sleep(self.source.uniform(0.05, self.slowest / 2))
            now = self.clock.waited
            admitted = self.limit.admit(now)
            (self.moments if admitted else self.refusals).append(now)
            says = {"limit": self.limit.limit, "left": self.limit.remaining(now)}
            await self.clock.sleep(self.source.uniform(0.05, self.slowest / 2))
            return answer(200 if admitted else 429, **{name: says[name] for name in self.says})
        finally:
            self.flying -= 1
