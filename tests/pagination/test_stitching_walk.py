"""Whole walks of the page stitcher over lists at rest, moving, capped and odd: what comes, and what it costs."""

import copy
import math
import pickle
import random

import pytest

from fusedesk_async import PaginationError
from fusedesk_async._pagination.stitching import BEYOND_ANY_LIST, UNREADABLE_PAGES_LIMIT, OrderIgnored, PageStitcher


class Server:
    """Rows in the order of their ids, None for one whose id cannot be read. `between` moves them between two calls."""

    def __init__(self, rows, cap=500, between=None):
        self.rows = list(rows)
        self.cap = cap
        self.between = between
        self.offsets = []

    def page(self, offset, limit):
        if self.offsets and self.between:
            self.between(self)
        self.offsets.append(offset)
        return self.rows[offset : offset + min(limit, self.cap)]


class WithoutOffset(Server):
    def page(self, offset, limit):
        self.offsets.append(offset)
        return self.rows[:limit]


def walk(server, page_size=10, *, chance=None, close=False, **options):
    """Walk to the end. With `chance` answers come in any order; with `close` each row that is delivered leaves."""
    stitcher, answers, waiting, delivered = PageStitcher(page_size, **options), [], {}, []
    while not stitcher.done:
        answers += [(fetch.token, server.page(fetch.offset, page_size)) for fetch in stitcher.pages_to_fetch()]
        assert len(server.offsets) <= 5_000
        token, rows = answers.pop(chance.randrange(len(answers)) if chance else 0)
        waiting[token] = [row for row in rows if row is not None]
        for delivery in stitcher.page_received(token, waiting[token], len(rows)):
            new = [row for row in waiting.pop(delivery.token) if delivery.above is None or row > delivery.above]
            delivered += new
            if close:
                server.rows = sorted({*server.rows} - {*new})
    return delivered


def leaving(per_call, chance):
    """Rows anywhere leave, so many per call on the average."""
    owed = 0.0

    def between(server):
        nonlocal owed
        owed += per_call
        for _ in range(min(int(owed), len(server.rows))):
            del server.rows[chance.randrange(len(server.rows))]
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
    ("rows", "offsets"), [(0, [0]), (1, [0, 1]), (2, [0, 1]), (10, [0, 9]), (20, [0, 9, 18, 19]), (28, [0, 9, 18, 27])]
)
def test_the_end_is_confirmed(rows, offsets):
    server = Server(range(0, rows * 3, 3))
    walk(server)
    assert server.offsets == offsets


@pytest.mark.parametrize(("cap", "calls"), [(500, 10), (150, 30), (100, 45), (50, 89), (1, 4_301)])
def test_a_cap_is_followed(cap, calls):
    for ahead in (1, 4, 8):
        server = Server(range(0, 8_600, 2), cap)
        assert walk(server, 500, ahead=ahead) == server.rows
        assert len(server.offsets) < calls + ahead


@pytest.mark.parametrize("rank", [0, 3, 9, 50, 10**18])
def test_a_bookmark_is_good_whatever_became_of_its_rank(rank):
    assert walk(Server(range(0, 60, 3)), frontier=27, offset=rank) == list(range(30, 60, 3))


def test_a_bookmark_costs_about_one_call():
    server = Server(range(0, 60, 3))
    walk(server, frontier=27, offset=9)
    assert server.offsets == [9, 18, 19]


# rows that move


def test_rows_that_leave_open_a_gap_which_is_mended():
    server = Server(range(0, 300, 3), between=once(1, lambda server: server.rows.__delitem__(slice(2, 8))))
    assert walk(server) == list(range(0, 300, 3))
    assert server.offsets[:4] == [0, 9, 4, 0]


def test_when_most_rows_left_an_empty_page_is_no_end():
    server = Server(range(0, 60, 3), between=once(1, lambda server: server.rows.__delitem__(slice(10))))
    assert walk(server) == list(range(0, 60, 3))


def test_when_all_rows_left_the_walk_ends_at_offset_0():
    server = Server(range(0, 60, 3), between=once(1, lambda server: server.rows.clear()))
    assert walk(server) == list(range(0, 30, 3))
    assert server.offsets == [0, 9, 4, 0]


def test_rows_that_come_back_before_the_frontier_are_passed():
    def between(server):
        server.rows[:0] = range(server.rows[0] - 7, server.rows[0])

    server = Server(range(1_000, 1_300, 3), between=between)
    assert walk(server) == list(range(1_000, 1_300, 3))


def test_rows_that_come_back_one_by_one_are_no_ignored_offset():
    def between(server):
        if server.rows[0] > 40:
            server.rows.insert(0, server.rows[0] - 1)

    server = Server([50, 60, 70], between=between)
    assert walk(server, 2) == [50, 60, 70]
    assert BEYOND_ANY_LIST in server.offsets


def test_a_cap_that_is_lowered_while_rows_come_back_is_no_end():
    def between(server):
        server.cap, server.rows[:0] = 3, range(-20, 0)

    assert walk(Server(range(0, 80, 2), between=once(2, between))) == list(range(0, 80, 2))


def test_a_list_that_grows_at_its_end_is_followed():
    def between(server):
        server.rows = list(range(min(len(server.rows) + 1, 45)))

    assert walk(Server(range(30), between=between)) == list(range(45))


@pytest.mark.parametrize(("rows", "ahead", "calls"), [(700, 1, 6), (5_000, 1, 16), (5_000, 4, 26), (5_000, 8, 28)])
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
            assert {*server.rows} <= {*delivered}
            calls += len(server.offsets)
        assert calls / 3 <= most, per_call


# what cannot be walked


def test_ids_that_descend_inside_a_page_are_an_error_that_travels():
    with pytest.raises(OrderIgnored, match="3 comes before 2") as caught:
        walk(Server([1, 3, 2]))
    for again in (copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))):
        assert type(again) is OrderIgnored
        assert again.args == caught.value.args
    assert issubclass(OrderIgnored, PaginationError)


@pytest.mark.parametrize("options", [{}, {"ahead": 4}, {"frontier": 2, "offset": 2}])
@pytest.mark.parametrize("rows", [1, 3, 10, 50])
def test_a_server_that_ignores_the_offset_is_an_error_not_a_loop(rows, options):
    server = WithoutOffset(range(rows))
    with pytest.raises(PaginationError, match="offset is ignored"):
        walk(server, **options)
    assert BEYOND_ANY_LIST in server.offsets
    assert len(server.offsets) <= 3 + options.get("ahead", 1)


@pytest.mark.parametrize("unread", [{0}, {9}, {10}, {4, 5, 6}, {29}, {8, 9, 10, 11, 12}, {9, 18, 27}])
@pytest.mark.parametrize("ahead", [1, 4])
def test_rows_without_an_id_are_passed(unread, ahead):
    rows = [None if place in unread else place * 3 for place in range(30)]
    assert walk(Server(rows), ahead=ahead) == [row for row in rows if row is not None]


def test_a_list_of_one_row_without_an_id_has_an_end():
    assert walk(Server([None])) == []


@pytest.mark.parametrize("rows", [[None] * 30, [1, 2, *[None] * 30, 50, 60], [None] * 2])
@pytest.mark.parametrize("ahead", [1, 4])
def test_rows_without_an_id_all_over_are_an_error_not_a_loop(rows, ahead):
    server = Server(rows)
    with pytest.raises(PaginationError, match="ids cannot be read"):
        walk(server, ahead=ahead)
    assert len(server.offsets) <= 3 * UNREADABLE_PAGES_LIMIT + ahead
