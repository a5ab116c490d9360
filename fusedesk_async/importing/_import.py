"""Imports: what callers use."""

from collections.abc import AsyncIterable, Iterable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import attrs

from fusedesk_async._background import first_of
from fusedesk_async._checks import at_least_one
from fusedesk_async._client import FuseDesk
from fusedesk_async._durable_files import locked
from fusedesk_async._events import CallAnswered, Event
from fusedesk_async._pagination.lookup import as_async_iterator
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.filters import encode_day
from fusedesk_async.importing._history import is_sent_separately
from fusedesk_async.importing._journal import Entry, Journal
from fusedesk_async.importing._rejects import Rejects
from fusedesk_async.importing._report import ImportReport, OnProgress, Outcome, Tally
from fusedesk_async.importing._resolving import Resolver
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
    settle: float | None = None,
    skip_infusionsoft: bool = False,
    dry_run: bool = False,
    on_progress: OnProgress | None = None,
) -> ImportReport:
    """Open a case for each row, exactly once, however often the import is cut off and run again.

    A journal says of each row whether it is intended, sent, or confirmed with the number of its case; each mark is on
    the disk before the next thing happens. Run again, the import skips what is confirmed and sends what was not sent. A
    row that was sent and whose response is not known is looked up, as `find_created` does; it is sent again only if it
    certainly was not opened. If that cannot be found out, it stays unknown and is never sent again. Rows without
    `date_opened` get the moment they are first read, so that a look-up is exact.

    This holds for being killed at any instant, and for power loss as far as the disk keeps what it says it keeps.

    A row is one of these:

    - a `NewCase`;
    - a mapping with its fields: `department_id`, `summary`, `details`, `opened_by`, `date_opened` …; `history` as a
      list of mappings with the fields of `NewNote` and `NewEmail` (with `type` `note`, `call` or `email`);
      `source_id`, its id in the system it comes from. A row with an unknown member is rejected;
    - a record as FuseDesk sends it, such as a line of an export, with or without its history; its `caseid` is the
      `source_id`. What a new case cannot say (number, closing date, rating …) is left out, and what the API wants and
      the record lacks is filled with a word in brackets;
    - the JSON text of one of these, as a line of JSON Lines. Empty lines are passed over.

    A row with a `source_id` is known by it, any other by its content. The same row twice is skipped.

    A history too large for one form follows its case in several requests, each marked in the same way.

    Args:
        desk: An open client. Its calls are made as bulk work, so they let interactive ones go first.
        rows: Read one by one as they are needed, so there may be any number.
        journal: A file. It belongs to this app alone, and to one import at a time.
        rejects: A file of JSON Lines for rows that were not imported: `row` (its number, from 1), `reason`, `original`.
            It may be the only copy of these rows, so the file of an earlier run is replaced only when a run ends that
            has read all rows in it, and is kept beside the new one otherwise (`name.1`, `name.2` and so on). A run that
            is stopped early, and a dry run, leave it alone and write beside it.
        concurrency: How many rows are sent at once.
        settle: Seconds from giving up a response (of a process that died: from the start of this run) until the server
            has done it or never will. Nothing is sent again before, and only if a look then and one before agree. By
            default at least 120, and four times as long as the attempt and the client's timeout; see `find_created`.
        skip_infusionsoft: Keep all histories out of the CRM, whatever the rows say.
        dry_run: Send nothing and write nothing into the journal; say in the report what would happen. Calls are made
            only if rows give departments or reps by name.
        on_progress: Called after each row, in the event loop, so it must be quick.

    Raises:
        ConfigurationError: An argument cannot be right, or the client was closed.
        ExportError: The journal is locked by another process, of another app, of a newer version, damaged or not a
            journal; or a file cannot be written.
        AuthenticationError, PermissionDeniedError, RateLimitError, NotSentError, OutcomeUnknownError: The same would
            happen to all other rows, so the import stops; the journal is correct, and the import can be run again.
    """
    kind: type[Any] = type(rows)
    if kind in {str, bytes, dict} or not isinstance(rows, Iterable | AsyncIterable):
        message = f"rows come from an iterable or an async iterable, not from {kind.__name__}"
        raise ConfigurationError(message)
    if isinstance(settle, bool) or not isinstance(settle, int | float | None) or not (settle or 0) >= 0:
        message = f"settle is a number of seconds, not {settle!r}"
        raise ConfigurationError(message)
    workers = at_least_one(concurrency, "concurrency")
    with ExitStack() as stack:
        path = Path(journal)
        if not dry_run:
            stack.enter_context(locked(path))
        rejected = Rejects(None if rejects is None else Path(rejects), dry_run=dry_run)
        stack.callback(rejected.close)
        open_journal = await in_thread(Journal, path, desk.base_url, dry_run=dry_run)
        stack.callback(open_journal.close)
        bulk, tally = desk.with_options(priority="bulk"), Tally(on_progress)
        sender = Sender(bulk, open_journal, rejected, tally)
        run = _Run(
            bulk, rows, open_journal, sender, rejected, tally, skip_infusionsoft=skip_infusionsoft, dry_run=dry_run
        )
        return await run.carry_out(workers, Resolver(bulk, sender, open_journal, tally, settle=settle))


class _Run:
    """One run of an import.

    Args:
        desk: The client.
        rows: What to import.
        journal: Says what was done with a row before.
        sender: Sends rows.
        rejects: Learns which rows are read, and when the run has come to its end.
        tally: Counts.
        skip_infusionsoft: Keep all histories out of the CRM.
        dry_run: Send nothing and leave the journal alone.
    """

    def __init__(
        self,
        desk: FuseDesk,
        rows: Iterable[ImportRow] | AsyncIterable[ImportRow],
        journal: Journal,
        sender: Sender,
        rejects: Rejects,
        tally: Tally,
        *,
        skip_infusionsoft: bool,
        dry_run: bool,
    ) -> None:
        self._desk = desk
        self._rows = as_async_iterator(rows)
        self._journal = journal
        self._sender = sender
        self._rejects = rejects
        self._tally = tally
        self._skip_infusionsoft = skip_infusionsoft
        self._dry_run = dry_run
        self._directory: Directory | None = None
        self._reading = anyio.Lock()
        self._unfinished: set[int] = set()
        self._seen: set[str] = set()

    async def carry_out(self, workers: int, resolver: Resolver) -> ImportReport:
        """Send all rows, then resolve those whose response was lost.

        Raises:
            FuseDeskError: It cannot continue; the journal is correct.
        """
        began = self._desk.clock.monotonic()
        try:
            with self._desk.observe(self._on_event):
                async with anyio.create_task_group() as group:
                    group.start_soon(self._shorten_deadlines)
                    async with anyio.create_task_group() as senders:
                        for _ in range(workers):
                            senders.start_soon(self._work)
                    async with anyio.create_task_group() as last:  # as shields hold in tasks of our own only
                        last.start_soon(resolver.resolve)
                    group.cancel_scope.cancel()
        except BaseExceptionGroup as errors:
            raise first_of(errors) from None
        kept = await in_thread(self._rejects.finish)
        self._tally.notify()
        return self._tally.report(self._desk.clock.monotonic() - began, None if kept is None else str(kept))

    def _on_event(self, event: Event) -> None:
        self._tally.calls += isinstance(event, CallAnswered)

    async def _shorten_deadlines(self) -> None:
        """Let requests in flight end soon when the import is cancelled."""
        try:
            await anyio.Event().wait()
        finally:
            self._sender.shorten_deadlines()

    async def _work(self) -> None:
        """Take one row after the other."""
        while True:
            async with self._reading:
                given = await anext(self._rows, _END_OF_ROWS)
                if given is _END_OF_ROWS:
                    return
                self._tally.rows += 1
                number = self._tally.rows
            if isinstance(given, str | bytes) and not given.strip():
                self._tally.rows -= 1
                continue
            await self._handle(number, given)

    async def _handle(self, number: int, given: Any) -> None:
        self._rejects.on_read(given)
        try:
            row, entry = await self._read_and_claim(number, given)
        except RowError as error:
            await self._sender.reject(number, given, str(error))
            return
        if entry and entry.other_content:
            await self._sender.reject(number, given, _conflict(row, entry))
        elif self._dry_run:
            self._tally.count(self._predicted_outcome(row, entry))
        elif entry is None or entry.repeated:
            self._tally.count("skipped")
        else:
            await self._send_or_postpone(row, entry, attrs.evolve(row.case, date_opened=entry.opened))

    async def _read_and_claim(self, number: int, given: Any) -> tuple[Row, Entry | None]:
        """A row, and what the journal says of it; what names stand for is fetched for the first row that has names."""
        try:
            return await in_thread(self._claim, number, given)
        except DirectoryNeededError:
            self._directory = await self._desk.directory()
            return await in_thread(self._claim, number, given)

    def _claim(self, number: int, given: Any) -> tuple[Row, Entry | None]:
        """A row, and what the journal says of it."""
        row = read_row(number, given, skip_infusionsoft=self._skip_infusionsoft, directory=self._directory)
        if self._dry_run:
            return row, self._journal.peek(row.source_id, row.content)
        opened = row.case.date_opened or datetime.fromtimestamp(int(self._desk.clock.time()), UTC)
        return row, self._journal.claim(row.source_id, row.content, encode_day(opened))

    async def _send_or_postpone(self, row: Row, entry: Entry, case: NewCase) -> None:
        unfinished = is_sent_separately(case) and entry.history < len(case.history)
        if entry.state == "confirmed" and (not unfinished or entry.id in self._unfinished):
            self._tally.count("skipped")
        elif entry.state in {"confirmed", "sent"}:
            self._unfinished.add(entry.id)
            self._sender.postpone(Pending(row, entry, case))
        else:
            await self._sender.send(row, entry, case)

    def _predicted_outcome(self, row: Row, entry: Entry | None) -> Outcome:
        key = row.content if row.source_id is None else f"id {row.source_id}"
        if key in self._seen or (entry and entry.state == "confirmed"):
            return "skipped"
        self._seen.add(key)
        return "to_look_up" if entry and entry.state == "sent" else "to_open"


_END_OF_ROWS = object()


def _conflict(row: Row, entry: Entry) -> str:
    became = f"as case {entry.case_number}" if entry.case_number else "and may have been opened"
    return f"source_id {row.source_id!r} was sent before with different content, {became}"
