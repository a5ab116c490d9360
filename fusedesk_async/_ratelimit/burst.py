"""Keeps within a limit on bursts, such as 20 calls a second: fewer calls in flight, then even steps.

No header announces such a limit; it shows when a call is rejected while calls of the hour remain. What the server
accepted between two rejections, both of which found its bucket empty, is what it refills in that time.
Numbers in, numbers out; no clock.
"""

import math

import attrs

FIRST_GROWTH, LEAST_GROWTH = 1 / 40, 1 / 3_200
"""Part by which each accepted call raises the rate."""
GROWTH_CUT_PER_MEASUREMENT, GROWTH_REGAIN_PER_CALL = 4, 1 / 256
"""Each measurement is better than the one before, so growth is divided by this much after it; and each accepted call
brings a part of it back, as the limit may have been raised."""
CALLS_REFILLED_PER_PAUSE = 3
"""A pause after a rejection lasts until this many calls are refilled, or every other call would be rejected again."""
MEASUREMENT_DECAY = 0.95
"""A measurement is too low if the pause before it was long enough to fill the server's bucket to the brim. So the best
one counts, but a little less each time, as the limit may have been lowered."""
CALLS_PER_EXTRA_SLOT = 8
"""After this many accepted calls one more may be in flight."""
IDLE_PART_OF_HOUR, IDLE_STEPS = 1 / 600, 4
"""If no call was sent for so long, as part of the hour and in steps, it was not the limit that kept the rate down. So
what was accepted meanwhile does not measure it."""


@attrs.define(eq=False, repr=False)
class BurstPacer:
    """How many calls may be in flight, and how far apart they are sent.

    Args:
        window: How long the hour lasts, in seconds.

    Attributes:
        slots: Calls that may be in flight at once.
        rate: Calls per second.
    """

    window: float = 3_600.0
    slots: float = math.inf
    rate: float = math.inf
    _measured_rate: float = 0.0
    _growth: float = FIRST_GROWTH
    _rejected_at: float = -math.inf
    _accepted: int = 0
    _next_at: float = -math.inf
    _paused_until: float = -math.inf
    _capped_until: float = -math.inf

    @property
    def pause(self) -> float:
        """Seconds that it makes sense to wait after a rejection."""
        return CALLS_REFILLED_PER_PAUSE * self.step

    @property
    def step(self) -> float:
        """Seconds between two calls, at least."""
        return 1 / self.rate

    def delay(self, now: float, in_flight: int) -> float:
        """Seconds until the next call may go; infinite while as many as may be are in flight."""
        if in_flight + 1 > self.slots:
            return math.inf
        return max(0.0, self._next_at - now)

    def on_granted(self, now: float) -> None:
        """A call was granted."""
        late = now - self._next_at
        self._next_at = (self._next_at if late < self.step else now) + self.step  # a pause is not made up for
        if now - max(self._paused_until, now - late) > max(IDLE_PART_OF_HOUR * self.window, IDLE_STEPS * self.step):
            self._rejected_at, self._accepted = -math.inf, 0

    def on_paused(self, until: float) -> None:
        """A cooldown holds all calls back until that moment, so the time does not count as idle."""
        self._paused_until = max(self._paused_until, until)

    def on_accepted(self, now: float) -> None:
        """A call was not rejected."""
        self._accepted += 1
        self.slots += 1 / CALLS_PER_EXTRA_SLOT
        if now >= self._capped_until:
            self.rate *= 1 + self._growth
            self._growth = min(FIRST_GROWTH, self._growth * (1 + GROWTH_REGAIN_PER_CALL))

    def on_rejected(self, now: float, in_flight: int, *, least_rate: float = 0.0) -> None:
        """A call was rejected while calls of the hour remain.

        Args:
            now: The time, in seconds.
            in_flight: Other calls in flight.
            least_rate: Calls per second; a lower measurement is not believed.
        """
        if self._accepted and -math.inf < self._rejected_at < now:  # a clock may stand still, which measures nothing
            self._measured_rate = max(
                MEASUREMENT_DECAY * self._measured_rate, self._accepted / (now - self._rejected_at)
            )
            fastest = self.rate if now < self._capped_until else math.inf
            self.rate = min(max(self._measured_rate, least_rate), fastest)
            self.slots = math.inf  # even steps bound them better
            self._growth = max(LEAST_GROWTH, self._growth / GROWTH_CUT_PER_MEASUREMENT)
        elif self._accepted:
            self.slots = max(1, (in_flight + 1) // 2)
        if self._accepted:
            self._rejected_at, self._accepted = now, 0

    def on_hour_exhausted(self, now: float, *, rate: float, seconds: float) -> None:
        """It was the hour after all that was used up: go evenly for `seconds`, no faster than `rate` calls a second."""
        self.rate, self._capped_until = min(self.rate, rate), now + seconds
