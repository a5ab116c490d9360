"""Finds its way past rows that cannot be had: smaller pages, down to the one row that spoils them.

A page may be too heavy for the server or for us, or hold a row that the server cannot encode or that breaks the JSON.
Smaller pages tell which: what comes is taken, and behind it pages grow again. Only if no page of two rows comes that
begins with the frontier's own row, while that row alone does, is the row behind it one that cannot be had.
"""

from fusedesk_async._pagination.asking import Asking, Outcome, direction_of
from fusedesk_async._pagination.inquiry import Inquiry, check_behind
from fusedesk_async._pagination.stitching import BEYOND_ANY_LIST
from fusedesk_async.errors import PaginationError

SHRINK = 4
"""A page that cannot be had is asked for again with this part of its rows."""

CONFIRMING_ATTEMPTS = 3
"""How often the smallest page is sent before its row is passed over: with all that came before it, it is enough."""


def narrow(inquiry: Inquiry, page: Outcome) -> Asking[None]:
    """The page that has to join cannot be had, or is empty.

    Raises:
        FuseDeskError: A page of one row cannot be had either: it is an outage.
    """
    stitcher = inquiry.stitcher
    if stitcher.frontier is None:
        if page.fetch.offset:
            message = f"no row before offset {page.fetch.offset} has an id that can be read"
            raise page.error or PaginationError(message)
        readable = yield from _first_row_is_readable(inquiry, page)
        yield from narrow_from(inquiry, page, page.fetch.offset, size=None if readable else 1)
        return
    if stitcher.seek.passed_before(page.fetch.offset):
        yield from narrow_from(inquiry, page, page.fetch.offset, size=1, anchored=False)
        return
    row = yield from inquiry.ask(max(stitcher.rank, 0), 1)
    if row.error or (row.nothing and row.nothing not in {"list", inquiry.profile.value.nothing}):
        yield from _narrow_before(inquiry, page)
    elif _is_frontier(inquiry, row):
        yield from narrow_from(inquiry, page, stitcher.rank)


def narrow_from(
    inquiry: Inquiry, page: Outcome, base: int, *, size: int | None = None, anchored: bool | None = None
) -> Asking[None]:
    """Smaller pages from this offset on, until one comes.

    Args:
        inquiry: The walk.
        page: What cannot be had.
        base: The offset.
        size: Rows of the first of them; None for a part of `page`.
        anchored: Whether the row at the base is the frontier's; None if it is where that was.
    """
    stitcher = inquiry.stitcher
    anchored = base == stitcher.rank if anchored is None else anchored
    holds, size = anchored, size or page.fetch.limit // SHRINK  # `holds`: whether it was anchored at first
    stitcher.too_heavy(page.fetch.limit)
    while True:
        size = max(size, 2 if anchored else 1)
        found = yield from _smaller(inquiry, base, size, anchored=anchored)
        if not anchored and found.ids and found.ids[-1] == stitcher.frontier:
            inquiry.forget_passed()  # they are before the frontier
            base, anchored, holds, size = base + found.received - 1, True, True, 2
            stitcher.found_at(base)
        elif found.received:
            yield from _take(inquiry, found, holds=holds)
            return
        elif found.fetch.limit > (2 if anchored else 1):
            size = found.fetch.limit // SHRINK
        else:
            if not (yield from _pass_over(inquiry, found, anchored=anchored, holds=holds)):
                return
            base, anchored, size = base + (2 if anchored else 1), False, max(1, inquiry.page_size // SHRINK**2)


def _smaller(inquiry: Inquiry, base: int, size: int, *, anchored: bool) -> Asking[Outcome]:
    """A page of this size; the smallest of all is sent more often."""
    smallest = size == (2 if anchored else 1)
    found = yield from inquiry.ask(base, size, attempts=CONFIRMING_ATTEMPTS if smallest else 1)
    if found.nothing and smallest and anchored:
        found = yield from inquiry.ask(base, size)
    if not found.received and not smallest:
        inquiry.stitcher.too_heavy(size)
    return found


def _pass_over(inquiry: Inquiry, row: Outcome, *, anchored: bool, holds: bool) -> Asking[bool]:
    """Pass over the row that cannot be had; whether to go on behind it."""
    there = yield from _is_still_there(inquiry, row, holds=holds)
    what = "row" if anchored or not there else (yield from _what_is_there(inquiry, row, anchored=holds))
    if there and what == "end":
        there = yield from _is_still_there(inquiry, row, holds=holds)
    if there and what == "row":
        inquiry.pass_over(row.fetch.offset + row.fetch.limit - 1, row.reason)
        return True
    if there and what == "end":
        inquiry.end(row)
    inquiry.forget_passed()
    return False


def _take(inquiry: Inquiry, page: Outcome, *, holds: bool) -> Asking[None]:
    """Take a page that came, unless rows have moved since the one before it was passed over."""
    if not inquiry.passed_count:
        inquiry.take(page)
    elif not holds or (yield from frontier_is_there(inquiry, page)):
        check_behind(page, inquiry.stitcher.frontier if holds else None)
        inquiry.stitcher.lighten(page.fetch.limit)
        inquiry.take(page, joins=True)
    else:
        inquiry.forget_passed()


def _is_still_there(inquiry: Inquiry, row: Outcome, *, holds: bool) -> Asking[bool]:
    """Whether what is before the row is where it was, or the list may have ended elsewhere since rows have moved."""
    if holds:
        return (yield from frontier_is_there(inquiry, row))
    frontier, offset = inquiry.stitcher.frontier, row.fetch.offset - 1 - inquiry.passed_count
    if offset < 0 or frontier is None:
        return True
    before = yield from inquiry.ask(offset, 1)
    if before.ids and before.ids[0] <= frontier:
        return True
    inquiry.stitcher.step_back(offset, before.ids[0] if before.ids else None)
    return False


def _what_is_there(inquiry: Inquiry, row: Outcome, *, anchored: bool) -> Asking[str]:
    """What is at a rank from which nothing comes: a "row" that cannot be had, the "end", or "" if rows have moved.

    If nothing is said in the same way further on, there is no row; but then there must not be one behind the frontier.

    Raises:
        FuseDeskError: Nothing is answered at all: it is an outage. Where the frontier's row was seen it is none.
    """
    frontier, rank = inquiry.stitcher.frontier, row.fetch.offset
    newest = yield from inquiry.newest()
    is_told = newest is not None and bool(newest.ids) and direction_of(newest.ids) != "ascending"
    if newest and is_told and frontier is not None and newest.ids[0] <= frontier:
        return "end"
    answered = newest is not None and newest.error is None
    looks = [(rank + 1, 1), (rank + inquiry.page_size, inquiry.page_size)]
    looks += [(rank + 2, 1), (rank + 4, 1), (rank + 8, 1)] if is_told else []  # more of them cannot be had
    if row.nothing and row.nothing not in {"list", inquiry.profile.value.nothing}:
        looks.append((BEYOND_ANY_LIST, 1))  # where no row can tell
    for offset, limit in looks:
        beyond = yield from inquiry.ask(offset, limit)
        if beyond.received or (beyond.nothing and beyond.nothing != row.nothing):
            return "row"
        answered = answered or beyond.error is None
    if row.error and not (answered or anchored):
        raise row.error
    if row.error:
        return "row"
    return "" if is_told else "end"


def _narrow_before(inquiry: Inquiry, page: Outcome) -> Asking[None]:
    """The row where the frontier's was cannot be had either: rows have moved, or it is that row itself, or an outage.

    Raises:
        FuseDeskError: It is an outage.
    """
    rank, frontier = inquiry.stitcher.rank, inquiry.stitcher.frontier
    row = yield from inquiry.ask(max(rank - 1, 0) if rank else 1, 1)
    if row.error:
        raise page.error or row.error
    if rank and row.ids and row.ids[0] == frontier:
        inquiry.stitcher.found_at(rank - 1)
        yield from narrow_from(inquiry, page, rank - 1)
    elif not rank or (row.ids and frontier is not None and row.ids[0] < frontier):
        yield from narrow_from(inquiry, page, rank, size=1, anchored=False)
    else:
        inquiry.stitcher.step_back(rank - 1, row.ids[0] if row.ids else None)


def frontier_is_there(inquiry: Inquiry, page: Outcome) -> Asking[bool]:
    """Whether the frontier's row is where it was. If rows have moved, the stitcher looks for it.

    Raises:
        FuseDeskError: It cannot be had.
    """
    row = yield from inquiry.ask(max(inquiry.stitcher.rank, 0), 1)
    if row.error:
        raise page.error or row.error
    return _is_frontier(inquiry, row)


def _is_frontier(inquiry: Inquiry, row: Outcome) -> bool:
    """Whether this is the frontier's row, where it was. If rows have moved, the stitcher looks for it."""
    stitcher = inquiry.stitcher
    if row.ids and row.ids[0] == stitcher.frontier:
        if stitcher.seek.is_on:
            stitcher.found_at(row.fetch.offset)
        stitcher.settle()
        return True
    if not row.ids or (stitcher.frontier is not None and row.ids[0] > stitcher.frontier):
        stitcher.step_back(row.fetch.offset, row.ids[0] if row.ids else None)
    else:
        stitcher.step_on(row.fetch.offset, row.ids[0])
    return False


def _first_row_is_readable(inquiry: Inquiry, page: Outcome) -> Asking[bool]:
    """Whether the first row of a list comes by itself, as its first page cannot be had.

    Raises:
        FuseDeskError: Neither does any other: it is an outage.
    """
    first = yield from inquiry.ask(page.fetch.offset, 1)
    if not first.error:
        return True
    newest = yield from inquiry.newest()
    if newest is None or newest.error:
        newest = yield from inquiry.ask(page.fetch.offset + 1, 1)
    if newest.error:
        raise page.error or newest.error
    return False
