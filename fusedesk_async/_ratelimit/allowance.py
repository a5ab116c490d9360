"""How many calls are left this hour, as far as answers have told."""

import math
from datetime import datetime

import attrs

from fusedesk_async._exports import public
from fusedesk_async._wire.headers import Usage


@attrs.define(eq=False, repr=False)
class Overlap:
    """Remembers which calls were out together, and how many calls each answer said to be left.

    Of two such calls the one after which more calls were left came first. If calls came back in between it may have
    been the other way round, but then there are enough left for it, too.
    """

    _beside: dict[int, set[int]] = attrs.field(factory=dict[int, set[int]])
    _left_after: dict[int, float] = attrs.field(factory=dict[int, float])

    def granted(self, number: int) -> None:
        """A call leaves."""
        self._beside[number] = set(self._beside)

    def ended(self, number: int, left: float | None) -> set[int]:
        """A call is over.

        Args:
            number: The call.
            left: Calls left after it, if its answer told; infinite if it surely was not counted.

        Returns:
            The calls that were out together with it and that it may not have counted.
        """
        others = self._beside.pop(number) | {other for other in self._beside if other > number}
        doubtful = {other for other in others if not self._surely_before(other, left)}
        if left is not None:
            self._left_after[number] = left
        if len(self._left_after) > 8 * (len(self._beside) + 1):
            self._forget()
        return doubtful

    def _surely_before(self, other: int, left: float | None) -> bool:
        return left is not None and self._left_after.get(other, -math.inf) >= left

    def _forget(self) -> None:
        needed = set[int]().union(*self._beside.values())
        self._left_after = {number: left for number, left in self._left_after.items() if number in needed}


LATE = 1.5
"""What took so many times as long as before is late."""


@attrs.define(eq=False, repr=False)
class Refill:
    """Watches the sum of calls left and calls made.

    Attributes:
        seconds_each: What one call took to come back, when some last did; 0 if none ever did.
        overdue: For how many seconds none had come back at the newest look that should have, and would have shown.
    """

    seconds_each: float = 0.0
    overdue: float = 0.0
    _sum: int | None = None
    _since: float = 0.0
    _blur: int = 0

    def observe(self, calls: int, now: float, blur: int) -> None:
        """Take note of the sum of calls left and calls made, and of how many calls on their way may blur it."""
        if self._sum is None:
            self._sum, self._since, self._blur = calls, now, blur
        returned, hidden = calls - self._sum, self._blur + blur
        if returned > hidden:
            self.seconds_each = (now - self._since) / returned
            self._since = now
        if returned > hidden or returned < 0:
            self._sum, self._blur = calls, blur
        self.overdue = max(0.0, now - self._since - LATE * self.seconds_each * (hidden + 1))


@public
@attrs.frozen(kw_only=True)
class Allowance:
    """What is known of the hourly allowance.

    Attributes:
        limit: Calls allowed per hour; None as long as no answer has told.
        remaining: Calls left, as the newest answer told; None if none did.
        observed_at: When that answer came, in UTC.
        blocked_until: When the next of the calls that are held back may go, in UTC; None if none is held back.
    """

    limit: int | None = None
    remaining: int | None = None
    observed_at: datetime | None = None
    blocked_until: datetime | None = None


INCREDIBLE_ZEROS = 5
"""If so many calls in a row are taken although each answer says that none are left, the header tells something else."""


@attrs.define(eq=False, repr=False)
class Ledger:
    """Keeps the newest news. Calls are numbered in the order they were granted.

    Only the answer to the newest call that was ever answered counts: one that was asked earlier and comes later
    knows less, and must not raise the number.

    Attributes:
        limit: Calls per hour, as the newest answer that told says.
        remaining: Calls left, likewise.
        most: The most calls that were ever left, since the limit was last lowered.
        news: When an answer last told how many calls are left; minus infinity if none did.
        told_at: When an answer last told anything, likewise.
        refill: What it tells of calls that came back.
    """

    limit: int | None = None
    remaining: int | None = None
    most: int = 0
    news: float = -math.inf
    told_at: float = -math.inf
    refill: Refill = attrs.field(factory=Refill)
    _limit_said_last: int | None = None
    _newest: int = -1
    _zeros: int = 0
    _overlap: Overlap = attrs.field(factory=Overlap)
    _doubtful: set[int] = attrs.field(factory=set[int])
    _uncounted: set[int] = attrs.field(factory=set[int])
    _uncounted_before: int = 0

    def granted(self, number: int) -> None:
        """A call was let go."""
        self._overlap.granted(number)
        self._doubtful.add(number)

    def lost(self, number: int, *, sent: bool) -> None:
        """It brought no answer. If it was sent, the server may have counted it all the same."""
        self._overlap.ended(number, None if sent else math.inf)
        if not sent:
            self._not_counted(number)

    def observe(self, number: int, usage: Usage, *, now: float, counted: bool = True) -> None:
        """It brought an answer.

        Args:
            number: Its number.
            usage: What the answer says; what it does not say stays as it was.
            now: When it came, in seconds.
            counted: Whether the server counted it; not if it refused it.
        """
        if not counted:
            self._not_counted(number)
        doubtful = self._overlap.ended(number, usage.remaining if counted else math.inf)
        if self.remaining is None:
            self._doubtful.discard(number)
        if number < self._newest:
            if usage.remaining is not None and usage.remaining >= (self.remaining or 0):
                self._doubtful.discard(number)  # it came before the newest, which counted it
            return
        self._newest = number
        if usage != Usage():
            self.told_at = now
        self._observe_limit(usage.limit)
        if usage.remaining is not None and usage.remaining <= (self.limit or math.inf):
            self.remaining, self.news = usage.remaining, now
            self.most = max(self.most, usage.remaining)
            self._doubtful = doubtful
            self._zeros = self._zeros + 1 if counted and not usage.remaining else 0
            self.refill.observe(usage.remaining + number - self._uncounted_up_to(number), now, len(doubtful))

    def _not_counted(self, number: int) -> None:
        self._uncounted.add(number)
        self._doubtful.discard(number)

    def _uncounted_up_to(self, number: int) -> int:
        passed = {other for other in self._uncounted if other <= number}
        self._uncounted -= passed
        self._uncounted_before += len(passed)
        return self._uncounted_before

    def _observe_limit(self, limit: int | None) -> None:
        """A lower limit counts at once, a higher one when it is said twice in a row: one that is wrong does harm."""
        if limit is None:
            return
        if self.limit is None or limit < self.limit:
            self.limit, self.most = limit, 0
        elif limit == self._limit_said_last:
            self.limit = limit
        self._limit_said_last = limit

    @property
    def left(self) -> int | None:
        """Calls that are surely left: what was reported, less those that the report may not have counted."""
        if self.remaining is None or self._zeros >= INCREDIBLE_ZEROS:
            return None
        return self.remaining - len(self._doubtful)
