"""Watches how many calls of the hour are used up that are not ours, by other programs with the same key.

Numbers in, numbers out; no clock.
"""

import math
from collections import deque
from statistics import fmean

import attrs

SMOOTHED = 8
"""Looks of which the average is taken."""
CAUTION, LEAST_TIME = 5, 1 / 360
"""What is seen is taken to be as many standard deviations below the truth: bulk calls are that fast that most of the
hour may be gone before many calls of others were seen.

And the part of the hour that is added to the time watched, so that a few calls do not look like many an hour."""


@attrs.define(eq=False, repr=False)
class OtherPrograms:
    """Watches the sum of calls remaining and calls made, which falls only when others call.

    Args:
        window: How long the hour lasts, in seconds.
    """

    window: float
    _certain: int | None = None
    _began: float = 0.0
    _calls: deque[tuple[float, int]] = attrs.field(factory=deque[tuple[float, int]])
    _recent: deque[int] = attrs.field(factory=lambda: deque[int](maxlen=SMOOTHED))

    def observe(self, calls: int, now: float, uncertain: int) -> None:
        """Note the sum at a moment.

        Args:
            calls: Calls remaining and calls made.
            now: The time, in seconds.
            uncertain: Calls in flight that this sum may or may not include.
        """
        if self._certain is None:
            self._certain, self._began = calls - uncertain, min(now, self._began or now)
        vanished = self._certain - (calls + uncertain)
        if vanished > 0:
            self._calls.append((now, vanished))
            self._certain = calls + uncertain
        if calls - uncertain > self._certain:
            self._certain = calls - uncertain
            self._recent.clear()
        self._recent.append(calls)

    def on_limit_changed(self) -> None:
        """The sum is another one from now on."""
        self._certain = None
        self._recent.clear()

    @property
    def _probable(self) -> float:
        """Calls that vanished, too, to judge by the average of the newest looks, though calls in flight may hide them.

        Of two calls one sees the other too many as often as the other sees it too few, so that is near the truth.
        """
        if self._certain is None or len(self._recent) < SMOOTHED:
            return 0.0
        return max(0.0, self._certain - fmean(self._recent))

    def rate(self, now: float) -> float:
        """Calls a second that others make, rather too high while few were seen."""
        while self._calls and now - self._calls[0][0] > self.window:
            self._calls.popleft()
        count = sum(number for _, number in self._calls) + self._probable
        if count <= 1:
            return 0.0
        return (count + CAUTION * math.sqrt(count)) / (min(now - self._began, self.window) + LEAST_TIME * self.window)
