"""What an earlier run of an export could not fetch: an update asks for it first, or it would never come."""

import math
from collections.abc import Sequence

import attrs

from fusedesk_async._client import FuseDesk
from fusedesk_async._pagination.unreadable import UnreadableRow
from fusedesk_async.errors import NotFoundError, PaginationError
from fusedesk_async.export._options import Options, start_of
from fusedesk_async.export._output import Output
from fusedesk_async.export._row import Row
from fusedesk_async.models import Case, CaseDetail

ROWS_PER_COMMIT = 20
"""Histories are committed together, as each takes a call already."""
MOST_ROWS_RETRIED = 100
"""Rows that could not be had and are tried again in one update; each takes a few calls."""
SMALL_PAGE = 10
"""Rows asked for around such a row."""


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
        for row in self._output.checkpoint.unreadable[:MOST_ROWS_RETRIED]:
            await self._around(row)
        await self._histories(await self._output.missing_histories() or ())

    async def _around(self, missing: UnreadableRow) -> None:
        """Read the list again between the neighbours of a row that could not be had."""
        filters = self._options.filters
        after = None
        if missing.after is not None:
            descending = missing.before is not None and missing.before < missing.after
            after = attrs.evolve(start_of(filters), id=missing.after, rank=missing.rank, descending=descending)
        walk = self._desk.cases.walk(concurrency=1, page_size=SMALL_PAGE, after=after, on_unordered="raise", **filters)
        found, still_missing = list[Case](), list[UnreadableRow]()
        try:
            async with walk:
                async for page in walk.pages():
                    stretch = _Stretch(missing, descending=walk.bookmark.descending)
                    still_missing += [row for row in page.unreadable if stretch.overlaps(row)]
                    found += [case for case in page.items if stretch.holds(case.id)]
                    if any(stretch.is_beyond(case.id) for case in page.items):
                        break
        except PaginationError:  # its neighbourhood cannot be had either, or the server keeps no order any more
            return
        old = self._output.checkpoint
        others = tuple(row for row in old.unreadable if row != missing)
        self._output.checkpoint = attrs.evolve(old, unreadable=others, unreadable_count=old.unreadable_count - 1)
        await self._output.commit([Row(case) for case in found], unreadable=still_missing)
        if self._options.history:
            await self._histories([case.id for case in found])

    async def _histories(self, ids: Sequence[int]) -> None:
        rows = list[Row]()
        async with self._desk.cases.get_many(ids, concurrency=self._options.concurrency) as lookup:
            async for case_id, result in lookup:
                if isinstance(result, NotFoundError):
                    rows.append(Row(Case(id=case_id), tombstone=True))
                elif isinstance(result, CaseDetail) and result.id == case_id:
                    rows.append(Row(result))
                if len(rows) == ROWS_PER_COMMIT:
                    await self._output.commit(rows)
                    rows = []
        await self._output.commit(rows)


class _Stretch:
    """The part of the list in which a row could not be had."""

    def __init__(self, missing: UnreadableRow, *, descending: bool) -> None:
        self._sign = -1 if descending else 1
        self._low = -math.inf if missing.after is None else self._sign * missing.after
        self._high = math.inf if missing.before is None else self._sign * missing.before

    def holds(self, number: int) -> bool:
        """Whether an id lies in it."""
        return self._low < self._sign * number < self._high

    def is_beyond(self, number: int) -> bool:
        """Whether an id lies behind it."""
        return self._sign * number >= self._high

    def overlaps(self, row: UnreadableRow) -> bool:
        """Whether another row that could not be had lies in it."""
        low = -math.inf if row.after is None else self._sign * row.after
        return self._low <= low < self._high
