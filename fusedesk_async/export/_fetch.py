"""From the server into an output: page by page, or case by case with its history, through outages as well."""

import math
from collections.abc import Mapping

import attrs
from anyio import move_on_after

from fusedesk_async._client import FuseDesk
from fusedesk_async._pagination.bookmark import Bookmark
from fusedesk_async._pagination.page import Page
from fusedesk_async._pagination.walk import Walk
from fusedesk_async._wire.call import LARGEST_PAGE
from fusedesk_async.errors import FuseDeskError
from fusedesk_async.export._history_fetch import AMBIGUOUS_ERRORS, OUTAGE_ERRORS, BoundedFeed, HistoryFailures
from fusedesk_async.export._options import Options, start_of
from fusedesk_async.export._outage import OutagePauses
from fusedesk_async.export._output import Output
from fusedesk_async.export._row import Row
from fusedesk_async.filters import CaseFilters
from fusedesk_async.models import Case

BATCH_WAIT = 0.05
"""Seconds without a new page after which those that came before are committed by themselves."""
END_OF_PAGES: Page[Case] = Page((), 0, 0)


@attrs.define(eq=False)
class Fetch:
    """Fetches one list of cases into an output.

    Args:
        desk: The client.
        output: Where they go; its checkpoint says where to begin.
        options: How to export.
        filters: Which cases: those of the options, narrowed to this phase.
        history: Whether this phase fetches histories.

    Attributes:
        received: Rows that came, those included that could not be read.
    """

    desk: FuseDesk
    output: Output
    options: Options
    filters: CaseFilters
    history: bool = attrs.field(kw_only=True)
    received: int = attrs.field(default=0, init=False)
    _failures: HistoryFailures = attrs.field(factory=HistoryFailures, init=False)

    async def carry_out(self) -> None:
        """Fetch all that is still missing.

        Raises:
            FuseDeskError: It cannot continue now; what was committed stays.
        """
        pauses = OutagePauses(self.desk, self.output, self.options.outage)
        while True:
            before = self.output.checkpoint.bookmark
            try:
                await (self._with_histories() if self.history else self._pages())
            except OUTAGE_ERRORS as error:
                if self.output.checkpoint.bookmark != before:
                    pauses.on_progress()
                await pauses.wait(error)
            else:
                return

    def _walk(self, concurrency: int) -> Walk[Case]:
        reached = self.output.checkpoint.bookmark
        bookmark = Bookmark.parse(reached) if reached else None
        return self.desk.cases.walk(
            concurrency=concurrency, page_size=self.options.page_size, after=bookmark, **self.filters
        )

    async def _pages(self) -> None:
        ahead = max(1, self.options.concurrency // 4)
        batch_size = max(1, self.options.concurrency - (2 * ahead - 1))  # a crash loses what was fetched ahead, too
        walk, batch = self._walk(ahead), list[Page[Case]]()
        try:
            async with walk:
                pages = walk.pages()
                while True:
                    page = None
                    with move_on_after(BATCH_WAIT if batch else math.inf):
                        page = await anext(pages, END_OF_PAGES)
                    if page and page is not END_OF_PAGES:
                        batch.append(page)
                    if batch and (page is None or page is END_OF_PAGES or len(batch) == batch_size):
                        await self._commit_pages(batch, walk)
                    if page is END_OF_PAGES:
                        return
        except FuseDeskError:
            if batch:
                await self._commit_pages(batch, walk)
            raise
        finally:
            self._count(walk)

    async def _commit_pages(self, batch: list[Page[Case]], walk: Walk[Case]) -> None:
        """Commit the pages of a batch and clear it: several at once, where they come faster than a commit takes."""
        rows = [Row(case) for page in batch for case in page.items]
        rejected = [error for page in batch for error in page.rejected]
        unreadable = [row for page in batch for row in page.unreadable]
        batch.clear()
        self.received += len(rows) + len(rejected) + len(unreadable)
        unordered = walk.report.unordered
        bookmark = "" if unordered else str(walk.bookmark)
        await self.output.commit(
            rows, rejected, unreadable, bookmark=bookmark, is_unordered=self.output.checkpoint.is_unordered or unordered
        )

    async def _with_histories(self) -> None:
        while (found := await self._next_page()) is not None:
            page, start = found
            if start is None:
                await self._with_histories_in_order_of_ids()
                return
            await self._histories_of(page, start)

    async def _next_page(self) -> tuple[Page[Case], Bookmark | None] | None:
        """A page of the list, and a bookmark of its walk; fetched only when it is needed, so that it is fresh.

        There is no bookmark if the server does not keep the order by id.
        """
        walk = self._walk(1)
        try:
            async with walk:
                async for page in walk.pages():
                    self.received += len(page.items) + len(page.rejected) + len(page.unreadable)
                    if page.rejected or page.unreadable:
                        await self.output.commit((), page.rejected, page.unreadable)
                    if page.items:
                        return page, None if walk.report.unordered else walk.bookmark
        finally:
            self._count(walk)
        return None

    async def _with_histories_in_order_of_ids(self) -> None:
        """Read the whole list, and fetch the histories in the order of ids that the server does not keep.

        So a run that is cut off can be resumed, though the list itself cannot.
        """
        walk, cases = self._walk(1), list[Case]()
        try:
            async with walk:
                async for page in walk.pages():
                    cases += page.items
        finally:
            self._count(walk)
        await self.output.commit(is_unordered=True)
        cases.sort(key=lambda case: case.id)
        for each in range(0, len(cases), LARGEST_PAGE):
            page = Page(tuple(cases[each : each + LARGEST_PAGE]), 0, 0)
            await self._histories_of(page, start_of(self.filters))

    async def _histories_of(self, page: Page[Case], start: Bookmark) -> None:
        most_unwritten = max(2, self.options.concurrency - 1)  # the page itself is a call that a crash may cost
        feed, rows = BoundedFeed(page.items, most_unwritten), list[Row]()
        bookmarks = {
            case.id: attrs.evolve(start, id=case.id, rank=rank) for rank, case in enumerate(page.items, page.first_rank)
        }
        async with self.desk.cases.get_many(feed, concurrency=self.options.concurrency) as lookup:
            for case in page.items:
                _, result = await anext(lookup)
                rows.extend(self._failures.on_result(case, result))
                if self._failures.needs_probe:
                    feed.release(await self._commit(rows, bookmarks))
                    rows.extend(await self._probe_other_cases(page))
                if len(rows) >= max(1, most_unwritten // 2):
                    feed.release(await self._commit(rows, bookmarks))
        await self._commit(rows, bookmarks)
        await self._commit(self._failures.on_page_end(), bookmarks)

    async def _commit(self, rows: list[Row], bookmarks: Mapping[int, Bookmark]) -> int:
        """Commit rows, if there are any, and clear the list; how many there were."""
        number = len(rows)
        if not rows:
            return 0
        came = [row.case.id for row in rows if not row.is_without_history]
        known_good = came[-1] if came else self.output.checkpoint.known_good
        await self.output.commit(rows, bookmark=str(bookmarks[rows[-1].case.id]), known_good=known_good)
        rows.clear()
        return number

    async def _probe_other_cases(self, page: Page[Case]) -> list[Row]:
        """Settle cases that could not be fetched by asking for others.

        Raises:
            FuseDeskError: None of them came either.
        """
        middle, last = page.items[len(page.items) // 2].id, page.items[-1].id
        others = {self.output.checkpoint.known_good or middle, middle, last} - self._failures.unexpected_ids
        for other in others:
            async with self.desk.cases.get_many([other]) as lookup:
                _, result = await anext(lookup)
            if not isinstance(result, AMBIGUOUS_ERRORS):
                break
        else:
            if others:
                self._failures.give_up()
        return self._failures.settle()

    def _count(self, walk: Walk[Case]) -> None:
        self.output.seams_mended += walk.report.seams_mended
        self.output.salvaged += walk.report.salvaged
