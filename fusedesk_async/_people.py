"""What people ask for beside bulk work. Numbers in, numbers out; no clock."""

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
