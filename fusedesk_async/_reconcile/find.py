"""Looks for cases that may have been opened.

A look-up asks for the newest cases by id, which no date can hide, and for those opened around the date that was asked
for and around the time of sending. That a case was not seen proves something only if it would have been seen: if the
newest cases reach back to one that was there before, or if searches by date bring the cases they should bring and what
the server makes of a date that is asked for is known.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress

from fusedesk_async._reconcile.creation_log import Creation, CreationLog
from fusedesk_async._reconcile.date_keeping import DateKeeping, asked_apart, date_keeping
from fusedesk_async._reconcile.found import Found
from fusedesk_async._reconcile.look import Look
from fusedesk_async._reconcile.lost import Lost
from fusedesk_async._reconcile.match import SEARCH_MARGIN
from fusedesk_async._reconcile.newest import Newest, as_utc, newest_cases
from fusedesk_async._reconcile.search import Search
from fusedesk_async._wire.headers import ServerClock
from fusedesk_async.errors import PaginationError
from fusedesk_async.filters import DateFilter, between
from fusedesk_async.models import Case

MOST_CONTROL_PAGES = 4
LOOKS_APART = 10.0
"""Seconds between two looks at least: what a server's cache hides from the first, the second sees."""


class Finder:
    """Looks for cases with one client.

    Args:
        search: `desk.cases.search`.
        server_clock: What responses say of the server's time.
        log: What the client has opened.
        timeout: Seconds that an attempt to open a case may last.
    """

    def __init__(self, search: Search, server_clock: ServerClock, log: CreationLog, timeout: float) -> None:
        self._search = search
        self._server_clock = server_clock
        self._log = log
        self.timeout = timeout

    async def find(self, lost: Lost, exclude: Collection[int]) -> Case | None:
        """The case that was opened, or None if none was and none will be any more.

        Raises:
            CannotTellError: Several may be the one, or it might be open though it was not seen.
        """
        (first,) = await self.look([lost], exclude)
        if first.same:
            return first.the_one()
        clock = self._server_clock.clock
        remaining = min(lost.settled_at - clock.time(), lost.settled_at - lost.sent_at)  # the clock may be set back
        await clock.sleep(max(remaining, min(LOOKS_APART, lost.settle)))
        (second,) = await self.look([lost], exclude)
        return second.after(first).the_one()

    async def look(
        self, losts: Sequence[Lost], exclude: Collection[int] = (), known: Sequence[Creation] = ()
    ) -> list[Found]:
        """What there is for each of these, with one search for all that were opened in the same days.

        Args:
            losts: What to look for.
            exclude: Ids of cases that are known to be others.
            known: Cases that an earlier process has opened.
        """
        dated = [lost.wanted(None).asked is not None for lost in losts]
        began = self._server_clock.clock.time()
        earliest = min((lost.sent_at for lost in losts), default=began)
        newest = await newest_cases(self._search, self._log.id_before(earliest), earliest)
        if newest.is_ordered and newest.cases:
            self._log.see(newest.cases[0].id, self._server_clock.clock.time())
        keeping = await self._date_keeping(newest, known) if any(dated) else None
        ahead = self._server_clock.ahead
        look = Look(losts, newest, self._log, ahead=ahead, keeping=keeping, exclude=exclude)
        for days in look.days():
            await look.read(days, self._search)
        works = look.filter_works or self._log.date_filter_works
        self._log.date_filter_works = not look.filter_fails and (works or await self._control(newest))
        self._log.looked = True
        return look.results([*self._log.answered_before(began), *known])

    async def _date_keeping(self, newest: Newest, known: Sequence[Creation]) -> DateKeeping | None:
        """What the server makes of a date of opening: as the newest cases show it, or else one that is searched for."""
        ahead = self._server_clock.ahead
        keeping = date_keeping(self._log, newest.by_key, known, ahead)
        if keeping:
            return keeping
        for creation in (*reversed(self._log.creations), *known):
            if asked := asked_apart(creation):
                case = await self._search_for(asked.days, creation.keys)
                return date_keeping(self._log, dict.fromkeys(creation.keys, case), known, ahead) if case else None
        return None

    async def _control(self, newest: Newest) -> bool:
        """Whether a search by date brings a case that it should bring."""
        for case in newest.cases:
            if case.date_opened:
                day = as_utc(case.date_opened).date()
                return await self._search_for(between(day - SEARCH_MARGIN, day + SEARCH_MARGIN), {case.id}) is not None
        return False

    async def _search_for(self, days: DateFilter, keys: Collection[int | str]) -> Case | None:
        """A case that is known by id or number, if the first pages of a search by date bring it."""
        pages = self._search(date_opened=days).pages()
        with suppress(PaginationError):
            for _ in range(MOST_CONTROL_PAGES):
                page = await anext(pages, None)
                for case in page.items if page else ():
                    if case.id in keys or case.case_number in keys:
                        return case
        return None
