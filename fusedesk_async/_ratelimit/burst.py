"""What keeps within a limit on bursts, such as 20 calls a second: fewer calls on their way, then even steps.

No header tells of such a limit; it shows when a call is refused while the hour has calls left. What the server took
between two refusals, both of which found it empty, is what it gives in that time. Numbers in, numbers out; no clock.
"""

import math

import attrs

FIRST_GROWTH, LEAST_GROWTH = 1 / 40, 1 / 3_200
"""Part by which each call that is taken raises the rate."""
SHRINKING, SPEEDING = 4, 1 / 256
"""Each measurement is better than the one before, so that much less is tried out after it; and more again with each
call that is taken, as the limit may have been raised."""
CALLS_PER_PAUSE = 3
"""After a refusal so many calls are left to come back, or every other one would be refused again."""
KEPT = 0.95
"""A measurement says too little if the pause before it was long enough to fill the server's bucket to the brim. So the
best one counts, but a little less each time, as the limit may have been lowered."""
CALLS_PER_PLACE = 8
"""After so many calls that were taken, one more may be on its way."""

IDLE, STEPS_TO_IDLE = 1 / 600, 4
"""If no call left for so long, as part of the hour and in steps, it was not the limit that kept the rate down. So what
was taken meanwhile is no measure of it."""


@attrs.define(eq=False, repr=False)
class Burst:
    """How many calls may be on their way, and how far apart they leave.

    Args:
        window: How long the hour lasts, in seconds.

    Attributes:
        places: Calls that may be on their way at once.
        rate: Calls per second.
    """

    window: float = 3_600.0
    places: float = math.inf
    rate: float = math.inf
    _measured: float = 0.0
    _growth: float = FIRST_GROWTH
    _refused_at: float = -math.inf
    _taken: int = 0
    _next: float = -math.inf
    _steady_until: float = -math.inf

    @property
    def pause(self) -> float:
        """Seconds that it makes sense to wait after a refusal."""
        return CALLS_PER_PAUSE * self.step

    @property
    def step(self) -> float:
        """Seconds between two calls, at least."""
        return 1 / self.rate

    def delay(self, now: float, in_flight: int) -> float:
        """Seconds until the next call may go; infinite while as many as may be are on their way."""
        if in_flight + 1 > self.places:
            return math.inf
        return max(0.0, self._next - now)

    def granted(self, now: float) -> None:
        """A call was let go."""
        late = now - self._next
        self._next = (self._next if late < self.step else now) + self.step  # a pause is not caught up with
        if late > max(IDLE * self.window, STEPS_TO_IDLE * self.step):
            self._refused_at, self._taken = -math.inf, 0

    def paused(self, until: float) -> None:
        """Nothing leaves before that moment, and that is not for want of calls."""
        self._next = max(self._next, until)

    def taken(self, now: float) -> None:
        """A call was not refused."""
        self._taken += 1
        self.places += 1 / CALLS_PER_PLACE
        if now >= self._steady_until:
            self.rate *= 1 + self._growth
            self._growth = min(FIRST_GROWTH, self._growth * (1 + SPEEDING))

    def refused(self, now: float, in_flight: int, *, least_rate: float = 0.0) -> None:
        """A call was refused while the hour has calls left.

        Args:
            now: The time.
            in_flight: Other calls on their way.
            least_rate: Calls a second; a slower limit is not believed.
        """
        if self._taken and not math.isinf(self._refused_at):
            self._measured = max(KEPT * self._measured, self._taken / (now - self._refused_at))
            fastest = self.rate if now < self._steady_until else math.inf
            self.rate = min(max(self._measured, least_rate), fastest)
            self.places = math.inf  # even steps bound them better
            self._growth = max(LEAST_GROWTH, self._growth / SHRINKING)
        elif self._taken:
            self.places = max(1, (in_flight + 1) // 2)
        if self._taken:
            self._refused_at, self._taken = now, 0

    def exhausted(self, now: float, *, rate: float, seconds: float) -> None:
        """It was the hour after all that was used up: go evenly for so many seconds, no faster than it refills."""
        self.rate, self._steady_until = min(self.rate, rate), now + seconds
