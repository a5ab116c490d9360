"""Which pages to fetch, and which of their records are new: a plan takes what the server sent, and gives `Page`s.

There are two. `StitchedPlan` goes by ids that ascend and loses nothing, however the list moves; `stitching.py` says
how. `OffsetPlan` turns the pages of any order and drops what it has seen.

The API's answers are bare arrays without a total or a next link (seed page), so a list has ended when a page brings
nothing, or nothing new and less than pages have brought.
"""

from collections.abc import Callable, Iterator
from typing import Any, Generic, Protocol, TypeVar

import attrs

from fusedesk_async._exports import public
from fusedesk_async._pagination.stitching import IDENTICAL_PAGES_LIMIT, DeliverRows, FetchPage, PageStitcher
from fusedesk_async._wire.readers import Records
from fusedesk_async.errors import PaginationError, UnexpectedResponseError
from fusedesk_async.models import OddField, Record

R = TypeVar("R", bound=Record)
R_co = TypeVar("R_co", bound=Record, covariant=True)

SMALLEST_CAP = 100
"""Rows. A first page with fewer is the whole list: no server is known to cap its pages below this."""


@public
@attrs.frozen
class Page(Generic[R_co]):
    """One answer of the server.

    Attributes:
        items: The records that were not on an earlier page.
        offset: The offset of the first row.
        received: How many rows the server sent, including those known already and those that could not be read.
        rejected: One error for each record without an id that can be read. Whether it was on an earlier page cannot be
            told.
    """

    items: tuple[R_co, ...]
    offset: int
    received: int
    rejected: tuple[UnexpectedResponseError, ...] = ()

    @property
    def odd(self) -> tuple[OddField, ...]:
        """The fields of these records that could not be read."""
        return tuple(odd for record in self.items for odd in record.odd)

    @property
    def first_rank(self) -> int:
        """The offset of the first item in the list: records known already are the first rows of an answer."""
        return self.offset + self.received - len(self.items) - len(self.rejected)


class Plan(Protocol[R]):
    """Says what to fetch, and makes pages of the answers. An answer it raised an error for ends it."""

    @property
    def done(self) -> bool:
        """Whether the list has ended."""
        ...

    @property
    def mended(self) -> int:
        """How often it had to go back since rows had moved."""
        ...

    def pages_to_fetch(self) -> list[FetchPage]:
        """The pages to fetch now."""
        ...

    def pages_to_cancel(self) -> list[int]:
        """The tokens of pages that are in flight but not worth a call any more. They are not to be received."""
        ...

    def page_received(self, fetch: FetchPage, records: Records[R]) -> list[Page[R]]:
        """A page was received. The pages that can be delivered now, in order.

        Raises:
            PaginationError: The server ignores the offset, or does not keep the order asked for.
        """
        ...


class StitchedPlan(Generic[R]):
    """Goes by ids that ascend.

    Args:
        identity: The number the server was asked to order by.
        stitcher: Knows which pages join up.
    """

    def __init__(self, identity: Callable[[R], int], stitcher: PageStitcher) -> None:
        self._identity = identity
        self._stitcher = stitcher
        self._received: dict[int, tuple[FetchPage, Records[R]]] = {}

    @property
    def done(self) -> bool:
        """Whether the list has ended."""
        return self._stitcher.done

    @property
    def mended(self) -> int:
        """How often it had to go back since rows had moved."""
        return self._stitcher.mended

    def pages_to_fetch(self) -> list[FetchPage]:
        """The pages to fetch now."""
        return self._stitcher.pages_to_fetch()

    def pages_to_cancel(self) -> list[int]:
        """The tokens of pages that are in flight but not worth a call any more."""
        return self._stitcher.pages_to_cancel()

    def page_received(self, fetch: FetchPage, records: Records[R]) -> list[Page[R]]:
        """A page was received. The pages that can be delivered now, in order.

        Raises:
            PaginationError: The server ignores the offset, or does not keep the order asked for.
        """
        self._received[fetch.token] = fetch, records
        ids = [self._identity(record) for record in records.items]
        deliveries = self._stitcher.page_received(fetch.token, ids, records.received)
        return [self._page(delivery) for delivery in deliveries]

    def _page(self, delivery: DeliverRows) -> Page[R]:
        fetch, records = self._received.pop(delivery.token)
        items = tuple(_rising(records.items, self._identity, delivery.above))
        return Page(items, fetch.offset, records.received, records.rejected)


class OffsetPlan(Generic[R]):
    """Turns one page after the other, by the rows received, and remembers all that came.

    Args:
        identity: Tells records apart.
        page_size: How many rows are asked for at once.
    """

    mended = 0

    def __init__(self, identity: Callable[[R], Any], page_size: int) -> None:
        self.done = False
        self._identity = identity
        self._page_size = page_size
        self._next: FetchPage | None = FetchPage(0, 0)
        self._seen: set[Any] = set()
        self._longest = 0
        self._previous: tuple[Any, ...] = ()
        self._identical = 1

    def pages_to_fetch(self) -> list[FetchPage]:
        """The page to fetch now, if it is not in flight."""
        fetches, self._next = [self._next] if self._next else [], None
        return fetches

    def pages_to_cancel(self) -> list[int]:
        """None: there is never more than one page in flight."""
        return []

    def page_received(self, fetch: FetchPage, records: Records[R]) -> list[Page[R]]:
        """A page was received.

        Raises:
            PaginationError: The server ignores the offset.
        """
        self._check_offset_counts(records)
        items = self._new(records.items)
        self.done = self._is_last(fetch, records, items)
        if not self.done:
            self._next = FetchPage(fetch.token + 1, fetch.offset + records.received)
        return [Page(items, fetch.offset, records.received, records.rejected)]

    def _new(self, records: tuple[R, ...]) -> tuple[R, ...]:
        fresh = {self._identity(record): record for record in records if self._identity(record) not in self._seen}
        self._seen.update(fresh)
        return tuple(fresh.values())

    def _is_last(self, fetch: FetchPage, records: Records[R], items: tuple[R, ...]) -> bool:
        if fetch.offset == 0 and records.received < min(SMALLEST_CAP, self._page_size):
            return True
        self._longest = max(self._longest, records.received)
        short = records.received < min(self._longest, self._page_size)
        return not records.received or (short and not items)

    def _check_offset_counts(self, records: Records[R]) -> None:
        identities = [self._identity(record) for record in records.items]
        rows = (*identities, *((error.record_id, error.message) for error in records.rejected))
        self._identical = self._identical + 1 if rows and rows == self._previous else 1
        self._previous = rows
        if self._identical == IDENTICAL_PAGES_LIMIT:
            pages = f"{IDENTICAL_PAGES_LIMIT} pages at different offsets"
            message = f"{pages} are the same {len(rows)} rows; the offset is ignored"
            raise PaginationError(message)


def _rising(records: tuple[R, ...], identity: Callable[[R], int], above: int | None) -> Iterator[R]:
    """The records above a number; of neighbours with the same number, which joins in the database make, the first."""
    for record in records:
        number = identity(record)
        if above is None or number > above:
            above = number
            yield record
