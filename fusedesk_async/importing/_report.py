"""What an import has done so far, and in the end."""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import attrs

Phase: TypeAlias = Literal["sending", "settling"]
Outcome: TypeAlias = Literal["opened", "skipped", "found", "unknown", "rejected", "to_open", "to_look_up"]


@attrs.frozen(kw_only=True)
class ImportProgress:
    """How far an import has come.

    Attributes:
        phase: `sending` new rows, or `settling`: looking up those whose response was lost.
        rows: Rows read.
        opened: Cases opened in this run, with all of their history.
        skipped: Rows that were imported before, or that came twice.
        found: Cases that only a look-up showed to be open.
        pending: Rows whose outcome is not known yet; they are looked up last.
        unknown: Rows of which a look-up could not find out whether they were opened. They are never sent again.
        rejected: Rows that are in the reject file.
    """

    phase: Phase
    rows: int
    opened: int
    skipped: int
    found: int
    pending: int
    unknown: int
    rejected: int


@attrs.frozen(kw_only=True)
class ImportReport:
    """What an import has done. Each row is in exactly one of the counts after `rows`.

    Attributes:
        rows: Rows read.
        opened: Cases opened in this run, with all of their history.
        skipped: Rows that were imported before, or that came twice.
        found: Cases that only a look-up showed to be open.
        unknown: Rows of which a look-up could not find out whether they were opened. They are never sent again, but
            looked up by each run. The reject file names them, with the reason, the ids of the cases in question, and
            what to do.
        rejected: Rows that are in the reject file for another reason.
        to_open: With `dry_run`: rows that would be sent.
        to_look_up: With `dry_run`: rows of an earlier run that would be looked up.
        calls: Calls that were answered, look-ups included.
        seconds: How long it took.
        rejects_kept: Where the reject file of an earlier run is kept, if rows of it were not in this run.
    """

    rows: int
    opened: int
    skipped: int
    found: int
    unknown: int
    rejected: int
    to_open: int
    to_look_up: int
    calls: int
    seconds: float
    rejects_kept: str | None

    def as_dict(self) -> dict[str, Any]:
        """The same as a dict, for JSON."""
        return attrs.asdict(self)


OnProgress: TypeAlias = Callable[[ImportProgress], object]


@attrs.define
class Tally:
    """Counts rows by their outcome.

    Attributes:
        on_progress: Called on each change.
    """

    on_progress: OnProgress | None = None
    phase: Phase = "sending"
    rows: int = 0
    pending: int = 0
    calls: int = 0
    outcomes: dict[Outcome, int] = attrs.field(factory=dict[Outcome, int])

    def count(self, outcome: Outcome) -> None:
        """Count a row by its outcome."""
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        self.notify()

    def notify(self) -> None:
        """Report how far it has come."""
        if self.on_progress:
            kinds: tuple[Outcome, ...] = ("opened", "skipped", "found", "unknown", "rejected")
            counts = {kind: self.outcomes.get(kind, 0) for kind in kinds}
            self.on_progress(ImportProgress(phase=self.phase, rows=self.rows, pending=self.pending, **counts))

    def report(self, seconds: float, rejects_kept: str | None = None) -> ImportReport:
        """All of it."""
        kinds: tuple[Outcome, ...] = ("opened", "skipped", "found", "unknown", "rejected", "to_open", "to_look_up")
        counts = {kind: self.outcomes.get(kind, 0) for kind in kinds}
        return ImportReport(
            rows=self.rows, calls=self.calls, seconds=round(seconds, 3), rejects_kept=rejects_kept, **counts
        )
