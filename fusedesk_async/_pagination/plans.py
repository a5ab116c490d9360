"""Which pages to ask for, and which of their records are new: a plan is told answers, and gives `Page`s.

There are two. `Ordered` goes by ids that ascend and loses nothing, however the list moves (`_seams.py` says how).
`Plain` turns the pages of any order and drops what it has seen.

The API's answers are bare arrays without a total or a next link (seed page), so a list has ended when a page brings
nothing, or nothing new and less than pages have brought.
"""

from collections.abc import Callable, Iterator
from typing import Any, Generic, Protocol, TypeVar

import attrs

from fusedesk_async._exports import public
from fusedesk_async._pagination.stitching import Ask, Seams, Take
from fusedesk_async._wire.readers import Records
from fusedesk_async.errors import PaginationError, UnexpectedResponseError
from fusedesk_async.models import Record

R = TypeVar("R", bound=Record)
R_co = TypeVar("R_co", bound=Record, covariant=True)

SURELY_SHORT = 100
"""Rows. A first page with fewer is the whole list: no server is known to cap its pages below this."""
SAME_PAGES = 4
"""So many pages at advancing offsets with the same rows prove that the server ignores the offset."""


@public
@attrs.frozen
class Page(Generic[R_co]):
    """One answer of the server.

    Attributes:
        items: The records that were not on an earlier page.
        offset: The place of the first row.
        received: How many rows the server sent, including those known already and those that could not be read.
        rejected: One error for each record that could not be read and was not on an earlier page; whether one
            without an id was cannot be told.
    """

    items: tuple[R_co, ...]
    offset: int
    received: int
    rejected: tuple[UnexpectedResponseError, ...] = ()

    @property
    def first_rank(self) -> int:
        """The place of the first item in the list: records known already are the first rows of an answer."""
        return self.offset + self.received - len(self.items) - len(self.rejected)


class Plan(Protocol[R]):
    """Says what to ask, and makes pages of the answers. An answer it raised an error for ends it."""

    @property
    def done(self) -> bool:
        """Whether the list has ended."""
        ...

    @property
    def mended(self) -> int:
        """How often it had to go back since rows had moved."""
        ...

    def ask(self) -> list[Ask]:
        """The pages to fetch now."""
        ...

    def give_up(self) -> list[int]:
        """The tokens of pages that are on their way but not worth a call any more. They are not to be told."""
        ...

    def told(self, ask: Ask, records: Records[R]) -> list[Page[R]]:
        """An answer came. The pages that can be delivered now, in order.

        Raises:
            PaginationError: The server ignores the offset, or does not keep the order asked for.
        """
        ...


class Ordered(Generic[R]):
    """Goes by ids that ascend.

    Args:
        identity: The number the server was asked to order by.
        seams: Knows which pages join up.
    """

    def __init__(self, identity: Callable[[R], int], seams: Seams) -> None:
        self._identity = identity
        self._seams = seams
        self._held: dict[int, tuple[Ask, Records[R]]] = {}

    @property
    def done(self) -> bool:
        """Whether the list has ended."""
        return self._seams.done

    @property
    def mended(self) -> int:
        """How often it had to go back since rows had moved."""
        return self._seams.mended

    def ask(self) -> list[Ask]:
        """The pages to fetch now."""
        return self._seams.ask()

    def give_up(self) -> list[int]:
        """The tokens of pages that are on their way but not worth a call any more."""
        return self._seams.give_up()

    def told(self, ask: Ask, records: Records[R]) -> list[Page[R]]:
        """An answer came. The pages that can be delivered now, in order.

        Raises:
            PaginationError: The server ignores the offset, or does not keep the order asked for.
        """
        self._held[ask.token] = ask, records
        takes = self._seams.told(ask.token, self._ids(records), records.received)
        return [self._page(take) for take in takes]

    def _ids(self, records: Records[R]) -> list[int]:
        """The ids of all rows that have one, in their order: also a record that cannot be read is a part of it."""
        ids = [self._identity(record) for record in records.items]
        without = 0
        for place, error in zip(records.places, records.rejected, strict=True):
            number = _number(error)
            if number is None:
                without += 1
            else:
                ids.insert(place - without, number)
        return ids

    def _page(self, take: Take) -> Page[R]:
        ask, records = self._held.pop(take.token)
        items = tuple(_rising(records.items, self._identity, take.above))
        rejected = tuple(self._unread(records.rejected, items, take.above)) if records.rejected else ()
        return Page(items, ask.offset, records.received, rejected)

    def _unread(
        self, errors: tuple[UnexpectedResponseError, ...], items: tuple[R, ...], above: int | None
    ) -> Iterator[UnexpectedResponseError]:
        known: set[int | None] = {self._identity(record) for record in items}
        for error in errors:
            number = _number(error)
            if number is None or (number not in known and (above is None or number > above)):
                known |= {number} - {None}
                yield error


class Plain(Generic[R]):
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
        self._next: Ask | None = Ask(0, 0)
        self._seen: set[Any] = set()
        self._longest = 0
        self._previous: tuple[Any, ...] = ()
        self._same = 1

    def ask(self) -> list[Ask]:
        """The page to fetch now, if it is not on its way."""
        asks, self._next = [self._next] if self._next else [], None
        return asks

    def give_up(self) -> list[int]:
        """None: there is never more than one page on its way."""
        return []

    def told(self, ask: Ask, records: Records[R]) -> list[Page[R]]:
        """An answer came.

        Raises:
            PaginationError: The server ignores the offset.
        """
        self._check_offset_counts(records)
        items = self._new(records.items)
        self.done = self._is_last(ask, records, items)
        if not self.done:
            self._next = Ask(ask.token + 1, ask.offset + records.received)
        return [Page(items, ask.offset, records.received, records.rejected)]

    def _new(self, records: tuple[R, ...]) -> tuple[R, ...]:
        fresh = {self._identity(record): record for record in records if self._identity(record) not in self._seen}
        self._seen.update(fresh)
        return tuple(fresh.values())

    def _is_last(self, ask: Ask, records: Records[R], items: tuple[R, ...]) -> bool:
        if ask.offset == 0 and records.received < min(SURELY_SHORT, self._page_size):
            return True
        self._longest = max(self._longest, records.received)
        short = records.received < min(self._longest, self._page_size)
        return not records.received or (short and not items)

    def _check_offset_counts(self, records: Records[R]) -> None:
        identities = [self._identity(record) for record in records.items]
        rows = (*identities, *((error.record_id, error.message) for error in records.rejected))
        self._same = self._same + 1 if rows and rows == self._previous else 1
        self._previous = rows
        if self._same == SAME_PAGES:
            message = f"{SAME_PAGES} pages at different offsets are the same {len(rows)} rows; the offset is ignored"
            raise PaginationError(message)


def _rising(records: tuple[R, ...], identity: Callable[[R], int], above: int | None) -> Iterator[R]:
    """The records above a number; of neighbours with the same number, which joins in the database make, the first."""
    for record in records:
        number = identity(record)
        if above is None or number > above:
            above = number
            yield record


def _number(error: UnexpectedResponseError) -> int | None:
    """The id of a record that could not be read; numbers may come as text."""
    whose = error.record_id
    if isinstance(whose, str):
        return int(whose) if whose.isascii() and whose.isdecimal() else None
    return whose
