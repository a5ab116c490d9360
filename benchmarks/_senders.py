"""Who decides when a call leaves: the library's limiter, and three simpler ways that people write themselves."""

import inspect
import math
import random
from collections import deque
from itertools import count
from typing import Any, Protocol

from _servers import HOUR, LIMIT, TOO_MANY

from fusedesk_async import RateLimiter, Request
from fusedesk_async._clock import Clock
from fusedesk_async._ratelimit.queues import Slots, WaitPolicy
from fusedesk_async._wire.answer import Answer

_MARGIN = 0.01
"""Seconds. Who waits for a moment is there a little later, so that rounding cannot make it too early."""


class Sender(Protocol):
    """What the experiment asks of one: the interface between the library's pipeline and its limiter."""

    def attach(self, clock: Clock) -> None:
        """Take the clock."""
        ...

    async def acquire(self, slots: Slots, policy: WaitPolicy, request: Request) -> Any:
        """Wait for a permit to make one exchange."""
        ...

    def finish(self, permit: Any, answer: Answer | None) -> None:
        """Give it back with the answer."""
        ...


def library(reserve: float, seed: int) -> Sender:
    """The library's own limiter, with as much of this as it takes."""
    wanted = {"reserve": reserve, "source": random.Random(seed)}
    known = inspect.signature(RateLimiter).parameters
    settings: dict[str, Any] = {name: value for name, value in wanted.items() if name in known}
    return RateLimiter(**settings)


class _Plain:
    """Knows no priorities, and no more tasks use it than it has slots."""

    def __init__(self) -> None:
        self._numbers = count()
        self._in_flight = 0

    def attach(self, clock: Clock) -> None:
        self._clock = clock

    async def acquire(self, slots: Slots, policy: WaitPolicy, request: Request) -> int:
        del slots, policy, request
        await self._turn()
        self._in_flight += 1
        return next(self._numbers)

    def finish(self, permit: int, answer: Answer | None) -> None:
        del permit
        self._in_flight -= 1
        if answer is not None:
            self._learn(refused=answer.status == TOO_MANY)

    async def _turn(self) -> None:
        raise NotImplementedError

    def _learn(self, *, refused: bool) -> None:
        """What an answer teaches; nothing by default."""


class EvenPacing(_Plain):
    """One call every two seconds, whatever is answered."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0

    async def _turn(self) -> None:
        now = self._clock.monotonic()
        moment = max(self._next, now)
        self._next = moment + HOUR / LIMIT
        await self._clock.sleep(moment - now)


class OwnLog(_Plain):
    """Never more than 1800 calls in any hour, by its own count, each counted until an hour after its answer."""

    def __init__(self) -> None:
        super().__init__()
        self._answered: deque[float] = deque()

    async def _turn(self) -> None:
        while True:
            now = self._clock.monotonic()
            while self._answered and self._answered[0] <= now - HOUR:
                self._answered.popleft()
            if self._in_flight + len(self._answered) < LIMIT:
                return
            await self._clock.sleep(self._answered[0] + HOUR - now + _MARGIN)

    def _learn(self, *, refused: bool) -> None:
        del refused
        self._answered.append(self._clock.monotonic())


class BackOff(_Plain):
    """As fast as it goes until a 429; then everybody waits a minute, twice as long after each further one."""

    def __init__(self) -> None:
        super().__init__()
        self._until = -math.inf
        self._pause = 0.0

    async def _turn(self) -> None:
        while (wait := self._until - self._clock.monotonic()) > 0:
            await self._clock.sleep(wait)

    def _learn(self, *, refused: bool) -> None:
        now = self._clock.monotonic()
        if not refused:
            self._pause = 0.0
        elif now >= self._until:
            self._pause = self._pause * 2 or 60.0
            self._until = now + self._pause


PEERS = {"even pacing": EvenPacing, "own log": OwnLog, "back-off": BackOff}


def make_sender(name: str, reserve: float, seed: int) -> Sender:
    """The library's limiter, or one of the peers by its name."""
    return PEERS[name]() if name in PEERS else library(reserve, seed)
