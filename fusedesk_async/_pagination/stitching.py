"""The planner of a lossless walk: told pages, it says which to fetch next. No I/O.

A page, fetched at one instant, is an unbroken stretch of the rows in id order. So it holds every row between its first
and its last id that matches throughout, whenever it was fetched; the page at offset 0 also holds all before, and a page
that is surely short all after. When such stretches join up from end to end, nothing that stayed was missed. Ids are
whole numbers, so stretches also join without a common row when one begins right after the other.

It rests on this: a page is read at one instant, ids are unique, and the server keeps their order. It may cap its pages,
raise the cap at any time, and lower it, but not to one row and not again within a few pages. Pages of one row leave
nothing to join: a server that sends no others is followed by rank, which is as good as plain paging and no better.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import count, pairwise

import attrs

from fusedesk_async.errors import PaginationError

MARGIN = 3
"""Pages overlap by so many times the ups and downs of the drift, but no more than a quarter of a page."""


FADING = 0.9
"""What remains of these with each page that shows less."""


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

    def saw(self, shift: int) -> None:
        """A page showed that so many rows had left since the one before it."""
        shift = max(shift, 0)
        self.steady = min(shift, self._last)
        self.surplus = max(shift - self.steady, FADING * self.surplus)
        self._last = shift

    def overlap(self, reach: int) -> int:
        """By how many rows the next page, of so many, should overlap."""
        margin = math.ceil(MARGIN * self.surplus) if self.surplus * reach >= 1 else 0
        return 1 + min(self.steady, reach) + min(margin, reach // 4)


SAME_PAGES = 4
"""So many pages at advancing offsets with the same rows prove that the server ignores the offset."""


FAR = 10**9
"""An offset beyond every list, for the last of those pages: rows that came back could explain the others."""


BLIND_PAGES = 8
"""So many pages that should have joined and did not, each with rows whose id cannot be read, are enough."""


class OrderIgnored(PaginationError):  # noqa: N818 - says what the server did
    """Ids descend inside a page: the server does not keep the order asked for."""


@attrs.frozen
class Ask:
    """Fetch a page: as many rows as fit, from this offset."""

    token: int
    offset: int


@attrs.frozen
class Take:
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


class Seams:
    """The state of a walk. It remembers no ids but those of the last page and of pages that wait for the one before.

    Every token that was told comes back in a `Take` sooner or later, unless the walk ends before. A page that brings
    nothing, or was dropped so that not too many wait, comes back with all its rows filtered out.

    Attributes:
        done: The walk has ended; pages that were not taken are void.
        mended: How many gaps, opened by rows that left, were stepped back over.
        frontier: Every id up to this one is settled; None while none is.
        rank: The offset from which the next page should join.
    """

    def __init__(
        self, page_size: int, *, ahead: int = 1, frontier: int | None = None, rank: int = 0, enough: int = 0
    ) -> None:
        """Begin a walk, or go on with one.

        Args:
            page_size: Rows asked for at once, at least 2.
            ahead: How many pages may be in flight or waiting; one that can join may always be asked for.
            frontier: Where a bookmark says to go on: the id of a row that was delivered.
            rank: The offset at which that row was found.
            enough: A first page with fewer rows is believed to be the whole list.
        """
        self.done: bool = False
        self.mended = 0
        self.frontier = frontier
        self.rank = min(rank, FAR - 1)
        self._page_size = page_size
        self._ahead = ahead
        self._enough = min(enough, page_size) if frontier is None else 0
        self._tokens = count()
        self._newest = -1  # token of a page that joined
        self._lead: _Page | None = None  # the page in flight that has to join
        self._flight: dict[int, _Page] = {}
        self._held: list[_Page] = []
        self._longest = 0  # rows in a page
        self._single = False  # whether the last page that joined had one row
        self._barren: int = 0  # rows in the last page that joined, if it was short and brought nothing
        self._blind = 0  # pages without success whose ids cannot be read
        self._steps = 0  # back, without success
        self._drift = Drift()
        self._end = 0 if frontier is None else self.rank + 1  # offset right after the frontier, if no row leaves
        self._wall = FAR  # offset at which the list seems to end
        self._same: tuple[Sequence[int], set[int]] = (), set()  # the ids of the last page, and where they came

    def ask(self) -> list[Ask]:
        """Which pages to fetch now. They count as in flight until they are told."""
        if self.done:
            return []
        asks = [] if self._lead else self._new_lead()
        return [*asks, *self._fetch_ahead()]

    def told(self, token: int, ids: Sequence[int], received: int) -> list[Take]:
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
        page = self._flight.pop(token)
        if self.done:
            return []
        page.ids, page.received = ids, received
        _check_order(page)
        self._check_offset_counts(page)
        self._note_length(page)
        self._held.append(page)
        takes = list(self._join())
        if page is self._lead and not takes and page.offset != FAR:
            self._step_back(page)
        if self._lead and (page is self._lead or self.rank >= self._beyond(self._lead)):
            self._lead = None  # it came, or the frontier has overtaken it
        self.done = self.done or (page.offset == 0 and received < self._enough)
        self._enough = 0
        return [*takes, *self._drop()]

    def give_up(self) -> list[int]:
        """The tokens of pages in flight that lie behind what seems to be the end: not worth a call.

        They no longer count as in flight, and are not to be told. Should it not be the end, they are asked for again.
        """
        tokens = [page.token for page in self._flight.values() if page is not self._lead and page.offset >= self._wall]
        for token in tokens:
            del self._flight[token]
        return tokens

    def _send(self, offset: int) -> Ask:
        page = _Page(next(self._tokens), offset, self._longest)
        self._flight[page.token] = page
        return Ask(page.token, offset)

    def _new_lead(self) -> list[Ask]:
        """One page in flight must be able to join, or the walk would stand still."""
        near = self.rank if self._steps else max(self.rank, self._end - 1)
        able = [page for page in self._flight.values() if page.offset <= near and self.rank < self._beyond(page)]
        asks: list[Ask] = []
        if len(self._same[1]) >= SAME_PAGES - 1:
            asks = [self._send(FAR)]
        elif not able:
            asks = [self._send(self.rank)]
        self._lead = self._flight[asks[0].token] if asks else max(able, key=lambda page: page.offset)
        return asks

    @property
    def _reach(self) -> int:
        """Rows that a page is expected to have."""
        return self._longest or self._page_size

    def _beyond(self, page: _Page) -> int:
        """The rank of the frontier at which this page, still in flight, would bring nothing."""
        return page.offset + max(self._reach - 1, 1)

    def _fetch_ahead(self) -> Iterator[Ask]:
        # The first page tells how long pages are. While there is a gap, more pages would be as far off as the last.
        while self._longest and not self._steps and len(self._flight) + len(self._held) < self._ahead:
            ends = [page.offset + self._reach for page in self._flight.values()] + [page.end for page in self._held]
            if max(ends) >= self._wall:
                return
            yield self._send(max(ends) - min(self._drift.overlap(self._reach), self._reach // 2))

    def _note_length(self, page: _Page) -> None:
        if page.received < (page.longest or self._page_size):
            self._wall = min(self._wall, page.end)
        elif page.end > self._wall:
            self._wall = FAR
        self._longest = max(self._longest, page.received)

    def _joins(self, page: _Page) -> bool:
        if page.offset == 0 or (self._single and page.received <= 1 and page.offset == self.rank):
            return True
        return self.frontier is not None and bool(page.ids) and page.ids[0] <= self.frontier + 1

    def _join(self) -> Iterator[Take]:
        while not self.done and (joining := [page for page in self._held if self._joins(page)]):
            page = min(joining, key=lambda page: page.offset)
            self._held.remove(page)
            yield Take(page.token, self.frontier)
            self._single = page.received == 1
            self._steps = 0
            if page.ids and (self.frontier is None or page.ids[-1] > self.frontier):
                self._settle(page)
            else:
                self._pass(page)
            self._newest = max(self._newest, page.token)

    def _settle(self, page: _Page) -> None:
        """The page brings rows."""
        known = 0 if self.frontier is None else bisect_right(page.ids, self.frontier)
        if page.token > self._newest:  # an older page knows older offsets
            self._drift.saw(self._end - page.offset - known)
            self._end = page.offset + known
        self._end += len(page.ids) - known  # not `received`: the frontier may stand before rows that cannot be read
        self.frontier = page.ids[-1]
        self.rank = self._end if self._single else max(0, self._end - self._drift.overlap(self._reach))
        self._barren = self._blind = 0

    def _pass(self, page: _Page) -> None:
        """The page brings nothing: rows came back before the frontier, or the list has ended.

        The end is a page of one row, or two short ones. If these are equally long, the server may have lowered its cap.
        """
        short = page.received < page.longest
        last = short and page.received != self._barren
        self.done = not page.received or (last and (page.received == 1 or self._barren > 0))
        self._barren = page.received if short else 0
        if page.token > self._newest:
            self._drift.saw(self._end - page.end if last else 0)
            self._end = page.end
            overlap = self._drift.overlap(self._reach)
            if last:
                self.rank = max(0, page.end - overlap)
            else:
                self.rank = max(self.rank, page.end - min(overlap, page.received // 2))

    def _step_back(self, page: _Page) -> None:
        """Rows left: the next one is further to the left than thought. A call costs the same however far it goes."""
        self._blind += len(page.ids) < page.received
        if self._blind == BLIND_PAGES:
            message = f"{BLIND_PAGES} pages around offset {page.offset} do not join, since ids cannot be read there"
            raise PaginationError(message)
        self.mended += not self._steps
        self.rank = max(0, min(self.rank, page.offset) - (max(self._reach // 2, 1) << self._steps))
        self._steps += 1

    def _drop(self) -> list[Take]:
        """Keep no more pages than allowed, those nearest to the frontier."""
        room = max(0, self._ahead - len([page for page in self._flight.values() if page is not self._lead]))
        kept = sorted((page for page in self._held if page.received), key=lambda page: page.offset)[:room]
        dropped = [page for page in self._held if page not in kept]
        self._held = kept
        return [Take(page.token, page.ids[-1] if page.ids else self.frontier) for page in dropped]

    def _check_offset_counts(self, page: _Page) -> None:
        if page.offset == FAR and page.received:
            message = f"{SAME_PAGES} pages at growing offsets are the same {page.received} rows; the offset is ignored"
            raise PaginationError(message)
        offsets = self._same[1] if page.ids and page.ids == self._same[0] else set[int]()
        self._same = page.ids, offsets | {page.offset}


def _check_order(page: _Page) -> None:
    for one, other in pairwise(page.ids):
        if one > other:
            message = f"the server does not keep the order asked for: {one} comes before {other} in a page"
            raise OrderIgnored(message)
