"""Our own record of calls, for when answers do not tell how many are left."""

import math
from collections import deque

import attrs

ABOUT = 1 / 12
"""Part of the hour after an interactive call for which a place is kept free for the next."""


@attrs.define(eq=False, repr=False)
class People:
    """Remembers the interactive calls of the last hour, and when bulk work was last done.

    Args:
        window: How long the hour lasts, in seconds.
    """

    window: float
    _interactive: deque[float] = attrs.field(factory=deque[float])
    _last_bulk: float = -math.inf
    _told: float = -math.inf

    def granted(self, now: float, *, bulk: bool) -> None:
        """A call was let go."""
        if bulk:
            self._last_bulk = now
        else:
            self._interactive.append(now)

    def about_for(self, now: float) -> float:
        """For how many more seconds somebody who asked lately may be about; 0 if nobody is."""
        return max(0.0, self._interactive[-1] + ABOUT * self.window - now) if self._interactive else 0.0

    def excess(self, reserved: int, now: float) -> int:
        """How many interactive calls the last hour had, if more than reserved for them beside bulk work; else 0.

        Tells once an hour.
        """
        while self._interactive and now - self._interactive[0] > self.window:
            self._interactive.popleft()
        count = len(self._interactive)
        beside_bulk = now - self._last_bulk <= self.window
        if count <= reserved or not beside_bulk or now - self._told < self.window:
            return 0
        self._told = now
        return count


@attrs.define(eq=False, repr=False)
class CallLog:
    """The calls of the last hour. One counts from when it leaves until an hour after its answer.

    The server counted it in between, at a moment we do not know, so "never more than N here" implies "never more
    than N there", whether the server keeps a fixed hour, a sliding one or a bucket.

    Args:
        window: How long the hour lasts, in seconds.
    """

    window: float
    _out: int = 0
    _ended: deque[float] = attrs.field(factory=deque[float])

    def begin(self) -> None:
        """A call leaves."""
        self._out += 1

    def end(self, now: float, *, counted: bool = True) -> None:
        """It is over; `counted` unless the server surely did not count it."""
        self._out -= 1
        if counted:
            self._ended.append(now)
        self.count(now)  # which forgets the old ones

    def count(self, now: float) -> int:
        """Calls that may still count."""
        while self._ended and now - self._ended[0] >= self.window:
            self._ended.popleft()
        return self._out + len(self._ended)

    def delay(self, most: int, now: float) -> float:
        """Seconds until fewer than `most` calls count: 0 if that is so now, infinite if it depends on an answer."""
        too_many = self.count(now) - most
        if too_many < 0:
            return 0.0
        if too_many >= len(self._ended):
            return float("inf")
        return self._ended[too_many] + self.window - now
