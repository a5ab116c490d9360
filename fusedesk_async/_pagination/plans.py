"""Which pages to fetch, and which of their records are new: a plan takes what the server sent, and gives `Page`s.

There are two. `IdPlan` goes by ids and loses nothing, however the list moves: `stitching.py` says how, and whatever is
doubtful is looked into before it is believed. `PlainPlan` turns the pages of any order and drops what it has seen.

The API's answers are bare arrays without a total or a next link (seed page), so a list has ended when nothing is found
beyond a short page, or its last row is the newest.
"""

from typing import Protocol, TypeVar

from fusedesk_async._pagination.asking import FetchPage
from fusedesk_async._pagination.page import Page
from fusedesk_async._wire.readers import Records
from fusedesk_async.errors import FuseDeskError
from fusedesk_async.models import Record

R = TypeVar("R", bound=Record)


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

    @property
    def unordered(self) -> bool:
        """Whether it is not lossless, though it should be."""
        ...

    def pages_to_fetch(self) -> list[FetchPage]:
        """The pages to fetch now."""
        ...

    def pages_to_cancel(self) -> list[int]:
        """The tokens of pages that are in flight but not worth a call any more. They are not to be received."""
        ...

    def page_received(self, fetch: FetchPage, records: Records[R], attempts: int = 1) -> list[Page[R]]:
        """A page was received after so many attempts. The pages that can be delivered now, in order.

        Raises:
            PaginationError: The server ignores the offset, or does not keep the order asked for.
        """
        ...

    def page_failed(self, fetch: FetchPage, error: FuseDeskError, attempts: int = 1) -> list[Page[R]]:
        """A page cannot be had. The pages that can be delivered now, in order.

        Raises:
            FuseDeskError: Nothing can be done about it.
        """
        ...
