"""What an export will cost, how far it is, and what it has done."""

from datetime import datetime
from typing import Any

import attrs

from fusedesk_async._events import CallAnswered, Event, QuotaWait, QuotaWaitOver
from fusedesk_async._pagination.unreadable import UnreadableRow
from fusedesk_async._ratelimit.allowance import Allowance
from fusedesk_async._ratelimit.estimates import Estimate
from fusedesk_async._wire.answer import TOO_MANY_REQUESTS
from fusedesk_async.export._checkpoint import Phase


@attrs.frozen(kw_only=True)
class ExportPlan:
    """What an export will cost, as far as it can be known before: the API gives no totals.

    Attributes:
        done: Cases that are in the output already, from earlier runs.
        cases: Cases that will probably be in it at the end.
        at_least: There were at least this many when it was asked.
        at_most: There are at most this many; None if that is unknown.
        calls: Calls that are still needed.
        duration: How long they take, waiting for quota included, from the fewest cases to the most; None as long as
            that is unknown. It holds where `FuseDesk.estimate` does; of an export that is resumed `cases` is the most.
    """

    done: int
    cases: int
    at_least: int
    at_most: int | None
    calls: int
    duration: Estimate | None


@attrs.frozen(kw_only=True)
class ExportProgress:
    """How far an export is.

    Attributes:
        phase: `cases`; in an update `changes` (what changed anywhere) and `update` (what belongs to the export);
            `complete` once all rows are written.
        cases: Cases in the output so far; in an update those brought up to date.
        fresh: Those of them that this run has fetched.
        expected: Cases there will probably be, if known.
        tombstones: Cases that were gone when their history was asked for.
        history_errors: Cases whose history could not be fetched otherwise.
        histories_due: Histories that are still to be fetched by all processes together, after the list (`join`).
        rejected: Cases that could not be read.
        calls: Calls of this client that were answered since the export began.
        refused: Those of them that were refused because of the rate limit (429).
        blocked_until: When the next call goes, if calls are held back; in UTC.
        outage: Why nothing comes, if FuseDesk is out of reach at the moment.
        allowance: What is known of the hourly allowance.
        seconds: Since the export began.
        plan: What it was expected to cost; None before that is known.
    """

    phase: Phase
    cases: int
    fresh: int
    expected: int | None
    tombstones: int
    history_errors: int
    rejected: int
    calls: int
    refused: int
    blocked_until: datetime | None
    outage: str
    allowance: Allowance
    seconds: float
    plan: ExportPlan | None
    histories_due: int = 0


@attrs.frozen(kw_only=True)
class ExportReport:
    """What an export has done.

    Attributes:
        to: The output.
        format: Its format.
        size: Its bytes.
        cases: Cases in it; after an update, those that were brought up to date.
        fresh: Those of them that this run has fetched; where it helped another process (`join`), their histories.
        tombstones: Cases that were gone when their history was asked for: their rows say so.
        history_errors: Cases whose history could not be fetched otherwise: their rows say why.
        rejected: Cases that could not be read, so that they are not in the output.
        rejected_ids: Ids of the first thousand of these; None stands for one whose id could not be read either.
        unreadable: Rows of the list that cannot be had, since every page with one of them fails; the first thousand.
            What is missing because of one has an id between its `after` and its `before`.
        unreadable_count: How many these are in all.
        is_unordered: Whether the server does not keep the order by id: the list was read until nothing new came, but
            what moved meanwhile may be missing.
        odd_fields: Fields that could not be read. JSON Lines have each record as it was sent; elsewhere their cells are
            empty and `extra` has what was sent.
        odd: The first thousand of these: the id of the case, the field, the JSON text that was sent, cut to 80
            characters. The field of an item of the history has its place in front, as in `history[3].date_added`.
        runs: How often the export was started until it was complete.
        calls: Calls of this client that were answered in this run.
        refused: Those of them that were refused because of the rate limit (429).
        waits: How often it waited for quota in this run.
        waited: Seconds spent waiting.
        seams_mended: How often this run had to go back since rows had moved.
        salvaged: Answers of this run with noise around them, which was cut off.
        seconds: How long this run took.
        was_whole: Whether an earlier run had written all of it, and at most its very end was cut off.
        log_file: The name of SQLite's log beside the output, if its last rows are still there, since another program
            read the output all the time; else empty. Nothing is lost, and every program that opens the output sees
            them; but a copy of the output alone misses them. The next update merges the two.
        missing_names: Which lists of departments, reps and tags a database is without, each with the reason. The cases
            are whole all the same; an update fetches the lists again.
    """

    to: str
    format: str
    size: int
    cases: int
    fresh: int
    tombstones: int
    history_errors: int
    rejected: int
    rejected_ids: tuple[int | str | None, ...]
    unreadable: tuple[UnreadableRow, ...]
    unreadable_count: int
    is_unordered: bool
    odd_fields: int
    odd: tuple[tuple[int | str, str, str], ...]
    runs: int
    calls: int
    refused: int
    waits: int
    waited: float
    seams_mended: int
    salvaged: int
    seconds: float
    was_whole: bool = False
    log_file: str = ""
    missing_names: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every case is in the output, with its history if that was asked for and the case was there.

        Fields that could not be read (`odd_fields`) do not matter here.
        """
        return not (self.rejected or self.history_errors or self.unreadable_count or self.is_unordered)

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values, ready for JSON."""
        lists = {
            "rejected_ids": [*self.rejected_ids],
            "missing_names": [*self.missing_names],
            "odd": [[*each] for each in self.odd],
        }
        return attrs.asdict(self) | lists | {"unreadable": [attrs.asdict(row) for row in self.unreadable]}


@attrs.define(eq=False)
class Meter:
    """Counts the events of a client.

    Attributes:
        calls: Calls that were answered.
        refused: Those of them that were refused because of the rate limit (429).
        waits: How often it waited for quota.
        waited: Seconds spent waiting.
        blocked_until: When the next call goes, while there is.
    """

    calls: int = 0
    refused: int = 0
    waits: int = 0
    waited: float = 0.0
    blocked_until: datetime | None = None

    def on_event(self, event: Event) -> None:
        """Count an event."""
        match event:
            case CallAnswered():
                self.calls += 1
                self.refused += event.status == TOO_MANY_REQUESTS
            case QuotaWait():
                self.waits += self.blocked_until is None
                self.blocked_until = event.until
            case QuotaWaitOver():
                self.waited += event.seconds
                self.blocked_until = None
            case _:
                pass
