"""The newest cases of all by their ids: no date hides one of them."""

from datetime import UTC, date, datetime

import attrs

from fusedesk_async._pagination.page import Page
from fusedesk_async._reconcile.search import Search
from fusedesk_async.errors import PaginationError, RequestRejectedError
from fusedesk_async.filters import desc
from fusedesk_async.models import Case

MOST_PAGES = 2
DAY = 86_400.0
LONG_BEFORE = 2 * DAY
"""Seconds by which a date lies before another one in whatever zones both are."""


@attrs.define
class Newest:
    """What a list in descending order of the ids has brought.

    Attributes:
        cases: The cases, largest id first if the order was kept.
        unread: How many cases could not be read.
        is_ordered: Whether the order was kept.
        is_whole: Whether the list came to its end.
        by_key: The cases by their ids and by their numbers.
    """

    cases: list[Case] = attrs.field(factory=list[Case])
    unread: int = 0
    is_ordered: bool = True
    is_whole: bool = False
    by_key: dict[int | str, Case] = attrs.field(factory=dict["int | str", Case])

    def add(self, page: Page[Case]) -> None:
        """Take a page."""
        self.unread += len(page.rejected) + len(page.unreadable)
        for case in page.items:
            self.is_ordered = self.is_ordered and (not self.cases or case.id < self.cases[-1].id)
            self.cases.append(case)
            self.by_key[case.id] = case
            if case.case_number:
                self.by_key[case.case_number] = case

    def shows_all_since(self, case_id: int | None) -> bool:
        """Whether it has every case that was opened after this one, or every case at all."""
        reached = case_id is not None and any(case.id <= case_id for case in self.cases)
        return self.is_ordered and bool(self.cases) and (reached or self.is_whole)

    def goes_back_before(self, moment: float) -> bool:
        """Whether it ends with a case that was opened long before a moment, as far as its date says so."""
        opened = self.cases[-1].date_opened if self.cases else None
        return self.is_ordered and opened is not None and as_utc(opened).timestamp() < moment - LONG_BEFORE

    def opened_on(self, first: date, last: date) -> set[int]:
        """The ids of those that were opened from one day to another one."""
        return {case.id for case in self.cases if case.date_opened and first <= as_utc(case.date_opened).date() <= last}

    def hides(self, ids: set[int]) -> bool:
        """Whether it shows none of these though it must show some."""
        if not self.is_ordered or not self.cases:
            return False
        due = ids if self.is_whole else {each for each in ids if each >= self.cases[-1].id}
        return bool(due) and due.isdisjoint(self.by_key)


async def newest_cases(search: Search, case_id: int | None, moment: float) -> Newest:
    """The newest cases, back to one that was there at a moment; two pages at most.

    Args:
        search: `desk.cases.search`.
        case_id: The largest id that was surely there at that moment; None if none is known.
        moment: In seconds since 1970 by the server's clock.
    """
    newest = Newest()
    pages = search(order_by=desc("caseid")).pages()
    try:
        for _ in range(MOST_PAGES):
            page = await anext(pages, None)
            if page is None:
                newest.is_whole = True
                break
            newest.add(page)
            if newest.shows_all_since(case_id) if case_id else newest.goes_back_before(moment):
                break
    except (RequestRejectedError, PaginationError):  # the server knows no such order
        newest.is_ordered = False
    return newest


def as_utc(moment: datetime) -> datetime:
    """A moment; one without a zone is taken for UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
