"""A page as it is handed out, and what of an answer is new in it."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import attrs

from fusedesk_async._exports import public
from fusedesk_async._pagination.unreadable import UnreadableRow
from fusedesk_async.errors import UnexpectedResponseError
from fusedesk_async.models import OddField, Record

R = TypeVar("R", bound=Record)
R_co = TypeVar("R_co", bound=Record, covariant=True)


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
        unreadable: Rows right before it that cannot be had, whatever page is asked for.
    """

    items: tuple[R_co, ...]
    offset: int
    received: int
    rejected: tuple[UnexpectedResponseError, ...] = ()
    unreadable: tuple[UnreadableRow, ...] = ()

    @property
    def odd(self) -> tuple[OddField, ...]:
        """The fields of these records that could not be read."""
        return tuple(odd for record in self.items for odd in record.odd)

    @property
    def first_rank(self) -> int:
        """The offset of the first item in the list: records known already are the first rows of an answer."""
        return max(self.offset, self.offset + self.received - len(self.items) - len(self.rejected))


def rising(records: tuple[R, ...], key: Callable[[R], int], above: int | None) -> Iterator[R]:
    """The records above a number; of neighbours with the same number, which joins in the database make, the first."""
    for record in records:
        number = key(record)
        if above is None or number > above:
            above = number
            yield record
