"""Lists that come in pages, as one lazy object."""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Generic, Self, TypeVar

import attrs

from fusedesk_async._exports import public
from fusedesk_async._pagination.plans import SMALLEST_CAP, OffsetPlan, Page, Plan, StitchedPlan
from fusedesk_async._pagination.stitching import FetchPage, PageStitcher
from fusedesk_async._wire.call import LARGEST_PAGE, Call, CallSender
from fusedesk_async._wire.name_refs import names_in
from fusedesk_async._wire.readers import Records
from fusedesk_async.errors import ConfigurationError, PaginationError
from fusedesk_async.models import Record

R = TypeVar("R", bound=Record)


@public
class Pages(Generic[R]):
    """A list that is fetched page by page while it is iterated. Each iteration starts from the beginning.

    `async for record in pages` gives the records one by one. Nothing is sent before that.
    """

    def __init__(
        self, send: CallSender, call: Call[Records[R]], *, page_size: int, identity: Callable[[R], Any], ascending: bool
    ) -> None:
        """Prepare the list.

        Args:
            send: Carries out calls.
            call: Fetches a page, but for `limit` and `offset`. Its names are looked up once, before the first page.
            page_size: Rows asked for at once: 2 to 500 in the order of a number, else 1 to 500.
            identity: Tells records apart.
            ascending: Whether the identity is a number and the server was asked to order by it.

        Raises:
            ConfigurationError: The page size is out of range.
        """
        self._send = send
        self._call = call
        self._resolved = None if any(names_in(call)) else call
        self._page_size = checked_page_size(page_size, ascending=ascending)
        self._identity = identity
        self._ascending = ascending

    def __aiter__(self) -> AsyncIterator[R]:
        """The records, one by one."""
        return _Items(self.pages())

    def pages(self) -> AsyncIterator[Page[R]]:
        """The answers of the server, one by one.

        Raises:
            PaginationError: While iterating, if the server ignores the offset or does not keep the order asked for.
        """
        plan: Plan[R]
        if self._ascending:
            plan = StitchedPlan(self._identity, PageStitcher(self._page_size, complete_below=SMALLEST_CAP))
        else:
            plan = OffsetPlan(self._identity, self._page_size)
        return _PageWalk(self._fetch_page, plan)

    async def first(self, *, offset: int = 0) -> R | None:
        """The first record, or None if there is none. Asks for one row only.

        Args:
            offset: How many records to skip.

        Raises:
            UnexpectedResponseError: There is one, but it cannot be read.
        """
        records = await self._fetch(offset, 1)
        if records.rejected:
            raise records.rejected[0]
        return records.items[0] if records.items else None

    async def collect(self, max_items: int | None = None) -> list[R]:
        """The records as a list, at most `max_items` of them."""
        collected: list[R] = []
        if max_items is not None and max_items <= 0:
            return collected
        async for item in self:
            collected.append(item)
            if len(collected) == max_items:
                break
        return collected

    async def _fetch_page(self, offset: int) -> Records[R]:
        return await self._fetch(offset, self._page_size)

    async def _fetch(self, offset: int, limit: int) -> Records[R]:
        call = self._resolved or await self._send.resolve(self._call)
        self._resolved = self._resolved or call  # another pass may have been faster; all keep to the same ids
        return await self._send(page_call(self._resolved, offset, limit))


def page_call(call: Call[Records[R]], offset: int, limit: int) -> Call[Records[R]]:
    """The call for one page of a list."""
    return attrs.evolve(call, query={**call.query, "limit": limit, "offset": offset})


def checked_page_size(rows: int, *, ascending: bool) -> int:
    """A page size the server knows. Pages that are to join up by their ids need two rows: one of them overlaps.

    Raises:
        ConfigurationError: It is something else.
    """
    smallest = 2 if ascending else 1
    if isinstance(rows, bool) or not isinstance(rows, int) or not smallest <= rows <= LARGEST_PAGE:
        message = f"page_size is a whole number from {smallest} to {LARGEST_PAGE}, not {rows!r}"
        raise ConfigurationError(message)
    return rows


# Iterators rather than async generators: one that is left half-way needs no closing, on trio least of all.


class _PageWalk(Generic[R]):
    """One pass over the pages. What failed is fetched again by the next step."""

    def __init__(self, fetch: Callable[[int], Awaitable[Records[R]]], plan: Plan[R]) -> None:
        self._fetch = fetch
        self._plan = plan
        self._fetches: deque[FetchPage] = deque()
        self._pages: deque[Page[R]] = deque()
        self._broken = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[R]:
        while not self._pages:
            if self._plan.done or self._broken:
                raise StopAsyncIteration
            if not self._fetches:
                self._fetches.extend(self._plan.pages_to_fetch())
            records = await self._fetch(self._fetches[0].offset)
            self._received(self._fetches.popleft(), records)
        return self._pages.popleft()

    def _received(self, fetch: FetchPage, records: Records[R]) -> None:
        try:
            self._pages.extend(self._plan.page_received(fetch, records))
        except PaginationError:
            self._broken = True
            raise


class _Items(Generic[R]):
    """The records of pages, one by one."""

    def __init__(self, pages: AsyncIterator[Page[R]]) -> None:
        self._pages = pages
        self._items: Iterator[R] = iter(())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R:
        while True:
            for item in self._items:
                return item
            page = await anext(self._pages)
            self._items = iter(page.items)
