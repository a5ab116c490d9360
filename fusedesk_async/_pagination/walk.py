"""A whole list in the order of its ids: fetched ahead, nothing lost, resumable."""

import logging
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Generic, Literal, Self, TypeAlias, TypeVar

import attrs

from fusedesk_async._checks import at_least_one, one_of
from fusedesk_async._exports import public
from fusedesk_async._pagination.asking import FetchPage, is_matter_of_page
from fusedesk_async._pagination.bookmark import Bookmark, job_of, resumed_from
from fusedesk_async._pagination.id_plan import IdPlan, Start
from fusedesk_async._pagination.iteration import NOT_LOSSLESS, with_request
from fusedesk_async._pagination.page import Page
from fusedesk_async._pagination.pages import checked_page_size, page_call
from fusedesk_async._pagination.prefetch import Stream
from fusedesk_async._pagination.unreadable import UnreadableRow
from fusedesk_async._wire.call import Call, CallSender
from fusedesk_async._wire.name_refs import names_in
from fusedesk_async._wire.profile import LearnedProfile
from fusedesk_async._wire.readers import Records
from fusedesk_async.errors import (
    ConfigurationError,
    FuseDeskError,
    PaginationError,
    UnexpectedResponseError,
    warn,
)
from fusedesk_async.models import Record

if TYPE_CHECKING:
    from anyio import CancelScope

R = TypeVar("R", bound=Record)
OnUnordered: TypeAlias = Literal["raise", "report"]

logger = logging.getLogger("fusedesk_async")

MOST_UNREADABLE_LISTED = 1_000
"""Rows that cannot be had and are listed in a report; more are counted only."""


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
        unordered: Whether the server does not keep the order by id, or sends pages with gaps in them, so that rows that
            moved meanwhile may be missing.
        unreadable: Rows that cannot be had and were passed over, the first 1,000 of them; each gave a
            `FuseDeskWarning`.
        unreadable_count: How many these are in all.
        odd_fields: Fields that could not be read, so that they are empty; see `Record.odd`.
    """

    calls: int = 0
    rows: int = 0
    seams_mended: int = 0
    salvaged: int = 0
    rejected: int = 0
    unordered: bool = False
    odd_fields: int = 0
    unreadable: tuple[UnreadableRow, ...] = ()
    unreadable_count: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether nothing that came by now is known or suspected to be missing."""
        return not (self.unordered or self.rejected or self.unreadable_count)


@public
class Walk(Stream[R]):
    """All records of a list in the order of their ids. Made by `desk.cases.walk`.

    `async with … as walk`, then `async for record in walk` once. Pages are fetched ahead while you work on a record,
    but no more than twice `concurrency` of them wait for you. Nothing is sent before the first record is asked for,
    and no new call after the block is left.
    """

    _name = "walk"
    _over = False
    _failure: tuple[int, Exception] | None = None
    _page: Page[R] | None = None
    _calls = _handed_out = _salvaged = _rejected = _odd_fields = _unreadable_count = 0
    _unordered = False

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
        profile: LearnedProfile | None = None,
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
            profile: What is known of the server.

        Raises:
            ConfigurationError: One of these cannot be right.
        """
        self._send = send
        self._call = attrs.evolve(call, bulk=True, on_notice=self._heard)
        self._identity = identity
        self._most_ready = at_least_one(concurrency, "concurrency")
        self._job = None if any(names_in(call)) else job_of(call)
        self._after = after
        start = resumed_from(after, self._job)
        self._last = start.id, start.rank
        rows = checked_page_size(page_size, ascending=True)
        may_be_unordered = one_of(on_unordered, OnUnordered, "on_unordered") == "report"
        self._plan = IdPlan(
            identity,
            rows,
            profile or LearnedProfile(),
            ahead=concurrency,
            start=Start(start.id, start.rank, start.descending),
            may_be_unordered=may_be_unordered,
        )
        self._in_flight: dict[FetchPage, CancelScope] = {}
        self._pages: deque[Page[R]] = deque()
        self._rows: deque[tuple[int, R]] = deque()
        self._unreadable: list[UnreadableRow] = []
        self._retries: Counter[int] = Counter()  # by the token of a page

    @property
    def report(self) -> WalkReport:
        """What it has done so far."""
        return WalkReport(
            calls=self._calls,
            rows=self._handed_out,
            seams_mended=self._plan.mended,
            salvaged=self._salvaged,
            rejected=self._rejected,
            unordered=self._unordered,
            unreadable=tuple(self._unreadable),
            unreadable_count=self._unreadable_count,
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
        if self._plan.is_plain:
            message = "the server does not keep id order, so this walk cannot be resumed; start a new one"
            raise PaginationError(message)
        if self._job is None and self._after is not None:
            return self._after
        if self._job is None:
            message = "the names of this walk are not looked up before the first case is asked for"
            raise ConfigurationError(message)
        return Bookmark(*self._last, self._job, self._plan.is_mirrored)

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
            call = attrs.evolve(page_call(self._call, fetch), on_retry=partial(self._on_retry, fetch))
            records = await self._send(call)
            self._answered(fetch, records)
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

    def _on_retry(self, fetch: FetchPage, error: FuseDeskError) -> None:
        del error
        self._retries[fetch.token] += 1

    def _answered(self, fetch: FetchPage, answer: Records[R] | FuseDeskError) -> None:
        """A page came, or cannot be had."""
        if self._over or fetch not in self._in_flight:
            return
        attempts = 1 + self._retries.pop(fetch.token, 0)
        try:
            if isinstance(answer, FuseDeskError):
                pages = self._plan.page_failed(fetch, answer, attempts)
            else:
                self._calls += 1
                pages = self._plan.page_received(fetch, answer, attempts)
        except PaginationError as error:
            raise with_request(error, self._call, attempts) from error.__cause__
        self._pages.extend(pages)
        self._rejected += sum(len(page.rejected) for page in pages)
        self._odd_fields += sum(len(page.odd) for page in pages)
        if self._plan.done:
            self._end_in_flight()
        cancelled = set(self._plan.pages_to_cancel())
        for each in [each for each in self._in_flight if each.token in cancelled]:
            self._in_flight.pop(each).cancel()
        self._tell(pages)

    def _tell(self, pages: list[Page[R]]) -> None:
        """Warn of what is missing, or may be."""
        rows = [row for page in pages for row in page.unreadable]
        self._unreadable_count += len(rows)
        self._unreadable += rows[: MOST_UNREADABLE_LISTED - len(self._unreadable)]
        for row in rows:
            warn(str(row))
        if self._plan.unordered and not self._unordered:
            self._unordered = True
            logger.warning("not lossless: %s", NOT_LOSSLESS)
            warn(NOT_LOSSLESS)

    def _failed(self, fetch: FetchPage, error: Exception) -> None:
        """A page that cannot be had is the plan's matter; any other failure is kept for the consumer.

        Pages before it still come; if the list ends there, it does not count.
        """
        if isinstance(error, FuseDeskError) and not isinstance(error, PaginationError) and is_matter_of_page(error):
            try:
                self._answered(fetch, error)
            except Exception as raised:  # noqa: BLE001 - likewise
                error = raised
            else:
                return
        if self._failure is None or fetch.offset < self._failure[0]:
            self._failure = fetch.offset, error
        self._end_in_flight(-1 if isinstance(error, PaginationError) else fetch.offset)

    def _end_in_flight(self, beyond: int = -1) -> None:
        self._over = self._over or beyond < 0
        for fetch, scope in self._in_flight.items():
            if fetch.offset > beyond:
                scope.cancel()

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
