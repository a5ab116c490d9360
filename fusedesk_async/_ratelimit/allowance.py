"""How many calls remain this hour, as far as responses say. Numbers in, numbers out; no clock."""

import math
from bisect import bisect_right
from datetime import datetime
from typing import Literal, TypeAlias

import attrs

from fusedesk_async._exports import public
from fusedesk_async._ratelimit.others import OtherPrograms
from fusedesk_async._wire.headers import Usage


@attrs.define(eq=False, repr=False)
class InFlightOverlap:
    """Remembers which calls were in flight together, and how many calls each response said to remain.

    Of two such calls the one after which more calls remained was counted first. If calls came back in between it may
    have been the other way round, but then enough remain for it, too.
    """

    _in_flight: set[int] = attrs.field(factory=set[int])
    _ended: dict[int, tuple[int, float]] = attrs.field(factory=dict[int, tuple[int, float]])
    """Of calls that have ended: the number of the first one granted after that, and the calls that remained after it;
    minus infinity if its response did not say."""
    _next_number: int = 0

    def on_granted(self, number: int) -> None:
        """A call was granted; numbers rise."""
        self._in_flight.add(number)
        self._next_number = number + 1

    def on_ended(self, number: int, remaining: float | None) -> set[int]:
        """A call has ended.

        Args:
            number: The call.
            remaining: Calls remaining after it, if its response said; infinite if it certainly was not counted.

        Returns:
            The calls that were in flight together with it and that `remaining` may not include.
        """
        self._in_flight.remove(number)
        uncertain = set(self._in_flight)
        for other, (granted_next, remaining_after) in reversed(self._ended.items()):
            if granted_next <= number:
                break  # those that ended before it were not in flight with it either
            if other < number and not (remaining is not None and remaining <= remaining_after):
                uncertain.add(other)
        self._ended[number] = (self._next_number, -math.inf if remaining is None else remaining)
        if len(self._ended) > 8 * (len(self._in_flight) + 1):
            self.forget()
        return uncertain

    def forget(self) -> None:
        """Forget calls that were in flight together only with calls that have ended, too."""
        last = max(self._in_flight, default=-1)
        numbers = sorted(self._in_flight)
        self._ended = {
            other: (granted_next, remaining)
            for other, (granted_next, remaining) in self._ended.items()
            if other < last and numbers[bisect_right(numbers, other)] < granted_next
        }


OVERDUE_FACTOR = 1.5
"""What takes this many times as long as the last time is overdue."""


@attrs.define(eq=False, repr=False)
class RefillRate:
    """Watches the sum of calls remaining and calls made, which rises only when calls come back.

    Attributes:
        seconds_per_call: What one call took to come back, when some last did; 0 if none ever did.
        overdue: For how many seconds none had come back at the newest look that should have, and would have shown.
        since: When one last came back, in seconds; before any did, when the first response came.
    """

    seconds_per_call: float = 0.0
    overdue: float = 0.0
    since: float = 0.0
    _sum: int | None = None
    _most: int = 0  # what the sum certainly did not exceed when one last came back

    def observe(self, calls: int, now: float, uncertain: int) -> None:
        """Note the sum at a moment.

        Args:
            calls: Calls remaining and calls made.
            now: The time, in seconds.
            uncertain: Calls in flight that this sum may or may not include.
        """
        if self._sum is None:
            self._sum, self._most, self.since = calls, calls + uncertain, now
        returned = calls - uncertain > self._most
        if returned:
            self.seconds_per_call = (now - self.since) / (calls - self._sum)
            self.since = now
        if returned or calls + uncertain <= self._most:
            self._sum, self._most = calls, calls + uncertain
        hidden = self._most - self._sum + uncertain
        self.overdue = max(0.0, now - self.since - OVERDUE_FACTOR * self.seconds_per_call * (hidden + 1))


StoreState: TypeAlias = Literal["none", "up", "down"]


@public
@attrs.frozen(kw_only=True)
class Allowance:
    """What is known of the hourly allowance.

    Attributes:
        limit: Calls allowed per hour; None as long as no response has said.
        remaining: Calls remaining, as the newest response said; None if none did.
        observed_at: When that response came, in UTC.
        blocked_until: When the next of the calls that wait may go, in UTC; None if none waits.
        processes: How many processes used the shared quota in the last twelfth of the hour; 1 if none is shared.
        store: Whether the store of the shared quota could be reached when it was last asked; `none` if none is shared.
    """

    limit: int | None = None
    remaining: int | None = None
    observed_at: datetime | None = None
    blocked_until: datetime | None = None
    processes: int = 1
    store: StoreState = "none"


MOST_CREDIBLE_ZEROS = 5
"""If this many calls in a row are accepted although each response says that none remain, the header means something
else."""


@attrs.define(eq=False, repr=False)
class Ledger:
    """Keeps what responses say of the allowance. Calls are numbered in the order they were granted.

    Only the response to the newest call that was ever answered counts: that of an older call which comes later knows
    less, and must not raise the number.

    Args:
        window: How long the hour lasts, in seconds.

    Attributes:
        limit: Calls per hour, as the newest response that said it has it.
        remaining: Calls remaining, as the newest response that said it has it.
        most_remaining: The most calls that ever remained, since the limit was last lowered.
        remaining_at: When a response last said how many calls remain, in seconds; minus infinity if none did.
        observed_at: When a response last said anything of the allowance, in seconds; minus infinity if none did.
        refill: What this says of calls that came back.
        others: What this says of calls that are not ours.
    """

    window: float = 3_600.0
    limit: int | None = None
    remaining: int | None = None
    most_remaining: int = 0
    remaining_at: float = -math.inf
    observed_at: float = -math.inf
    refill: RefillRate = attrs.field(factory=RefillRate)
    others: OtherPrograms = attrs.field(
        default=attrs.Factory(lambda ledger: OtherPrograms(ledger.window), takes_self=True)
    )
    _last_limit: int | None = None
    _newest: int = -1
    _zeros: int = 0
    _zero_at: float = -math.inf
    _overlap: InFlightOverlap = attrs.field(factory=InFlightOverlap)
    _not_in_remaining: set[int] = attrs.field(factory=set[int])
    _uncounted: set[int] = attrs.field(factory=set[int])
    _uncounted_before: int = 0

    def on_granted(self, number: int) -> None:
        """A call was granted."""
        self._overlap.on_granted(number)
        self._not_in_remaining.add(number)

    def on_lost(self, number: int, *, sent: bool) -> None:
        """It got no response. If it was sent, the server may have counted it all the same."""
        self._overlap.on_ended(number, None if sent else math.inf)
        if not sent:
            self._not_counted(number)
        if self.remaining is None:
            self._not_in_remaining.discard(number)

    def on_response(self, number: int, usage: Usage, *, now: float, counted: bool = True) -> None:
        """It got a response.

        Args:
            number: Its number.
            usage: What the response says; what it does not say stays as it was.
            now: When it came, in seconds.
            counted: Whether the server counted the call; not if it rejected it.
        """
        if not counted:
            self._not_counted(number)
        uncertain = self._overlap.on_ended(number, usage.remaining if counted else math.inf)
        if self.remaining is None:
            self._not_in_remaining.discard(number)
        if number < self._newest:
            if usage.remaining is not None and usage.remaining >= (self.remaining or 0):
                self._not_in_remaining.discard(number)  # the server counted it before the newest
            return
        self._newest, uncounted = number, self._uncounted_up_to(number)
        if usage != Usage():
            self.observed_at = now
        self._observe_limit(usage.limit, counted=counted)
        if usage.remaining is not None and usage.remaining <= (self.limit or math.inf):
            self.remaining, self.remaining_at = usage.remaining, now
            self.most_remaining = max(self.most_remaining, usage.remaining)
            self._not_in_remaining = uncertain
            self._count_zeros(now, zero=counted and not usage.remaining)
            calls = usage.remaining + number - uncounted
            self.refill.observe(calls, now, len(uncertain))
            if usage.limit in {None, self.limit}:
                self.others.observe(calls, now, len(uncertain))

    def _count_zeros(self, now: float, *, zero: bool) -> None:
        """A call that is accepted although none remain is odd, unless one has come back meanwhile on the average."""
        soon = now - self._zero_at < self.window / (self.limit or 1)
        self._zeros = 0 if not zero else self._zeros + 1 if soon else 1
        self._zero_at = now if zero else -math.inf

    def _not_counted(self, number: int) -> None:
        self._uncounted.add(number)
        self._not_in_remaining.discard(number)

    def _uncounted_up_to(self, number: int) -> int:
        passed = {other for other in self._uncounted if other <= number}
        self._uncounted -= passed
        self._uncounted_before += len(passed)
        return self._uncounted_before

    def _observe_limit(self, limit: int | None, *, counted: bool) -> None:
        """Another limit counts when it is said twice in a row, a lower one at once if the call was rejected."""
        if limit is None:
            return
        lower = self.limit is None or limit < self.limit
        if self.limit is None or limit == self._last_limit or (lower and not counted):
            if limit != self.limit:
                self.others.on_limit_changed()
            self.limit = limit
            self.most_remaining = 0 if lower else self.most_remaining
        self._last_limit = limit

    def forget_remaining(self) -> None:
        """What responses said of calls remaining was misunderstood."""
        self.remaining, self.most_remaining, self.remaining_at = None, 0, -math.inf
        self.refill, self.others, self._zeros = RefillRate(), OtherPrograms(self.window), 0

    def forget_old(self) -> None:
        """Forget what matters to no call in flight."""
        self._overlap.forget()

    @property
    def certainly_remaining(self) -> int | None:
        """Calls that certainly remain: what a response said, less the calls that it may not have counted."""
        if self.remaining is None or self._zeros >= MOST_CREDIBLE_ZEROS:
            return None
        return self.remaining - len(self._not_in_remaining)
