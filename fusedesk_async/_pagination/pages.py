"""Lists that come in pages, as one lazy object."""

from collections.abc import AsyncIterator, Callable
from typing import Any, Generic, TypeVar

import attrs

from fusedesk_async._exports import public
from fusedesk_async._pagination.asking import FetchPage
from fusedesk_async._pagination.id_plan import IdPlan
from fusedesk_async._pagination.iteration import PageIterator, RecordIterator
from fusedesk_async._pagination.page import Page
from fusedesk_async._pagination.plain import PlainPlan
from fusedesk_async._wire.call import LARGEST_PAGE, Call, CallSender
from fusedesk_async._wire.name_refs import names_in
from fusedesk_async._wire.profile import LearnedProfile
from fusedesk_async._wire.readers import Records
from fusedesk_async.errors import ConfigurationError, FuseDeskError
from fusedesk_async.models import Record

R = TypeVar("R", bound=Record)


@public
class Pages(Generic[R]):
    """A list that is fetched page by page while it is iterated. Each iteration starts from the beginning.

    `async for record in pages` gives the records one by one. Nothing is sent before that. Several tasks may share the
    iterator of one iteration, `aiter(pages)`: each record goes to one of them.
    """

    def __init__(
        self,
        send: CallSender,
        call: Call[Records[R]],
        *,
        page_size: int,
        identity: Callable[[R], Any],
        ascending: bool,
        profile: LearnedProfile | None = None,
    ) -> None:
        """Prepare the list.

        Args:
            send: Carries out calls.
            call: Fetches a page, but for `limit` and `offset`. Its names are looked up once, before the first page.
            page_size: Rows asked for at once: 2 to 500 in the order of a number, else 1 to 500.
            identity: Tells records apart.
            ascending: Whether the identity is a number and the server was asked to order by it.
            profile: What is known of the server.

        Raises:
            ConfigurationError: The page size is out of range.
        """
        self._send = send
        self._call = call
        self._resolved = None if any(names_in(call)) else call
        self._page_size = checked_page_size(page_size, ascending=ascending)
        self._identity = identity
        self._ascending = ascending
        self._profile = profile or LearnedProfile()

    def __aiter__(self) -> AsyncIterator[R]:
        """The records, one by one."""
        return RecordIterator(self.pages())

    def pages(self) -> AsyncIterator[Page[R]]:
        """The answers of the server, one by one.

        Raises:
            PaginationError: While iterating, if the server ignores the offset or does not keep the order asked for.
        """
        if self._ascending:
            by_id = IdPlan(self._identity, self._page_size, self._profile, trusts_empty=True)
            return PageIterator(self._fetch_page, by_id, self._call)
        return PageIterator(self._fetch_page, PlainPlan(self._identity, self._page_size, self._profile), self._call)

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

    async def _fetch_page(self, fetch: FetchPage, on_retry: Callable[[FuseDeskError], None]) -> Records[R]:
        call = page_call(await self._resolve(), fetch)
        return await self._send(attrs.evolve(call, on_retry=on_retry))

    async def _fetch(self, offset: int, limit: int) -> Records[R]:
        order = self._profile.order if self._ascending else None
        return await self._send(page_call(await self._resolve(), FetchPage(0, offset, limit, order)))

    async def _resolve(self) -> Call[Records[R]]:
        call = self._resolved or await self._send.resolve(self._call)
        self._resolved = self._resolved or call  # another pass may have been faster; all keep to the same ids
        return self._resolved


def page_call(call: Call[Records[R]], fetch: FetchPage) -> Call[Records[R]]:
    """The call for one page of a list."""
    query = {**call.query, "limit": fetch.limit, "offset": fetch.offset}
    if fetch.order is not None:
        query["orderby"] = fetch.order or None
    return attrs.evolve(call, query=query, attempts=fetch.attempts)


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
