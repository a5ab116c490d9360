"""How many calls are left this hour, as far as answers have told."""

from datetime import datetime

import attrs

from fusedesk_async._hints import Usage


@attrs.frozen(kw_only=True)
class Allowance:
    """What is known of the hourly allowance.

    Attributes:
        limit: Calls allowed per hour; None as long as no answer has told.
        remaining: Calls left, as the newest answer told; None if none did.
        observed_at: When that answer came, in UTC.
        blocked_until: Until when no call leaves because the server refused one, in UTC; None if none is held back.
    """

    limit: int | None = None
    remaining: int | None = None
    observed_at: datetime | None = None
    blocked_until: datetime | None = None


@attrs.define(eq=False, repr=False)
class Ledger:
    """Keeps the newest news. Calls are numbered in the order they were granted.

    Only the answer to the newest call that was ever answered counts: one that was asked earlier and comes later
    knows less, and must not raise the number.
    """

    limit: int | None = None
    remaining: int | None = None
    observed_at: float | None = None
    _newest: int = -1
    _in_flight_then: int = 0
    _granted_then: int = 0
    _granted: int = 0

    def granted(self) -> None:
        """One more call was let go."""
        self._granted += 1

    def observe(self, number: int, usage: Usage, *, now: float, in_flight: int) -> None:
        """Take note of what an answer says.

        Args:
            number: The number of the call it answers.
            usage: What it says; what it does not say stays as it was.
            now: The wall clock, in seconds since 1970.
            in_flight: Calls on their way when it came.
        """
        if number < self._newest:
            return
        self._newest = number
        self.limit = usage.limit or self.limit
        if usage.remaining is not None:
            self.remaining = usage.remaining
            self._in_flight_then, self._granted_then = in_flight, self._granted
        if usage != Usage():
            self.observed_at = now

    @property
    def left(self) -> int | None:
        """Calls that are surely left: what was reported, less those that the report may not have counted."""
        if self.remaining is None:
            return None
        return self.remaining - self._in_flight_then - (self._granted - self._granted_then)
