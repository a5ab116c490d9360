"""What an earlier run of an export could not fetch: an update asks for it first, or it would never come."""

from fusedesk_async._client import FuseDesk
from fusedesk_async.errors import NotFoundError
from fusedesk_async.export._options import Options
from fusedesk_async.export._output import Output
from fusedesk_async.export._row import Row
from fusedesk_async.models import Case, CaseDetail

ROWS_PER_COMMIT = 20
"""Histories are committed together, as each takes a call already."""


class FetchMissing:
    """Fetches what is missing from an output.

    Args:
        desk: The client.
        output: What lacks it.
        options: How to export.
    """

    def __init__(self, desk: FuseDesk, output: Output, options: Options) -> None:
        self._desk = desk
        self._output = output
        self._options = options

    async def carry_out(self) -> None:
        """Fetch it. What still does not come stays missing.

        Raises:
            FuseDeskError: A failure that concerns all calls alike.
        """
        await self._histories()

    async def _histories(self) -> None:
        missing, rows = await self._output.missing_histories(), list[Row]()
        async with self._desk.cases.get_many(missing or (), concurrency=self._options.concurrency) as lookup:
            async for case_id, result in lookup:
                if isinstance(result, NotFoundError):
                    rows.append(Row(Case(id=case_id), tombstone=True))
                elif isinstance(result, CaseDetail) and result.id == case_id:
                    rows.append(Row(result))
                if len(rows) == ROWS_PER_COMMIT:
                    await self._output.commit(rows)
                    rows = []
        await self._output.commit(rows)
