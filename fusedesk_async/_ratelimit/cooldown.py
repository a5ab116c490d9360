"""What happens after a 429: nobody calls until a deadline, then one call probes, then the rest may go.

Numbers in, numbers out; no clock.
"""

import math
import random

import attrs

FIRST_PAUSE, LONGEST_PAUSE = 1 / 60, 1 / 4
"""When the hour is used up, as parts of the hour: a minute, doubling to a quarter of an hour."""
FIRST_BURST_PAUSE, BURST_PAUSES = 1 / 14_400, 4
"""When only a burst was refused: a quarter of a second, doubling three times. What lasts longer is no burst."""
SHORTEST_PAUSE = 1 / 3_600
"""Nobody is told to come back sooner."""
JITTER = 0.1
"""A pause is longer than it has to be by up to this part of itself."""


@attrs.define(eq=False, repr=False)
class Cooldown:
    """The pause that all tasks of a client share.

    Args:
        window: The hour of the server's limit, in seconds.
        source: Where the jitter comes from.
    """

    window: float = 3_600.0
    source: random.Random = attrs.field(factory=random.Random, repr=False)
    until: float = -math.inf
    active: bool = False
    began: float = 0.0
    seemed_burst: bool = False
    _probe: int | None = None
    _refusals: int = 0
    _first_number_after: int = 0
    _proven: int = -1

    @property
    def shortest_pause(self) -> float:
        """Seconds; it makes no sense to ask again sooner."""
        return SHORTEST_PAUSE * self.window

    def delay(self, now: float) -> float:
        """Seconds until a call may go; 0 for now; infinite while a probe is out, whose answer decides."""
        if not self.active:
            return 0.0
        if now < self.until:
            return self.until - now
        return 0.0 if self._probe is None else math.inf

    def granted(self, number: int) -> None:
        """A call was let go. During a cooldown that is the probe."""
        if self.active:
            self._probe = number

    def outdated(self, number: int) -> bool:
        """Whether a call was let go before the present cooldown began."""
        return self.active and number < self._first_number_after

    def refused(
        self, number: int, now: float, *, next_number: int, hint: float | None, burst: bool, least: float, most: float
    ) -> bool:
        """A call was answered with 429.

        Args:
            number: That call's number.
            now: The time, on the clock of `delay`.
            next_number: The number the next call will get.
            hint: Seconds to wait, if the server said.
            burst: Whether the hour seems to have calls left, so that only a burst was refused.
            least: Seconds that calls are known to take to come back.
            most: Seconds until many calls will probably be back.

        Returns:
            Whether it is news: that of a probe is, those of calls that left before the cooldown began are not.
        """
        if number < self._proven and hint is None:
            return False  # a later call went through since
        if self.outdated(number):
            # one more of the calls that were out when the cooldown began: no news, unless it brings a later deadline
            self.until = max(self.until, now + min(hint or 0.0, self.window))
            return False
        self._refusals += 1
        usual = self._usual_pause(burst=burst)
        own = max(least, min(usual, max(most, FIRST_PAUSE * self.window)))
        helps = self._refusals <= BURST_PAUSES  # a hint that did not is the least that is waited from then on
        pause = min(hint if hint and helps else max(hint or 0.0, own), self.window)
        self.until = max(self.until, now + pause * (1.0 + self.source.uniform(0.0, JITTER)))
        self.began, self.seemed_burst = (self.began if self.active else now), burst
        self.active, self._probe, self._first_number_after = True, None, next_number
        return True

    def answered(self, number: int, now: float) -> bool:
        """A call got an answer other than 429. If it was the probe, the cooldown is over, and this says so.

        Unless the deadline was moved while the probe was out: then another one will probe after it.
        """
        if number != self._probe:
            return False
        self._probe = None
        if now >= self.until:
            self.active, self._refusals, self._proven = False, 0, number
        return not self.active

    def lost(self, number: int) -> None:
        """A call got no answer. If it was the probe, another may probe."""
        if number == self._probe:
            self._probe = None

    def _usual_pause(self, *, burst: bool) -> float:
        if burst and self._refusals <= BURST_PAUSES:
            return FIRST_BURST_PAUSE * 2.0 ** (self._refusals - 1) * self.window
        doublings = self._refusals - 1 - (BURST_PAUSES if burst else 0)
        return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(doublings, 30)) * self.window
