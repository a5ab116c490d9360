"""Reading cases: search, walk, get many, get."""

from collections.abc import AsyncIterable, Iterable
from typing import Unpack

from fusedesk_async._bookmark import Bookmark
from fusedesk_async._call import Call, get, number
from fusedesk_async._lookup import Lookup
from fusedesk_async._pagination import LARGEST_PAGE
from fusedesk_async._readers import many, one
from fusedesk_async._search import search_query
from fusedesk_async._walk import OnUnordered, Walk
from fusedesk_async.filters import CaseFilters
from fusedesk_async.models import Case, CaseDetail
from fusedesk_async.resources._case_search import CaseSearch, identity


class CaseReads(CaseSearch):
    """Searching and reading cases."""

    def walk(
        self,
        *,
        concurrency: int = 4,
        page_size: int = LARGEST_PAGE,
        after: Bookmark | None = None,
        on_unordered: OnUnordered = "raise",
        **filters: Unpack[CaseFilters],
    ) -> Walk[Case]:
        """All cases that match all filters, in the order of their ids, for large jobs (`GET cases`, seed page).

        Like a `search` it loses none that matched throughout and gives none twice. Beyond that it fetches pages ahead,
        counts what it does (`walk.report`), and can be gone on with after a crash (`walk.bookmark`). Its calls are bulk
        work: they let interactive calls go first, unless `with_options(priority="interactive")` says otherwise.

            async with desk.cases.walk(status="all") as walk:
                async for case in walk:
                    ...

        An error ends the walk, after the cases that were fetched before it; `walk.bookmark` is good then, too.

        Args:
            concurrency: How many pages may be on their way at once; as many again wait for you. It costs up to so many
                calls that bring nothing at the end. The client's own `concurrency` bounds them all.
            page_size: Rows fetched at once, 2 to 500. Each page is one call of the hourly quota.
            after: The bookmark of another walk with the same filters, to go on where that one stopped. Cases
                that came to match meanwhile but have smaller ids are not gone back for.
            on_unordered: What to do if the first page shows that the server does not keep the order by id: `raise`
                a `PaginationError`, or `report` it (`walk.report.unordered`, and a warning) and go on by plain paging,
                which drops what comes twice but misses what moves. There is no bookmark then.
            **filters: See `CaseFilters`.

        Raises:
            ConfigurationError: A filter or another argument cannot be right, or the bookmark is of other filters.
            PaginationError: While iterating: the server ignores the offset, or does not keep the order by id.
            RateLimitError: While iterating, with `on_rate_limit="raise"`.
        """
        call = get("v1/cases", many(Case), search_query(None, **filters))
        return Walk(
            self._send,
            call,
            identity,
            page_size=page_size,
            concurrency=concurrency,
            after=after,
            on_unordered=on_unordered,
        )

    def get_many(
        self, ids: Iterable[int | Case] | AsyncIterable[int | Case], *, concurrency: int = 4
    ) -> Lookup[CaseDetail]:
        """Many cases with their histories, in the order asked for (`GET cases/{id}` for each, seed page).

            async with desk.cases.get_many(ids) as lookup:
                async for case_id, result in lookup:
                    if isinstance(result, FuseDeskError):
                        ...

        What goes wrong with one case is given in its place: `NotFoundError`, `PermissionDeniedError`,
        `RequestRejectedError`, a `ServerError` or a lost answer after all retries, an answer that cannot be read, or
        `ConfigurationError` for what is no id (nothing is sent then). Its calls are bulk work, as those of `walk`.

        Args:
            ids: Ids, or cases of a search. They are read as they are needed, so there may be any number, and an
                open walk will do. An id that comes twice is fetched twice.
            concurrency: How many cases may be on their way at once; as many again wait for you.

        Raises:
            ConfigurationError: An argument cannot be right; while iterating: the client was closed.
            AuthenticationError, RateLimitError: While iterating, as these would be the same for all others. The
                results before it were given; so it is with whatever `ids` itself raises.
        """
        return Lookup(self._send, _detail, ids, concurrency=concurrency)

    async def get(self, case_id: int) -> CaseDetail:
        """One case with its history (`GET cases/{id}`, seed page; the shape of the history is not public).

        Raises:
            NotFoundError: There is no such case.
        """
        return await self._send(_detail(case_id))


def case_path(case_id: int, *rest: str) -> str:
    """The path of a case, or of something below it."""
    return "/".join(("v1/cases", number(case_id, "a case id"), *rest))


def _detail(case_id: int) -> Call[CaseDetail]:
    return get(case_path(case_id), one(CaseDetail))
