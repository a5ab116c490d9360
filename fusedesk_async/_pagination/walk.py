"""A whole list in the order of its ids: fetched ahead, nothing lost, resumable."""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Generic, Literal, Self, TypeAlias, TypeVar

import attrs

from fusedesk_async._checks import at_least_one, one_of
from fusedesk_async._exports import public
from fusedesk_async._pagination.bookmark import Bookmark, job_of, resumed_from
from fusedesk_async._pagination.pages import checked_page_size, page_call
from fusedesk_async._pagination.plans import OffsetPlan, Page, Plan, StitchedPlan
from fusedesk_async._pagination.prefetch import Stream
from fusedesk_async._pagination.stitching import FetchPage, OrderIgnored, PageStitcher
from fusedesk_async._wire.call import Call, CallSender
from fusedesk_async._wire.name_refs import names_in
from fusedesk_async._wire.readers import Records
from fusedesk_async.errors import ConfigurationError, PaginationError, UnexpectedResponseError, warn
from fusedesk_async.models import Record

if TYPE_CHECKING:
    from anyio import CancelScope

R = TypeVar("R", bound=Record)
OnUnordered: TypeAlias = Literal["raise", "report"]


@public
@attrs.frozen
class WalkReport:
    """What a walk has done so far.

    Attributes:
        calls: Pages that were answered.
        rows: Records that were handed out.
        seams_mended: How often it had to go back since rows had moved.
        salvaged: Answers with noise around them, which was cut off.
        rejected: Records that could not be read; each gave a `FuseDeskWarning`.
        unordered: Whether the server does not keep the order by id, so that rows may be missing.
        odd_fields: Fields that could not be read, so that they are empty; see `Record.odd`.
    """

    calls: int = 0
    rows: int = 0
    seams_mended: int = 0
    salvaged: int = 0
    rejected: int = 0
    unordered: bool = False
    odd_fields: int = 0


@public
class Walk(Stream[R]):
    """All records of a list in the order of their ids. Made by `desk.cases.walk`.

    `async with … as walk`, then `async for record in walk` once. Pages are fetched ahead while you work on a record,
    but no more than twice `concurrency` of them wait for you. Nothing is sent before the first record is asked for,
    and no new call after the block is left.
    """

    _name = "walk"

    def __init__(
        self,
        send: CallSender,
        call: Call[Records[R]],
        identity: Callable[[R], int],
        *,
        page_size: int,
        concurrency: int,
        after: Bookmark | None,
        on_unordered: OnUnordered,
    ) -> None:
        """Prepare the walk.

        Args:
            send: Carries out calls.
            call: Fetches a page in the order of ids, but for `limit` and `offset`. Its names are looked up once, before
                the first page.
            identity: The id of a record.
            page_size: Rows asked for at once, 2 to 500.
            concurrency: How many pages may be in flight at once.
            after: Where another walk through the same list stopped.
            on_unordered: Whether to `raise` if the server does not keep the order, or to `report` it and go on.

        Raises:
            ConfigurationError: One of these cannot be right.
        """
        self._send = send
        self._call = attrs.evolve(call, bulk=True, on_notice=self._heard)
        self._identity = identity
        self._page_size = checked_page_size(page_size, ascending=True)
        self._most_ready = at_least_one(concurrency, "concurrency")
        self._may_be_unordered = one_of(on_unordered, OnUnordered, "on_unordered") == "report"
        self._job = None if any(names_in(call)) else job_of(call)
        self._after = after
        start = resumed_from(after, self._job)
        self._last = start.id, start.rank
        stitcher = PageStitcher(page_size, ahead=concurrency, frontier=start.id, offset=start.rank)
        self._plan: Plan[R] = StitchedPlan(identity, stitcher)
        self._over = False
        self._failure: tuple[int, Exception] | None = None
        self._in_flight: dict[FetchPage, CancelScope] = {}
        self._pages: deque[Page[R]] = deque()
        self._page: Page[R] | None = None
        self._rows: deque[tuple[int, R]] = deque()
        self._calls = self._handed_out = self._salvaged = self._rejected = self._odd_fields = 0
        self._unordered = False

    @property
    def report(self) -> WalkReport:
        """What it has done so far."""
        mended = self._plan.mended
        return WalkReport(
            self._calls,
            self._handed_out,
            mended,
            self._salvaged,
            self._rejected,
            unordered=self._unordered,
            odd_fields=self._odd_fields,
        )

    @property
    def bookmark(self) -> Bookmark:
        """Where another walk with the same filters resumes: `desk.cases.walk(…, after=walk.bookmark)`.

        It is the same whether ids or names were given.

        Raises:
            PaginationError: The server does not keep the order by id, so there is no such position.
            ConfigurationError: It starts anew by names, and nothing has been asked for: their ids are not known yet.
        """
        if self._unordered:
            message = "the server does not keep id order, so this walk cannot be resumed; start a new one"
            raise PaginationError(message)
        if self._job is None and self._after is not None:
            return self._after
        if self._job is None:
            message = "the names of this walk are not looked up before the first case is asked for"
            raise ConfigurationError(message)
        return Bookmark(*self._last, self._job)

    def pages(self) -> AsyncIterator[Page[R]]:
        """The pages one by one, instead of the records. A page counts as done once it was handed out.

        Of a page whose records were handed out in part the others come as a page of their own.
        """
        return _WalkPages(lambda: self._wait_for(self._next_page))

    def _next(self) -> R | None:
        while not self._rows:
            self._page = self._next_answer()
            if self._page is None:
                return None
            self._rows.extend(enumerate(self._page.items, self._page.first_rank))
        rank, record = self._rows.popleft()
        self._last = self._identity(record), rank
        self._handed_out += 1
        return record

    def _next_page(self) -> Page[R] | None:
        page = self._rest_of_page() or self._next_answer()
        if page and page.items:
            self._last = self._identity(page.items[-1]), page.first_rank + len(page.items) - 1
            self._handed_out += len(page.items)
        return page

    def _rest_of_page(self) -> Page[R] | None:
        if not (self._page and self._rows):
            return None
        rest = tuple(record for _, record in self._rows)
        self._rows.clear()
        return attrs.evolve(self._page, items=rest, rejected=())

    def _next_answer(self) -> Page[R] | None:
        page = self._pages.popleft() if self._pages else None
        self._fetch_ahead()
        if page is None and self._plan.done:
            raise StopAsyncIteration
        if page is None and self._failure and all(fetch.offset > self._failure[0] for fetch in self._in_flight):
            self._fail(self._failure[1])
        return page

    def _fetch_ahead(self) -> None:
        """Fetch all pages that may be fetched now; none while the consumer has enough to do."""
        if self._over or not self._open or len(self._pages) >= self._most_ready:
            return
        for fetch in self._plan.pages_to_fetch():
            if self._failure is None or fetch.offset < self._failure[0]:
                self._in_flight[fetch] = self._start(self._fetch, fetch)

    async def _fetch(self, fetch: FetchPage) -> None:
        try:
            if self._job is None:  # so this is the first page, which goes alone
                await self._look_up_names()
            self._answered(fetch, await self._send(page_call(self._call, fetch.offset, self._page_size)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the consumer is to see it
            self._failed(fetch, error)
        finally:
            self._in_flight.pop(fetch, None)
            self._notify()
        self._fetch_ahead()

    async def _look_up_names(self) -> None:
        """From here on the call has ids, so that every page is of the same list, and the bookmark is known."""
        self._call = await self._send.resolve(self._call)
        self._job = job_of(self._call)
        resumed_from(self._after, self._job)

    def _answered(self, fetch: FetchPage, records: Records[R]) -> None:
        self._calls += 1
        if self._over or fetch not in self._in_flight:
            return
        try:
            pages = self._plan.page_received(fetch, records)
        except OrderIgnored:
            if not self._may_go_without_order():
                raise
            pages = self._received_without_order(records)
        self._pages.extend(pages)
        self._rejected += sum(len(page.rejected) for page in pages)
        self._odd_fields += sum(len(page.odd) for page in pages)
        if self._plan.done:
            self._end_in_flight()
        cancelled = set(self._plan.pages_to_cancel())
        for each in [each for each in self._in_flight if each.token in cancelled]:
            self._in_flight.pop(each).cancel()

    def _failed(self, fetch: FetchPage, error: Exception) -> None:
        """Keep a failure for the consumer. Pages before it still come; if the list ends there, it does not count."""
        if self._failure is None or fetch.offset < self._failure[0]:
            self._failure = fetch.offset, error
        self._end_in_flight(-1 if isinstance(error, PaginationError) else fetch.offset)

    def _end_in_flight(self, beyond: int = -1) -> None:
        self._over = self._over or beyond < 0
        for fetch, scope in self._in_flight.items():
            if fetch.offset > beyond:
                scope.cancel()

    def _may_go_without_order(self) -> bool:
        """Whether it was the first answer of all: later it would be unknown what has been missed."""
        return self._may_be_unordered and self._calls == 1 and self._last[0] is None

    def _received_without_order(self, records: Records[R]) -> list[Page[R]]:
        self._unordered = True
        warn("the server does not keep the order by id; rows that move meanwhile are missed")
        self._plan = OffsetPlan(self._identity, self._page_size)
        return self._plan.page_received(self._plan.pages_to_fetch()[0], records)

    def _heard(self, error: UnexpectedResponseError) -> None:
        self._salvaged += not error.path  # what could not be read of a record has a path that begins with its position


class _WalkPages(Generic[R]):
    """The pages of a walk, one by one."""

    def __init__(self, step: Callable[[], Awaitable[Page[R]]]) -> None:
        self._step = step

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[R]:
        return await self._step()
