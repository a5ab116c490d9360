"""Whether a list has ended. One answer that says so proves nothing: it is asked again, and in another form."""

from itertools import count

from fusedesk_async._pagination.asking import Asking, Outcome, direction_of
from fusedesk_async._pagination.inquiry import Inquiry
from fusedesk_async._pagination.narrowing import narrow, narrow_from
from fusedesk_async.errors import PaginationError


def settle_end(inquiry: Inquiry, page: Outcome) -> Asking[None]:
    """A page was short: it is the last if the newest row is the last one known, else if nothing is found beyond it.

    The newest row is better proof than a page beyond: it is something rather than nothing.
    """
    newest = yield from inquiry.newest()
    if newest and newest.nothing:
        first = yield from inquiry.ask(0, inquiry.stitcher.size, attempts=None)
        if first.nothing and (yield from _has_emptied(inquiry, [newest, first])):
            inquiry.end(page)
            return
    match _compare(inquiry, newest):
        case "last":
            inquiry.end(page)
        case "more":
            yield from _go_on(inquiry, page)
        case _:
            yield from _look_beyond(inquiry, page)


def _has_emptied(inquiry: Inquiry, looks: list[Outcome]) -> Asking[bool]:
    """Whether all rows have left, as two looks found none; unusual ways to say so are not believed so soon."""
    for offset in (0, max(inquiry.stitcher.rank, 1)):
        if {look.nothing for look in looks} <= {"list", inquiry.profile.value.nothing}:
            return True
        looks.append((yield from inquiry.ask(offset, 1)))
        if not looks[-1].nothing:
            return False
    return True


def _compare(inquiry: Inquiry, newest: Outcome | None) -> str:
    """Whether rows are left behind the frontier, by the newest ones: "last", "more", or "" if they do not tell."""
    frontier, profile = inquiry.stitcher.frontier, inquiry.profile
    if newest is None or not newest.ids:
        return ""
    direction = direction_of(newest.ids)
    if direction is not None:
        profile.learn(descending=direction == "descending")
    if frontier is not None and (direction == "ascending" or newest.ids[0] <= frontier):
        return "" if direction == "ascending" else "last"
    return "more"


def settle_empty(inquiry: Inquiry, page: Outcome) -> Asking[None]:
    """The page at offset 0 is empty: so is the list, if the newest row is none either."""
    newest = yield from inquiry.newest()
    if newest is None or newest.error:
        newest = yield from inquiry.ask(0, 1)
    if newest.nothing:
        yield from _settle_nothing(inquiry, [page, newest])
    elif newest.error:
        raise newest.error
    else:
        yield from _settle_spoilt(inquiry, page)


def settle_gap(inquiry: Inquiry, page: Outcome) -> Asking[None]:
    """A page that should have joined is empty. If the frontier's row is where it was, a row behind it spoilt the page.

    It is none of these if rows have left: then it steps back, and only a second empty page is looked into, unless the
    server says "nothing" in a way that it has not said it before.
    """
    stitcher = inquiry.stitcher
    usual = page.nothing in {"list", inquiry.profile.value.nothing}
    if usual and (stitcher.seek.steps_back <= 1 or stitcher.seek.looked):
        stitcher.settle()
    else:
        stitcher.seek.looked = True
        yield from narrow(inquiry, page)


def settle_same(inquiry: Inquiry, page: Outcome) -> Asking[None]:
    """A full page is the same as the one before it, though it was asked for further on."""
    stitcher, end = inquiry.stitcher, page.fetch.offset + page.received
    verdict = _compare(inquiry, (yield from inquiry.newest()))
    if verdict == "last":
        inquiry.end(page)
        return
    if not inquiry.proven:
        yield from _go_on(inquiry, page)
        return
    last = yield from inquiry.ask(end - 1, 1)
    if last.ids and last.ids[0] == stitcher.frontier:  # rows came before it, so that it is where the page ends
        after = yield from inquiry.ask(end, 1)
        if after.ids and after.ids[0] <= last.ids[0]:
            inquiry.end(page)
        else:
            stitcher.found_at(end - 1)
    elif last.nothing:
        yield from _settle_fewer(inquiry, page, verdict)
    else:
        yield from _settle_frontier(inquiry, page)


def _settle_fewer(inquiry: Inquiry, page: Outcome, verdict: str) -> Asking[None]:
    """A page has more rows than there are places from its offset on: rows come twice, or others were filtered away."""
    frontier = inquiry.stitcher.frontier
    beyond = yield from inquiry.ask(page.fetch.offset + page.received, inquiry.page_size)
    if frontier is not None and beyond.ids and beyond.ids[0] <= frontier < beyond.ids[-1]:
        inquiry.take(beyond)
    elif verdict == "more":
        yield from _leap(inquiry, page.fetch.offset + page.fetch.limit)
    elif beyond.nothing:
        inquiry.end(page)
    else:
        yield from _settle_frontier(inquiry, page)


def _settle_frontier(inquiry: Inquiry, page: Outcome) -> Asking[None]:
    """Where the frontier's row is, by itself, tells whether rows have moved, or the offset is rounded or ignored."""
    stitcher, rank = inquiry.stitcher, inquiry.stitcher.rank
    frontier = stitcher.frontier
    row = yield from inquiry.ask(rank, 1)
    if row.error:
        raise row.error
    if not row.ids or (frontier is not None and row.ids[0] > frontier):
        stitcher.step_back(rank, row.ids[0] if row.ids else None)
    elif row.ids[0] == frontier:
        yield from _settle_rounded(inquiry, page)
    else:
        beyond = yield from inquiry.ask(rank + inquiry.page_size, 1)
        if beyond.ids == row.ids and rank and row.ids[0] == page.ids[0]:
            raise _offset_ignored(page)
        stitcher.step_on(rank, row.ids[0])


def _settle_rounded(inquiry: Inquiry, page: Outcome) -> Asking[None]:
    """One row comes from the offset asked for, a page does not: it rounds offsets down, or ends with its last page."""
    stitcher = inquiry.stitcher
    after = yield from inquiry.ask(stitcher.rank + 1, 1)
    if after.error:
        raise after.error
    if not after.ids or after.ids == (stitcher.frontier,) or after.ids[0] <= (stitcher.frontier or 0):
        inquiry.end(page)
    elif stitcher.rounds:
        message = f"pages at offset {page.fetch.offset} do not go on behind id {inquiry.real_id(stitcher.frontier)}"
        raise PaginationError(message)
    else:
        stitcher.rounds = inquiry.progress = True
        stitcher.settle()


def _settle_nothing(inquiry: Inquiry, looks: list[Outcome]) -> Asking[None]:
    """Two looks found nothing. If the server has not said so in this way before, three more have to agree."""
    known = {"list", inquiry.profile.value.nothing}
    for offset, limit in ((0, 1), (1, 1), (2, inquiry.page_size)):
        if {look.nothing for look in looks} <= known:
            break
        look = yield from inquiry.ask(offset, limit)
        if look.error:
            raise look.error
        if look.received:
            yield from _settle_spoilt(inquiry, looks[0])
            return
        looks.append(look)
    kinds = {look.nothing for look in looks}
    if len(kinds) == 1 and not kinds <= known:
        inquiry.profile.learn(nothing=looks[0].nothing)
    inquiry.end(looks[0])


def _settle_spoilt(inquiry: Inquiry, page: Outcome) -> Asking[None]:
    """The list has rows, but the page at offset 0 is empty: a row spoils it, or the server filtered all of it away."""
    stitcher = inquiry.stitcher
    if stitcher.frontier is not None:
        row = yield from inquiry.ask(stitcher.rank, 1)
        yield from narrow_from(inquiry, page, stitcher.rank if row.ids == [stitcher.frontier] else 0)
        return
    second = yield from inquiry.ask(1, 1)
    if page.nothing == second.nothing == "list" and (yield from inquiry.ask(0, 1)).nothing == "list":
        yield from _leap(inquiry, 0)
    else:
        yield from narrow_from(inquiry, page, 0)


def _go_on(inquiry: Inquiry, page: Outcome) -> Asking[None]:
    """The list goes on behind a short page: rows came, a cap is lower than thought, or pages have gaps in them."""
    stitcher = inquiry.stitcher
    frontier, rank = stitcher.frontier, max(stitcher.rank, 0)
    if not inquiry.proven and page.ids and page.ids[-1] == frontier:  # pages have gaps, as was found before
        yield from _leap(inquiry, page.fetch.offset + page.fetch.limit)
        return
    again = yield from inquiry.ask(rank, stitcher.size, attempts=None)
    if again.error:
        yield from narrow(inquiry, again)
    elif again.nothing or (again.ids and (frontier is None or again.ids[-1] > frontier)):
        inquiry.take(again)
    elif again.received >= min(again.fetch.limit, max(stitcher.longest, 2)) and again.ids[-1] == frontier:
        stitcher.found_at(rank + again.received - 1)
    elif again.ids and frontier not in again.ids:
        stitcher.step_on(rank + again.received - 1, again.ids[-1])
    elif _compare(inquiry, (yield from inquiry.newest())) == "last":
        inquiry.end(page)
    else:
        yield from _leap(inquiry, rank + 1)


def _look_beyond(inquiry: Inquiry, page: Outcome) -> Asking[None]:
    """The server does not tell its newest row: look at the frontier's row again, and one page beyond it."""
    stitcher = inquiry.stitcher
    frontier, rank, rows = stitcher.frontier, max(stitcher.rank, 0), stitcher.size
    again = yield from inquiry.ask(min(stitcher.join_offset, rank), rows, attempts=None)
    if again.nothing == "list" and page.ids and page.ids[-1] == frontier:  # rows have left, or came twice in the page
        again = yield from inquiry.ask(page.fetch.offset, rows)
        if again.ids and again.ids[-1] == frontier and again.received < again.fetch.limit:
            inquiry.end(page)
            return
    if again.error:
        yield from narrow(inquiry, again)
        return
    if again.nothing or (frontier is not None and again.ids and again.ids[-1] > frontier):
        inquiry.take(again)
        return
    beyond = yield from inquiry.ask(rank + rows, rows)
    if beyond.error:
        beyond = yield from inquiry.ask(rank + 1, 1)
    if beyond.error:
        raise beyond.error
    if beyond.nothing or frontier is None or not beyond.ids or beyond.ids[-1] <= frontier:
        inquiry.end(page)
    else:
        yield from _leap(inquiry, rank + 1)


def _leap(inquiry: Inquiry, offset: int) -> Asking[None]:
    """Rows must be further on, in pages that do not join: the server filters pages after it cut them out.

    Twice now the newest row was another one than the last of the page. The rows right behind the frontier's join all
    the same, if that is still where it was; if it is not, and further on, it is not proven that nothing is missed.
    """
    frontier, size = inquiry.stitcher.frontier, inquiry.stitcher.size
    seen = list[tuple[int, ...]]()
    starts = count(offset, size)
    while True:
        page = yield from inquiry.ask(start := next(starts), size)
        if page.error:
            page = yield from inquiry.ask(start, max(1, size // 4))
        if page.error:
            raise page.error
        if page.ids and (frontier is None or page.ids[-1] > frontier):
            break
        seen.append(tuple(page.ids))
        if page.ids and seen.count(tuple(page.ids)) > 2:  # noqa: PLR2004 - three say it
            raise _offset_ignored(page)
    holds = inquiry.proven and (offset == 0 or (yield from inquiry.ask(offset - 1, 1)).ids == [frontier])
    if seen or not holds:
        inquiry.profile.learn(short_pages=True)
        inquiry.proven = False
    inquiry.take(page, joins=True)


def _offset_ignored(page: Outcome) -> PaginationError:
    message = f"pages at growing offsets are the same {page.received} rows; the offset is ignored"
    return PaginationError(message)
