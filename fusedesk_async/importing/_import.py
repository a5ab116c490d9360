"""The way back: rows from anywhere into FuseDesk."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import attrs

from fusedesk_async._checks import at_least_one
from fusedesk_async._client import FuseDesk
from fusedesk_async._durable_files import held
from fusedesk_async._events import CallAnswered, Event
from fusedesk_async._pagination.lookup import as_async_iterator
from fusedesk_async._pagination.prefetch import first_of
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.filters import encode_day
from fusedesk_async.importing._history import goes_apart
from fusedesk_async.importing._journal import Entry, Journal
from fusedesk_async.importing._rejects import Rejects
from fusedesk_async.importing._report import Fate, ImportReport, OnProgress, Tally
from fusedesk_async.importing._resolving import Settler
from fusedesk_async.importing._rows import DirectoryNeededError, Row, RowError, read_row
from fusedesk_async.importing._sending import Pending, Sender, in_thread
from fusedesk_async.models import Directory, NewCase

ImportRow: TypeAlias = NewCase | Mapping[str, Any] | str | bytes
"""A case, a mapping that stands for one, or the JSON text of such a mapping."""


async def import_cases(
    desk: FuseDesk,
    rows: Iterable[ImportRow] | AsyncIterable[ImportRow],
    *,
    journal: str | PathLike[str],
    rejects: str | PathLike[str] | None = None,
    concurrency: int = 4,
    settle: float = 30.0,
    skip_infusionsoft: bool = False,
    dry_run: bool = False,
    on_progress: OnProgress | None = None,
) -> ImportReport:
    """Open a case for each row, exactly once, however often the import is cut off and run again.

    A journal says of each row whether it is intended, sent, or confirmed with the number of its case; each mark is on
    the disk before the next thing happens. Run again, the import skips what is confirmed and sends what never left. A
    row that left and whose answer is not known is looked up, as `find_created` does; it is sent again only if it surely
    was not opened. If that cannot be told, it stays unknown and is never sent again. Rows without `date_opened` get the
    moment they are first met, so that a look-up is exact.

    This holds for being killed at any instant, and for power loss as far as the disk keeps what it says it keeps.

    A row is one of these:

    - a `NewCase`;
    - a mapping with its fields: `department_id`, `summary`, `details`, `opened_by`, `date_opened` …; `history` as a
      list of mappings with the fields of `NewNote` and `NewEmail` (with `type` `note`, `call` or `email`);
      `source_id`, its name where it comes from. A member unknown to us is a slip, so the row is rejected;
    - a record as FuseDesk sends it, such as a line of an export, with or without its history; its `caseid` is the
      `source_id`. What a new case cannot say (number, closing date, rating …) is left out, and what the API wants and
      the record lacks is filled with a word in brackets;
    - the JSON text of one of these, as a line of JSON Lines. Empty lines are passed over.

    A row with a `source_id` is known by it, any other by its content. The same row twice is skipped.

    A history too large for one form follows its case in several requests, each marked likewise.

    Args:
        desk: An open client. Its calls are made as bulk work, so they let interactive ones go first.
        rows: Read one by one as they are needed, so there may be any number.
        journal: A file. It belongs to this app alone, and to one import at a time.
        rejects: A file for rows that were not imported, in JSON Lines: `row` (its place, from 1), `reason`, `original`.
        concurrency: How many rows may be on their way at once.
        settle: Seconds after sending from which on the server has surely done it or never will. How long FuseDesk
            takes at most no public source tells; PHP's own default is 30.
        skip_infusionsoft: Keep all histories out of the CRM, whatever the rows say.
        dry_run: Send nothing and leave the journal alone; say in the report what would happen.
        on_progress: Called after each row, in the event loop, so it must be quick.

    Raises:
        ConfigurationError: An argument cannot be right, or the client was closed.
        ExportError: The journal is held by another process, of another app, of a newer version or no journal; or a
            file cannot be written.
        AuthenticationError, PermissionDeniedError, RateLimitError, NotSentError, OutcomeUnknownError: The same would
            happen to all other rows, so the import stops; the journal is true, and the import can be run again.
    """
    kind: type[Any] = type(rows)
    if kind in {str, bytes, dict} or not isinstance(rows, Iterable | AsyncIterable):
        message = f"rows come from an iterable or an async iterable, not from {kind.__name__}"
        raise ConfigurationError(message)
    if isinstance(settle, bool) or not isinstance(settle, int | float) or not settle >= 0:
        message = f"settle is a number of seconds, not {settle!r}"
        raise ConfigurationError(message)
    workers = at_least_one(concurrency, "concurrency")
    with ExitStack() as stack:
        path = Path(journal)
        if not dry_run:
            stack.enter_context(held(path))
        rejected = Rejects(None if rejects is None else Path(rejects))
        ledger = await in_thread(Journal, path, desk.base_url, dry=dry_run)
        stack.callback(ledger.close)
        stack.callback(rejected.close)
        run = _Run(desk.with_options(priority="bulk"), rows, ledger, rejected, Tally(on_progress))
        run.skip_infusionsoft, run.dry = skip_infusionsoft, dry_run
        return await run.carry_out(workers, settle)


@attrs.define
class _Run:
    """One run of an import."""

    desk: FuseDesk
    rows: Any
    journal: Journal
    rejects: Rejects
    tally: Tally
    skip_infusionsoft: bool = False
    dry: bool = False
    directory: Directory | None = None
    _sender: Sender = attrs.field(init=False)
    _steps: AsyncIterator[Any] = attrs.field(init=False)
    _reading: anyio.Lock = attrs.field(init=False)
    _unfinished: set[int] = attrs.field(init=False, factory=set[int])
    _seen: set[str] = attrs.field(init=False, factory=set[str])

    async def carry_out(self, workers: int, settle: float) -> ImportReport:
        """Do it.

        Raises:
            FuseDeskError: It cannot go on; the journal is true.
        """
        began = self.desk.clock.monotonic()
        self._sender = Sender(self.desk, self.journal, self.rejects, self.tally)
        self._steps, self._reading = as_async_iterator(self.rows), anyio.Lock()
        try:
            with self.desk.observe(self._count):
                async with anyio.create_task_group() as group:
                    group.start_soon(self._last_orders)
                    async with anyio.create_task_group() as crew:
                        for _ in range(workers):
                            crew.start_soon(self._work)
                    async with anyio.create_task_group() as end:  # as shields hold in tasks of our own only
                        end.start_soon(Settler(self._sender, self.journal, self.tally, settle=settle).settle)
                    group.cancel_scope.cancel()
        except BaseExceptionGroup as errors:
            raise first_of(errors) from None
        self.tally.tell()
        return self.tally.report(self.desk.clock.monotonic() - began)

    def _count(self, event: Event) -> None:
        self.tally.calls += isinstance(event, CallAnswered)

    async def _last_orders(self) -> None:
        """Let requests on their way end soon when the import is cancelled."""
        try:
            await anyio.Event().wait()
        finally:
            self._sender.hurry()

    async def _work(self) -> None:
        """Take one row after the other."""
        while True:
            async with self._reading:
                given = await anext(self._steps, _END)
                if given is _END:
                    return
                self.tally.rows += 1
                number = self.tally.rows
            if isinstance(given, str | bytes) and not given.strip():
                self.tally.rows -= 1
                continue
            await self._take(number, given)

    async def _take(self, number: int, given: Any) -> None:
        try:
            row, entry = await self._meet(number, given)
        except RowError as error:
            await self._sender.reject(number, given, str(error))
            return
        if entry and entry.other_content:
            await self._sender.reject(number, given, _conflict(row, entry))
        elif self.dry:
            self.tally.end(self._foreseen(row, entry))
        elif entry is None or entry.repeated:
            self.tally.end("skipped")
        else:
            await self._go_on(row, entry, attrs.evolve(row.case, date_opened=entry.opened))

    async def _meet(self, number: int, given: Any) -> tuple[Row, Entry | None]:
        """A row, and what the journal says of it; what names stand for is fetched for the first row that has some."""
        try:
            return await in_thread(self._met, number, given)
        except DirectoryNeededError:
            self.directory = await self.desk.directory()
            return await in_thread(self._met, number, given)

    def _met(self, number: int, given: Any) -> tuple[Row, Entry | None]:
        """A row, and what the journal says of it."""
        row = read_row(number, given, skip_infusionsoft=self.skip_infusionsoft, directory=self.directory)
        if self.dry:
            return row, self.journal.peek(row.source_id, row.content)
        opened = row.case.date_opened or datetime.fromtimestamp(int(self.desk.clock.time()), UTC)
        return row, self.journal.claim(row.source_id, row.content, encode_day(opened))

    async def _go_on(self, row: Row, entry: Entry, case: NewCase) -> None:
        unfinished = goes_apart(case) and entry.history < len(case.history)
        if entry.state == "confirmed" and (not unfinished or entry.id in self._unfinished):
            self.tally.end("skipped")
        elif entry.state in {"confirmed", "sent"}:
            self._unfinished.add(entry.id)
            self._sender.wait_for(Pending(row, entry, case))
        else:
            await self._sender.send(row, entry, case)

    def _foreseen(self, row: Row, entry: Entry | None) -> Fate:
        key = row.content if row.source_id is None else f"id {row.source_id}"
        if key in self._seen or (entry and entry.state == "confirmed"):
            return "skipped"
        self._seen.add(key)
        return "to_look_up" if entry and entry.state == "sent" else "to_open"


_END = object()


def _conflict(row: Row, entry: Entry) -> str:
    became = f"as case {entry.case_number}" if entry.case_number else "and may have been opened"
    return f"source_id {row.source_id!r} was sent before with another content, {became}"
