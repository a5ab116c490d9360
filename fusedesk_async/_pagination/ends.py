"""Whether a list has ended. One answer that says so proves nothing: it is asked again, and in another form."""

from itertools import count

from fusedesk_async._pagination.asking import Asking, Outcome, direction_of
from fusedesk_async._pagination.inquiry import Inquiry, check_behind
from fusedesk_async._pagination.narrowing import frontier_is_there, narrow, narrow_from
from fusedesk_async._pagination.stitching import BEYOND_ANY_LIST
from fusedesk_async.errors import PaginationError

SMALLEST_LIMIT = 20
"""Rows. Smaller pages that come short twice are not taken for the limit of the server, which would slow down others."""


def settle_end(inquiry: Inquiry, page: Outcome) -> Asking[None]:
    """A page was short: it is the last if the newest row is the last one known, else if nothing is found beyond it.

    The newest row is better proof than a page beyond: it is something rather than nothing.
    """
    _check_direction(inquiry, page)
    newest = yield from inquiry.newest()
    if newest and newest.nothing:
        first = yield from inquiry.ask(0, inquiry.stitcher.size, attempts=None)
        if first.nothing and (yield from _has_emptied(inquiry, [newest, first])):
            inquiry.end(page)
            return
    match _compare(inquiry, newest):
        case "last" if _is_ambiguous(inquiry, page, newest):
            yield from _look_beyond(inquiry, page) if page.received > 1 else _look_further(inquiry, page)
        case "last":
            inquiry.end(page)
        case "more":
            yield from _go_on(inquiry, page)
        case _:
            yield from _look_beyond(inquiry, page)


def _has_emptied(inquiry: Inquiry, looks: list[Outcome]) -> Asking[bool]:
    """Whether all rows have left, as two looks found none.

    Unusual ways to say so are not believed so soon: it must be how the server says it beyond any list.
    """
    if {look.nothing for look in looks} <= {"list", inquiry.profile.value.nothing}:
        return True
    for offset in (0, max(inquiry.stitcher.rank, 1), BEYOND_ANY_LIST):
        looks.append((yield from inquiry.ask(offset, 1)))
        if not looks[-1].nothing:
            return False
    return len({look.nothing for look in looks}) == 1


def _compare(inquiry: Inquiry, newest: Outcome | None) -> str:
    """Whether rows are left behind the frontier, by the newest ones: "last", "more", or "" if they do not tell."""
    frontier, profile = inquiry.stitcher.frontier, inquiry.profile
    if newest and newest.is_refused:
        profile.learn(descending=False)
    if newest is None or not newest.ids:
        return ""
    direction = direction_of(newest.ids)
    if direction is not None:
        profile.learn(descending=direction == "descending")
    if frontier is not None and (direction == "ascending" or newest.ids[0] <= frontier):
        return "" if direction == "ascending" else "last"
    return "more"


def _check_direction(inquiry: Inquiry, page: Outcome) -> None:
    """See whether ids descend, which one row alone did not show.

    Raises:
        OrderIgnored: They do, or a row came before it.
    """
    if inquiry.stitcher.frontier == inquiry.stitcher.seek.first_id and direction_of(page.ids) is None:
        check_behind(page, inquiry.stitcher.frontier)


def _is_ambiguous(inquiry: Inquiry, page: Outcome, newest: Outcome | None) -> bool:
    """Whether the newest rows are one, which shows no order: it may be the first of a list that was filtered late."""
    alone = newest is not None and direction_of(newest.ids) is None and not inquiry.profile.value.descending
    return alone and page.received > 0 and not inquiry.trusts_newest


def settle_empty(inquiry: Inquiry, page: Outcome) -> Asking[None]:
    """The page at offset 0 is empty: so is the list, if the newest row is none either."""
    newest = yield from inquiry.newest()
    if newest is None or newest.error:
        newest = yield from inquiry.look(0)
    if newest.nothing:
        yield from _settle_nothing(inquiry, [page, newest])
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
        if (yield from _is_last_for_ever(inquiry, end)):
            inquiry.end(page)
        else:
            stitcher.rounds = False
            stitcher.found_at(end - 1)
    elif last.nothing:
        yield from _settle_fewer(inquiry, page, verdict)
    else:
        yield from _settle_frontier(inquiry, page)


def _is_last_for_ever(inquiry: Inquiry, offset: int) -> Asking[bool]:
    """Whether the frontier's row comes from all offsets beyond its own: it is the last one."""
    for beyond in (offset, BEYOND_ANY_LIST):  # so far off that no row can have moved there
        row = yield from inquiry.look(beyond)
        if row.ids != [inquiry.stitcher.frontier]:
            return False
    return True


def _settle_fewer(inquiry: Inquiry, page: Outcome, verdict: str) -> Asking[None]:
    """A page has more rows than there are places from its offset on: rows come twice, or others were filtered away."""
    frontier = inquiry.stitcher.frontier
    beyond = yield from inquiry.ask(page.fetch.offset + page.received, inquiry.page_size)
    if frontier is not None and beyond.ids and beyond.ids[0] <= frontier < beyond.ids[-1]:
        inquiry.take(beyond)
    elif verdict == "more":
        yield from _leap(inquiry, page.fetch.offset + page.fetch.limit)
    elif beyond.nothing:
        again = yield from inquiry.ask(page.fetch.offset, page.fetch.limit)
        if again.ids == page.ids:
            inquiry.end(page)
        else:
            inquiry.take(again)
    else:
        yield from _settle_frontier(inquiry, page)


def _settle_frontier(inquiry: Inquiry, page: Outcome) -> Asking[None]:
    """Where the frontier's row is, by itself, tells whether rows have moved, or the offset is rounded or ignored."""
    stitcher, rank = inquiry.stitcher, inquiry.stitcher.rank
    frontier = stitcher.frontier
    row = yield from inquiry.look(rank)
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
    if (yield from _is_last_for_ever(inquiry, stitcher.rank + 1)):
        inquiry.end(page)
    else:
        if stitcher.rounds:
            stitcher.rounds = False
        else:
            inquiry.round_offsets()
        stitcher.settle()


def _settle_nothing(inquiry: Inquiry, looks: list[Outcome]) -> Asking[None]:
    """Two looks found nothing. If the server has not said so in this way before, four more have to agree."""
    known = {"list", inquiry.profile.value.nothing}
    for offset, limit in ((0, 1), (1, 1), (2, inquiry.page_size), (BEYOND_ANY_LIST, 1)):
        if {look.nothing for look in looks} <= known:
            break
        look = yield from inquiry.look(offset, limit)
        if look.received:
            yield from _settle_spoilt(inquiry, looks[0])
            return
        if look.nothing in known and offset and looks[-1].nothing not in known:  # it is said in another way further on
            yield from narrow_from(inquiry, looks[0], 0, size=1)
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
        yield from _leap(inquiry, page.fetch.offset + page.received)
        return
    again = yield from inquiry.ask(rank, stitcher.size, attempts=None)
    if again.received and again.received == page.received:
        inquiry.capped_at(again.received)
        if again.received >= SMALLEST_LIMIT and not inquiry.profile.value.short_pages:
            inquiry.profile.learn(page_limit=again.received)
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
    """The server does not tell its newest row: look at the frontier's row again, by itself, and a page further."""
    stitcher = inquiry.stitcher
    frontier, rows = stitcher.frontier, stitcher.size
    alone = page.received == 1 < page.fetch.limit and not stitcher.sends_single_rows
    if alone and frontier is not None and page.ids and page.ids[-1] <= frontier:
        yield from _look_further(inquiry, page)
        return
    start = min(stitcher.join_offset, max(stitcher.rank, 0))
    again = yield from inquiry.ask(start, rows, attempts=None)
    if again.nothing == "list" and page.ids and page.ids[-1] == frontier:  # rows have left, or came twice in the page
        again = yield from inquiry.ask(page.fetch.offset, rows)
        covered = page.fetch.offset + again.received >= start
        if covered and again.ids and again.ids[-1] == frontier and again.received < again.fetch.limit:
            inquiry.end(page)
            return
    if again.error:
        yield from narrow(inquiry, again)
    elif again.nothing or (frontier is not None and again.ids and again.ids[-1] > frontier):
        inquiry.take(again)
    elif page.fetch.offset < start and again.received > 1 and again.ids == page.ids:
        yield from _look_behind(inquiry, again)
    elif again.received == 1 or not again.ids:
        yield from _look_further(inquiry, again)
    else:
        yield from _look_at_last(inquiry, again)


def _look_at_last(inquiry: Inquiry, page: Outcome) -> Asking[None]:
    """The last row of a page, with what is behind it: if it comes alone, nothing is, however low a cap is by now."""
    stitcher, rank = inquiry.stitcher, page.fetch.offset + page.received - 1
    if stitcher.rounds:
        rank -= page.fetch.offset % page.fetch.limit
    last = yield from inquiry.ask(rank, 1 if stitcher.rounds else stitcher.size)
    if last.error:
        yield from narrow(inquiry, last)
    elif last.nothing and (yield from inquiry.ask(rank, 1)).ids == [stitcher.frontier]:
        stitcher.found_at(rank)
        yield from narrow_from(inquiry, last, rank)
    elif last.nothing or last.ids[:1] != page.ids[-1:]:
        yield from _look_before(inquiry, page)
    elif last.ids[-1] > (stitcher.frontier or 0):
        inquiry.capped_at(page.received)
        inquiry.take(last)
    elif last.received > 1 and last.ids[-1] == stitcher.frontier:
        stitcher.found_at(rank + last.received - 1)
    elif last.received > 1:
        inquiry.capped_at(page.received)
        stitcher.step_on(rank + last.received - 1, last.ids[-1])
    else:
        yield from _look_further(inquiry, last)


def _look_behind(inquiry: Inquiry, page: Outcome) -> Asking[None]:
    """A page is the same as the one before it: offsets may be rounded down, which single rows tell, as theirs are not.

    If the last row is where it is then, what is behind it is asked for by itself, too.
    """
    fetch = page.fetch
    rank = fetch.offset - fetch.offset % fetch.limit + page.received - 1
    row = yield from inquiry.look(rank)
    if row.ids != page.ids[-1:]:
        yield from _look_at_last(inquiry, page)
    elif (yield from inquiry.look(rank + 1)).received:
        inquiry.round_offsets()
        inquiry.capped_at(page.received)
        inquiry.stitcher.found_at(rank)
    else:
        yield from _look_further(inquiry, row)


def _look_before(inquiry: Inquiry, page: Outcome) -> Asking[None]:
    """A page from further before, since rows leave all the time: two short pages that end alike show no cap."""
    size = inquiry.stitcher.size
    longer = yield from inquiry.ask(max(0, page.fetch.offset - size // 4), size)
    if longer.error:
        yield from narrow(inquiry, longer)
    elif longer.ids and longer.ids[-1] == page.ids[-1] and longer.received != page.received < size > longer.received:
        yield from _look_further(inquiry, longer)
    else:
        inquiry.take(longer)


def _look_further(inquiry: Inquiry, page: Outcome) -> Asking[None]:
    """A page further than the last row: there is something only if the server filters pages after it cut them out."""
    frontier, end = inquiry.stitcher.frontier, page.fetch.offset + page.received
    further = yield from inquiry.ask(end - 1 + inquiry.stitcher.size, inquiry.stitcher.size)
    if further.error:
        further = yield from inquiry.look(end)
    last = page.ids[-1] if page.ids else frontier
    _check_direction(inquiry, further)
    if not further.ids or (last is not None and further.ids[-1] <= last):
        inquiry.end(page)
    elif page.ids and last != frontier:
        inquiry.stitcher.step_on(end - 1, page.ids[-1])
    else:
        yield from _leap(inquiry, end)


def _leap(inquiry: Inquiry, offset: int) -> Asking[None]:
    """Rows must be further on, in pages that do not join: the server filters pages after it cut them out.

    Twice now the newest row was another one than the last of the page. The rows right behind the frontier's join all
    the same, if that is still where it was; if it is not, and further on, it is not proven that nothing is missed.
    """
    frontier, size = inquiry.stitcher.frontier, inquiry.stitcher.size
    seen = list[tuple[int, ...]]()
    starts = count(offset, size)
    while True:
        page = yield from inquiry.look(next(starts), size)
        if page.ids and (frontier is None or page.ids[-1] > frontier):
            break
        seen.append(tuple(page.ids))
        if page.ids and seen.count(tuple(page.ids)) > 2:  # noqa: PLR2004 - three say it
            raise _offset_ignored(page)
    if frontier is not None and page.ids[0] <= frontier + 1:
        inquiry.take(page)
        return
    holds = inquiry.proven and (offset == 0 or (yield from inquiry.ask(offset - 1, 1)).ids == [frontier])
    if seen or not holds:
        if inquiry.proven and not (yield from _is_same_gap(inquiry, offset, seen, page)):
            yield from frontier_is_there(inquiry, page)
            return
        inquiry.profile.learn(short_pages=True)
        inquiry.proven = False
    inquiry.take(page, joins=True)


def _is_same_gap(inquiry: Inquiry, offset: int, seen: list[tuple[int, ...]], page: Outcome) -> Asking[bool]:
    """Whether what is behind the gap, and what is in it or before it, comes again as it came; else rows have moved."""
    again = yield from inquiry.ask(page.fetch.offset, page.fetch.limit)
    if again.ids != page.ids:
        return False
    if not seen:
        return (yield from inquiry.ask(offset - 1, 1)).ids != [inquiry.stitcher.frontier]
    gap = yield from inquiry.ask(offset, page.fetch.limit)
    return tuple(gap.ids) == seen[0]


def _offset_ignored(page: Outcome) -> PaginationError:
    message = f"pages at growing offsets are the same {page.received} rows; the offset is ignored"
    return PaginationError(message)
