"""The output of a running export: what it holds, how far it has come, and its progress reports."""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias, TypeVar

import attrs

from fusedesk_async._client import FuseDesk
from fusedesk_async._events import Event, QuotaWait, QuotaWaitOver
from fusedesk_async._pagination.unreadable import UnreadableRow
from fusedesk_async._text import one_line
from fusedesk_async._wire.converter import LONGEST_ID
from fusedesk_async.errors import UnexpectedResponseError
from fusedesk_async.export._checkpoint import (
    LONGEST_ODD_TEXT,
    MAX_ODD_FIELDS,
    MAX_REJECTED_IDS,
    MAX_UNREADABLE,
    Checkpoint,
    Job,
)
from fusedesk_async.export._disk_thread import DiskThread
from fusedesk_async.export._name_lists import NameLists
from fusedesk_async.export._report import ExportPlan, ExportProgress, ExportReport, Meter
from fusedesk_async.export._row import Row
from fusedesk_async.export._sink import Resume, Sink

T = TypeVar("T")
OnProgress: TypeAlias = Callable[[ExportProgress], object]

LONGEST_REASON = 200
"""Characters that are kept of why a list of names is missing."""

_COUNTED = (
    "cases",
    "tombstones",
    "history_errors",
    "rejected",
    "rejected_ids",
    "unreadable",
    "unreadable_count",
    "is_unordered",
    "odd_fields",
    "odd",
    "missing_names",
    "runs",
)
"""What a report takes from the checkpoint as it is."""


class Output:
    """Commits rows together with the checkpoint, and reports progress.

    Args:
        desk: Whose calls are counted.
        sink: Where rows go. It does not block the event loop.
        on_progress: Called after each commit, and when waits begin and end.
    """

    def __init__(self, desk: FuseDesk, sink: Sink, on_progress: OnProgress | None) -> None:
        self._desk = desk
        self._sink = sink
        self._on_progress = on_progress
        self._disk_thread = DiskThread(sink.interrupt)
        self._began = desk.clock.monotonic()
        self.fresh = 0
        self.checkpoint: Checkpoint
        self.plan: ExportPlan | None = None
        self.meter = Meter()
        self.outage = ""
        self.was_whole = False
        self.seams_mended = self.salvaged = self.histories_due = 0

    @contextmanager
    def counting_calls(self) -> Generator[None, None, None]:
        """Count the calls of the client while the block lasts."""
        with self._desk.observe(self._on_event):
            yield

    async def open(self, job: Job, resume: Resume, *, overwrite: bool) -> None:
        """Lock and open the output; from then on `checkpoint` says how far it has come."""
        self.checkpoint = await self._in_disk_thread(partial(self._sink.open, job, resume=resume, overwrite=overwrite))
        self._desk.begin_with(self.checkpoint.profile)

    async def find_checkpoint(self, job: Job, resume: Resume, *, overwrite: bool) -> None:
        """Only find out how far it has come; nothing is changed."""
        found = await self._in_disk_thread(partial(self._sink.find_checkpoint, job, resume=resume, overwrite=overwrite))
        self.checkpoint = found or Checkpoint(job=job)

    async def commit(
        self,
        rows: Sequence[Row] = (),
        rejected: Iterable[UnexpectedResponseError] = (),
        unreadable: Sequence[UnreadableRow] = (),
        **changes: Any,
    ) -> None:
        """Make rows durable together with the checkpoint.

        Args:
            rows: The rows.
            rejected: What could not be read.
            unreadable: What cannot be had.
            **changes: What else changes in the checkpoint, such as its `bookmark`.
        """
        old = self.checkpoint
        new = 0 if old.phase in {"changes", "missing"} else len(rows)  # those come again if they belong to the export
        counted = _with_missing(_with_rows(old, rows, new), [*rejected], unreadable)
        reached = attrs.evolve(_with_odd_fields(counted, rows if new else ()), profile=self._desk.profile, **changes)

        def write() -> None:
            self.checkpoint = self._sink.write(rows, reached)
            self.fresh += new

        try:
            await self._in_disk_thread(write)
        finally:  # also if it was cancelled meanwhile: the write was carried out to its end
            self.notify()

    async def write_names(self, lists: NameLists) -> tuple[str, ...]:
        """Replace the lists of names that came; which ones are missing now, each with the reason."""
        refused = await self._in_disk_thread(partial(self._sink.write_names, lists))
        return tuple(one_line(reason)[:LONGEST_REASON] for reason in (*lists.missing, *refused))

    async def restart(self) -> None:
        """Begin the list anew: where ids come in no order, nothing says which cases are in the output already."""
        await self._in_disk_thread(self._sink.restart)
        old = self.checkpoint
        self.checkpoint = Checkpoint(job=old.job, started_after=old.started_after, expected=old.expected, runs=old.runs)

    async def missing_histories(self) -> Sequence[int] | None:
        """Ids of the cases in it whose history could not be fetched; None if it cannot take them later."""
        return await self._in_disk_thread(self._sink.missing_histories)

    async def finish(self, to: str) -> ExportReport:
        """Give the output its name; what was done."""
        return self.report(to, await self._in_disk_thread(self._sink.finish))

    def report(self, to: str, size: int) -> ExportReport:
        """What was done, with the name of the output and its bytes."""
        reached, meter = self.checkpoint, self.meter
        return ExportReport(
            to=to,
            format=reached.job.format,
            size=size,
            fresh=self.fresh,
            calls=meter.calls,
            refused=meter.refused,
            waits=meter.waits,
            waited=meter.waited,
            seams_mended=self.seams_mended,
            salvaged=self.salvaged,
            seconds=self._seconds,
            was_whole=self.was_whole,
            log_file=self._sink.log_file,
            **{name: getattr(reached, name) for name in _COUNTED},
        )

    def forget(self, kind: type[BaseException] | None, *_: object) -> None:
        """Remove what says that it is finished, unless the block that ends here was interrupted."""
        if kind is None or issubclass(kind, Exception):
            self._sink.forget()

    def close(self) -> None:
        """Close the output, finished or not."""
        self._sink.close()

    def notify(self) -> None:
        """Report how far it is."""
        if self._on_progress is None:
            return
        reached, meter = self.checkpoint, self.meter
        self._on_progress(
            ExportProgress(
                phase=reached.phase,
                cases=reached.cases,
                fresh=self.fresh,
                expected=reached.expected,
                tombstones=reached.tombstones,
                history_errors=reached.history_errors,
                histories_due=self.histories_due,
                rejected=reached.rejected,
                calls=meter.calls,
                refused=meter.refused,
                blocked_until=meter.blocked_until,
                outage=self.outage,
                allowance=self._desk.allowance,
                seconds=self._seconds,
                plan=self.plan,
            )
        )

    @property
    def _seconds(self) -> float:
        return self._desk.clock.monotonic() - self._began

    def _on_event(self, event: Event) -> None:
        self.meter.on_event(event)
        if isinstance(event, QuotaWait | QuotaWaitOver):
            self.notify()

    async def _in_disk_thread(self, work: Callable[[], T]) -> T:
        return await self._disk_thread.run(work) if self._sink.uses_disk else work()


def _with_rows(checkpoint: Checkpoint, rows: Sequence[Row], new: int) -> Checkpoint:
    return attrs.evolve(
        checkpoint,
        cases=checkpoint.cases + new,
        tombstones=checkpoint.tombstones + sum(row.tombstone for row in rows),
        history_errors=checkpoint.history_errors + sum(bool(row.history_error) for row in rows),
    )


def _with_missing(
    checkpoint: Checkpoint, rejected: Sequence[UnexpectedResponseError], unreadable: Sequence[UnreadableRow]
) -> Checkpoint:
    """The checkpoint with what could not be read and what cannot be had; a run that was cut off meets both again."""
    known = {*checkpoint.rejected_ids}
    ids = [_storable_id(error.record_id) for error in rejected]
    unread = [each for each in ids if each is None or each not in known]
    bounds = {(row.after, row.before) for row in checkpoint.unreadable}
    fresh = [row for row in unreadable if (row.after, row.before) not in bounds]
    return attrs.evolve(
        checkpoint,
        rejected=checkpoint.rejected + len(unread),
        rejected_ids=(*checkpoint.rejected_ids, *unread)[:MAX_REJECTED_IDS],
        unreadable=(*checkpoint.unreadable, *fresh)[:MAX_UNREADABLE],
        unreadable_count=checkpoint.unreadable_count + len(fresh),
        is_certain=checkpoint.is_certain and not unread,
    )


def _with_odd_fields(checkpoint: Checkpoint, rows: Iterable[Row]) -> Checkpoint:
    odd = [each for row in rows for each in row.odd_fields]
    if not odd:
        return checkpoint
    room = max(0, MAX_ODD_FIELDS - len(checkpoint.odd))
    kept = tuple((_storable_number(number), field, text[:LONGEST_ODD_TEXT]) for number, field, text in odd[:room])
    return attrs.evolve(checkpoint, odd_fields=checkpoint.odd_fields + len(odd), odd=(*checkpoint.odd, *kept))


def _storable_id(number: int | str | None) -> int | str | None:
    """The id of a record that could not be read, as JSON can hold it."""
    if isinstance(number, str):
        return one_line(number)
    return None if number is None else _storable_number(number)


def _storable_number(number: int) -> int | str:
    return number if -(2**63) <= number < 2**63 else str(number)[:LONGEST_ID]
