"""One pass over a list that comes in pages, for one task or for several that share it.

Iterators rather than async generators: one that is left half-way needs no closing, on trio least of all.
"""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Generic, Self, TypeVar

import anyio

from fusedesk_async._pagination.asking import FetchPage, is_matter_of_page
from fusedesk_async._pagination.page import Page
from fusedesk_async._pagination.plans import Plan
from fusedesk_async._wire.call import Call
from fusedesk_async._wire.readers import Records
from fusedesk_async.errors import FuseDeskError, PaginationError, Request, warn
from fusedesk_async.models import Record

R = TypeVar("R", bound=Record)

NOT_LOSSLESS = (
    "the server does not keep the order by id, or its pages have gaps; rows that move meanwhile may be missed"
)


def with_request(error: PaginationError, call: Call[Any], attempts: int) -> PaginationError:
    """The same error with what was asked."""
    return type(error)(error.message, error.request or Request(call.method, call.path, attempts))


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


class RecordIterator(Generic[R]):
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
