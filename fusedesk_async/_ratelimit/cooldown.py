"""What happens after a 429: nobody calls until a deadline, then one call probes, then the rest may go.

Numbers in, numbers out; no clock.
"""

import math
import random

import attrs

FIRST_PAUSE, LONGEST_PAUSE = 1 / 60, 1 / 4
"""When the hour is used up, as parts of the hour: a minute, doubling to a quarter of an hour."""
FIRST_BURST_PAUSE, MOST_BURST_PAUSES, MOST_HINTS = 1 / 14_400, 8, 4
"""When only a burst was rejected: a quarter of a second, doubling seven times. What lasts longer is not a burst, unless
responses say that calls remain: then it doubles to a minute. And how often a hint that did not help is believed."""
SHORTEST_RETRY_AFTER = 1 / 3_600
"""Part of the hour. No error asks its caller to come back sooner, and no shorter wait is reported."""
JITTER = 0.1
"""A pause is longer than it has to be by up to this part of itself."""


@attrs.define(eq=False, repr=False)
class Cooldown:
    """The pause that all tasks of a client share.

    Args:
        window: The hour of the server's limit, in seconds.
        source: Where the jitter comes from.

    Attributes:
        until: When the next call may probe, in seconds.
        active: Whether there is a pause, or a probe whose response decides.
        began: When the present or last cooldown began, in seconds.
        seemed_burst: Whether its newest rejection was taken for one of a burst.
        hinted_until: Until when the server last said to wait, in seconds; it may be more than an hour away.
    """

    window: float = 3_600.0
    source: random.Random = attrs.field(factory=random.Random, repr=False)
    until: float = -math.inf
    active: bool = False
    began: float = 0.0
    seemed_burst: bool = False
    hinted_until: float = -math.inf
    _probe: int | None = None
    _rejections: int = 0
    _first_number_after: int = 0
    _last_good_probe: int = -1

    @property
    def shortest_retry_after(self) -> float:
        """Seconds; it makes no sense to ask again sooner."""
        return SHORTEST_RETRY_AFTER * self.window

    def delay(self, now: float) -> float:
        """Seconds until a call may go; 0 for now; infinite while a probe is in flight, whose response decides."""
        if not self.active:
            return 0.0
        if now < self.until:
            return self.until - now
        return 0.0 if self._probe is None else math.inf

    def on_granted(self, number: int) -> None:
        """A call was granted. During a cooldown that is the probe."""
        if self.active:
            self._probe = number

    def predates(self, number: int) -> bool:
        """Whether a call was granted before the present cooldown began."""
        return self.active and number < self._first_number_after

    def on_rejected(
        self,
        number: int,
        now: float,
        *,
        next_number: int,
        hint: float | None,
        burst: bool,
        certain: bool = False,
        min_pause: float,
        max_pause: float,
    ) -> bool:
        """A call was rejected with 429.

        Args:
            number: That call's number.
            now: The time, on the clock of `delay`.
            next_number: The number the next call will get.
            hint: Seconds to wait, if the server said.
            certain: Whether responses say that calls of the hour remain, so that it is a burst however long it lasts.
            burst: Whether calls of the hour seem to remain, so that only a burst was rejected.
            min_pause: Seconds that calls are known to take to come back.
            max_pause: Seconds until many calls will probably be back.

        Returns:
            Whether it is news: that of a probe is, those of calls granted before the cooldown began are not.
        """
        if number < self._last_good_probe and hint is None:
            return False  # a later call was accepted since
        self.hinted_until = max(self.hinted_until, now + (hint or 0.0))
        if self.predates(number):
            # one more of the calls that were in flight when the cooldown began: no news, but it may move the deadline
            self.until = max(self.until, now + min(hint or 0.0, self.window))
            return False
        self._rejections += 1
        own_pause = max(
            min_pause, min(self._backoff(burst=burst, certain=certain), max(max_pause, FIRST_PAUSE * self.window))
        )
        believed = self._rejections <= MOST_HINTS  # from then on a hint that did not help is only the minimum
        pause = min(hint if hint and believed else max(hint or 0.0, own_pause), self.window)
        self.until = max(self.until, now + pause * (1.0 + self.source.uniform(0.0, JITTER)))
        self.began, self.seemed_burst = (self.began if self.active else now), burst
        self.active, self._probe, self._first_number_after = True, None, next_number
        return True

    def on_accepted(self, number: int, now: float) -> bool:
        """A call got a response other than 429. If it was the probe, the cooldown is over.

        Unless the deadline was moved while the probe was in flight: then another one will probe after it.

        Returns:
            Whether it was the probe and ended the cooldown.
        """
        if number != self._probe:
            return False
        self._probe = None
        if now >= self.until:
            self.active, self._rejections, self._last_good_probe = False, 0, number
            self.hinted_until = -math.inf
        return not self.active

    def on_lost(self, number: int) -> None:
        """A call got no response. If it was the probe, another may probe."""
        if number == self._probe:
            self._probe = None

    def _backoff(self, *, burst: bool, certain: bool) -> float:
        if certain:
            return min(FIRST_BURST_PAUSE * 2.0 ** min(self._rejections - 1, 30), FIRST_PAUSE) * self.window
        if burst and self._rejections <= MOST_BURST_PAUSES:
            return FIRST_BURST_PAUSE * 2.0 ** (self._rejections - 1) * self.window
        doublings = self._rejections - 1 - (MOST_BURST_PAUSES if burst else 0)
        return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(doublings, 30)) * self.window
