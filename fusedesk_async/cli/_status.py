"""What an export has done so far, and how that is said."""

import time
from datetime import datetime

import attrs

from fusedesk_async import Allowance, Case, Page
from fusedesk_async.cli._text import counted

_SAME_PAUSE = 0.05
"""Seconds by which the end of one and the same pause may seem to move, as it is the sum of two clocks."""


@attrs.define
class Tally:
    """Counts.

    Attributes:
        ids: The ids of all cases, if they are to be kept; that takes memory.
        cases: Cases received.
        calls: Calls that brought cases. Repeated and refused ones are not known here.
        rejected: The ids of the cases that could not be read.
        waits: How often the server told us to wait.
        waited: Seconds spent so.
        allowance: As last seen.
    """

    ids: set[int] | None = None
    cases: int = 0
    calls: int = 0
    rejected: list[int | str | None] = attrs.field(factory=list[int | str | None])
    waits: int = 0
    waited: float = 0.0
    allowance: Allowance = attrs.field(factory=Allowance)
    _started: float = attrs.field(factory=time.monotonic)
    _looked: float = attrs.field(factory=time.monotonic)
    _pause_end: float = 0.0

    def add(self, page: Page[Case]) -> None:
        """Count a page."""
        self.cases += len(page.items)
        self.calls += 1
        self.rejected.extend(error.record_id for error in page.rejected)
        if self.ids is not None:
            self.ids.update(case.id for case in page.items)

    def look(self, allowance: Allowance) -> None:
        """Take note of the allowance, and of a pause if there is one."""
        now, until = time.monotonic(), allowance.blocked_until
        if until:
            self.waited += now - self._looked if self.blocked_until else 0.0
            self.waits += until.timestamp() > self._pause_end + _SAME_PAUSE
            self._pause_end = until.timestamp()
        self._looked, self.allowance = now, allowance

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    @property
    def blocked_until(self) -> datetime | None:
        """The end of the present pause."""
        return self.allowance.blocked_until


def work_done(tally: Tally) -> str:
    """`12,000 cases, 24 calls`."""
    return f"{counted(tally.cases, 'case')}, {counted(tally.calls, 'call')}"


def pace(tally: Tally) -> str:
    """`1,500 cases/s, 3 of 12 calls left`, as far as it is known."""
    rate = f"{tally.cases / max(tally.seconds, 0.001):,.0f} cases/s"
    left, limit = tally.allowance.remaining, tally.allowance.limit
    if left is None:
        return rate if limit is None else f"{rate}, {limit:,} calls an hour"
    return f"{rate}, {left:,} left" if limit is None else f"{rate}, {left:,} of {limit:,} calls left"


def pause(until: datetime) -> str:
    """`waiting for quota until 14:03:07 (4 s)`, in local time."""
    seconds = max(0.0, until.timestamp() - time.time())
    return f"waiting for quota until {until.astimezone():%H:%M:%S} ({seconds:.0f} s)"


def summary(tally: Tally, written: str) -> str:
    """What an export has done."""
    waits = f", {counted(tally.waits, 'wait')} for quota ({tally.waited:.1f} s)" if tally.waits else ""
    return f"{work_done(tally)}, {tally.seconds:.1f} s{waits}, {written}"
