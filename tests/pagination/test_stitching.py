"""The page stitcher, page by page: what is fetched next, what is delivered, when it ends."""

import pytest

from fusedesk_async._pagination.stitching import (
    BEYOND_ANY_LIST,
    UNREADABLE_PAGES_LIMIT,
    DeliverRows,
    FetchPage,
    PageStitcher,
)


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
    assert stitcher.pages_to_fetch() == [FetchPage(0, 0)]
    assert stitcher.pages_to_fetch() == []


def test_then_pages_are_fetched_ahead_each_with_one_row_of_the_one_before():
    stitcher = begun(ahead=4)
    assert offsets(stitcher.pages_to_fetch()) == [9, 18, 27, 36]
    assert stitcher.pages_to_fetch() == []


def test_no_page_is_fetched_ahead_after_a_short_one():
    stitcher = begun(ahead=4)
    lead, second, third, _ = stitcher.pages_to_fetch()
    tell(stitcher, third)
    assert stitcher.pages_to_fetch() == []
    tell(stitcher, second, 180, 190)
    assert stitcher.pages_to_fetch() == []
    tell(stitcher, lead, *range(90, 190, 10))
    assert offsets(stitcher.pages_to_fetch()) == [19]


def test_calls_beyond_the_end_can_be_given_up_but_not_the_lead():
    stitcher = begun(ahead=4)
    lead, second, third, fourth = stitcher.pages_to_fetch()
    assert stitcher.pages_to_cancel() == []
    tell(stitcher, third)
    assert stitcher.pages_to_cancel() == [fourth.token]
    tell(stitcher, second)
    assert stitcher.pages_to_cancel() == []
    tell(stitcher, lead)
    assert offsets(stitcher.pages_to_fetch()) == [4]
    assert stitcher.pages_to_cancel() == []


def test_pages_are_fetched_ahead_again_when_the_list_goes_on_after_all():
    stitcher = begun(ahead=2)
    lead, second = stitcher.pages_to_fetch()
    tell(stitcher, second, 180, 190)
    tell(stitcher, lead, *range(90, 190, 10))
    (lead,) = stitcher.pages_to_fetch()
    tell(stitcher, lead, *range(190, 290, 10))
    assert offsets(stitcher.pages_to_fetch()) == [28, 37]


def test_a_bookmark_says_where_to_go_on():
    stitcher = PageStitcher(10, ahead=3, frontier=90, offset=9)
    (fetch,) = stitcher.pages_to_fetch()
    assert fetch.offset == 9
    assert tell(stitcher, fetch, *range(90, 190, 10)) == [DeliverRows(0, 90)]
    assert (stitcher.frontier, stitcher.join_offset) == (180, 18)


def test_a_bookmark_beyond_every_list_does_no_harm():
    stitcher = PageStitcher(10, frontier=90, offset=10**18)
    while stitcher.join_offset:
        tell(stitcher, *stitcher.pages_to_fetch())
    assert tell(stitcher, *stitcher.pages_to_fetch(), 90, 100) == [DeliverRows(28, 90)]


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
    stitcher = begun()
    assert tell(stitcher, *stitcher.pages_to_fetch(), *range(500, 600, 10)) == []
    assert tell(stitcher, *stitcher.pages_to_fetch(), *range(400, 500, 10)) == [DeliverRows(1, 590)]


def test_equal_neighbours_are_no_disorder():
    stitcher = PageStitcher(10)
    assert tell(stitcher, *stitcher.pages_to_fetch(), 1, 2, 2, 3) == [DeliverRows(0, None)]
    assert (stitcher.frontier, stitcher.join_offset) == (3, 3)


# gaps


def test_on_a_gap_the_walk_steps_back_by_half_a_page_then_twice_as_far():
    stitcher = begun()
    for _ in range(9):
        tell(stitcher, fetch := stitcher.pages_to_fetch()[0], *range(fetch.offset * 10, fetch.offset * 10 + 100, 10))
    stepped = []
    while stitcher.join_offset:
        stepped += offsets([fetch := stitcher.pages_to_fetch()[0]])
        tell(stitcher, fetch, *range(5_000 + fetch.offset, 5_100, 10))
    assert stepped == [90, 85, 75, 55, 15]
    assert stitcher.mended == 1
    assert tell(stitcher, *stitcher.pages_to_fetch(), 20, 910) == [DeliverRows(15, 900)]


def test_the_next_gap_is_another_one():
    stitcher = begun()
    for mended in (1, 2, 3):
        tell(
            stitcher,
            fetch := stitcher.pages_to_fetch()[0],
            *range(fetch.offset * 10 + 100, fetch.offset * 10 + 200, 10),
        )
        assert (stitcher.mended, stitcher.join_offset) == (mended, fetch.offset - 5)
        tell(
            stitcher, fetch := stitcher.pages_to_fetch()[0], *range(fetch.offset * 10 + 20, fetch.offset * 10 + 120, 10)
        )


def test_gaps_beside_rows_without_an_id_are_harmless_while_there_is_progress():
    stitcher = begun()
    for _ in range(UNREADABLE_PAGES_LIMIT + 1):
        tell(
            stitcher,
            fetch := stitcher.pages_to_fetch()[0],
            *range(fetch.offset * 10 + 100, fetch.offset * 10 + 190, 10),
            received=10,
        )
        tell(
            stitcher, fetch := stitcher.pages_to_fetch()[0], *range(fetch.offset * 10 + 20, fetch.offset * 10 + 120, 10)
        )
    assert stitcher.mended == UNREADABLE_PAGES_LIMIT + 1


def test_an_empty_page_is_a_gap():
    stitcher = begun()
    tell(stitcher, *stitcher.pages_to_fetch())
    assert not stitcher.done
    assert offsets(stitcher.pages_to_fetch()) == [4]


def test_nothing_is_fetched_ahead_while_there_is_a_gap():
    stitcher = begun(ahead=4)
    lead, second, *_ = stitcher.pages_to_fetch()
    tell(stitcher, lead, *range(100, 200, 10))
    assert offsets(stitcher.pages_to_fetch()) == [4]
    tell(stitcher, second, *range(180, 280, 10))
    assert stitcher.pages_to_fetch() == []


def test_pages_overlap_by_more_once_rows_have_left():
    stitcher = begun(100)
    tell(stitcher, *stitcher.pages_to_fetch(), *range(1_020, 2_020, 10))
    tell(stitcher, *stitcher.pages_to_fetch(), *range(520, 1_520, 10))
    assert (stitcher.frontier, stitcher.mended) == (2_010, 1)
    assert stitcher.join_offset == 199 - 1 - 3 * 3


def test_when_the_frontier_overtakes_the_lead_another_page_becomes_it():
    stitcher = begun(3, ahead=4, frontier=None)
    late, second, third, fourth = stitcher.pages_to_fetch()
    assert offsets([late, second, third, fourth]) == [2, 4, 6, 8]
    tell(stitcher, second, 21, 22, 23)
    tell(stitcher, third, 24, 25, 26)
    assert offsets(stitcher.pages_to_fetch()) == [10, 12]
    tell(stitcher, fourth, 40, 41, 42)
    assert offsets(stitcher.pages_to_fetch()) == [7]
    assert tell(stitcher, late, 18, 19, 20) == [DeliverRows(late.token, 26)]


# the end


def test_an_empty_page_at_offset_0_is_the_end():
    stitcher = PageStitcher(10)
    tell(stitcher, *stitcher.pages_to_fetch())
    assert stitcher.done
    assert stitcher.pages_to_fetch() == []


def test_a_page_of_one_row_that_brings_nothing_is_the_end():
    stitcher = begun()
    assert tell(stitcher, *stitcher.pages_to_fetch(), 90) == [DeliverRows(1, 90)]
    assert stitcher.done


def test_a_single_page_of_one_row_is_not_since_pages_may_have_no_more():
    stitcher = PageStitcher(10)
    tell(stitcher, *stitcher.pages_to_fetch(), 90)
    assert tell(stitcher, fetch := stitcher.pages_to_fetch()[0], 100) == [DeliverRows(1, 90)]
    assert fetch.offset == 1
    tell(stitcher, *stitcher.pages_to_fetch())
    assert stitcher.done


def test_one_short_page_that_brings_nothing_is_not_the_end_and_two_are():
    stitcher = begun()
    tell(stitcher, *stitcher.pages_to_fetch(), 70, 80, 90)
    assert not stitcher.done
    tell(stitcher, *stitcher.pages_to_fetch(), 80, 90)
    assert stitcher.done


def test_short_pages_before_and_after_progress_are_not_the_end():
    stitcher = begun()
    tell(stitcher, *stitcher.pages_to_fetch(), 70, 80, 90)
    tell(stitcher, *stitcher.pages_to_fetch(), *range(80, 180, 10))
    tell(stitcher, *stitcher.pages_to_fetch(), 160, 170)
    assert not stitcher.done


def test_equally_short_pages_mean_that_the_server_lowered_its_cap():
    stitcher = begun()
    for _ in range(3):
        tell(stitcher, *stitcher.pages_to_fetch(), 60, 70, 80)
    assert not stitcher.done


def test_a_page_asked_for_before_the_cap_was_raised_is_not_short():
    stitcher = PageStitcher(10, ahead=3)
    tell(stitcher, *stitcher.pages_to_fetch(), 10, 20, 30, 40)
    tell(stitcher, *stitcher.pages_to_fetch(), 40, 50, 60, 70)
    lead, second, third = stitcher.pages_to_fetch()
    tell(stitcher, lead, *range(70, 170, 10))
    tell(stitcher, second, 100, 110, 120, 130)
    tell(stitcher, third, 110, 120, 130, 140, 150, 160)
    assert not stitcher.done


@pytest.mark.parametrize(("rows", "done"), [(4, True), (5, False)])
def test_a_first_page_may_be_enough(rows, done):
    stitcher = PageStitcher(10, complete_below=5)
    tell(stitcher, *stitcher.pages_to_fetch(), *range(rows))
    assert stitcher.done == done


def test_no_other_page_is_enough_nor_a_full_one():
    stitcher = PageStitcher(10, frontier=0, offset=0, complete_below=5)
    tell(stitcher, *stitcher.pages_to_fetch(), 0, 1, 2)
    assert not stitcher.done
    stitcher = begun(complete_below=100)
    for _ in range(2):
        tell(stitcher, *stitcher.pages_to_fetch())
    assert tell(stitcher, fetch := stitcher.pages_to_fetch()[0], 100, 110) == [DeliverRows(fetch.token, 90)]
    assert (fetch.offset, stitcher.done) == (0, False)


def test_what_comes_after_the_end_is_void():
    stitcher = begun(ahead=3)
    lead, second, third = stitcher.pages_to_fetch()
    assert tell(stitcher, third, 270, 280) == []
    assert tell(stitcher, lead, 90) == [DeliverRows(lead.token, 90)]
    assert stitcher.done
    assert tell(stitcher, second, 3, 2, 1) == []


def test_three_equal_pages_may_be_due_to_rows_that_came_back():
    stitcher, page = begun(), range(0, 100, 10)
    for _ in range(2):
        tell(stitcher, *stitcher.pages_to_fetch(), *page)
    assert tell(stitcher, fetch := stitcher.pages_to_fetch()[0]) == [DeliverRows(fetch.token, 90)]
    assert (fetch.offset, stitcher.mended) == (BEYOND_ANY_LIST, 0)
    assert tell(stitcher, *stitcher.pages_to_fetch(), *range(60, 160, 10)) == [DeliverRows(4, 90)]
