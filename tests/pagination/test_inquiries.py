"""What is asked when something is doubtful, and what is made of the answers: each inquiry by itself, word for word."""

from itertools import count

import pytest

from fusedesk_async import (
    APIError,
    AuthenticationError,
    Case,
    FuseDeskError,
    NotFoundError,
    PaginationError,
    RequestRejectedError,
    ServerError,
    UnexpectedResponseError,
)
from fusedesk_async._pagination.asking import FetchPage, Outcome, failed
from fusedesk_async._pagination.ends import settle_empty, settle_end, settle_gap, settle_same
from fusedesk_async._pagination.id_plan import IdPlan
from fusedesk_async._pagination.inquiry import MOST_UNREADABLE_TOGETHER, Inquiry, OrderIgnored
from fusedesk_async._pagination.narrowing import narrow, narrow_from
from fusedesk_async._pagination.plain import PlainPlan
from fusedesk_async._pagination.seeking import Landmark, Seek
from fusedesk_async._pagination.stitching import BEYOND_ANY_LIST, PageStitcher
from fusedesk_async._wire.profile import LearnedProfile
from fusedesk_async._wire.readers import Records

DOWN = ServerError("out of order", None, 503)
NEWEST = (0, 2, "caseid desc")


def page(offset, answer, limit=4):
    """What came of a page: ids, a way to say nothing, or an error."""
    fetch = FetchPage(1_000, offset, limit)
    if isinstance(answer, FuseDeskError):
        return Outcome(fetch, error=answer)
    return Outcome(fetch, nothing=answer) if isinstance(answer, str) else Outcome(fetch, answer, len(answer))


def walked(*ids, tells_newest=True, **options):
    """An inquiry into a list whose first page, of four rows, was delivered; by default up to id 40 at rank 3."""
    profile = LearnedProfile()
    if not tells_newest:
        profile.learn(descending=False)
    inquiry = Inquiry(PageStitcher(4, **options), profile, 4, count(2_000))
    inquiry.take(page(0, list(ids or (10, 20, 30, 40))))
    inquiry.stitcher.settle()
    inquiry.deliveries.clear()
    return inquiry


def unwalked():
    return Inquiry(PageStitcher(4), LearnedProfile(), 4, count(2_000))


def converse(asking, *script):
    """Answer what is asked: each of the script is an offset (or all of a question) and an answer."""
    fetch = next(asking, None)
    for asked, answer in script:
        assert fetch is not None, f"{asked} is not asked"
        assert asked in {fetch.offset, (fetch.offset, fetch.limit), (fetch.offset, fetch.limit, fetch.order)}
        came = page(0, answer)
        try:
            fetch = asking.send(Outcome(fetch, came.ids, came.received, came.nothing, came.error))
        except StopIteration:
            fetch = None
    assert fetch is None, f"{fetch} is asked, too"


def told(inquiry):
    return [(row.rank, row.after, row.before) for rows in inquiry.unreadable.values() for row in rows]


# whether a list has ended


def test_the_newest_row_says_that_it_has():
    inquiry = walked()
    converse(settle_end(inquiry, page(3, [40])), (NEWEST, [40, 30]))
    assert inquiry.stitcher.done
    assert inquiry.profile.value.descending


@pytest.mark.parametrize("way", ["empty", "false", "null"])
def test_all_rows_may_have_left(way):
    inquiry = walked()
    looks = (NEWEST, way), ((0, 4), way), ((0, 1), way), ((3, 1), way)
    converse(settle_end(inquiry, page(3, [40])), *looks, ((BEYOND_ANY_LIST, 1), way))
    assert inquiry.stitcher.done
    inquiry = walked()
    looks = (NEWEST, way), ((0, 4), way), ((0, 1), [10])
    converse(settle_end(inquiry, page(3, [40])), *looks, ((7, 4), "list"))
    assert inquiry.stitcher.done


def test_rows_that_spoil_their_pages_are_not_all_that_have_left():
    inquiry = walked(tells_newest=True)
    looks = (NEWEST, "empty"), ((0, 4), "empty"), ((0, 1), "empty"), ((3, 1), "empty"), ((BEYOND_ANY_LIST, 1), "list")
    converse(settle_end(inquiry, page(3, [40])), *looks, ((7, 4), "list"))
    assert inquiry.stitcher.done, "as its last row came alone and nothing is further on"


def test_rows_that_came_meanwhile_are_taken():
    inquiry = walked()
    converse(settle_end(inquiry, page(3, [40])), (NEWEST, [60, 50]), ((3, 4), [40, 50, 60]))
    assert inquiry.stitcher.frontier == 60


def test_rows_that_came_before_the_frontier_move_it():
    inquiry = walked()
    converse(settle_end(inquiry, page(3, [40])), (NEWEST, [60, 50]), ((3, 4), [15, 20, 30, 40]))
    assert inquiry.stitcher.rank == 6
    inquiry = walked()
    converse(settle_end(inquiry, page(3, [30, 40])), (NEWEST, [60, 50]), ((3, 4), [15, 20]))
    assert inquiry.stitcher.join_offset >= 4


def test_rows_that_left_again_are_no_rows():
    inquiry = walked()
    looks = (NEWEST, [60, 50]), ((3, 4), [40]), (NEWEST, [40, 30])
    converse(settle_end(inquiry, page(3, [40])), *looks)
    assert inquiry.stitcher.done


def test_rows_that_are_there_but_do_not_join_are_leapt_to():
    inquiry = walked()
    looks = (NEWEST, [60, 50]), ((3, 4), [40]), (NEWEST, [60, 50])
    gap = ((4, 4), "list"), ((8, 4), [50, 60])
    converse(settle_end(inquiry, page(3, [40])), *looks, *gap, ((3, 1), [40]), *reversed(gap))
    assert (inquiry.stitcher.frontier, inquiry.proven, inquiry.profile.value.short_pages) == (60, False, True)
    converse(settle_end(inquiry, page(8, [50, 60])), (NEWEST, [80, 70]), ((10, 4), [80]))
    assert inquiry.stitcher.frontier == 80


@pytest.mark.parametrize(
    "second_look",
    [
        [((8, 4), [50, 60, 70])],
        [((8, 4), [50, 60]), ((4, 4), [45])],
    ],
)
def test_a_gap_that_is_another_one_when_looked_at_again_is_rows_that_move(second_look):
    inquiry = walked()
    looks = (NEWEST, [60, 50]), ((3, 4), [40]), (NEWEST, [60, 50]), ((4, 4), "list"), ((8, 4), [50, 60]), ((3, 1), [40])
    converse(settle_end(inquiry, page(3, [40])), *looks, *second_look, ((3, 1), [40]))
    assert (inquiry.stitcher.frontier, inquiry.proven) == (40, True)


def test_a_leap_that_always_meets_the_same_rows_shows_that_the_offset_is_ignored():
    inquiry = walked()
    looks = (NEWEST, [60, 50]), ((3, 4), [40]), (NEWEST, [60, 50])
    with pytest.raises(PaginationError, match="offset is ignored"):
        converse(settle_end(inquiry, page(3, [40])), *looks, *[(offset, [10, 20]) for offset in (4, 8, 12)])


def test_an_error_on_the_way_is_narrowed_down():
    inquiry = walked()
    looks = (NEWEST, [60, 50]), ((3, 4), DOWN), ((3, 1), DOWN), ((2, 1), DOWN)
    with pytest.raises(ServerError):
        converse(settle_end(inquiry, page(3, [40])), *looks)


# … where the server does not tell its newest row


def test_the_last_row_by_itself_and_a_look_a_page_further_say_so_too():
    inquiry = walked(tells_newest=False)
    looks = ((3, 4), [30, 40]), ((1, 1), [20]), ((4, 4), [40]), ((8, 4), "list")
    converse(settle_end(inquiry, page(2, [30, 40])), *looks)
    assert inquiry.stitcher.done


def test_a_look_further_that_fails_is_made_nearer():
    inquiry = walked(tells_newest=False)
    converse(settle_end(inquiry, page(3, [40])), ((7, 4), DOWN), ((4, 1), "list"))
    assert inquiry.stitcher.done
    inquiry = walked(tells_newest=False)
    with pytest.raises(ServerError):
        converse(settle_end(inquiry, page(3, [40])), ((7, 4), DOWN), ((4, 1), DOWN))


@pytest.mark.parametrize(
    ("last", "frontier", "join_offset"), [([40, 50], 50, None), ([40], 40, None), ([30, 35], 40, None)]
)
def test_what_is_behind_the_last_row_of_a_page(last, frontier, join_offset):
    inquiry = walked(tells_newest=False)
    same = [((3, 4), [30, 40]), ((1, 1), [20])]
    script = [*(same if last[0] == 40 else [((3, 4), [20, 30])]), ((4, 4), last)]
    script += [((8, 4), "list")] if last == [40] else []
    converse(settle_end(inquiry, page(2, [30, 40])), *script)
    assert inquiry.stitcher.frontier == frontier
    assert inquiry.stitcher.done == (last == [40])


def test_a_page_that_ends_with_the_frontier_after_all_shows_where_it_is():
    inquiry = walked(tells_newest=False)
    converse(settle_end(inquiry, page(2, [20, 30])), ((3, 4), [20, 30]), ((1, 1), [20]), ((4, 4), [30, 40]))
    assert (inquiry.stitcher.rank, inquiry.stitcher.located) == (5, True)


def test_rows_that_leave_all_the_time_leave_two_pages_of_different_lengths():
    inquiry = walked(tells_newest=False)
    looks = (
        ((3, 4), [30, 40]),
        ((1, 1), [20]),
        ((4, 4), "list"),
        ((4, 1), "list"),
        ((2, 4), [20, 30, 40]),
        ((8, 4), "list"),
    )
    converse(settle_end(inquiry, page(2, [30, 40])), *looks)
    assert inquiry.stitcher.done
    inquiry = walked(tells_newest=False)
    looks = ((3, 4), [30, 40]), ((1, 1), [20]), ((4, 4), "list"), ((4, 1), "list"), ((2, 4), [40, 50, 60])
    converse(settle_end(inquiry, page(2, [30, 40])), *looks)
    assert inquiry.stitcher.frontier == 60
    inquiry = walked(tells_newest=False)
    looks = ((3, 4), [30, 40]), ((1, 1), [20]), ((4, 4), "list"), ((4, 1), "list"), ((2, 4), DOWN), ((3, 1), [50])
    converse(settle_end(inquiry, page(2, [30, 40])), *looks)
    assert inquiry.stitcher.join_offset < 3


def test_a_row_that_spoils_the_page_of_the_last_one_is_found():
    inquiry = walked(tells_newest=False)
    looks = (
        ((3, 4), [30, 40]),
        ((1, 1), [20]),
        ((4, 4), "empty"),
        ((4, 1), [40]),
        ((4, 2), "empty"),
        ((4, 2), "empty"),
        ((4, 1), [40]),
    )
    ends = ((6, 1), "list"), ((4, 1), [40]), ((7, 1), "list"), ((10, 4), "list"), ((4, 1), [40])
    converse(settle_end(inquiry, page(2, [30, 40])), *looks, *ends)
    assert (told(inquiry), inquiry.stitcher.done) == ([(5, 40, None)], True)


@pytest.mark.parametrize("script", [[((3, 4), DOWN)], [((3, 4), [30, 40]), ((1, 1), [20]), ((4, 4), DOWN)]])
def test_errors_behind_the_last_row_are_narrowed_down(script):
    inquiry = walked(tells_newest=False)
    converse(settle_end(inquiry, page(2, [30, 40])), *script, ((3, 1), [50]))
    assert inquiry.stitcher.join_offset < 3


def test_a_page_that_comes_again_further_on_may_be_rounded_down():
    again = ((5, 4), [5, 6]), ((5, 1), [6])
    for behind, done in ([((6, 1), "list"), ((9, 4), "list")], True), ([((6, 1), [7])], False):
        inquiry = walked(1, 2, 3, 4, tells_newest=False)
        inquiry.take(page(4, [5, 6]))
        converse(settle_end(inquiry, page(4, [5, 6])), *again, *behind)
        assert (inquiry.stitcher.done, inquiry.stitcher.rounds, inquiry.stitcher.rank) == (done, not done, 5)


def test_rows_that_have_left_or_come_twice_shorten_a_list():
    inquiry = walked(tells_newest=False)
    converse(settle_end(inquiry, page(2, [30, 40])), ((3, 4), "list"), ((2, 4), [30, 40]))
    assert inquiry.stitcher.done
    inquiry = walked(tells_newest=False)
    converse(settle_end(inquiry, page(2, [30, 40])), ((3, 4), "list"), ((2, 4), [30]), ((6, 4), "list"))
    assert inquiry.stitcher.done


def test_rows_further_on_may_have_come_back_before_the_frontier():
    inquiry = walked(tells_newest=False)
    converse(settle_end(inquiry, page(2, [30, 40])), ((3, 4), [30]), ((7, 4), [35, 36]))
    assert not inquiry.stitcher.done
    assert inquiry.stitcher.join_offset >= 4
    inquiry = walked(tells_newest=False)
    gap = ((4, 4), "list"), ((8, 4), [50, 60])
    converse(settle_end(inquiry, page(3, [40])), ((7, 4), [50, 60]), *gap, ((3, 1), [40]), *reversed(gap))
    assert (inquiry.stitcher.frontier, inquiry.proven) == (60, False)


# a page that is the same as the one before it


def same(inquiry):
    return settle_same(inquiry, page(3, [10, 20, 30, 40]))


def test_the_same_page_may_be_the_last_one():
    inquiry = walked()
    converse(same(inquiry), (NEWEST, [40, 30]))
    assert inquiry.stitcher.done
    inquiry = walked(tells_newest=False)
    converse(same(inquiry), ((6, 1), [40]), ((7, 1), [40]), ((BEYOND_ANY_LIST, 1), [40]))
    assert inquiry.stitcher.done
    inquiry = walked(tells_newest=False)
    converse(same(inquiry), ((6, 1), [5]), ((3, 1), [40]), ((4, 1), [40]), ((BEYOND_ANY_LIST, 1), [40]))
    assert inquiry.stitcher.done


def test_the_same_page_may_be_due_to_rows_that_came_before_it():
    inquiry = walked(tells_newest=False)
    converse(same(inquiry), ((6, 1), [40]), ((7, 1), [50]))
    assert inquiry.stitcher.rank == 6
    inquiry = walked(tells_newest=False)
    converse(same(inquiry), ((6, 1), [30]), ((3, 1), [20]), ((7, 1), [40]))
    assert inquiry.stitcher.join_offset >= 4


def test_the_same_page_may_be_due_to_rows_that_left():
    inquiry = walked(tells_newest=False)
    converse(same(inquiry), ((6, 1), [90]), ((3, 1), [50]))
    assert inquiry.stitcher.join_offset < 3


def test_the_same_page_may_be_due_to_an_offset_that_is_rounded_or_ignored():
    inquiry = walked(tells_newest=False)
    converse(same(inquiry), ((6, 1), [70]), ((3, 1), [40]), ((4, 1), [50]))
    assert inquiry.stitcher.rounds
    converse(same(inquiry), ((6, 1), [70]), ((3, 1), [40]), ((4, 1), [50]))
    assert not inquiry.stitcher.rounds, "it is not only that"
    inquiry = walked(tells_newest=False)
    with pytest.raises(PaginationError, match="offset is ignored"):
        converse(same(inquiry), ((6, 1), [10]), ((3, 1), [10]), ((7, 1), [10]))


def test_the_same_page_may_hold_rows_twice():
    inquiry = walked(tells_newest=False)
    converse(same(inquiry), ((6, 1), "list"), ((7, 4), "list"), ((3, 4), [10, 20, 30, 40]))
    assert inquiry.stitcher.done
    inquiry = walked(tells_newest=False)
    converse(same(inquiry), ((6, 1), "list"), ((7, 4), "list"), ((3, 4), [40, 50]))
    assert inquiry.stitcher.frontier == 50
    inquiry = walked(tells_newest=False)
    converse(same(inquiry), ((6, 1), "list"), ((7, 4), [40, 50]))
    assert inquiry.stitcher.frontier == 50
    inquiry = walked(tells_newest=False)
    converse(same(inquiry), ((6, 1), "list"), ((7, 4), [10, 20]), ((3, 1), [50]))
    assert inquiry.stitcher.join_offset < 3


def test_the_same_page_may_be_filtered():
    inquiry = walked()
    gap = ((7, 4), [50, 60]), ((6, 1), [45])
    converse(same(inquiry), (NEWEST, [60, 50]), ((6, 1), "list"), ((7, 4), "list"), *gap, *gap)
    assert (inquiry.stitcher.frontier, inquiry.proven) == (60, False)
    converse(settle_same(inquiry, page(7, [50, 60])), (NEWEST, [80, 70]), ((9, 4), [70, 80]))
    assert inquiry.stitcher.frontier == 80


# empty pages


def test_an_empty_list_that_says_so_in_another_way_further_on_holds_a_row_that_cannot_be_had():
    inquiry = unwalked()
    looks = (
        (NEWEST, "empty"),
        ((0, 1), "empty"),
        ((1, 1), "list"),
        ((0, 1), "empty"),
        (NEWEST, "empty"),
        ((1, 1), "list"),
    )
    ends = ((1, 1), "list"), (NEWEST, "empty"), ((2, 1), "list"), ((5, 4), "list")
    converse(settle_empty(inquiry, page(0, "empty")), *looks, *ends)
    assert (told(inquiry), inquiry.stitcher.done) == ([(0, None, None)], True)


def test_where_the_newest_row_fails_the_first_one_is_asked_for():
    inquiry = unwalked()
    converse(settle_empty(inquiry, page(0, "list")), (NEWEST, DOWN), ((0, 1), "list"))
    assert inquiry.stitcher.done


def test_a_gap_is_looked_into_the_second_time_and_once():
    inquiry = walked()
    converse(settle_gap(inquiry, page(3, "list")))
    inquiry.stitcher.seek.steps_back = 2
    converse(settle_gap(inquiry, page(1, "list")), ((3, 1), [50]))
    converse(settle_gap(inquiry, page(1, "list")))


def test_an_empty_page_at_the_beginning_of_a_list_that_was_longer():
    inquiry = walked()
    looks = (NEWEST, [40, 30]), ((3, 1), "list"), ((0, 1), [40]), ((0, 2), [40, 50])
    converse(settle_empty(inquiry, page(0, "list")), *looks)
    assert inquiry.stitcher.frontier == 50


# rows that cannot be had


def test_the_row_behind_the_frontier_is_passed_over():
    inquiry = walked()
    looks = ((3, 1), [40]), ((3, 2), DOWN), ((3, 1), [40]), ((5, 1), [60]), ((3, 1), [40])
    converse(narrow(inquiry, page(3, DOWN)), *looks)
    assert told(inquiry) == [(4, 40, 60)]


def test_rows_that_move_meanwhile_are_looked_for_again():
    inquiry = walked()
    converse(narrow(inquiry, page(3, DOWN)), ((3, 1), [40]), ((3, 2), DOWN), ((3, 1), [50]))
    assert (told(inquiry), inquiry.stitcher.join_offset < 3) == ([], True)
    inquiry = walked()
    looks = ((3, 1), [40]), ((3, 2), DOWN), ((3, 1), [40]), ((5, 1), [60]), ((3, 1), [50])
    converse(narrow(inquiry, page(3, DOWN)), *looks)
    assert (told(inquiry), inquiry.stitcher.frontier) == ([], 40)
    inquiry = walked()
    looks = ((3, 1), [40]), ((3, 2), DOWN), ((3, 1), [40]), ((5, 1), "list"), ((3, 1), [40]), (NEWEST, [90, 80])
    converse(
        narrow(inquiry, page(3, DOWN)),
        *looks,
        ((6, 1), "list"),
        ((9, 4), "list"),
        *[((rank, 1), "list") for rank in (7, 9, 13)],
    )
    assert (told(inquiry), inquiry.stitcher.done) == ([], False)


def test_behind_the_last_row_that_cannot_be_had_the_list_ends():
    inquiry = walked()
    looks = ((3, 1), [40]), ((3, 2), DOWN), ((3, 1), [40]), ((5, 1), DOWN), ((3, 1), [40]), (NEWEST, [40, 30])
    converse(narrow(inquiry, page(3, DOWN)), *looks, ((3, 1), [40]))
    assert (told(inquiry), inquiry.stitcher.done) == ([(4, 40, None)], True)


def test_an_outage_while_rows_are_passed_over_is_one():
    inquiry = walked()
    with pytest.raises(ServerError):
        converse(narrow(inquiry, page(3, DOWN)), ((3, 1), [40]), ((3, 2), DOWN), ((3, 1), DOWN))


def test_errors_all_over_behind_the_frontier_are_rows_while_it_comes():
    inquiry = walked()
    looks = ((3, 1), [40]), ((3, 2), DOWN), ((3, 1), [40]), ((5, 1), DOWN), ((3, 1), [40])
    rows = (NEWEST, DOWN), ((6, 1), DOWN), ((9, 4), DOWN), ((6, 1), [70]), ((3, 1), [40])
    converse(narrow(inquiry, page(3, DOWN)), *looks, *rows)
    assert told(inquiry) == [(4, 40, 70), (5, 40, 70)]


def test_the_frontiers_row_may_have_moved_by_one_or_be_the_one():
    inquiry = walked()
    converse(narrow(inquiry, page(3, DOWN)), ((3, 1), DOWN), ((2, 1), [40]), ((2, 2), [40, 50]))
    assert inquiry.stitcher.frontier == 50
    inquiry = walked()
    looks = ((3, 1), DOWN), ((2, 1), [30]), ((3, 1), DOWN), ((2, 1), [30]), (NEWEST, [60, 50]), ((4, 1), [50])
    converse(narrow(inquiry, page(3, DOWN)), *looks, ((4, 1), [50]))
    assert told(inquiry) == [(3, 40, 50)]
    inquiry = walked()
    converse(narrow(inquiry, page(3, DOWN)), ((3, 1), DOWN), ((2, 1), [30]), ((3, 1), DOWN), ((2, 1), [50]))
    assert inquiry.stitcher.join_offset < 2
    inquiry = walked()
    converse(narrow(inquiry, page(3, DOWN)), ((3, 1), DOWN), ((2, 1), [50]))
    assert inquiry.stitcher.join_offset < 2


def test_the_frontiers_row_may_be_the_first_of_all():
    inquiry = walked(10)
    converse(
        narrow(inquiry, page(0, DOWN)),
        ((0, 1), DOWN),
        ((1, 1), [20]),
        ((0, 1), DOWN),
        (NEWEST, [20, 10]),
        ((1, 1), [20]),
        ((1, 1), [20]),
    )
    assert inquiry.stitcher.frontier == 20


def test_the_first_page_fails_but_not_each_row():
    inquiry = unwalked()
    looks = ((0, 1), DOWN), (NEWEST, DOWN), ((1, 1), [20]), ((0, 1), DOWN), (NEWEST, DOWN), ((1, 1), [20])
    converse(narrow(inquiry, page(0, DOWN)), *looks, ((1, 1), [20]))
    assert told(inquiry) == [(0, None, 20)]
    inquiry = unwalked()
    with pytest.raises(ServerError):
        converse(narrow(inquiry, page(0, DOWN)), ((0, 1), DOWN), (NEWEST, DOWN), ((1, 1), DOWN))
    inquiry = unwalked()
    looks = ((0, 1), DOWN), (NEWEST, [20, 10]), ((0, 1), DOWN), (NEWEST, DOWN), ((1, 1), DOWN), ((4, 4), DOWN)
    with pytest.raises(ServerError):
        converse(narrow(inquiry, page(0, DOWN)), *looks)


def test_pages_without_any_id_that_can_be_read_lead_nowhere():
    with pytest.raises(PaginationError, match="no row before offset 8 has an id"):
        converse(narrow(unwalked(), page(8, "list")))


def test_a_row_behind_the_frontiers_that_has_a_smaller_id_shows_that_ids_descend():
    inquiry = walked(40)
    looks = ((0, 1), [40]), ((0, 2), DOWN), ((0, 1), [40]), ((2, 1), [20]), ((0, 1), [40])
    with pytest.raises(OrderIgnored, match="40 comes before 20"):
        converse(narrow(inquiry, page(0, DOWN)), *looks)


def test_a_hundred_rows_in_a_row_are_too_many():
    def pass_over_all(passes):
        for rank in range(MOST_UNREADABLE_TOGETHER + 1):
            passes(rank, "no")

    for passes in (unwalked().pass_over, PlainPlan(lambda case: case.id, 10)._pass_over):
        with pytest.raises(PaginationError, match="100 rows in a row cannot be had before offset 100"):
            pass_over_all(passes)


def test_where_the_frontier_is_met_again_at_the_beginning_it_is_narrowed_from_there():
    inquiry = walked()
    converse(narrow_from(inquiry, page(0, "empty", 16), 0), ((0, 4), [30, 40]), ((1, 2), [40, 50]))
    assert inquiry.stitcher.frontier == 50


# what an error says


@pytest.mark.parametrize(
    ("error", "nothing", "refused"),
    [
        (NotFoundError("no such thing", None, 404), "404", False),
        (NotFoundError("HTML page '404 Not Found'", None, 404), None, True),
        (RequestRejectedError("No cases found", None, 405), "error", False),
        (RequestRejectedError("Invalid department", None, 405), None, True),
        (APIError("bad request", None, 400), None, True),
        (ServerError("down", None, 503), None, False),
        (UnexpectedResponseError("not JSON"), None, False),
    ],
)
def test_an_error_is_a_refusal_or_a_way_to_say_nothing(error, nothing, refused):
    outcome = failed(FetchPage(0, 0, 4), error)
    assert (outcome.nothing, outcome.is_refused) == (nothing, refused)


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationError("no", None, 401),
        APIError("no", None, 418),
        UnexpectedResponseError("expected a number", None, "$[3].repid", 7),
    ],
)
def test_other_errors_are_no_matter_of_a_page(error):
    assert failed(FetchPage(0, 0, 4), error) is None
    for plan in (IdPlan(lambda case: case.id, 4, LearnedProfile()), PlainPlan(lambda case: case.id, 4)):
        with pytest.raises(type(error)):
            plan.page_failed(*plan.pages_to_fetch(), error)


# plans


def rows(*ids):
    return Records(tuple(Case(id=row) for row in ids))


def test_a_form_that_is_taken_may_still_fail():
    plan = IdPlan(lambda case: case.id, 500, LearnedProfile())
    plan.page_failed(*plan.pages_to_fetch(), RequestRejectedError("no", None, 405))
    plan.page_failed(*plan.pages_to_fetch(), DOWN)
    (look,) = plan.pages_to_fetch()
    assert (look.offset, look.limit) == (0, 1)


def test_pages_fetched_ahead_of_a_list_that_turns_out_to_have_no_order_are_void():
    plan = IdPlan(lambda case: case.id, 4, LearnedProfile(), ahead=3)
    plan.page_received(*plan.pages_to_fetch(), rows(10, 20, 30, 40))
    lead, second, third = plan.pages_to_fetch()
    plan.page_received(lead, rows(40, 30, 60, 50))
    assert {second.token, third.token} <= {*plan.pages_to_cancel()}
    assert plan.unordered


def test_a_page_that_came_while_something_was_asked_may_be_void_before_it_is_looked_at():
    plan = IdPlan(lambda case: case.id, 4, LearnedProfile(), ahead=3)
    plan.page_received(*plan.pages_to_fetch(), rows(10, 20, 30, 40))
    lead, second, third = plan.pages_to_fetch()
    plan.page_received(lead, rows(40))
    plan.page_received(second, rows(60, 70))
    assert {second.token, third.token} == {*plan.pages_to_cancel()}
    (newest,) = plan.pages_to_fetch()
    plan.page_received(newest, rows(60, 50))
    (again,) = plan.pages_to_fetch()
    (page,) = plan.page_received(again, rows(40, 50, 60, 70))
    assert [case.id for case in page.items] == [50, 60, 70]


def test_a_short_list_that_descends_has_an_end_at_once():
    plan = IdPlan(lambda case: case.id, 4, LearnedProfile())
    (page,) = plan.page_received(*plan.pages_to_fetch(), rows(30, 20))
    assert [case.id for case in page.items] == [30, 20]
    assert plan.is_mirrored
    (look,) = plan.pages_to_fetch()
    assert (look.offset, look.limit) == (1, 4)


def test_a_search_for_a_row_uses_what_lies_next_to_each_other():
    seek = Seek()
    assert seek.back(40, Landmark(8, 60), 4, near=8) < 8
    assert seek.on(40, Landmark(8, 30), 4, near=7, span=10) == 7
