"""Stitches the pages of a moving list together: given each page, it says which to fetch next. No I/O, no clock.

Theory of operation
===================

*What a page proves.* A page is read at one instant, in the order of ids. So it is an unbroken stretch: it holds every
row that matched throughout and whose id lies between its first and its last, whenever the page was read. Two pages
prove more than that: the page at offset 0 also holds all rows before its first id, and a page that is surely short all
rows after its last. Stretches join where they share a row, or where one begins with the number after the other's last:
ids are whole numbers, so nothing fits between. When stretches join up from offset 0 to the end, nothing that stayed was
missed, however the rows moved while they were read.

*What this rests on.* A page is read at one instant, ids are unique, the server keeps their order. The server may cap
its pages, raise the cap at any time, and lower it, but not to one row and not again within a few pages. Pages of one
row leave nothing to join: a server that sends no others is followed by offset, which is as good as offset paging and no
better.

*State.* The frontier is the last id of the stretch that is joined up so far; every id up to it is settled. Around it:

=====================  =================================================================================================
join_offset            where the next page should begin, so that it shares a row with the frontier although rows leave
lead                   the page in flight that has to join; there is always one, or the walk would stand still
in flight, waiting     pages fetched ahead, and those that came but do not join yet
drift                  how many rows leave before the frontier from page to page, and the ups and downs of that: it says
                       by how many rows pages overlap
apparent_end           the offset at which a page was short: nothing is fetched ahead beyond it, but it may be a cap
steps_back             pages in a row that should have joined and did not: the next goes twice as far to the left
=====================  =================================================================================================

*Events.* A page was received:

=====================  ========================  ======================================  =============================
the page …             delivered                 frontier, join_offset                   else
=====================  ========================  ======================================  =============================
joins, brings rows     the rows above the        to its last id; join_offset behind      drift is measured, steps_back
                       frontier                  that by the overlap                     0; then waiting pages may join
joins, brings nothing  nothing                   the same; join_offset moves on: rows    steps_back 0; the length of a
                                                 came back before the frontier           short one is kept: it may be
                                                                                         the end
is the lead and does   nothing yet               the same; join_offset steps back, 1/2   `mended` counts the first
not join: a gap        (it waits)                page, then 1, 2, 4 …                    step, unreadable ids all
is not the lead and    nothing yet (it waits)    the same                                too many waiting: the farthest
does not join                                                                            are dropped, fetched again
is short               as above                  as above                                apparent_end is its end; a
                                                                                         page that goes on beyond that
                                                                                         shows it was none
has ids that descend   `OrderIgnored`            the walk is over
is the same as others  as above                  after 3 such offsets the next page is   rows there prove that the
at other offsets                                 asked for beyond any list               offset is ignored
=====================  ========================  ======================================  =============================

*When it ends.* With a page that joins and brings nothing, since a short page alone may show a new cap. It is the end if
it is empty; if it has one row and pages have been longer; or if it is short like the one before it, which brought
nothing either, but not as long (equally long ones may show a cap that was lowered). An empty page joins at offset 0
only, and after pages of one row; elsewhere it is a gap. A first page below `complete_below` is the whole list.

*Where the constants come from.* Nothing public tells how FuseDesk caps its pages, how fast its lists move or what it
does with large offsets, so none of them is measured there. The overlap (`DRIFT_MARGIN`, `SURPLUS_DECAY`) and the steps
back were chosen in simulated lists: where five rows leave per call they take 45 calls for what takes 40 at least, and
steps of 1, 2, 4 … rows took 206. The limits (`IDENTICAL_PAGES_LIMIT`, `UNREADABLE_PAGES_LIMIT`) only bound what a
broken server can cost.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import count, pairwise

import attrs

from fusedesk_async.errors import PaginationError

DRIFT_MARGIN = 3
"""Pages overlap by this multiple of the ups and downs of the drift, but by no more than a quarter of a page."""


SURPLUS_DECAY = 0.9
"""What remains of these ups and downs with each page that shows less."""


@attrs.define(eq=False)
class Drift:
    """How many rows before the frontier leave from page to page.

    Attributes:
        steady: Those that always do.
        surplus: The ups and downs beyond them.
    """

    steady: int = 0
    surplus: float = 0.0
    _last: int = 0

    def on_page(self, shift: int) -> None:
        """A page came; `shift` is how many rows had left since the one before it."""
        shift = max(shift, 0)
        self.steady = min(shift, self._last)
        self.surplus = max(shift - self.steady, SURPLUS_DECAY * self.surplus)
        self._last = shift

    def overlap(self, rows: int) -> int:
        """By how many rows the next page should overlap, if it has `rows` rows."""
        margin = math.ceil(DRIFT_MARGIN * self.surplus) if self.surplus * rows >= 1 else 0
        return 1 + min(self.steady, rows) + min(margin, rows // 4)


IDENTICAL_PAGES_LIMIT = 4
"""This many pages at advancing offsets with the same rows prove that the server ignores the offset."""


BEYOND_ANY_LIST = 10**9
"""The offset of the last of those pages: rows that came back could explain the others, but none are there."""


UNREADABLE_PAGES_LIMIT = 8
"""After this many pages that should have joined and did not, each with rows whose id cannot be read, it fails."""


class OrderIgnored(PaginationError):  # noqa: N818 - says what the server did
    """Ids descend inside a page: the server does not keep the order asked for."""


@attrs.frozen
class FetchPage:
    """Fetch a page: as many rows as fit, from this offset."""

    token: int
    offset: int


@attrs.frozen
class DeliverRows:
    """Deliver the rows of this page whose id is larger than `above`, in order. None: all of them."""

    token: int
    above: int | None


@attrs.define(eq=False)
class _Page:
    """A page, asked for or come. `longest` is the length of the longest that had come when it was asked for."""

    token: int
    offset: int
    longest: int
    ids: Sequence[int] = ()
    received: int = 0

    @property
    def end(self) -> int:
        return self.offset + self.received


class PageStitcher:
    """The state of a walk. It remembers no ids but those of the last page and of pages that wait for the one before.

    Every token that was received comes back in a `DeliverRows` sooner or later, unless the walk ends before. A page
    that brings nothing, or was dropped so that not too many wait, comes back with all its rows filtered out.

    Attributes:
        done: The walk has ended; pages that were not delivered are void.
        mended: How many gaps, opened by rows that left, were stepped back over.
        frontier: Every id up to this one is settled; None while none is.
        join_offset: The offset from which the next page should join.
    """

    def __init__(
        self, page_size: int, *, ahead: int = 1, frontier: int | None = None, offset: int = 0, complete_below: int = 0
    ) -> None:
        """Begin a walk, or resume one.

        Args:
            page_size: Rows asked for at once, at least 2.
            ahead: How many pages may be in flight or waiting; one that can join may always be asked for.
            frontier: Where a bookmark says to resume: the id of a row that was delivered.
            offset: The offset at which that row was found.
            complete_below: A first page with fewer rows is believed to be the whole list.
        """
        self.done: bool = False
        self.mended = 0
        self.frontier = frontier
        self.join_offset = min(offset, BEYOND_ANY_LIST - 1)
        self._page_size = page_size
        self._ahead = ahead
        self._complete_below = min(complete_below, page_size) if frontier is None else 0
        self._tokens = count()
        self._newest = -1  # token of a page that joined
        self._lead: _Page | None = None  # the page in flight that has to join
        self._in_flight: dict[int, _Page] = {}
        self._waiting: list[_Page] = []
        self._longest = 0  # rows in a page
        self._last_was_single = False  # whether the last page that joined had one row
        self._short_and_empty: int = 0  # rows in the last page that joined, if it was short and brought nothing
        self._unreadable_pages = 0  # pages without success whose ids cannot be read
        self._steps_back = 0  # without success
        self._drift = Drift()
        self._next_offset = 0 if frontier is None else self.join_offset + 1  # after the frontier, if no row leaves
        self._apparent_end = BEYOND_ANY_LIST  # offset at which the list seems to end
        self._identical: tuple[Sequence[int], set[int]] = (), set()  # the ids of the last page, and their offsets

    def pages_to_fetch(self) -> list[FetchPage]:
        """Which pages to fetch now. They count as in flight until they are received."""
        if self.done:
            return []
        fetches = [] if self._lead else self._fetch_lead()
        return [*fetches, *self._fetch_ahead()]

    def page_received(self, token: int, ids: Sequence[int], received: int) -> list[DeliverRows]:
        """A page came.

        Args:
            token: Which one.
            ids: The ids of its rows in order, without those that cannot be read.
            received: All its rows.

        Returns:
            What is to be delivered now, in order.

        Raises:
            OrderIgnored: Ids descend inside the page.
            PaginationError: The server ignores the offset, or ids that cannot be read keep pages from joining.
        """
        page = self._in_flight.pop(token)
        if self.done:
            return []
        page.ids, page.received = ids, received
        _check_order(page)
        self._check_offset_counts(page)
        self._note_length(page)
        self._waiting.append(page)
        deliveries = list(self._join_waiting())
        if page is self._lead and not deliveries and page.offset != BEYOND_ANY_LIST:
            self._on_gap(page)
        if self._lead and (page is self._lead or self.join_offset >= self._useless_from(self._lead)):
            self._lead = None  # it came, or the frontier has overtaken it
        self.done = self.done or (page.offset == 0 and received < self._complete_below)
        self._complete_below = 0
        return [*deliveries, *self._drop_surplus()]

    def pages_to_cancel(self) -> list[int]:
        """The tokens of pages in flight that lie behind what seems to be the end: not worth a call.

        They no longer count as in flight, and are not to be received. Should it not be the end, they are asked for
        again.
        """
        beyond = [page for page in self._in_flight.values() if page.offset >= self._apparent_end]
        tokens = [page.token for page in beyond if page is not self._lead]
        for token in tokens:
            del self._in_flight[token]
        return tokens

    def _fetch(self, offset: int) -> FetchPage:
        page = _Page(next(self._tokens), offset, self._longest)
        self._in_flight[page.token] = page
        return FetchPage(page.token, offset)

    def _fetch_lead(self) -> list[FetchPage]:
        """One page in flight must be able to join, or the walk would stand still."""
        near = self.join_offset if self._steps_back else max(self.join_offset, self._next_offset - 1)
        useful = [page for page in self._in_flight.values() if self.join_offset < self._useless_from(page)]
        able = [page for page in useful if page.offset <= near]
        fetches: list[FetchPage] = []
        if len(self._identical[1]) >= IDENTICAL_PAGES_LIMIT - 1:
            fetches = [self._fetch(BEYOND_ANY_LIST)]
        elif not able:
            fetches = [self._fetch(self.join_offset)]
        self._lead = self._in_flight[fetches[0].token] if fetches else max(able, key=lambda page: page.offset)
        return fetches

    @property
    def _expected_length(self) -> int:
        """Rows that a page is expected to have."""
        return self._longest or self._page_size

    def _useless_from(self, page: _Page) -> int:
        """The join_offset from which on this page, still in flight, would bring nothing."""
        return page.offset + max(self._expected_length - 1, 1)

    def _fetch_ahead(self) -> Iterator[FetchPage]:
        # The first page tells how long pages are. While there is a gap, more pages would be as far off as the last.
        while self._longest and not self._steps_back and len(self._in_flight) + len(self._waiting) < self._ahead:
            rows = self._expected_length
            ends = [page.offset + rows for page in self._in_flight.values()] + [page.end for page in self._waiting]
            if max(ends) >= self._apparent_end:
                return
            yield self._fetch(max(ends) - min(self._drift.overlap(rows), rows // 2))

    def _note_length(self, page: _Page) -> None:
        if page.received < (page.longest or self._page_size):
            self._apparent_end = min(self._apparent_end, page.end)
        elif page.end > self._apparent_end:
            self._apparent_end = BEYOND_ANY_LIST
        self._longest = max(self._longest, page.received)

    def _joins(self, page: _Page) -> bool:
        if page.offset == 0 or (self._last_was_single and page.received <= 1 and page.offset == self.join_offset):
            return True
        return self.frontier is not None and bool(page.ids) and page.ids[0] <= self.frontier + 1

    def _join_waiting(self) -> Iterator[DeliverRows]:
        while not self.done and (joining := [page for page in self._waiting if self._joins(page)]):
            page = min(joining, key=lambda page: page.offset)
            self._waiting.remove(page)
            yield DeliverRows(page.token, self.frontier)
            self._last_was_single = page.received == 1
            self._steps_back = 0
            if page.ids and (self.frontier is None or page.ids[-1] > self.frontier):
                self._on_rows(page)
            else:
                self._on_no_rows(page)
            self._newest = max(self._newest, page.token)

    def _on_rows(self, page: _Page) -> None:
        """The page brings rows."""
        known = 0 if self.frontier is None else bisect_right(page.ids, self.frontier)
        if page.token > self._newest:  # an older page knows older offsets
            self._drift.on_page(self._next_offset - page.offset - known)
            self._next_offset = page.offset + known
        self._next_offset += len(page.ids) - known  # not `received`: unreadable rows may stand behind the frontier
        self.frontier = page.ids[-1]
        overlap = 0 if self._last_was_single else self._drift.overlap(self._expected_length)
        self.join_offset = max(0, self._next_offset - overlap)
        self._short_and_empty = self._unreadable_pages = 0

    def _on_no_rows(self, page: _Page) -> None:
        """The page brings nothing: rows came back before the frontier, or the list has ended.

        The end is a page of one row, or two short ones. If these are equally long, the server may have lowered its cap.
        """
        short = page.received < page.longest
        last = short and page.received != self._short_and_empty
        self.done = not page.received or (last and (page.received == 1 or self._short_and_empty > 0))
        self._short_and_empty = page.received if short else 0
        if page.token > self._newest:
            self._drift.on_page(self._next_offset - page.end if last else 0)
            self._next_offset = page.end
            overlap = self._drift.overlap(self._expected_length)
            if last:
                self.join_offset = max(0, page.end - overlap)
            else:
                self.join_offset = max(self.join_offset, page.end - min(overlap, page.received // 2))

    def _on_gap(self, page: _Page) -> None:
        """Rows left: the next one is further to the left than thought. A call costs the same however far it goes."""
        self._unreadable_pages += len(page.ids) < page.received
        if self._unreadable_pages == UNREADABLE_PAGES_LIMIT:
            pages = f"{UNREADABLE_PAGES_LIMIT} pages around offset {page.offset}"
            message = f"{pages} do not join, since ids cannot be read there"
            raise PaginationError(message)
        self.mended += not self._steps_back
        step = max(self._expected_length // 2, 1) << self._steps_back
        self.join_offset = max(0, min(self.join_offset, page.offset) - step)
        self._steps_back += 1

    def _drop_surplus(self) -> list[DeliverRows]:
        """Keep no more pages than allowed, those nearest to the frontier."""
        room = max(0, self._ahead - len([page for page in self._in_flight.values() if page is not self._lead]))
        kept = sorted((page for page in self._waiting if page.received), key=lambda page: page.offset)[:room]
        dropped = [page for page in self._waiting if page not in kept]
        self._waiting = kept
        return [DeliverRows(page.token, page.ids[-1] if page.ids else self.frontier) for page in dropped]

    def _check_offset_counts(self, page: _Page) -> None:
        if page.offset == BEYOND_ANY_LIST and page.received:
            pages = f"{IDENTICAL_PAGES_LIMIT} pages at growing offsets"
            message = f"{pages} are the same {page.received} rows; the offset is ignored"
            raise PaginationError(message)
        offsets = self._identical[1] if page.ids and page.ids == self._identical[0] else set[int]()
        self._identical = page.ids, offsets | {page.offset}


def _check_order(page: _Page) -> None:
    for one, other in pairwise(page.ids):
        if one > other:
            message = f"the server does not keep the order asked for: {one} comes before {other} in a page"
            raise OrderIgnored(message)
