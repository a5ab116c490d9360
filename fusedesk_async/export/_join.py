"""Several processes on one export in Postgres: the first walks through the list, all of them fetch histories."""

from typing import TYPE_CHECKING, cast

from fusedesk_async._client import FuseDesk
from fusedesk_async.errors import ExportError
from fusedesk_async.export._checkpoint import Checkpoint
from fusedesk_async.export._history_fetch import OUTAGE_ERRORS
from fusedesk_async.export._history_work import HistoryWork
from fusedesk_async.export._options import Options
from fusedesk_async.export._outage import OutagePauses
from fusedesk_async.export._output import Output
from fusedesk_async.export._report import ExportReport
from fusedesk_async.export._target import history_table

if TYPE_CHECKING:
    from fusedesk_async.export._postgres_url import PostgresUrl

POLL = 1.0
"""Seconds after which a process that has nothing to do looks again."""


class SharedHistories:
    """The part of one process in an export with histories that several of them work on.

    Args:
        desk: The client.
        output: The output.
        options: How to export; into Postgres, with histories.
    """

    def __init__(self, desk: FuseDesk, output: Output, options: Options) -> None:
        to = cast("PostgresUrl", options.to)  # as `Options` has checked
        self._desk = desk.with_options(priority="bulk")
        self._output = output
        self._options = options
        self._pauses = OutagePauses(desk, output, options.outage)
        self._work = HistoryWork(self._desk, history_table(to, update=options.update), options.concurrency)

    async def open_output(self) -> ExportReport | None:
        """Open the output, or help whoever has it until the export is whole; None once it is opened.

        Should the process that has it end before, another one takes its place.

        Raises:
            FuseDeskError: As `export_cases`.
        """
        first, is_under_way = None, False
        async with self._work:
            while True:
                found = await self._work.run(self._work.table.progress)
                self._adopt(found.checkpoint)
                first = first or found.checkpoint
                is_under_way = is_under_way or found.checkpoint != first or found.is_under_way
                if found.is_whole and (is_under_way or not self._options.update):
                    return await self._report(was_whole=not is_under_way)
                if not found.is_held and await self._try_to_open():
                    return None
                if not await self._take():
                    await self._desk.clock.sleep(POLL)

    def _adopt(self, checkpoint: Checkpoint | None) -> None:
        """Go by the checkpoint of the process that walks.

        Raises:
            ExportError: It belongs to another export.
        """
        if checkpoint:
            checkpoint.resumed(self._options.job, self._options.name)
            self._output.checkpoint = checkpoint

    async def _report(self, *, was_whole: bool) -> ExportReport:
        """The report of a process that has helped."""
        self._output.fresh, self._output.was_whole = self._work.written, was_whole
        return self._output.report(self._options.name, await self._work.run(self._work.table.size))

    async def _try_to_open(self) -> bool:
        try:
            await self._output.open(self._options.job, self._options.resume, overwrite=self._options.overwrite)
        except ExportError as error:
            self._output.close()
            if error.reason != "locked":
                raise
            return False
        return True

    async def fetch_all(self) -> None:
        """Fetch all histories that are due, and wait for those that others fetch.

        Raises:
            FuseDeskError: As `export_cases`.
        """
        async with self._work:
            is_any_due = False
            while due := await self._work.run(self._work.table.due):
                if due != self._output.histories_due:
                    self._output.histories_due = due
                    self._output.notify()
                is_any_due = True
                if not await self._take():
                    await self._desk.clock.sleep(POLL)
            self._output.histories_due = 0
            if is_any_due:
                await self._output.commit(tombstones=await self._work.run(self._work.table.gone))

    async def _take(self) -> bool:
        """Fetch a few, if there are any that nobody else is at; wait if FuseDesk is out of reach."""
        try:
            found = await self._work.take()
        except OUTAGE_ERRORS as error:
            await self._pauses.wait(error)
            return True
        if found:
            self._pauses.on_progress()
        return found
