"""Lists that come in pages, as one lazy object."""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Generic, Self, TypeVar

import anyio
import attrs

from fusedesk_async._exports import public
from fusedesk_async._pagination.asking import FetchPage, is_matter_of_page
from fusedesk_async._pagination.id_plan import IdPlan
from fusedesk_async._pagination.page import Page
from fusedesk_async._pagination.plain import PlainPlan
from fusedesk_async._pagination.plans import Plan
from fusedesk_async._wire.call import LARGEST_PAGE, Call, CallSender
from fusedesk_async._wire.name_refs import names_in
from fusedesk_async._wire.profile import LearnedProfile
from fusedesk_async._wire.readers import Records
from fusedesk_async.errors import ConfigurationError, FuseDeskError, PaginationError, Request, warn
from fusedesk_async.models import Record

R = TypeVar("R", bound=Record)

NOT_LOSSLESS = (
    "the server does not keep the order by id, or its pages have gaps; rows that move meanwhile may be missed"
)


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
        return _Items(self.pages())

    def pages(self) -> AsyncIterator[Page[R]]:
        """The answers of the server, one by one.

        Raises:
            PaginationError: While iterating, if the server ignores the offset or does not keep the order asked for.
        """
        plan: Plan[R]
        if self._ascending:
            plan = IdPlan(self._identity, self._page_size, self._profile, trusts_empty=True)
        else:
            plan = PlainPlan(self._identity, self._page_size, self._profile)
        return PageIterator(self._fetch_page, plan, self._call)

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
        order = self._profile.value.order if self._ascending else None
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


def with_request(error: PaginationError, call: Call[Any], attempts: int) -> PaginationError:
    """The same error with what was asked."""
    return type(error)(error.message, error.request or Request(call.method, call.path, attempts))


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


class PageIterator(Generic[R]):
    """One pass over the pages, which several tasks may share. What failed is fetched again by the next step."""

    def __init__(self, fetch: Callable[..., Awaitable[Records[R]]], plan: Plan[R], call: Call[Any]) -> None:
        self._fetch = fetch
        self._plan = plan
        self._call = call
        self._fetches: deque[FetchPage] = deque()
        self._pages: deque[Page[R]] = deque()
        self._attempts = 1
        self._over = False
        self._told = False
        self._fetching = anyio.Lock()

    @property
    def is_lossless(self) -> bool:
        """Whether nothing that came by now is suspected to be missing since rows moved."""
        return not self._plan.unordered

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[R]:
        async with self._fetching:
            while not self._pages:
                if self._plan.done or self._over:
                    raise StopAsyncIteration
                if not self._fetches:
                    self._fetches.extend(self._plan.pages_to_fetch())
                await self._fetch_next()
            return self._pages.popleft()

    async def _fetch_next(self) -> None:
        fetch = self._fetches[0]
        self._attempts = 1
        try:
            records = await self._fetch(fetch, self._on_retry)
        except FuseDeskError as error:
            if not is_matter_of_page(error):
                raise
            self._fetches.popleft()
            self._receive(fetch, error)
        else:
            self._fetches.popleft()
            self._receive(fetch, records)

    def _on_retry(self, error: FuseDeskError) -> None:
        del error
        self._attempts += 1

    def _receive(self, fetch: FetchPage, answer: Records[R] | FuseDeskError) -> None:
        try:
            if isinstance(answer, FuseDeskError):
                pages = self._plan.page_failed(fetch, answer, self._attempts)
            else:
                pages = self._plan.page_received(fetch, answer, self._attempts)
        except PaginationError as error:
            self._over = True
            raise with_request(error, self._call, self._attempts) from error.__cause__
        self._pages.extend(pages)
        for page in pages:
            for row in page.unreadable:
                warn(str(row))
        if self._plan.unordered and not self._told:
            self._told = True
            warn(NOT_LOSSLESS)


class _Items(Generic[R]):
    """The records of pages, one by one, for one task or several."""

    def __init__(self, pages: AsyncIterator[Page[R]]) -> None:
        self._pages = pages
        self._items: deque[R] = deque()
        self._fetching = anyio.Lock()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R:
        while not self._items:
            async with self._fetching:
                if not self._items:  # or another task has fetched them meanwhile
                    self._items.extend((await anext(self._pages)).items)
        return self._items.popleft()
