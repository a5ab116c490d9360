"""What an export has done so far, and how that is said."""

import time
from datetime import datetime

import attrs

from fusedesk_async import Allowance, CallAnswered, Case, Event, Page, QuotaWait, QuotaWaitOver
from fusedesk_async.cli._text import counted

_REFUSED = 429


@attrs.define
class Tally:
    """Counts.

    Attributes:
        ids: The ids of all cases, if they are to be kept; that takes memory.
        cases: Cases received.
        calls: Calls that were answered.
        refused: Those of them that were refused for their number (429).
        rejected: The ids of the cases that could not be read.
        waits: How often there was quota to be waited for.
        waited: Seconds spent so.
        blocked_until: When the next call goes, while there is.
        allowance: As last seen.
    """

    ids: set[int] | None = None
    cases: int = 0
    calls: int = 0
    refused: int = 0
    rejected: list[int | str | None] = attrs.field(factory=list[int | str | None])
    waits: int = 0
    waited: float = 0.0
    blocked_until: datetime | None = None
    allowance: Allowance = attrs.field(factory=Allowance)
    _started: float = attrs.field(factory=time.monotonic)

    def add(self, page: Page[Case]) -> None:
        """Count a page."""
        self.cases += len(page.items)
        self.rejected.extend(error.record_id for error in page.rejected)
        if self.ids is not None:
            self.ids.update(case.id for case in page.items)

    def told(self, event: Event) -> None:
        """Count what the client tells of."""
        match event:
            case CallAnswered():
                self.calls += 1
                self.refused += event.status == _REFUSED
            case QuotaWait():
                self.waits += self.blocked_until is None
                self.blocked_until = event.until
            case QuotaWaitOver():
                self.waited += event.seconds
                self.blocked_until = None
            case _:
                pass

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started


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
    refused = f" ({tally.refused:,} refused)" if tally.refused else ""
    return f"{work_done(tally)}{refused}, {tally.seconds:.1f} s{waits}, {written}"
