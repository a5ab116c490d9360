"""Lists that come in pages, as one lazy object.

The API pages by offset; its answers are bare arrays without a total or a next link (seed page). So the offset advances
by the rows received, and a list has ended when a page brings nothing, or nothing new and less than pages have brought.
"""

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Generic, Self, TypeVar

import attrs

from fusedesk_async._call import Call, Send
from fusedesk_async._readers import Records
from fusedesk_async.errors import ConfigurationError, PaginationError, UnexpectedResponseError
from fusedesk_async.models import Record

R = TypeVar("R", bound=Record)

LARGEST_PAGE = 500
"""Rows. The seed page allows no more."""
SAME_PAGES = 4
"""So many pages at advancing offsets with the same rows prove that the server ignores the offset."""
SURELY_SHORT = 100
"""Rows. A first page with fewer is the whole list: no server is known to cap its pages below this."""


@attrs.frozen
class Page(Generic[R]):
    """One answer of the server.

    Attributes:
        items: The records that were not on an earlier page.
        offset: The place of the first row.
        received: How many rows the server sent, including those known already and those that could not be read.
        rejected: One error for each record that could not be read.
    """

    items: tuple[R, ...]
    offset: int
    received: int
    rejected: tuple[UnexpectedResponseError, ...] = ()


class Pages(Generic[R]):
    """A list that is fetched page by page while it is iterated. Each iteration starts from the beginning.

    `async for record in pages` gives the records one by one. Nothing is sent before that.
    """

    def __init__(
        self, send: Send, call: Call[Records[R]], *, page_size: int, identity: Callable[[R], Any], ascending: bool
    ) -> None:
        """Prepare the list.

        Args:
            send: Carries out a call.
            call: Fetches a page, but for `limit` and `offset`.
            page_size: Rows asked for at once, 1 to 500.
            identity: Tells records apart.
            ascending: Whether the identity is a number and the server was asked to order by it.

        Raises:
            ConfigurationError: The page size is out of range.
        """
        if not 1 <= page_size <= LARGEST_PAGE:
            message = f"page_size is a number from 1 to {LARGEST_PAGE}, not {page_size!r}"
            raise ConfigurationError(message)
        self._send = send
        self._call = call
        self._page_size = page_size
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
        known = _Ascending(self._identity) if self._ascending else _Known(self._identity)
        return _PageWalk(self._fetch, self._page_size, known)

    async def first(self) -> R | None:
        """The first record, or None if there is none. Asks for one row only.

        Raises:
            UnexpectedResponseError: There is one, but it cannot be read.
        """
        records = await self._fetch(0, 1)
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

    async def _fetch(self, offset: int, limit: int | None = None) -> Records[R]:
        query = {**self._call.query, "limit": limit or self._page_size, "offset": offset}
        return await self._send(attrs.evolve(self._call, query=query))


# Iterators rather than async generators: one that is left half-way needs no closing, on trio least of all.


class _PageWalk(Generic[R]):
    """One pass over the pages."""

    def __init__(
        self, fetch: Callable[[int], Awaitable[Records[R]]], page_size: int, known: "_Known[R] | _Ascending[R]"
    ) -> None:
        self._fetch = fetch
        self._page_size = page_size
        self._known = known
        self._offset: int | None = 0
        self._longest = 0
        self._previous: tuple[Any, ...] = ()
        self._same = 1

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[R]:
        if self._offset is None:
            raise StopAsyncIteration
        offset, records = self._offset, await self._fetch(self._offset)
        self._check_offset_counts(records)
        items = self._known.new(records.items)
        self._offset = None if self._is_last(records, items) else offset + records.received
        return Page(items, offset, records.received, records.rejected)

    def _is_last(self, records: Records[R], items: tuple[R, ...]) -> bool:
        if self._offset == 0 and records.received < min(SURELY_SHORT, self._page_size):
            return True
        self._longest = max(self._longest, records.received)
        short = records.received < min(self._longest, self._page_size)
        return not records.received or (short and not items)

    def _check_offset_counts(self, records: Records[R]) -> None:
        identities = [self._known.identity(record) for record in records.items]
        rows = (*identities, *((error.record_id, error.message) for error in records.rejected))
        self._same = self._same + 1 if rows and rows == self._previous else 1
        self._previous = rows
        if self._same == SAME_PAGES:
            message = f"{SAME_PAGES} pages at different offsets are the same {len(rows)} rows; the offset is ignored"
            raise PaginationError(message)


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


class _Known(Generic[R]):
    """Drops records that were on an earlier page; remembers all identities."""

    def __init__(self, identity: Callable[[R], Any]) -> None:
        self.identity = identity
        self._seen: set[Any] = set()

    def new(self, records: tuple[R, ...]) -> tuple[R, ...]:
        fresh = {self.identity(record): record for record in records if self.identity(record) not in self._seen}
        self._seen.update(fresh)
        return tuple(fresh.values())


class _Ascending(Generic[R]):
    """Drops records that were on an earlier page; remembers the largest number only."""

    def __init__(self, identity: Callable[[R], Any]) -> None:
        self.identity = identity
        self._frontier: float = -math.inf

    def new(self, records: tuple[R, ...]) -> tuple[R, ...]:
        numbers = [self.identity(record) for record in records]
        if numbers != sorted(numbers):
            message = "the server does not keep the order asked for: ids descend inside a page"
            raise PaginationError(message)
        fresh: list[R] = []
        for number, record in zip(numbers, records, strict=True):
            if number > self._frontier:
                fresh.append(record)
                self._frontier = number
        return tuple(fresh)
