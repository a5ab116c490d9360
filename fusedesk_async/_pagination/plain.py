"""Plain paging, for lists in an order that is not that of ids: one page behind the other, and what was seen is dropped.

A row that changes its position meanwhile may be missed. Where that order was not wanted, the list is gone through
again until a pass brings nothing new.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, Generic, TypeVar

from fusedesk_async._pagination.asking import Asking, Conversation, Effort, FetchPage, Outcome, failed
from fusedesk_async._pagination.inquiry import MOST_UNREADABLE_TOGETHER
from fusedesk_async._pagination.page import Page
from fusedesk_async._pagination.stitching import BEYOND_ANY_LIST
from fusedesk_async._pagination.unreadable import UnreadableRow
from fusedesk_async._wire.profile import LearnedProfile, OrderBy
from fusedesk_async._wire.readers import Records
from fusedesk_async.errors import FuseDeskError, PaginationError
from fusedesk_async.models import Record

R = TypeVar("R", bound=Record)

SMALLEST_CAP = 100
"""Rows. A first page with fewer is believed to be the whole list of a search, if the server has sent longer ones."""

MOST_PASSES = 5
SHRINK = 4
IDENTICAL_PAGES = 3
"""So many pages at advancing offsets with the same rows say that the offset may be ignored."""


class PlainPlan(Generic[R]):
    """Takes one page after the other, by the rows received, and remembers all that came.

    Args:
        identity: Tells records apart.
        page_size: How many rows are asked for at once.
        profile: What is known of the server.
        order: How to ask for the order; None as the call has it.
        is_seen: Whether a record counts as delivered already.
        until_nothing_new: Whether it is gone through again until nothing new comes.
        trusts_empty: Whether a list that is well-formed and empty is believed to be so.
    """

    mended = 0
    unordered = False

    def __init__(
        self,
        identity: Callable[[R], Any],
        page_size: int,
        profile: LearnedProfile | None = None,
        *,
        order: OrderBy | None = None,
        is_seen: Callable[[R], bool] | None = None,
        until_nothing_new: bool = False,
        trusts_empty: bool = True,
        tokens: Iterator[int] | None = None,
    ) -> None:
        self._identity = identity
        self._page_size = self._size = page_size
        self._profile = profile or LearnedProfile()
        self._order: OrderBy | None = order
        self._is_seen = is_seen
        self._again = until_nothing_new
        self._trusts_empty = trusts_empty
        self._tokens = tokens or count()
        self._seen: set[Any] = set()
        self._longest = min(self._profile.longest_page, page_size)
        self._last_id: int | None = None
        self._passed: list[tuple[int, str]] = []
        self._reported: set[tuple[int | None, int | None]] = set()
        self._records: dict[int, Records[R]] = {}
        self._pages: list[Page[R]] = []
        self._progress = False
        self._effort = Effort()
        self._offset = 0
        self._talk = Conversation(self._passes())

    @property
    def done(self) -> bool:
        """Whether the list has ended."""
        return self._talk.is_over

    def expects(self, fetch: FetchPage) -> bool:
        """Whether this is the page in flight."""
        return self._talk.waits_for(fetch)

    def pages_to_fetch(self) -> list[FetchPage]:
        """The page to fetch now, if it is not in flight."""
        return [self._effort.bounded(fetch) for fetch in self._talk.pages_to_fetch()]

    def pages_to_cancel(self) -> list[int]:
        """None: there is never more than one page in flight."""
        return []

    def page_received(self, fetch: FetchPage, records: Records[R], attempts: int = 1) -> list[Page[R]]:
        """A page was received.

        Raises:
            PaginationError: The server ignores the offset, or nothing new comes.
        """
        rows: list[Any] = [self._identity(record) for record in records.items]
        rows += [(error.record_id, error.message) for error in records.rejected]
        self._profile.longest_page = max(self._profile.longest_page, records.received)
        self._records = {fetch.token: records}
        nothing = records.nothing or (None if records.received else "list")
        return self._tell(Outcome(fetch, rows, records.received, nothing), attempts)

    def page_failed(self, fetch: FetchPage, error: FuseDeskError, attempts: int = 1) -> list[Page[R]]:
        """A page cannot be had.

        Raises:
            FuseDeskError: It is no matter of this page, or an outage.
        """
        outcome = failed(fetch, error)
        if outcome is None:
            raise error
        return self._tell(outcome, attempts)

    def _tell(self, outcome: Outcome, attempts: int) -> list[Page[R]]:
        self._progress = False
        try:
            self._talk.send(outcome)
        except PaginationError:
            raise
        except FuseDeskError:  # an outage; it may be gone on with
            self._talk, self._effort = Conversation(self._passes(self._offset)), Effort()
            raise
        if not self._effort.on_outcome(attempts, progress=self._progress) and not self.done:
            message = f"nothing new comes at offset {outcome.fetch.offset}, whatever is asked for"
            raise PaginationError(message)
        pages, self._pages = self._pages, []
        return pages

    def _ask(self, offset: int, limit: int, attempts: int | None = None) -> Asking[Outcome]:
        return (yield FetchPage(next(self._tokens), offset, limit, self._order, attempts))

    def _passes(self, start: int = 0) -> Asking[None]:
        for number in range(MOST_PASSES):
            before = len(self._seen)
            yield from self._one_pass(0 if number else start)
            if not self._again or (number and len(self._seen) == before):
                return

    def _one_pass(self, offset: int) -> Asking[None]:
        seen, before, identical = set[Any](), Outcome(FetchPage(-1, 0, 0)), 1
        self._last_id = None if offset == 0 else self._last_id
        while True:
            self._offset = offset
            page = yield from self._ask(offset, self._size)
            if page.received:
                self._size = min(self._page_size, 2 * self._size)
            else:
                page = yield from self._insist(page, before)
            if not page.received and self._knows_little(before):
                page = yield from self._ask(before.fetch.offset + before.fetch.limit, self._size)
            if not page.received:
                if self._passed or not self._seen:
                    self._pages.append(Page((), page.fetch.offset, 0, (), self._unreadable(None)))
                return
            offset = page.fetch.offset
            fresh = [row for row in page.ids if row not in seen]
            seen.update(fresh)
            self._deliver(page, progress=bool(fresh))
            identical = identical + 1 if page.ids == before.ids else 1
            if self._is_whole(page) or (
                identical % IDENTICAL_PAGES == 0 and (yield from self._is_last_page_again(page))
            ):
                return
            offset, before = self._after(page, before, fresh=bool(fresh)), page

    def _after(self, page: Outcome, before: Outcome, *, fresh: bool) -> int:
        """Where the next page begins. Behind a short one all of its window is passed, so that it is a look beyond."""
        offset, limit = page.fetch.offset, page.fetch.limit
        if page.received < min(limit, self._longest if fresh else limit):
            return offset + limit
        if before.received and before.fetch.offset + before.received < offset:
            self._profile.learn(short_pages=True)
        self._longest = max(self._longest, page.received)
        overlap = page.received // 10 if self._again else 0
        return offset + max(1, min(page.received, limit) - overlap)

    def _knows_little(self, before: Outcome) -> bool:
        """Whether the page before was the longest of all and far from full, so that one further on may tell more."""
        return 0 < 2 * before.received < before.fetch.limit and self._profile.longest_page <= before.received

    def _is_whole(self, page: Outcome) -> bool:
        """Whether a first page is all there is: a short one, of a server that has sent longer ones."""
        known = self._profile
        longer = page.received < min(known.longest_page, SMALLEST_CAP, page.fetch.limit)
        return page.fetch.offset == 0 and longer and self._trusts_empty and not known.value.short_pages

    def _insist(self, page: Outcome, before: Outcome) -> Asking[Outcome]:
        """A page that is empty, or cannot be had: in another form; what came in its place, or an empty one."""
        if page.nothing and self._is_believed(page, before):
            return page
        offset = max(page.fetch.offset, before.fetch.offset + before.received)  # without the overlap, which came
        if page.nothing:
            row = yield from self._ask(offset, 1)
            if row.nothing and (yield from self._is_end(row)):
                if page.nothing != "list" and page.nothing == row.nothing:
                    self._profile.learn(nothing=page.nothing)
                return page
        return (yield from self._narrow(offset, page.fetch.limit))

    def _is_believed(self, page: Outcome, before: Outcome) -> bool:
        if page.nothing not in {"list", self._profile.value.nothing}:
            return False
        was_short = 0 < before.received < min(before.fetch.limit, self._longest)
        return was_short or (self._trusts_empty and page.nothing == "list")

    def _narrow(self, offset: int, limit: int) -> Asking[Outcome]:
        """Smaller pages from this offset, until one comes; rows that cannot be had are passed over."""
        size = max(1, limit // SHRINK)
        while True:
            found = yield from self._ask(offset, size, None if size == 1 else 1)
            if found.received:
                self._size = min(self._page_size, size * SHRINK)
                return found
            if size > 1:
                size = max(1, size // SHRINK)
            elif (yield from self._is_end(found)):
                return found
            else:
                self._pass_over(offset, found.reason)
                offset, size = offset + 1, max(1, self._page_size // SHRINK**2)

    def _is_end(self, row: Outcome) -> Asking[bool]:
        """Whether nothing comes from this rank since the list ends there; else its row cannot be had.

        Further on, the end is said in the same way.

        Raises:
            FuseDeskError: Nothing is answered at all: it is an outage.
        """
        rank = row.fetch.offset
        looks = [(rank + 1, 1), (rank + self._page_size, self._page_size)][: 1 if self._trusts_empty else 2]
        if row.error:
            known = rank - 1 - len(self._passed)  # the last row that came
            looks = [(known, 1)] if known >= 0 else [(rank + 1, 1), (rank + self._page_size, 1)]
        elif row.nothing not in {"list", self._profile.value.nothing}:
            looks.append((BEYOND_ANY_LIST, 1))  # where no row can tell
        for offset, limit in looks:
            look = yield from self._ask(offset, limit, 1)
            if look.received or (look.nothing and look.nothing != row.nothing):
                return False
        if row.error:
            raise row.error
        return True

    def _pass_over(self, rank: int, reason: str) -> None:
        self._passed.append((rank, reason))
        self._progress = True
        if len(self._passed) > MOST_UNREADABLE_TOGETHER:
            message = f"{MOST_UNREADABLE_TOGETHER} rows in a row cannot be had before offset {rank} ({reason})"
            raise PaginationError(message)

    def _deliver(self, page: Outcome, *, progress: bool) -> None:
        records = self._records[page.fetch.token]
        items = tuple(self._new(records.items))
        unreadable = self._unreadable(_whole_number(page.ids[0]))
        self._last_id = _whole_number(page.ids[-1])
        self._progress = progress
        self._pages.append(Page(items, page.fetch.offset, records.received, records.rejected, unreadable))

    def _unreadable(self, before: int | None) -> tuple[UnreadableRow, ...]:
        """What was passed over since the last row that came, unless a pass before this one has reported it."""
        after, passed = self._last_id, self._passed
        self._passed = []
        if not passed or (after, before) in self._reported:
            return ()
        self._reported.add((after, before))
        return tuple(UnreadableRow(rank, after, before, reason) for rank, reason in passed)

    def _new(self, records: Sequence[R]) -> Iterator[R]:
        for record in records:
            identity = self._identity(record)
            if identity not in self._seen and not (self._is_seen and self._is_seen(record)):
                yield record
            self._seen.add(identity)

    def _is_last_page_again(self, page: Outcome) -> Asking[bool]:
        """Whether pages at advancing offsets are the same since the last one comes for whatever is beyond the end.

        Raises:
            PaginationError: They are, since the server ignores the offset.
        """
        first, second = (yield from self._ask(0, 2)), (yield from self._ask(1, 1))
        if first.received > 1 and first.ids[:1] == second.ids:
            message = f"pages at growing offsets are the same {page.received} rows; the offset is ignored"
            raise PaginationError(message)
        beyond = yield from self._ask(BEYOND_ANY_LIST, 1)
        return bool(beyond.received) and beyond.ids == page.ids[-1:]


def _whole_number(identity: Any) -> int | None:
    return identity if isinstance(identity, int) else None
