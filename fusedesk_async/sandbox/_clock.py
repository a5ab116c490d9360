"""Time as a thing one can pass in: the machine's own, or one that moves only when everybody waits."""

import time
from bisect import insort
from itertools import count
from typing import Protocol

import anyio
from anyio.lowlevel import checkpoint

from ._calendar import DATA_ENDS


class Clock(Protocol):
    """What the sandbox asks of a clock; all values in seconds."""

    def monotonic(self) -> float:
        """Seconds since some start; never goes back."""
        ...

    def time(self) -> float:
        """Seconds since 1970, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after this many seconds of this clock."""
        ...


class SystemClock:
    """The clock of this machine."""

    def monotonic(self) -> float:
        """Seconds since some start; never goes back."""
        return time.monotonic()

    def time(self) -> float:
        """Seconds since 1970, UTC."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait on the running event loop, asyncio or trio."""
        await anyio.sleep(seconds)


class SkewedClock:
    """Another clock whose time of day is wrong.

    Args:
        clock: The right one.
        ahead: Seconds by which it is ahead of that.
    """

    def __init__(self, clock: Clock, ahead: float) -> None:
        self._clock = clock
        self._ahead = ahead

    def monotonic(self) -> float:
        """Seconds since some start; never goes back."""
        return self._clock.monotonic()

    def time(self) -> float:
        """Seconds since 1970, but for the error."""
        return self._clock.time() + self._ahead

    async def sleep(self, seconds: float) -> None:
        """Return after this many seconds of the other clock."""
        await self._clock.sleep(seconds)


class _Sleeper:
    """One waiting task: when it is due, in which order it came, and the bell that calls it to the front."""

    def __init__(self, deadline: float, order: int) -> None:
        self.deadline = deadline
        self.order = order
        self.bell = anyio.Event()

    def __lt__(self, other: "_Sleeper") -> bool:
        return (self.deadline, self.order) < (other.deadline, other.order)


class VirtualClock:
    """A clock for tests: an hour passes at once, but only when all tasks wait for it.

    The sleeper with the earliest deadline watches the event loop. When for `quiet` turns of the loop nobody
    has used this clock, it takes everything else for blocked, moves the time to its deadline and wakes. Sleepers wake
    in the order of their deadlines, those of one deadline in the order they came.

    What blocks on the outside world (a socket, a thread) looks idle from here, so the time may jump ahead while a
    real answer is in flight. Use it in one event loop, in one thread.

    Args:
        start: what `time()` says at first, seconds since 1970; the default is the evening the generated data ends.
        quiet: turns of the event loop without use of the clock after which all others count as blocked. A task that
            needs more turns than this between two uses of the clock can be overtaken by the time.
    """

    def __init__(self, *, start: float = DATA_ENDS, quiet: int = 100) -> None:
        self._start = start
        self._quiet = quiet
        self._now = 0.0
        self._uses = 0
        self._order = count()
        self._sleepers: list[_Sleeper] = []

    @property
    def waited(self) -> float:
        """Virtual seconds that have passed."""
        return self._now

    @property
    def sleeping(self) -> int:
        """Tasks asleep on this clock."""
        return len(self._sleepers)

    def monotonic(self) -> float:
        """Virtual seconds that have passed; starts at zero."""
        self._uses += 1
        return self._now

    def time(self) -> float:
        """Seconds since 1970: `start` and what has passed since."""
        return self._start + self.monotonic()

    def advance(self, seconds: float) -> None:
        """Let this many seconds pass now; sleepers that fall due wake in order when the loop runs next.

        Args:
            seconds: zero or more; less is refused with `ValueError`.
        """
        if seconds < 0:
            message = "time does not run backwards"
            raise ValueError(message)
        self._uses += 1
        self._now += seconds

    async def sleep(self, seconds: float) -> None:
        """Return when this many virtual seconds have passed; gives way to other tasks even for zero.

        Args:
            seconds: less than zero counts as zero.
        """
        sleeper = _Sleeper(self._now + max(0.0, seconds), next(self._order))
        insort(self._sleepers, sleeper)
        self._uses += 1
        try:
            await checkpoint()
            await self._turn(sleeper)
            self._now = max(self._now, sleeper.deadline)
        finally:
            self._sleepers.remove(sleeper)
            self._uses += 1
            if self._sleepers:
                self._sleepers[0].bell.set()

    async def _turn(self, sleeper: _Sleeper) -> None:
        while True:
            if self._sleepers[0] is not sleeper:
                sleeper.bell = anyio.Event()
                await sleeper.bell.wait()
            elif self._now >= sleeper.deadline or await self._stillness(sleeper):
                return

    async def _stillness(self, sleeper: _Sleeper) -> bool:
        """Watch the loop as long as `sleeper` is first in line and not due; true: all others are blocked."""
        still = 0
        # Bounded, so that a task that polls the clock cannot stop the time.
        for _ in range(20 * self._quiet):
            uses = self._uses
            await checkpoint()
            if self._sleepers[0] is not sleeper or self._now >= sleeper.deadline:
                return False
            still = still + 1 if self._uses == uses else 0
            if still == self._quiet:
                break
        return True
