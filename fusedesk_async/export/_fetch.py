"""From the server into an output: page after page, or case after case with its history, also through outages."""

import math
from collections.abc import Mapping

import attrs
from anyio import move_on_after
from attrs import field

from fusedesk_async._client import FuseDesk
from fusedesk_async._pagination.bookmark import Bookmark
from fusedesk_async._pagination.plans import Page
from fusedesk_async._pagination.walk import Walk
from fusedesk_async.errors import FuseDeskError, NotSentError
from fusedesk_async.export._history_fetch import DOUBTFUL, OUT_OF_REACH, Gate, Verdicts
from fusedesk_async.export._output import Output
from fusedesk_async.export._row import Row
from fusedesk_async.filters import CaseFilters
from fusedesk_async.models import Case

FIRST_PAUSE = 15.0
"""Seconds after which FuseDesk is asked again if it is out of reach; doubled each time."""
LONGEST_PAUSE = 900.0
MOMENT = 0.05
"""Seconds. If no page comes for so long, those that came before are kept by themselves."""
LAST: Page[Case] = Page((), 0, 0)


@attrs.define(eq=False)
class Fetch:
    """One list of cases on its way into an output.

    Args:
        desk: The client.
        output: Where they go; its checkpoint says where to begin.
        filters: Which cases.
        history: Whether with their histories.
        concurrency: So many calls, at the most, are on their way or not yet written.
        outage: Seconds for which FuseDesk may be out of reach.
    """

    desk: FuseDesk
    output: Output
    filters: CaseFilters
    history: bool
    concurrency: int
    outage: float
    _verdicts: Verdicts = field(factory=Verdicts)

    async def carry_out(self) -> None:
        """Fetch all that is still missing.

        Raises:
            FuseDeskError: It cannot be gone on with now; what was kept stays.
        """
        clock = self.desk.clock
        reached_at, pause = clock.monotonic(), FIRST_PAUSE
        while True:
            before = self.output.checkpoint.bookmark
            try:
                await (self._with_histories() if self.history else self._pages())
            except OUT_OF_REACH as error:
                if self.output.checkpoint.bookmark != before:
                    reached_at, pause = clock.monotonic(), FIRST_PAUSE
                left = self.outage - (clock.monotonic() - reached_at)
                if left <= 0 or not self._may_pass(error):
                    raise
                self._tell(str(error))
                await clock.sleep(min(pause, left))
                pause = min(2 * pause, LONGEST_PAUSE)
                self._tell("")
            else:
                return

    def _may_pass(self, error: FuseDeskError) -> bool:
        """Whether it makes sense to wait: not for an address that never answered."""
        permanent = isinstance(error, NotSentError) and error.permanent
        return not permanent and bool(self.output.meter.calls)

    def _tell(self, outage: str) -> None:
        self.output.outage = outage
        self.output.tell()

    def _walk(self, concurrency: int) -> Walk[Case]:
        reached = self.output.checkpoint.bookmark
        bookmark = Bookmark.parse(reached) if reached else None
        return self.desk.cases.walk(concurrency=concurrency, after=bookmark, **self.filters)

    async def _pages(self) -> None:
        ahead = max(1, self.concurrency // 4)
        most = max(1, self.concurrency - (2 * ahead - 1))  # what is fetched ahead is lost in a crash, too
        walk, batch = self._walk(ahead), list[Page[Case]]()
        try:
            async with walk:
                pages = walk.pages()
                while True:
                    page = None
                    with move_on_after(MOMENT if batch else math.inf):
                        page = await anext(pages, LAST)
                    if page and page is not LAST:
                        batch.append(page)
                    if batch and (page is None or page is LAST or len(batch) == most):
                        await self._keep_pages(batch, walk)
                    if page is LAST:
                        return
        except FuseDeskError:
            if batch:
                await self._keep_pages(batch, walk)
            raise
        finally:
            self._count(walk)

    async def _keep_pages(self, batch: list[Page[Case]], walk: Walk[Case]) -> None:
        """Keep the pages of a batch and clear it: one commit for several, where they come faster than it takes."""
        rows = [Row(case) for page in batch for case in page.items]
        rejected = [error for page in batch for error in page.rejected]
        batch.clear()
        await self.output.keep(rows, rejected, bookmark=str(walk.bookmark))

    async def _with_histories(self) -> None:
        while (found := await self._next_page()) is not None:
            await self._histories_of(*found)

    async def _next_page(self) -> tuple[Page[Case], str] | None:
        """A page of the list, and the walk it belongs to; fetched when its turn comes, so that it is fresh."""
        walk = self._walk(1)
        try:
            async with walk:
                async for page in walk.pages():
                    if page.rejected:
                        await self.output.keep(rejected=page.rejected)
                    if page.items:
                        return page, walk.bookmark.job
        finally:
            self._count(walk)
        return None

    async def _histories_of(self, page: Page[Case], job: str) -> None:
        most = max(2, self.concurrency - 1)  # the page itself is a call that a crash may cost
        gate, rows = Gate(page.items, most), list[Row]()
        places = {case.id: Bookmark(case.id, rank, job) for rank, case in enumerate(page.items, page.first_rank)}
        async with self.desk.cases.get_many(gate, concurrency=self.concurrency) as lookup:
            for case in page.items:
                _, result = await anext(lookup)
                rows.extend(self._verdicts.told(case, result))
                if self._verdicts.wants_proof:
                    gate.done(await self._keep(rows, places))
                    rows.extend(await self._proven(page))
                if len(rows) >= max(1, most // 2):
                    gate.done(await self._keep(rows, places))
        await self._keep(rows, places)
        await self._keep(self._verdicts.end(), places)

    async def _keep(self, rows: list[Row], places: Mapping[int, Bookmark]) -> int:
        """Keep rows, if there are any, and clear the list; how many there were."""
        number = len(rows)
        if not rows:
            return 0
        came = [row.case.id for row in rows if not row.is_without_history]
        known_good = came[-1] if came else self.output.checkpoint.known_good
        await self.output.keep(rows, bookmark=str(places[rows[-1].case.id]), known_good=known_good)
        rows.clear()
        return number

    async def _proven(self, page: Page[Case]) -> list[Row]:
        """Settle cases that could not be had by asking for others.

        Raises:
            FuseDeskError: None of them came either.
        """
        middle, last = page.items[len(page.items) // 2].id, page.items[-1].id
        for other in {self.output.checkpoint.known_good or middle, middle, last}:
            async with self.desk.cases.get_many([other]) as lookup:
                _, result = await anext(lookup)
            if not isinstance(result, DOUBTFUL):
                break
        else:
            self._verdicts.give_up()
        return self._verdicts.settled()

    def _count(self, walk: Walk[Case]) -> None:
        self.output.seams_mended += walk.report.seams_mended
        self.output.salvaged += walk.report.salvaged
