"""How fast the hourly allowance may be used.

Neither the kind of hour the server keeps (fixed, sliding, a bucket that fills) nor when it begins is known. So bulk
calls run freely down to a reserve, and from there on trickle: each of these calls tells whether more have come back,
whatever the reason. Numbers in, numbers out; no clock.
"""

import math

import attrs

from fusedesk_async._ratelimit.allowance import Ledger
from fusedesk_async._ratelimit.call_log import CallLog

TRICKLE, LEAST_FLOOR = 1 / 25, 6
"""What the trickle is fed from, above the reserve: part of the hour's calls, enough for one a minute and a few more.

And the calls left at which it begins where the hour has very few."""
SLOWEST = 1 / 60
"""Part of the hour between two calls of the trickle, at most; longer only where what is left would not last the hour.
"""
LASTING, FIRST_LOOKS = 1.1, 4
"""What is left, less the first quick looks, must outlast the hour by a tenth, or jitter makes it run out just before
its end."""
DEEP = 4 / 3
"""So many times what is left is the floor when people have taken from the reserve as much as the trickle was to get."""
LONGER = 3
"""If nothing has come back for some time, look again after so many times as long."""
FIRST_LOOK, LAST_LOOK = 1 / 3_600, 1 / 12
"""Parts of the hour until a call finds out whether more have come back when none were left."""


@attrs.define(eq=False, repr=False)
class Pace:
    """Says when the next call may go.

    Args:
        reserve: Part of the hourly limit that bulk calls leave to interactive ones, from 0 to 1.
        window: How long the hour lasts, in seconds.
        assumed_limit: Calls per hour, as long as no answer tells.
        ledger: What answers have told.
        log: The calls of the last hour.
    """

    reserve: float
    window: float
    assumed_limit: int
    ledger: Ledger
    log: CallLog
    _last_bulk: float = -math.inf
    _last_call: float = -math.inf
    _returning_at: float = math.inf  # when many of our own calls are an hour old, as of the last bulk call

    @property
    def limit(self) -> int:
        """Calls per hour, as far as known."""
        return self.ledger.limit or self.assumed_limit

    def left(self, now: float) -> int | None:
        """Calls left, if answers tell; news older than an hour is none."""
        return None if now - self.ledger.news > self.window else self.ledger.left

    def granted(self, now: float, *, bulk: bool) -> None:
        """A call was let go."""
        self._last_call = now
        if bulk:
            self._last_bulk, self._returning_at = now, now + self.until_calls_return(now)

    def delay(self, now: float, *, bulk: bool) -> float:
        """Seconds until a call may go; 0 for now; infinite if that depends on an answer."""
        left = self.left(now)
        if left is None:
            return self.log.delay(self.limit - self.reserved if bulk else self.limit, now)
        if left > (self._floor if bulk else 0):
            return 0.0
        if left >= 1:
            return max(0.0, self._next_trickle(left) - now)
        return max(0.0, max(self._last_call, self.ledger.news) + self._look(1 - left) - now)

    def seconds_for(self, calls: int, now: float) -> float:
        """Seconds until so many bulk calls are made, at the pace at which calls come back on the average."""
        left = self.left(now)
        free = self.limit - self.reserved - self.log.count(now) if left is None else left - self._floor
        return max(0.0, calls - max(0.0, free)) * self.window / self.limit

    def _next_trickle(self, left: int) -> float:
        """When the next call of the trickle may go. People's calls count, too, as they bring the same news."""
        as_expected = self._depth <= DEEP and not self.ledger.refill.overdue
        regular = max(self._last_bulk, -math.inf if as_expected else self.ledger.news) + self._gap
        return min(regular, self._returning_at) if left > 2 * FIRST_LOOKS else regular

    def until_calls_return(self, now: float) -> float:
        """Seconds until many of our own calls are an hour old.

        That opens a sliding hour, and a fixed one in which we began as soon as it opened.
        """
        many = math.ceil(max(self._floor, 1))
        return self.log.delay(self.log.count(now) - many, now)

    def is_ample(self, now: float) -> bool:
        """Whether bulk calls need not trickle."""
        left = self.left(now)
        return self.log.count(now) < self.limit - self.reserved if left is None else left > self._floor

    @property
    def reserved(self) -> int:
        """Calls an hour that are kept for interactive calls."""
        return min(math.ceil(self.reserve * self.limit), self.limit - 1)

    @property
    def _floor(self) -> float:
        """Calls left at which bulk calls begin to trickle.

        Never more than half of what was ever left: a small bucket shows no more than it holds, and would be below any
        other reserve from the start.
        """
        return min(max((self.reserve + TRICKLE) * self.limit, LEAST_FLOOR), self.ledger.most / 2)

    @property
    def _depth(self) -> float:
        """The floor as a multiple of what is left, those on their way included; above 1 if people use the reserve."""
        return self._floor / (self.ledger.remaining or 1)

    @property
    def _gap(self) -> float:
        """Seconds between two calls of the trickle: what one call takes to come back, or longer if none does.

        Less while only the calls on their way take what is left below the floor: a bucket that is full shows no more
        coming back than is taken from it. More while people take from the reserve, so that it fills again.
        """
        refill = self.ledger.refill
        usual = refill.seconds_each * min(self._depth, self._depth**2)
        longest = max(SLOWEST, LASTING / max(self._floor - FIRST_LOOKS, 1.0))
        return min(max(LONGER * refill.overdue, usual), longest * self.window)

    def _look(self, missing: int) -> float:
        """Seconds until so many calls may have come back."""
        refill = self.ledger.refill
        usual = refill.seconds_each * missing or FIRST_LOOK * self.window
        return min(max(refill.overdue, usual), LAST_LOOK * self.window)
