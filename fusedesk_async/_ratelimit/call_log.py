"""Our own record of the calls of the last hour.

Needed where responses do not say how many calls remain, and to see whether interactive calls want more than the
reserve. Numbers in, numbers out; no clock.
"""

import math
from collections import deque

import attrs

ACTIVE_FOR = 1 / 12
"""Part of the hour after an interactive call for which one slot is kept free for the next."""


@attrs.define(eq=False, repr=False)
class InteractiveCalls:
    """Remembers the interactive calls of the last hour, and when a bulk call was last granted.

    Args:
        window: How long the hour lasts, in seconds.
    """

    window: float
    _granted_at: deque[float] = attrs.field(factory=deque[float])
    _last_bulk: float = -math.inf
    _reported_at: float = -math.inf

    def on_granted(self, now: float, *, bulk: bool) -> None:
        """A call was granted."""
        if bulk:
            self._last_bulk = now
        else:
            self._granted_at.append(now)

    def active_for(self, now: float) -> float:
        """For how many more seconds another interactive call is to be expected soon; 0 if none is."""
        return max(0.0, self._granted_at[-1] + ACTIVE_FOR * self.window - now) if self._granted_at else 0.0

    def over_reserve(self, reserved: int, now: float) -> int:
        """How many interactive calls the last hour had, if more than `reserved` and beside bulk calls; otherwise 0.

        Reports it once an hour, so it is 0 for an hour after it was not.
        """
        while self._granted_at and now - self._granted_at[0] > self.window:
            self._granted_at.popleft()
        count = len(self._granted_at)
        beside_bulk = now - self._last_bulk <= self.window
        if count <= reserved or not beside_bulk or now - self._reported_at < self.window:
            return 0
        self._reported_at = now
        return count


@attrs.define(eq=False, repr=False)
class CallLog:
    """The calls of the last hour. One counts from when it is sent until an hour after its response.

    The server counted it in between, at a moment we do not know, so "never more than N here" implies "never more
    than N there", whether the server keeps a fixed hour, a sliding one or a bucket.

    Args:
        window: How long the hour lasts, in seconds.

    Attributes:
        returned: How many calls are an hour old by now.
        late_by: Seconds by which the moments of calls may be later than they were, as where processes share them.
    """

    window: float
    returned: int = 0
    late_by: float = 0.0
    _in_flight: int = 0
    _ended_at: deque[float] = attrs.field(factory=deque[float])

    def on_granted(self) -> None:
        """A call was granted."""
        self._in_flight += 1

    def on_ended(self, now: float, *, counted: bool = True) -> None:
        """A call has ended; `counted` unless the server certainly did not count it."""
        self._in_flight -= 1
        if counted:
            self._ended_at.append(now)
        self.count(now)  # which forgets the old ones

    def count(self, now: float) -> int:
        """Calls that may still count."""
        while self._ended_at and now - self._ended_at[0] >= self.window:
            self._ended_at.popleft()
            self.returned += 1
        return self._in_flight + len(self._ended_at)

    def delay(self, most: int, now: float) -> float:
        """Seconds until fewer than `most` calls count: 0 if that is so now, infinite if it depends on a response."""
        too_many = self.count(now) - most
        if too_many < 0:
            return 0.0
        if too_many >= len(self._ended_at):
            return float("inf")
        return self._ended_at[too_many] + self.window - now

    def seconds_of(self, calls: int, now: float) -> float:
        """Seconds since the first of the newest so many calls ended; infinite if there are not as many."""
        return now - self._ended_at[-calls] + self.late_by if len(self._ended_at) >= calls else math.inf

    def turn(self, turn: int, most: int, now: float) -> float:
        """Seconds until the `turn`-th call from now, counted from 1, may go if `most` are allowed in an hour.

        Calls in flight are taken to end now.
        """
        hours, place = divmod(turn - 1, most)
        delay = self.delay(most - place, now)
        return hours * self.window + (self.window if math.isinf(delay) else delay)

    def until_returned(self, calls: int, now: float) -> float:
        """Seconds until so many more calls are an hour old; infinite if there are not as many that have ended."""
        return self.delay(self.count(now) - calls + 1, now)
