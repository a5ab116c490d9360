"""Whole walks of the page stitcher over lists at rest, moving, capped and odd: what comes, and what it costs."""

import copy
import math
import pickle
import random

import pytest
from hostile_list import HostileList as Server
from hostile_list import go_through

from fusedesk_async import PaginationError
from fusedesk_async._pagination.id_plan import Start
from fusedesk_async._pagination.inquiry import OrderIgnored
from fusedesk_async._pagination.stitching import UNREADABLE_PAGES_LIMIT

NEWEST = (0, "caseid desc")


def walk(server, page_size=10, **options):
    return go_through(server, page_size, **options).ids


def leaving(per_call, chance):
    """Rows anywhere leave, so many per call on the average."""
    owed = 0.0

    def between(server):
        nonlocal owed
        owed += per_call
        for _ in range(min(int(owed), len(server.ids))):
            del server.ids[chance.randrange(len(server.ids))]
        owed %= 1

    return between


def once(call, change):
    """Something happens right before one of the calls."""

    def between(server):
        if len(server.offsets) == call:
            change(server)

    return between


# a list at rest


@pytest.mark.parametrize("ahead", [1, 3, 8])
@pytest.mark.parametrize("spread", [1, 3])
@pytest.mark.parametrize("rows", [0, 1, 2, 9, 10, 11, 19, 20, 95])
def test_all_rows_come_once_and_in_order(rows, spread, ahead):
    listed = list(range(0, rows * spread, spread))
    assert walk(Server(listed), ahead=ahead) == listed
    assert walk(Server(listed), ahead=ahead, chance=random.Random(rows)) == listed


@pytest.mark.parametrize("ahead", [1, 2, 4, 8])
@pytest.mark.parametrize("rows", [0, 1, 499, 500, 501, 1_497, 5_000, 20_000])
def test_it_costs_little_more_than_its_pages(rows, ahead):
    for chance in (None, random.Random(1), random.Random(2)):
        server = Server(range(rows))
        walk(server, 500, ahead=ahead, chance=chance)
        assert len(server.offsets) <= math.ceil(rows / 500) * 1.01 + 3 + ahead


@pytest.mark.parametrize(
    ("rows", "asked"),
    [
        (0, [(0, None), NEWEST]),
        (1, [(0, None), NEWEST, (10, None)]),
        (2, [(0, None), NEWEST]),
        (10, [(0, None), (9, None), NEWEST]),
        (20, [(0, None), (9, None), (18, None), NEWEST]),
        (28, [(0, None), (9, None), (18, None), (27, None), NEWEST]),
    ],
)
def test_the_end_is_confirmed_by_the_newest_row(rows, asked):
    server = Server(range(0, rows * 3, 3))
    walk(server)
    assert [(fetch.offset, fetch.order) for fetch in server.asked] == asked


@pytest.mark.parametrize(("cap", "calls"), [(500, 10), (150, 30), (100, 45), (50, 89), (1, 4_306)])
def test_a_cap_is_followed(cap, calls):
    for ahead in (1, 4, 8):
        server = Server(range(0, 8_600, 2), cap)
        assert walk(server, 500, ahead=ahead) == server.ids
        assert len(server.offsets) <= calls + ahead


@pytest.mark.parametrize("rank", [0, 3, 9, 50, 10**18])
def test_a_bookmark_is_good_whatever_became_of_its_rank(rank):
    assert walk(Server(range(0, 60, 3)), start=Start(27, rank)) == list(range(30, 60, 3))


def test_a_bookmark_costs_about_one_call():
    server = Server(range(0, 60, 3))
    walk(server, start=Start(27, 9))
    assert server.offsets == [9, 18, 0]


# rows that move


def test_rows_that_leave_open_a_gap_which_is_mended():
    server = Server(range(0, 300, 3), between=once(1, lambda server: server.ids.__delitem__(slice(2, 8))))
    assert walk(server) == list(range(0, 300, 3))
    assert server.offsets[:3] == [0, 9, 0]


def test_when_most_rows_left_an_empty_page_is_no_end():
    server = Server(range(0, 60, 3), between=once(1, lambda server: server.ids.__delitem__(slice(10))))
    assert walk(server) == list(range(0, 60, 3))


def test_when_all_rows_left_the_walk_ends_at_offset_0():
    server = Server(range(0, 60, 3), between=once(1, lambda server: server.ids.clear()))
    assert walk(server) == list(range(0, 30, 3))
    assert server.offsets == [0, 9, 4, 9, 0, 0]


def test_rows_that_come_back_before_the_frontier_are_passed():
    def between(server):
        server.ids[:0] = range(server.ids[0] - 7, server.ids[0])

    server = Server(range(1_000, 1_300, 3), between=between)
    assert walk(server) == list(range(1_000, 1_300, 3))


def test_rows_that_come_back_one_by_one_are_no_ignored_offset():
    def between(server):
        if server.ids[0] > 45:
            server.ids.insert(0, server.ids[0] - 1)

    server = Server([50, 60, 70], between=between)
    assert walk(server, 2) == [50, 60, 70]


def test_a_cap_that_is_lowered_while_rows_come_back_is_no_end():
    def between(server):
        server.cap, server.ids[:0] = 3, range(-20, 0)

    assert walk(Server(range(0, 80, 2), between=once(2, between))) == list(range(0, 80, 2))


def test_a_list_that_grows_at_its_end_is_followed():
    def between(server):
        server.ids = list(range(min(len(server.ids) + 1, 45)))

    assert walk(Server(range(30), between=between)) == list(range(45))


@pytest.mark.parametrize(("rows", "ahead", "calls"), [(700, 1, 7), (5_000, 1, 17), (5_000, 4, 26), (5_000, 8, 28)])
def test_a_worker_that_closes_all_it_gets_misses_nothing(rows, ahead, calls):
    server = Server(range(0, rows * 7, 7))
    assert walk(server, 500, ahead=ahead, close=True) == list(range(0, rows * 7, 7))
    assert len(server.offsets) <= calls


@pytest.mark.parametrize(
    ("ahead", "most_calls"),
    [(1, (42, 45, 46, 46, 45, 43, 39)), (4, (45, 49, 50, 52, 54, 54, 60)), (8, (49, 53, 56, 58, 62, 69, 70))],
)
def test_rows_that_leave_all_the_time_cost_few_calls(ahead, most_calls):
    for per_call, most in zip((0, 0.1, 1, 5, 40, 120, 300), most_calls, strict=True):
        calls = 0
        for seed in range(3):
            chance = random.Random(seed)
            server = Server(sorted(chance.sample(range(400_000), 20_000)), between=leaving(per_call, chance))
            delivered = walk(server, 500, ahead=ahead)
            assert {*server.ids} <= {*delivered}
            calls += len(server.offsets)
        assert calls / 3 <= most, per_call


# what cannot be walked


def test_ids_that_descend_inside_a_page_are_an_error_that_travels():
    with pytest.raises(OrderIgnored, match="3 comes before 2") as caught:
        walk(Server([1, 3, 2], order="as given"), may_be_unordered=False)
    for again in (copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))):
        assert type(again) is OrderIgnored
        assert again.args == caught.value.args
    assert issubclass(OrderIgnored, PaginationError)


@pytest.mark.parametrize("options", [{}, {"ahead": 4}, {"start": Start(2, 2)}])
@pytest.mark.parametrize("rows", [11, 50])
def test_a_server_that_ignores_the_offset_is_an_error_not_a_loop(rows, options):
    server = Server(range(rows), offset_counts=False)
    with pytest.raises(PaginationError, match="offset is ignored"):
        walk(server, **options)
    assert len(server.offsets) <= 5 + options.get("ahead", 1)


@pytest.mark.parametrize("unread", [{0}, {9}, {10}, {4, 5, 6}, {29}, {8, 9, 10, 11, 12}, {9, 18, 27}])
@pytest.mark.parametrize("ahead", [1, 4])
def test_rows_without_an_id_are_passed(unread, ahead):
    rows = [None if place in unread else place * 3 for place in range(30)]
    assert walk(Server(rows), ahead=ahead) == [row for row in rows if row is not None]


def test_a_list_of_one_row_without_an_id_has_an_end():
    assert walk(Server([None])) == walk(Server([None, None])) == []


@pytest.mark.parametrize("rows", [[None] * 30, [1, 2, *[None] * 30, 50, 60]])
@pytest.mark.parametrize("ahead", [1, 4])
def test_rows_without_an_id_all_over_are_an_error_not_a_loop(rows, ahead):
    server = Server(rows)
    with pytest.raises(PaginationError, match=r"cannot be read|has an id that can be read|brought nothing new"):
        walk(server, ahead=ahead)
    assert len(server.offsets) <= 3 * UNREADABLE_PAGES_LIMIT + ahead
