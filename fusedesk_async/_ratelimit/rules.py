"""Whether a call may go: the rules about cooldown, pace and bursts as one. Numbers in, numbers out; no clock."""

import math
import random
from typing import Literal, TypeAlias

import attrs

from fusedesk_async._ratelimit.allowance import Ledger
from fusedesk_async._ratelimit.burst import Burst
from fusedesk_async._ratelimit.call_log import CallLog, People
from fusedesk_async._ratelimit.cooldown import Cooldown
from fusedesk_async._ratelimit.pacing import Pace
from fusedesk_async._wire.headers import Usage

ALONE = 1 / 12_000
"""Part of the hour for which the first call goes alone; for each further one that it takes, one more call may go."""
SLOWEST_STEPS = 1_800
"""Calls an hour. What is measured of a burst limit is not believed if it is less than this and than the hour allows."""
GRAIN = 1e-6
"""Seconds. Sums of floats miss their mark by less, and a clock may not move by so little."""
NO_BURST = 1 / 60
"""Part of the hour: what is refused for longer than this is not a burst, but the hour."""

Why: TypeAlias = Literal["free", "first", "people", "burst", "reserve", "quota", "refused"]
IN_WORDS = {
    "reserve": "the calls left this hour are kept for interactive work",
    "quota": "no calls are left this hour",
    "refused": "the server refused a call (429)",
}
"""The rules whose waits not everybody has patience for, in the words callers hear. The others hold back briefly."""


@attrs.frozen
class Hold:
    """How long calls are held back, and why.

    Attributes:
        seconds: Until one may go; 0 for now; infinite if that depends on an answer.
        why: The rule that says so.
    """

    seconds: float
    why: Why

    @property
    def is_wait(self) -> bool:
        """Whether it is the quota that holds them back."""
        return self.why in IN_WORDS


FREE = Hold(0.0, "free")


class Quota:
    """The rules, with all they have to remember.

    Args:
        reserve: Part of the hourly limit that bulk calls leave to interactive ones.
        window: How long the hour lasts, in seconds.
        assumed_limit: Calls per hour, as long as no answer tells.
        source: Where jitter comes from.
    """

    def __init__(self, *, reserve: float, window: float, assumed_limit: int, source: random.Random) -> None:
        self.ledger, self.cooldown, self.people = Ledger(), Cooldown(window, source), People(window)
        self.in_flight = self.next_number = 0
        self._window = window
        self._log = CallLog(window)
        self._burst = Burst(window)
        self._pace = Pace(reserve, window, assumed_limit, self.ledger, self._log)
        self._first_left_at = math.inf
        self._answered = False

    def hold(self, now: float, *, bulk: bool) -> Hold:
        """How long calls of a kind are held back."""
        if self.cooldown.active:
            return _hold(self.cooldown.delay(now), "refused")
        alone = self._first_left_at + self.in_flight * ALONE * self._window - now
        if self.in_flight and not self._answered and alone > GRAIN:
            return Hold(alone, "first")
        pace, burst = self._pace.delay(now, bulk=bulk), self._burst.delay(now, self.in_flight)
        if burst > pace:
            return _hold(burst, "refused" if self._is_slow else "burst")
        return _hold(pace, "reserve" if bulk and self._pace.delay(now, bulk=False) == 0 else "quota")

    def goes_freely(self, now: float) -> bool:
        """Whether bulk calls need not trickle."""
        return not (self.cooldown.active or self._is_slow) and self._pace.is_ample(now)

    @property
    def _is_slow(self) -> bool:
        """Whether even steps are so long that callers should hear of them."""
        return self._burst.step >= self.cooldown.shortest_pause

    def granted(self, now: float, *, bulk: bool) -> int:
        """A call is let go; its number."""
        number = self.next_number
        self.next_number += 1
        self.in_flight += 1
        self._first_left_at = min(self._first_left_at, now)
        self._log.begin()
        self.ledger.granted(number)
        self.cooldown.granted(number)
        self.people.granted(now, bulk=bulk)
        self._pace.granted(now, bulk=bulk)
        self._burst.granted(now)
        return number

    def lost(self, number: int, now: float, *, sent: bool) -> None:
        """A call brought no answer. If it was sent, the server may have counted it all the same."""
        self.in_flight -= 1
        self._log.end(now, counted=sent)
        self.cooldown.lost(number)
        self.ledger.lost(number, sent=sent)

    def answered(self, number: int, usage: Usage, now: float) -> None:
        """A call got an answer other than 429."""
        self._note(number, usage, now, counted=True)
        self._burst.taken(now)
        refused_for = now - self.cooldown.began
        if self.cooldown.answered(number, now) and self.cooldown.seemed_burst and refused_for > NO_BURST * self._window:
            # what we believed about the hour was wrong, so go evenly until it has surely passed
            self._burst.exhausted(now, rate=self._pace.limit / self._window, seconds=self._window)

    def refused(self, number: int, usage: Usage, now: float, *, hint: float | None) -> None:
        """A call got a 429."""
        self._note(number, usage, now, counted=False)
        burst = self._seems_burst(now)
        is_news = self.cooldown.refused(
            number,
            now,
            next_number=self.next_number,
            hint=hint,
            burst=burst,
            least=self._burst.pause if burst else 0.0,
            most=self._pace.until_calls_return(now),
        )
        if is_news and burst:
            self._burst.refused(now, self.in_flight, least_rate=min(self._pace.limit, SLOWEST_STEPS) / self._window)
        self._burst.paused(self.cooldown.until)

    def seconds_for(self, calls: int, now: float) -> float:
        """About how long so many bulk calls take: some may go at once, the others come at the hour's pace."""
        cooldown = max(0.0, self.cooldown.until - now) if self.cooldown.active else 0.0
        return cooldown + self._pace.seconds_for(calls, now)

    def people_exceed_reserve(self, now: float) -> int:
        """How many interactive calls there were in the last hour, if bulk calls suffer from them; 0 otherwise.

        Tells once an hour.
        """
        return self.people.excess(self._pace.reserved, now)

    def _note(self, number: int, usage: Usage, now: float, *, counted: bool) -> None:
        self._answered = True
        self.in_flight -= 1
        self._log.end(now, counted=counted)
        self.ledger.observe(number, usage, now=now, counted=counted)

    def _seems_burst(self, now: float) -> bool:
        """Whether a refusal is about a burst: calls are left, or calls were taken a moment ago."""
        if (self._pace.left(now) or 0) > 0:
            return True
        taken = self._log.count(now) > self.in_flight
        return taken and self.ledger.refill.overdue < NO_BURST * self._window


def _hold(seconds: float, why: Why) -> Hold:
    return Hold(seconds, why) if seconds > GRAIN else FREE
