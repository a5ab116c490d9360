"""Remembers when callers that do not wait for quota were told to come back, so that each gets a chance of its own.

Numbers in, numbers out; no clock.
"""

import math
from bisect import insort

import attrs

TIME_KEPT = 1 / 60
"""Part of the hour after which a caller that has not come back by then is not expected any more."""
PUNCTUALITY = 1e-3
"""Seconds. Who is told a moment is told one that is later by this, so that rounding makes nobody come too early."""


@attrs.define(eq=False, repr=False)
class RetryTimes:
    """The moments that were given out and whose callers have not come back.

    Nobody knows who asks: whoever does when a moment has come is taken for the one that was told it.

    Args:
        window: How long the hour lasts, in seconds.
    """

    window: float
    _moments: list[float] = attrs.field(factory=list[float])

    @property
    def earliest(self) -> float:
        """The first of them; infinite if there is none."""
        return min(self._moments, default=math.inf)

    def on_asked(self, now: float) -> None:
        """Somebody asks."""
        if self._moments and self._moments[0] <= now:
            del self._moments[0]

    def next_turn(self, now: float) -> int:
        """Which of the calls to come is the next one that nobody waits for, counted from 1."""
        self._moments = [moment for moment in self._moments if moment > now - TIME_KEPT * self.window]
        return len(self._moments) + 1

    def on_told(self, moment: float) -> float:
        """Somebody is told a moment.

        Returns:
            It, a little later.
        """
        insort(self._moments, moment)
        return moment + PUNCTUALITY
