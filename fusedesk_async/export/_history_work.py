"""Histories fetched into an export in Postgres, a few at a time, each few written in one transaction."""

from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias, TypeVar

from anyio import move_on_after

from fusedesk_async._client import FuseDesk
from fusedesk_async._pagination.lookup import Lookup
from fusedesk_async.errors import FuseDeskError
from fusedesk_async.export._disk_thread import DiskThread
from fusedesk_async.export._history_fetch import AMBIGUOUS_ERRORS, row_of
from fusedesk_async.export._row import Row
from fusedesk_async.models import Case, CaseDetail

if TYPE_CHECKING:
    from fusedesk_async.export._postgres_histories import HistoryTable

T = TypeVar("T")
Write: TypeAlias = Callable[[Sequence[Row]], set[int]]

RENEW_AFTER = 20.0
"""Seconds of waiting for a history after which claims are renewed, by the clock of this machine."""


class HistoryWork:
    """Fetches histories and writes them. `async with` connects to the database.

    Args:
        desk: The client.
        table: The export.
        concurrency: How many are fetched at once and written together, so that a crash costs no more calls.

    Attributes:
        table: The export; its methods block, and go through `run`.
        written: How many histories came and were written.
    """

    def __init__(self, desk: FuseDesk, table: "HistoryTable", concurrency: int) -> None:
        self._desk = desk
        self._concurrency = concurrency
        self._disk_thread = DiskThread(table.interrupt)
        self._known_good: int | None = None
        self.table = table
        self.written = 0

    async def __aenter__(self) -> Self:
        await self.run(self.table.open)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.table.close()

    async def run(self, work: Callable[[], T]) -> T:
        """The result of a method of the table."""
        return await self._disk_thread.run(work)

    async def take(self) -> bool:
        """Claim a few that are due, fetch and write them; whether there were any that nobody else is at.

        Raises:
            FuseDeskError: As `fetch`. What was claimed and did not come is given back.
        """
        ids = await self.run(partial(self.table.claim, self._concurrency))
        if not ids:
            return False
        try:
            await self.fetch(ids, self.table.write_claimed)
        except FuseDeskError:
            await self.run(self.table.release)
            raise
        return True

    async def fetch(self, ids: Sequence[int], write: Write) -> list[Row]:
        """Fetch a few and write them together; the rows as they were written.

        Raises:
            FuseDeskError: A call failed for good, or none of these and no other history can be had; what came before
                is written.
        """
        rows, failed = list[Row](), list[tuple[int, FuseDeskError]]()
        try:
            async with self._desk.cases.get_many(ids, concurrency=self._concurrency) as lookup:
                for _ in ids:
                    case_id, result = await self._next(lookup)
                    if isinstance(result, AMBIGUOUS_ERRORS):
                        failed.append((case_id, result))
                    else:
                        rows.append(row_of(Case(id=case_id), result))
            if failed and not await self._another_comes(rows):
                raise failed[-1][1]
            rows += [row_of(Case(id=case_id), error) for case_id, error in failed]
        except FuseDeskError:
            await self._write(rows, write)
            raise
        await self._write(rows, write)
        return rows

    async def _next(self, lookup: Lookup[CaseDetail]) -> tuple[int, CaseDetail | FuseDeskError]:
        """The next result. Claims are renewed while it is waited for, which may take an hour if there is no quota."""
        while True:
            with move_on_after(RENEW_AFTER):
                return await anext(lookup)
            await self.run(self.table.renew)

    async def _write(self, rows: Sequence[Row], write: Write) -> None:
        written = await self.run(partial(write, rows))
        came = [row.case.id for row in rows if isinstance(row.case, CaseDetail)]
        self._known_good = came[-1] if came else self._known_good
        self.written += len(written & {*came})

    async def _another_comes(self, rows: Sequence[Row]) -> bool:
        """Whether another history can be had, so that those that failed concern their cases alone."""
        if any(isinstance(row.case, CaseDetail) for row in rows):
            return True
        known_good = self._known_good or await self.run(self.table.any_complete)
        if known_good is None:
            return False
        async with self._desk.cases.get_many([known_good]) as lookup:
            _, result = await anext(lookup)
        return not isinstance(result, AMBIGUOUS_ERRORS)
