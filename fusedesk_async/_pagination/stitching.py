"""Stitches the pages of a moving list together: given each page, it says which to fetch next. No I/O, no clock.

Theory of operation
===================

*What a page proves.* A page is read at one instant, in the order of ids. So it is an unbroken stretch: it holds every
row that matched throughout and whose id lies between its first and its last, whenever the page was read. Two pages
prove more than that: the page at offset 0 also holds all rows before its first id, and the newest row, asked for by
itself, that there are none after it. Stretches join where they share a row, or where one begins with the number after
the other's last: ids are whole numbers, so nothing fits between. When stretches join up from offset 0 to the end,
nothing that stayed was missed, however the rows moved while they were read.

*What this rests on.* A page is read at one instant, ids are unique, the server keeps their order. Where it does not, or
answers with nothing, with less than it has, or not at all, this part says so (`doubt`) and others ask until it is
clear: `ends.py` whether a list has ended, `narrowing.py` which row cannot be had, `forms.py` how the server wants to be
asked. Where ids descend, they come here with their signs turned.

*State.* The frontier is the last id of the stretch that is joined up so far; every id up to it is settled. Around it:

=====================  =================================================================================================
rank                   where the frontier's row was when it came
join_offset            where the next page should begin, so that it shares a row with the frontier although rows leave
lead                   the page in flight that has to join; there is always one, or the walk would stand still
in flight, waiting     pages fetched ahead, and those that came but do not join yet
drift                  how many rows leave before the frontier from page to page, and the ups and downs of that: it says
                       by how many rows pages overlap
apparent_end           the offset at which a page was short or could not be had: nothing is fetched ahead beyond it
seek                   while it looks for the frontier's row: what is known to be before and behind it
size                   rows to ask for at once: less than wanted where a page was too heavy, growing behind it
=====================  =================================================================================================

*Events.* A page was received:

=====================  ========================  ======================================  =============================
the page …             delivered                 frontier, join_offset                   else
=====================  ========================  ======================================  =============================
joins, brings rows     the rows above the        to its last id; join_offset behind      drift is measured; then waiting
                       frontier                  that by the overlap                     pages may join
joins, brings nothing  nothing                   the same; join_offset moves on, ever    `doubt` is "same" if it is the
although it is full                              further: rows came back                 page that came before it
joins and is short     as above                  as above                                `doubt` is "end": it may be the
                                                                                         end, or a lower cap
is the lead and does   nothing yet               the same; join_offset steps back, 1/2   `mended` counts the first
not join: a gap        (it waits)                page and more as ids tell, then further  step, unreadable ids all
is not the lead and    nothing yet (it waits)    the same                                too many waiting: the farthest
does not join                                                                            are dropped, fetched again
is the lead, and is    nothing                   the same, until it is clear what        `doubt` is "empty" at offset 0,
empty                                            became of its rows                      else "gap"
=====================  ========================  ======================================  =============================

*Where the constants come from.* Nothing public tells how FuseDesk caps its pages, how fast its lists move or what it
does with large offsets, so none of them is measured there. The overlap (`DRIFT_MARGIN`, `SURPLUS_DECAY`) was chosen in
simulated lists: where five rows leave per call they take 45 calls for what takes 40 at least.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from fusedesk_async._pagination.asking import FetchPage
from fusedesk_async._pagination.seeking import STEP_GROWTH, Landmark, Seek
from fusedesk_async.errors import PaginationError

if TYPE_CHECKING:
    from fusedesk_async._wire.profile import OrderBy

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


BEYOND_ANY_LIST = 10**9
"""No offset is larger."""


UNREADABLE_PAGES_LIMIT = 8
"""After this many pages that should have joined and did not, each with rows whose id cannot be read, it fails."""


Doubt: TypeAlias = Literal["end", "empty", "gap", "same"]


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
    limit: int
    longest: int
    joins: bool = False
    ids: Sequence[int] = ()
    received: int = 0

    @property
    def end(self) -> int:
        return self.offset + self.span

    @property
    def span(self) -> int:
        """How many rows of the list it covers; a page that is longer than asked holds some twice."""
        return min(self.received, self.limit)

    @property
    def is_short(self) -> bool:
        return self.received < min(self.limit, self.longest or self.limit)


class PageStitcher:
    """The state of a walk. It remembers no ids but those of the last page and of pages that wait for the one before.

    Every token that was received comes back in a `DeliverRows` sooner or later, unless the walk ends before. A page
    that brings nothing, or was dropped so that not too many wait, comes back with all its rows filtered out.

    Attributes:
        done: The walk has ended; pages that were not delivered are void.
        doubt: What has to be found out before it can continue. Nothing is fetched meanwhile.
        mended: How many gaps, opened by rows that left, were stepped back over.
        frontier: Every id up to this one is settled; None while none is.
        join_offset: The offset from which the next page should join.
        size: Rows to ask for at once.
        order: How to ask for the order of ids; None as the call has it.
        longest: The most rows that came in one page, as far as that tells of a cap.
        located: Whether the frontier's row was found again since that was last asked.
        seek: The search for the frontier's row while rows have moved.
        rounds: Whether offsets are rounded down to multiples of the limit: pages are asked for at such.
    """

    def __init__(
        self,
        page_size: int,
        *,
        ahead: int = 1,
        frontier: int | None = None,
        offset: int = 0,
        longest: int = 0,
        tokens: Iterator[int] | None = None,
    ) -> None:
        """Begin a walk, or resume one.

        Args:
            page_size: Rows asked for at once, at least 2.
            ahead: How many pages may be in flight or waiting; one that can join may always be asked for.
            frontier: Where a bookmark says to resume: the id of a row that was delivered.
            offset: The offset at which that row was found.
            longest: The longest page that the server is known to send; 0 if that is not known.
            tokens: Numbers for the pages.
        """
        self.done: bool = False
        self.doubt: Doubt | None = None
        self.mended = 0
        self.frontier = frontier
        self.join_offset = min(offset, BEYOND_ANY_LIST - 1)
        self.size = page_size
        self.order: OrderBy | None = None
        self.rounds = self.located = False
        self._page_size = page_size
        self._heavy = page_size + 1  # rows of a page that was too heavy
        self._ahead = ahead
        self._tokens = tokens or count()
        self._newest = -1  # token of a page that joined
        self._lead: _Page | None = None  # the page in flight that has to join
        self._in_flight: dict[int, _Page] = {}
        self._waiting: list[_Page] = []
        self._last: _Page | None = None  # the last one that joined
        self._brought: tuple[int, Sequence[int]] = 0, ()  # offset and ids of the last one that brought rows
        self.longest = longest  # rows in a page
        self._unreadable_pages = 0  # pages without success whose ids cannot be read
        self.seek = Seek()
        self._drift = Drift()
        self._next_offset = 0 if frontier is None else self.join_offset + 1  # after the frontier, if no row leaves
        self._apparent_end = BEYOND_ANY_LIST  # offset at which the list seems to end

    @property
    def rank(self) -> int:
        """Where the frontier's row is, if no row has moved since it came; -1 while there is none."""
        return self._next_offset - 1

    @property
    def sends_single_rows(self) -> bool:
        """Whether no page had more than one row yet."""
        return self.longest <= 1

    @property
    def waiting(self) -> set[int]:
        """The tokens of pages that came but do not join yet."""
        return {page.token for page in self._waiting}

    def limit_to(self, rows: int) -> None:
        """The server takes no larger limit."""
        self._page_size = self.size = rows
        self._heavy = rows + 1

    def pages_to_fetch(self) -> list[FetchPage]:
        """Which pages to fetch now. They count as in flight until they are received."""
        if self.done or self.doubt:
            return []
        fetches = [] if self._lead else self._fetch_lead()
        return [*fetches, *self._fetch_ahead()]

    @property
    def in_flight(self) -> set[int]:
        """The tokens of pages in flight."""
        return {*self._in_flight}

    def is_lead(self, token: int) -> bool:
        """Whether this is the page that has to join."""
        return self._lead is not None and self._lead.token == token

    def page_received(self, token: int, ids: Sequence[int], received: int) -> list[DeliverRows]:
        """A page came.

        Args:
            token: Which one.
            ids: The ids of its rows in order, without those that cannot be read.
            received: All its rows.

        Returns:
            What is to be delivered now, in order.

        Raises:
            PaginationError: Ids that cannot be read keep pages from joining.
        """
        page = self._in_flight.pop(token)
        if self.done:
            return []
        page.ids, page.received = ids, received
        return self._take(page, leads=page is self._lead)

    def take(self, fetch: FetchPage, ids: Sequence[int], received: int, *, joins: bool = False) -> list[DeliverRows]:
        """A page that somebody else has asked for, to settle a doubt, in place of the lead.

        Args:
            fetch: What was asked for.
            ids: As for `page_received`.
            received: Likewise.
            joins: Whether it joins whatever its ids are, since it begins right behind what was passed over.
        """
        self.settle()
        page = _Page(fetch.token, fetch.offset, fetch.limit, self.longest, joins, ids, received)
        return self._take(page, leads=True)

    def page_failed(self, token: int) -> bool:
        """A page cannot be had. If it was fetched ahead, it is asked for again in its turn; whether it was the lead."""
        page = self._in_flight.pop(token)
        leads, self._lead = page is self._lead, None if page is self._lead else self._lead
        self._apparent_end = min(self._apparent_end, page.offset)
        return leads

    def settle(self) -> None:
        """The doubt is settled, or a page settles it."""
        self.doubt = None
        self._lead = None

    def too_heavy(self, size: int) -> None:
        """A page of this size cannot be had: smaller ones are asked for, and do not grow so far again soon."""
        self._heavy = min(self._heavy, size)
        self.size = max(2, size // STEP_GROWTH)

    def lighten(self, size: int) -> None:
        """It was not the weight but one row, which is passed over now; this many rows came behind it."""
        self._heavy = self._page_size + 1
        self.size = max(2, size)

    def found_at(self, rank: int) -> None:
        """The frontier's row is at this offset now."""
        self.settle()
        self.join_offset, self._next_offset = rank, rank + 1
        self.seek.found()
        self.seek.found_at = rank
        self.located = True

    def step_back(self, offset: int, found: int | None) -> None:
        """This id at this offset, or none, is behind the frontier: the next page begins further to the left."""
        self.settle()
        self._step_back(Landmark(offset, found))

    def step_on(self, offset: int, found: int | None) -> None:
        """This id at this offset is before the frontier: the next page begins further to the right."""
        self.settle()
        self._step_on(Landmark(offset + 1, found), near=max(self.join_offset, offset + 1), span=0)

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

    def _fetch(self, offset: int, limit: int) -> FetchPage:
        page = _Page(next(self._tokens), offset, limit, self.longest)
        self._in_flight[page.token] = page
        return FetchPage(page.token, offset, limit, self.order)

    def _fetch_lead(self) -> list[FetchPage]:
        """One page in flight must be able to join, or the walk would stand still."""
        near = self.join_offset if self.seek.steps_back else max(self.join_offset, self._next_offset - 1)
        useful = [page for page in self._in_flight.values() if self.join_offset < self._useless_from(page)]
        able = [page for page in useful if page.offset <= near]
        fetches: list[FetchPage] = []
        if not able:
            fetches = [self._fetch(*self._next_page())]
        self._lead = self._in_flight[fetches[0].token] if fetches else max(able, key=lambda page: page.offset)
        return fetches

    def _next_page(self) -> tuple[int, int]:
        """Offset and limit of the next page. Where offsets are rounded, the former is a multiple of the latter."""
        if not self.rounds:
            return self.join_offset, self.size
        rank = self.join_offset if self.seek.steps_back else max(self.rank, 0)
        limit = max(range(self._page_size, 1, -1), key=lambda limit: limit - rank % limit)
        return rank - rank % limit, limit

    @property
    def _expected_length(self) -> int:
        """Rows that a page is expected to have."""
        return min(self.longest or self._page_size, self.size)

    def _useless_from(self, page: _Page) -> int:
        """The join_offset from which on this page, still in flight, would bring nothing."""
        return page.offset + max(min(self._expected_length, page.limit) - 1, 1)

    def _fetch_ahead(self) -> Iterator[FetchPage]:
        # The first page tells how long pages are. While there is a gap, more pages would be as far off as the last.
        seeking = self.seek.is_on or self.rounds or self._last is None
        while not seeking and len(self._in_flight) + len(self._waiting) < self._ahead:
            rows = self._expected_length
            ends = [page.offset + min(rows, page.limit) for page in self._in_flight.values()]
            ends += [page.end for page in self._waiting]
            if max(ends) >= self._apparent_end:
                return
            yield self._fetch(max(ends) - min(self._drift.overlap(rows), rows // 2), self.size)

    def _take(self, page: _Page, *, leads: bool) -> list[DeliverRows]:
        self._note_length(page)
        self._waiting.append(page)
        deliveries = list(self._join_waiting())
        if leads and not deliveries:
            self._on_gap(page)
        if self._lead and (page is self._lead or self.join_offset >= self._useless_from(self._lead)):
            self._lead = None  # it came, or the frontier has overtaken it
        return [*deliveries, *self._drop_surplus()]

    def _note_length(self, page: _Page) -> None:
        if page.is_short:
            self._apparent_end = min(self._apparent_end, page.end)
        elif page.end > self._apparent_end:
            self._apparent_end = BEYOND_ANY_LIST
        if self.longest or page.received < page.limit or page.limit >= self._page_size:
            self.longest = max(self.longest, page.received)  # a small page that is full tells of no cap

    def _joins(self, page: _Page) -> bool:
        if page.offset == 0 or page.joins or (self._last_was_single and self._follows_single(page)):
            return True
        return self.frontier is not None and bool(page.ids) and page.ids[0] <= self.frontier + 1

    @property
    def _last_was_single(self) -> bool:
        """Whether pages have one row, so that they cannot overlap: the server is followed by offset."""
        return self._last is not None and self._last.received == 1 and self.sends_single_rows and self._last.limit > 1

    def _follows_single(self, page: _Page) -> bool:
        return page.received <= 1 and page.offset == self.join_offset

    def _join_waiting(self) -> Iterator[DeliverRows]:
        while joining := [page for page in self._waiting if self._joins(page)]:
            page = min(joining, key=lambda page: page.offset)
            self._waiting.remove(page)
            yield DeliverRows(page.token, self.frontier)
            self._last = page
            if page.ids and (self.frontier is None or page.ids[-1] > self.frontier):
                self._on_rows(page)
            else:
                self._on_no_rows(page)
            self._newest = max(self._newest, page.token)
        if self._last and self._last.span > 1 and self.doubt == "end" and self._goes_on():
            self.doubt = None
            if self._last.ids and self._last.ids[-1] != self.frontier:
                self._pass(self._last)
            else:
                self.join_offset = max(self.join_offset, self._last.end - 1)

    def _goes_on(self) -> bool:
        """Whether a page that waits has rows behind the frontier."""
        return any(page.ids and page.ids[-1] > (self.frontier or 0) for page in self._waiting)

    def _on_rows(self, page: _Page) -> None:
        """The page brings rows."""
        known = 0 if self.frontier is None else bisect_right(page.ids, self.frontier)
        if page.token > self._newest:  # an older page knows older offsets
            self._drift.on_page(self._next_offset - page.offset - known)
            self._next_offset = page.offset + known
        # not `received`: unreadable rows may stand behind the frontier
        self._next_offset += min(len(page.ids), page.limit) - min(known, page.limit)
        self.frontier = page.ids[-1]
        overlap = 0 if self._last_was_single else self._drift.overlap(self._expected_length)
        self.join_offset = max(0, self._next_offset - overlap)
        self._unreadable_pages = 0
        self.seek.found()
        if page.offset == 0 and self.seek.first_id is None:
            self.seek.first_id = page.ids[0]
        self._brought = page.offset, page.ids
        self.doubt = "end" if page.is_short else None
        self._grow(page)

    def _grow(self, page: _Page) -> None:
        """Ask for more again, step by step near to what was too heavy."""
        if page.limit >= self._heavy:
            self._heavy = self._page_size + 1
        if page.limit >= self.size < self._page_size:
            further = self.size * STEP_GROWTH
            if further >= self._heavy:
                further = self.size + max(1, self._heavy // 8)
            self.size = min(further, self._page_size)

    def _on_no_rows(self, page: _Page) -> None:
        """The page brings nothing: rows came back before the frontier, or the list has ended."""
        if not page.received:
            self.doubt = "empty" if page.offset == 0 else "end"
        elif page.is_short:
            self.doubt = "end"
            if page.token > self._newest:
                self._next_offset = page.end
                self.join_offset = max(0, page.end - self._drift.overlap(self._expected_length))
        elif page.ids and page.ids == self._brought[1] and page.offset > self._brought[0]:
            self.doubt = "same"
        elif page.ids and page.ids[-1] == self.frontier and page.span > 1:
            if self.seek.found_at == page.end - 1:
                self.doubt = "same"
            else:
                self.found_at(page.end - 1)
        else:
            if page.token > self._newest:
                self._drift.on_page(0)
            self._pass(page)

    def _pass(self, page: _Page) -> None:
        """A page is before the frontier."""
        near = page.end - min(self._drift.overlap(self._expected_length), page.span // 2)
        last, span = (page.ids[-1], page.ids[-1] - page.ids[0]) if page.ids else (None, 0)
        self._step_on(Landmark(page.end, last), near=max(self.join_offset, near), span=span, rows=page.span)

    def _step_on(self, found: Landmark, *, near: int, span: int, rows: int = 0) -> None:
        """Rows came back before the frontier."""
        self.join_offset = self.seek.on(self.frontier, found, rows or self._expected_length, near=near, span=span)
        self._next_offset = max(self._next_offset, found.offset + 1)

    def _on_gap(self, page: _Page) -> None:
        """Rows left: the next one is further to the left than thought. A call costs the same however far it goes."""
        self._unreadable_pages += len(page.ids) < page.received
        if self._unreadable_pages == UNREADABLE_PAGES_LIMIT:
            pages = f"{UNREADABLE_PAGES_LIMIT} pages around offset {page.offset}"
            message = f"{pages} do not join, since ids cannot be read there"
            raise PaginationError(message)
        if not page.received:
            self.doubt = "gap"
        self._step_back(Landmark(page.offset, page.ids[0] if page.ids else None))

    def _step_back(self, found: Landmark) -> None:
        self.mended += not self.seek.steps_back
        near = min(self.join_offset, found.offset)
        self.join_offset = self.seek.back(self.frontier, found, self._expected_length, near=near)

    def _drop_surplus(self) -> list[DeliverRows]:
        """Keep no more pages than allowed, those nearest to the frontier."""
        room = max(0, self._ahead - len([page for page in self._in_flight.values() if page is not self._lead]))
        kept = sorted((page for page in self._waiting if page.received), key=lambda page: page.offset)[:room]
        dropped = [page for page in self._waiting if page not in kept]
        self._waiting = kept
        return [DeliverRows(page.token, page.ids[-1] if page.ids else self.frontier) for page in dropped]
