"""The page stitcher, page by page: what is fetched next, what is delivered, when it ends."""

import pytest

from fusedesk_async._pagination.asking import FetchPage
from fusedesk_async._pagination.stitching import DeliverRows, PageStitcher


def tell(stitcher, fetch, *ids, received=None):
    return stitcher.page_received(fetch.token, list(ids), len(ids) if received is None else received)


def begun(page_size=10, **options):
    """A walk that was told a full first page: 0, 10, 20 and so on."""
    stitcher = PageStitcher(page_size, **options)
    assert tell(stitcher, *stitcher.pages_to_fetch(), *range(0, page_size * 10, 10)) == [DeliverRows(0, None)]
    return stitcher


def offsets(fetches):
    return [fetch.offset for fetch in fetches]


# what is asked for


def test_the_first_page_comes_first_and_alone():
    stitcher = PageStitcher(10, ahead=4)
    assert stitcher.pages_to_fetch() == [FetchPage(0, 0, 10)]
    assert stitcher.pages_to_fetch() == []


def test_then_pages_are_fetched_ahead_each_with_one_row_of_the_one_before():
    stitcher = begun(ahead=4)
    assert offsets(stitcher.pages_to_fetch()) == [9, 18, 27, 36]
    assert stitcher.pages_to_fetch() == []


def test_a_bookmark_says_where_to_go_on():
    stitcher = PageStitcher(10, ahead=3, frontier=90, offset=9)
    (fetch,) = stitcher.pages_to_fetch()
    assert fetch.offset == 9
    assert tell(stitcher, fetch, *range(90, 190, 10)) == [DeliverRows(0, 90)]
    assert (stitcher.frontier, stitcher.join_offset) == (180, 18)


# what is delivered


def test_only_rows_above_the_frontier_are_delivered():
    stitcher = begun()
    assert tell(stitcher, *stitcher.pages_to_fetch(), *range(90, 190, 10)) == [DeliverRows(1, 90)]


def test_a_page_that_begins_right_after_the_frontier_joins():
    stitcher = begun()
    assert tell(stitcher, *stitcher.pages_to_fetch(), *range(91, 101)) == [DeliverRows(1, 90)]
    assert stitcher.mended == 0


def test_a_page_that_begins_later_does_not():
    stitcher = begun()
    assert tell(stitcher, *stitcher.pages_to_fetch(), *range(92, 102)) == []
    assert stitcher.mended == 1


def test_pages_that_come_too_early_wait():
    stitcher = begun(ahead=3)
    lead, second, third = stitcher.pages_to_fetch()
    assert tell(stitcher, third, *range(270, 370, 10)) == []
    assert tell(stitcher, second, *range(180, 280, 10)) == []
    deliveries = tell(stitcher, lead, *range(90, 190, 10))
    assert deliveries == [DeliverRows(lead.token, 90), DeliverRows(second.token, 180), DeliverRows(third.token, 270)]


def test_pages_that_bring_nothing_come_back_too():
    stitcher = begun(ahead=3)
    lead, second, third = stitcher.pages_to_fetch()
    assert tell(stitcher, third) == [DeliverRows(third.token, 90)]
    tell(stitcher, lead, *range(90, 190, 10))
    assert tell(stitcher, second, *range(90, 190, 10)) == [DeliverRows(second.token, 180)]


def test_no_more_pages_wait_than_allowed_and_the_far_ones_go():
    stitcher = begun(ahead=2)
    lead, second = stitcher.pages_to_fetch()
    assert tell(stitcher, second, *range(500, 600, 10)) == []
    tell(stitcher, lead, *range(400, 500, 10))
    (lead,) = stitcher.pages_to_fetch()
    tell(stitcher, lead, *range(300, 400, 10))
    assert len(stitcher.waiting) <= 2


def test_equal_neighbours_are_no_disorder():
    stitcher = PageStitcher(10)
    assert tell(stitcher, *stitcher.pages_to_fetch(), 1, 2, 2, 3) == [DeliverRows(0, None)]
    assert (stitcher.frontier, stitcher.join_offset) == (3, 3)


# gaps


def test_nothing_is_fetched_ahead_while_there_is_a_gap():
    stitcher = begun(ahead=4)
    lead, second, *_ = stitcher.pages_to_fetch()
    tell(stitcher, lead, *range(100, 200, 10))
    assert offsets(stitcher.pages_to_fetch()) == [3], "where the last id should be by now, in the middle of a page"
    tell(stitcher, second, *range(180, 280, 10))
    assert stitcher.pages_to_fetch() == []


# what has to be found out


@pytest.mark.parametrize(
    ("rows", "received", "doubt"),
    [
        ((), 0, "gap"),
        ((90,), 1, "end"),
        ((70, 80, 90), 3, "end"),
        ((90, 100, 110), 3, "end"),
        (range(0, 100, 10), 10, "same"),
    ],
)
def test_what_may_be_the_end_or_something_else_has_to_be_found_out(rows, received, doubt):
    stitcher = begun()
    tell(stitcher, *stitcher.pages_to_fetch(), *rows, received=received)
    assert stitcher.doubt == doubt
    assert stitcher.pages_to_fetch() == []
    stitcher.settle()
    assert len(stitcher.pages_to_fetch()) == 1


def test_an_empty_first_page_has_to_be_found_out():
    stitcher = PageStitcher(10)
    tell(stitcher, *stitcher.pages_to_fetch())
    assert stitcher.doubt == "empty"


def test_a_short_page_is_no_end_if_a_page_beyond_it_waits():
    stitcher = begun(ahead=3)
    lead, second, _ = stitcher.pages_to_fetch()
    tell(stitcher, second, 180, 190)
    tell(stitcher, lead, 90, 100, 110)
    assert stitcher.doubt is None


def test_a_short_page_before_the_frontier_is_no_end_either_then():
    stitcher = begun(ahead=3)
    lead, second, _ = stitcher.pages_to_fetch()
    tell(stitcher, second, 180, 190)
    tell(stitcher, lead, 60, 70)
    assert stitcher.doubt is None
    assert stitcher.join_offset >= 10


def test_a_page_asked_for_before_the_cap_was_raised_is_not_short():
    stitcher = PageStitcher(10, ahead=3, longest=4)
    tell(stitcher, *stitcher.pages_to_fetch(), 10, 20, 30, 40)
    lead, second, _ = stitcher.pages_to_fetch()
    tell(stitcher, lead, *range(40, 140, 10))
    tell(stitcher, second, 70, 80, 90, 100)
    assert stitcher.doubt is None


def test_what_comes_after_the_end_is_void():
    stitcher = begun(ahead=3)
    lead, second, _ = stitcher.pages_to_fetch()
    tell(stitcher, lead, 90)
    stitcher.done = True
    assert tell(stitcher, second, 3, 2, 1) == []


# pages that were too heavy


def test_pages_are_smaller_where_one_was_too_heavy_and_grow_again():
    stitcher = PageStitcher(100)
    (lead,) = stitcher.pages_to_fetch()
    assert stitcher.page_failed(lead.token)
    stitcher.too_heavy(100)
    sizes = []
    for _ in range(9):
        (fetch,) = stitcher.pages_to_fetch()
        sizes.append(fetch.limit)
        tell(stitcher, fetch, *range(fetch.offset, fetch.offset + fetch.limit))
    assert sizes == [25, 37, 49, 61, 73, 85, 97, 100, 100]


def test_a_page_fetched_ahead_that_cannot_be_had_is_asked_for_in_its_turn():
    stitcher = begun(ahead=3)
    lead, second, third = stitcher.pages_to_fetch()
    assert not stitcher.page_failed(second.token)
    assert stitcher.pages_to_cancel() == [third.token]
    assert stitcher.pages_to_fetch() == []
    tell(stitcher, lead, *range(90, 190, 10))
    assert offsets(stitcher.pages_to_fetch())[0] == 18
