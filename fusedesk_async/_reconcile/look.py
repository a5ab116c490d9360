"""One look at the server: which cases may be those that are looked for, and whether they would have been seen."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from fusedesk_async._pagination.iteration import PageIterator
from fusedesk_async._pagination.page import Page
from fusedesk_async._reconcile.creation_log import Creation, CreationLog
from fusedesk_async._reconcile.date_keeping import DateKeeping, keeps_date
from fusedesk_async._reconcile.found import Found
from fusedesk_async._reconcile.lost import Lost
from fusedesk_async._reconcile.match import SEARCH_MARGIN, Wanted
from fusedesk_async._reconcile.newest import Newest
from fusedesk_async._reconcile.search import Search
from fusedesk_async._reconcile.verdict import Verdict
from fusedesk_async.errors import PaginationError
from fusedesk_async.filters import DateFilter
from fusedesk_async.models import Case

NEARLY_EMPTY_PAGES = 3
"""After so many of them in a row a search ends: what they bring has been opened since it began."""
_DAYS_UNRELIABLE = "searches by date were not seen to bring what they should, and the newest cases go back too little"
_DATES_UNRELIABLE = "the server shows cases under other dates than those that were asked for"
_DATES_UNKNOWN = "under which date the server shows it is unknown, and the newest cases go back too little"
_OTHERS_UNSEEN = "cases that were surely opened are not shown either"


class Look:
    """One look at the server for several cases.

    Args:
        losts: What to look for.
        newest: The newest cases.
        log: What is known of the server.
        ahead: Seconds that the server's clock is ahead of ours; None if unknown.
        keeping: What the server makes of a date of opening that is asked for; None if unknown.
        exclude: Ids of cases that are known to be others.

    Attributes:
        filter_works: Whether a search by date has brought cases that it should bring.
        filter_fails: Whether one has not.
    """

    def __init__(
        self,
        losts: Sequence[Lost],
        newest: Newest,
        log: CreationLog,
        *,
        ahead: float | None,
        keeping: DateKeeping | None,
        exclude: Collection[int],
    ) -> None:
        self.filter_works = False
        self.filter_fails = False
        self._losts = losts
        self._newest = newest
        self._log = log
        self._ahead = ahead
        self._keeping = keeping
        self._keeps_date = keeps_date(keeping)
        self._exclude = exclude
        self._wants = [lost.wanted(ahead) for lost in losts]
        self._found = [dict[int, tuple[Verdict, Case]]() for _ in losts]
        self._unread = [0] * len(losts)
        for index in range(len(losts)):
            self._sort_newest(index)

    def days(self) -> set[DateFilter]:
        """The days to search."""
        return {opening.days for want in self._wants for opening in want.openings(self._keeps_date)}

    async def read(self, days: DateFilter, search: Search) -> None:
        """Search some days for all that may have been opened then, and see whether that brings what it should."""
        mine = [
            index
            for index, want in enumerate(self._wants)
            if any(opening.days == days for opening in want.openings(self._keeps_date))
        ]
        expected = self._newest.opened_on(*_core(days))
        missing, longest, nearly_empty = set(expected), 0, 0
        try:
            pages = search(date_opened=days).pages()
            async for page in pages:
                missing -= {case.id for case in page.items}
                self._sort_page(mine, page)
                longest = max(longest, len(page.items))
                nearly_empty = nearly_empty + 1 if len(page.items) < longest / 4 else 0
                if nearly_empty == NEARLY_EMPTY_PAGES:
                    break
            self.filter_fails = self.filter_fails or not (isinstance(pages, PageIterator) and pages.is_lossless)
        except PaginationError:  # the pages cannot be put together, so some may not have come
            self.filter_fails = True
        self.filter_fails = self.filter_fails or bool(missing)
        self.filter_works = self.filter_works or bool(expected - missing)

    def results(self, there: Sequence[Creation]) -> list[Found]:
        """What was found for each, and whether it would have been seen.

        Args:
            there: Cases that were surely there when the look began.
        """
        blind = self._newest.hides({each.id for each in there if each.id})
        results: list[Found] = []
        for lost, want, found, unread in zip(self._losts, self._wants, self._found, self._unread, strict=True):
            same, doubtful = (
                sorted((case for verdict, case in found.values() if verdict is kind), key=lambda case: case.id)
                for kind in (Verdict.SAME, Verdict.DOUBTFUL)
            )
            if self._log.date_filter_works and self._knows_date_of(want) and not blind:
                results.append(Found(same, doubtful, unread))
            else:
                why = _OTHERS_UNSEEN if blind else self._why_not_newest(lost)
                results.append(Found(same, doubtful, max(unread, self._newest.unread), why))
        return results

    def _sort_page(self, indexes: Sequence[int], page: Page[Case]) -> None:
        for index in indexes:
            self._sort(index, page.items)
            self._unread[index] += len(page.rejected) + len(page.unreadable)

    def _sort(self, index: int, cases: Iterable[Case]) -> None:
        earlier = self._log.id_before(self._losts[index].sent_at) or 0
        for case in cases:
            verdict = self._wants[index].verdict(case, self._keeps_date)
            if verdict and case.id > earlier and case.id not in self._exclude:
                self._found[index][case.id] = verdict, case

    def _sort_newest(self, index: int) -> None:
        """Among the newest, a case that may be the one but for its date leaves a doubt where dates prove nothing."""
        self._sort(index, self._newest.cases)
        want, found = self._wants[index], self._found[index]
        if self._knows_date_of(want) and not self._log.took_over:
            return
        earlier = self._log.id_before(self._losts[index].sent_at) or 0
        for case in self._newest.cases:
            new = case.id > earlier and case.id not in found and case.id not in self._exclude
            if new and want.verdict_without_date(case):
                found[case.id] = Verdict.DOUBTFUL, case

    def _knows_date_of(self, want: Wanted) -> bool:
        """Whether it is known under which date the server shows it."""
        if want.asked is not None and self._keeps_date is not False:
            return bool(self._keeps_date)
        return self._ahead is not None

    def _why_not_newest(self, lost: Lost) -> str | None:
        """Why it might not be among the newest though it is open; None if it would have been seen."""
        if self._newest.shows_all_since(self._log.id_before(lost.sent_at)):
            return None
        if not self._log.date_filter_works:
            return _DAYS_UNRELIABLE
        if self._keeping == "neither":
            return _DATES_UNRELIABLE
        return None if self._newest.goes_back_before(lost.sent_at) else _DATES_UNKNOWN


def _core(days: DateFilter) -> tuple[date, date]:
    """The days that a search must bring in whatever zone it reads its bounds, and whether or not these belong."""
    first, last = (date.fromisoformat(bound or "") for bound in (days.after, days.before))
    return first + SEARCH_MARGIN, last - SEARCH_MARGIN
