"""Searching cases, and finding out whether one was opened."""

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import TYPE_CHECKING, Unpack, overload

from fusedesk_async._call import Send, get
from fusedesk_async._clock import SystemClock
from fusedesk_async._pagination import LARGEST_PAGE, Pages
from fusedesk_async._readers import many
from fusedesk_async._search import search_query
from fusedesk_async._server_clock import ServerClock
from fusedesk_async.errors import OutcomeUnknownError
from fusedesk_async.filters import CaseFilters, OrderBy
from fusedesk_async.models import Case, NewCase
from fusedesk_async.resources._resource import Resource

if TYPE_CHECKING:
    from fusedesk_async.models import Directory

SETTLED = 30.0
"""Seconds. PHP ends a script after so many by default; FuseDesk's own figure is not public."""


class CaseSearch(Resource):
    """What looks for cases."""

    def __init__(
        self,
        send: Send,
        server_clock: ServerClock | None = None,
        directory: "Callable[[], Awaitable[Directory]] | None" = None,
    ) -> None:
        super().__init__(send)
        self._directory = directory
        self._server_clock = server_clock or ServerClock(SystemClock())

    def search(
        self, *, order_by: OrderBy | None = None, page_size: int = LARGEST_PAGE, **filters: Unpack[CaseFilters]
    ) -> Pages[Case]:
        """Cases that match all filters, fetched page by page while you iterate (`GET cases`, seed page).

        Without `order_by` the cases come in the order of their ids, each once, and none that matched throughout is
        missed, however many cases are opened, closed, deleted or retagged meanwhile: pages count only where they
        join up, and rows that have moved are asked for again.

        With `order_by` it is plain paging: a case that changes its place while you iterate can be missed; one that
        comes twice is dropped. By `date_updated`, the server's own default, this happens whenever anyone works.

        Args:
            order_by: `asc("date_opened")`, several of these, or the API's text such as `"date_lastresponse desc"`.
            page_size: Rows fetched at once, 2 to 500 (1 to 500 with `order_by`). Each page is one call of the hourly
                quota.
            **filters: See `CaseFilters`.

        Raises:
            ConfigurationError: A filter, the order or the page size cannot be right.
            PaginationError: While iterating: the server ignores the offset, or does not keep the order by id.
        """
        call = get("v1/cases", many(Case), search_query(order_by, **filters))
        return Pages(self._send, call, page_size=page_size, identity=identity, ascending=order_by is None)

    @overload
    async def find_created(
        self, lost: OutcomeUnknownError, *, besides: Collection[int] = (), settle: float = SETTLED
    ) -> Case | None: ...

    @overload
    async def find_created(
        self, lost: NewCase, *, sent_at: datetime, besides: Collection[int] = (), settle: float = SETTLED
    ) -> Case | None: ...

    async def find_created(
        self,
        lost: OutcomeUnknownError | NewCase,
        *,
        sent_at: datetime | None = None,
        besides: Collection[int] = (),
        settle: float = SETTLED,
    ) -> Case | None:
        """The case that a `create` has opened although its answer got lost; None if it surely opened none.

            try:
                await desk.cases.create(new)
            except OutcomeUnknownError as lost:
                case = await desk.cases.find_created(lost)

        A search for the days around that time (`GET cases` with `date_opened`, seed page), in all departments, as a
        case may have been moved since. What it brings is compared on this side: the case must agree in opener, summary,
        details, department, contact, company, tags and time. White space and HTML escaping may differ, and so may the
        rep. With `date_opened` given, the time must be that one. Else it must lie between sending and `settle`, to
        within 5 seconds by the server's clock as its `Date` headers tell, or within 10 minutes if they do not. A search
        may take several calls where many cases are opened.

        If nothing is found, it waits until a request that is still on its way must have ended, and looks again. So
        None means that sending it again does no harm.

        Args:
            lost: The error that `create` raised, or what it was to open.
            sent_at: With a `NewCase`: when it was sent, by this machine's clock; a datetime with a time zone.
            besides: Ids of cases that are known to be others, such as those your own journal has already.
            settle: Seconds after sending from which on the server has surely done it or never will. How long FuseDesk
                takes at most no public source tells; PHP's own default is 30.

        Raises:
            CannotTellError: Several cases are equal in all of this, or one differs only in what the server or people
                may have changed: cut texts, another zone, another department since. `candidates` has their ids.
            ConfigurationError: What got lost was no new case.
        """
        from fusedesk_async._find import find, lost_case  # noqa: PLC0415 - few need it, and importing costs

        if self._directory and isinstance(lost, NewCase) and lost.has_names:
            lost = (await self._directory()).new_case(lost)
        what = lost_case(lost, sent_at, settle, self._server_clock)
        return await find(self.search, what, frozenset(besides), self._server_clock.clock)


def identity(case: Case) -> int:
    """What tells cases apart."""
    return case.id
