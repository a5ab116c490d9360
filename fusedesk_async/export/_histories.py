"""`export_histories`: the histories of some cases, for the jobs of a queue."""

from collections.abc import Iterable

import attrs

from fusedesk_async._checks import at_least_one
from fusedesk_async._client import FuseDesk
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.export._history_work import HistoryWork
from fusedesk_async.export._postgres_url import PostgresUrl
from fusedesk_async.export._row import Row
from fusedesk_async.export._target import destination, history_table
from fusedesk_async.models import CaseDetail


@attrs.frozen(kw_only=True)
class HistoriesReport:
    """What `export_histories` has done.

    Attributes:
        fetched: Ids of the cases whose histories were fetched and written.
        already_there: Ids of those that were not asked for, since their histories were there (`missing_only`).
        tombstones: Ids of those that were gone: their rows say so.
        failed: Ids of those whose histories could not be fetched otherwise, each with the reason, as in their rows.
        not_in_export: Ids that no row of the export has. They were not asked for.
    """

    fetched: tuple[int, ...] = ()
    already_there: tuple[int, ...] = ()
    tombstones: tuple[int, ...] = ()
    failed: tuple[tuple[int, str], ...] = ()
    not_in_export: tuple[int, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the export has all that was asked for, but for cases that were gone."""
        return not (self.failed or self.not_in_export)


async def export_histories(
    desk: FuseDesk, url: str, ids: Iterable[int], *, concurrency: int = 4, missing_only: bool = False
) -> HistoriesReport:
    """Fetch the histories of some cases into an export in Postgres, be it whole or being filled; one call for each.

        await export_cases(desk, url, status="all")
        report = await export_histories(desk, url, [101, 102, 103])

    The unit of work for the jobs of a queue: many may do this at the same time, beside an export or an update as well.
    A case and its history are written in one transaction, together with what says that it is not due any more. To do
    it again does no harm, so a job that was killed can be run again.

    Where an export is being filled, so that `SCHEMA_part` is there, that one is meant; else the one that is whole.
    Needs the extra `postgres`.

    Args:
        desk: An open client. The calls are bulk work.
        url: The address, as in `export_cases`.
        ids: Which cases, in any order.
        concurrency: How many are fetched at once and written together: a crash costs no more calls than that.
        missing_only: Whether to leave out those whose histories are there, as a job that is run again may want to.

    Raises:
        ConfigurationError: An argument cannot be right, or a package is missing.
        ExportError: There is no export, or it cannot be written.
        RateLimitError: The quota is used up and the client does not wait for it.
        FuseDeskError: A call failed for good, or no history can be had at all. What came before is written.
    """
    to = destination(url)  # tracebacks may show local variables
    del url
    at_least_one(concurrency, "concurrency")
    if not isinstance(to, PostgresUrl):
        message = "histories by their ids are for an export in Postgres; give its address, postgresql://…"
        raise ConfigurationError(message)
    to.check()
    work = HistoryWork(desk.with_options(priority="bulk"), history_table(to), concurrency)
    wanted = [*dict.fromkeys(ids)]
    async with work:
        known = await work.run(lambda: work.table.known(wanted))
        there = await work.run(lambda: work.table.complete(known)) if missing_only else set[int]()
        due, rows = [each for each in wanted if each in known - there], list[Row]()
        for start in range(0, len(due), concurrency):
            rows += await work.fetch(due[start : start + concurrency], work.table.write)
    return HistoriesReport(
        fetched=tuple(row.case.id for row in rows if isinstance(row.case, CaseDetail)),
        already_there=tuple(each for each in wanted if each in there),
        tombstones=tuple(row.case.id for row in rows if row.tombstone),
        failed=tuple((row.case.id, row.history_error) for row in rows if row.history_error),
        not_in_export=tuple(each for each in wanted if each not in known),
    )
