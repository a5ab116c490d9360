"""How long bulk calls will take, as a range that holds whatever kind of hour the server keeps.

Numbers in, numbers out; no clock.
"""

import math
from collections import deque
from statistics import fmean, median

import attrs

from fusedesk_async._exports import public
from fusedesk_async._ratelimit.cooldown import JITTER, LONGEST_PAUSE
from fusedesk_async._ratelimit.pacing import LONGEST_POLL_GAP, HourlyPacer

RESPONSES_KEPT = 64
"""Responses of which the times are remembered."""
SPREAD, FEW_SEEN, FEW_CALLS = 0.5, 4.0, 2.0
"""Responses may take more or less than those seen by this part of it, and by these ÷ √n more: if only n were seen, and
if there are only n calls."""


@public
@attrs.frozen
class Estimate:
    """How long something will take.

    Attributes:
        at_least: Seconds that it takes at least.
        at_most: Seconds that it takes at most; infinite if other programs use up the whole hour.
    """

    at_least: float
    at_most: float


@attrs.define(eq=False, repr=False)
class ResponseTimes:
    """Remembers how long the newest responses took, from the permit to the response."""

    _granted_at: dict[int, float] = attrs.field(factory=dict[int, float])
    _seconds: deque[float] = attrs.field(factory=lambda: deque[float](maxlen=RESPONSES_KEPT))

    def on_granted(self, number: int, now: float) -> None:
        """A call was granted."""
        self._granted_at[number] = now

    def on_ended(self, number: int, now: float, *, accepted: bool) -> None:
        """It has ended; `accepted` if it got a response other than 429."""
        began = self._granted_at.pop(number, None)
        if accepted and began is not None:  # another process measures its own
            self._seconds.append(now - began)

    def estimate(self, calls: int, at_once: float) -> Estimate:
        """How long so many calls take one after the other, `at_once` of them at a time; 0 before any was answered."""
        if not (self._seconds and calls):
            return Estimate(0.0, 0.0)
        usual, average = median(self._seconds), fmean(self._seconds)
        spread = 1 + SPREAD + FEW_SEEN / math.sqrt(len(self._seconds)) + FEW_CALLS / math.sqrt(calls)
        rounds = calls / at_once
        return Estimate(rounds * min(usual, average) / spread, (rounds + 1) * max(usual, average) * spread)


def quota_wait(calls: int, now: float, pacer: HourlyPacer) -> Estimate:
    """How long so many bulk calls wait for quota.

    At best more came back as soon as a response had said how many remain, and all of these are used. At worst a new
    hour has just begun, bulk calls get of each only what is above the floor, and notice late that it has begun.

    Args:
        calls: How many.
        now: The time, in seconds.
        pacer: What is known of the hour.
    """
    remaining = pacer.remaining(now)
    left = pacer.limit - pacer.call_log.count(now) if remaining is None else max(0, remaining)
    seconds_since = 0.0 if remaining is None else now - pacer.ledger.remaining_at
    hours_at_best = max(0, math.ceil(max(0, calls - left) / pacer.limit) - 1)
    missing = max(0.0, calls - math.floor(max(0.0, pacer.free(now))))
    share = pacer.hourly_share(now)
    hours = math.ceil(missing / share) if share >= 1 else math.inf if missing else 0
    noticing = pacer.longest_trickle_gap + (LONGEST_POLL_GAP * pacer.window if pacer.is_empty(now) else 0.0)
    at_least = max(0.0, hours_at_best * pacer.window - seconds_since)
    return Estimate(at_least, hours * (pacer.window + noticing) if hours else 0.0)


def cooldown_wait(seconds: float, window: float) -> Estimate:
    """How long calls wait for the end of a cooldown whose deadline is so many seconds away; its probe may fail once."""
    if seconds <= 0:
        return Estimate(0.0, 0.0)
    return Estimate(seconds, seconds + LONGEST_PAUSE * (1 + JITTER) * window)
