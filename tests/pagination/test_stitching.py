import pytest

from fusedesk_async._pagination.stitching import BLIND_PAGES, FAR, Ask, Seams, Take


def tell(seams, ask, *ids, received=None):
    return seams.told(ask.token, list(ids), len(ids) if received is None else received)


def begun(page_size=10, **options):
    """A walk that was told a full first page: 0, 10, 20 and so on."""
    seams = Seams(page_size, **options)
    assert tell(seams, *seams.ask(), *range(0, page_size * 10, 10)) == [Take(0, None)]
    return seams


def offsets(asks):
    return [ask.offset for ask in asks]


# what is asked for


def test_the_first_page_comes_first_and_alone():
    seams = Seams(10, ahead=4)
    assert seams.ask() == [Ask(0, 0)]
    assert seams.ask() == []


def test_then_pages_are_fetched_ahead_each_with_one_row_of_the_one_before():
    seams = begun(ahead=4)
    assert offsets(seams.ask()) == [9, 18, 27, 36]
    assert seams.ask() == []


def test_no_page_is_fetched_ahead_after_a_short_one():
    seams = begun(ahead=4)
    lead, second, third, _ = seams.ask()
    tell(seams, third)
    assert seams.ask() == []
    tell(seams, second, 180, 190)
    assert seams.ask() == []
    tell(seams, lead, *range(90, 190, 10))
    assert offsets(seams.ask()) == [19]


def test_calls_beyond_the_end_can_be_given_up_but_not_the_lead():
    seams = begun(ahead=4)
    lead, second, third, fourth = seams.ask()
    assert seams.give_up() == []
    tell(seams, third)
    assert seams.give_up() == [fourth.token]
    tell(seams, second)
    assert seams.give_up() == []
    tell(seams, lead)
    assert offsets(seams.ask()) == [4]
    assert seams.give_up() == []


def test_pages_are_fetched_ahead_again_when_the_list_goes_on_after_all():
    seams = begun(ahead=2)
    lead, second = seams.ask()
    tell(seams, second, 180, 190)
    tell(seams, lead, *range(90, 190, 10))
    (lead,) = seams.ask()
    tell(seams, lead, *range(190, 290, 10))
    assert offsets(seams.ask()) == [28, 37]


def test_a_bookmark_says_where_to_go_on():
    seams = Seams(10, ahead=3, frontier=90, rank=9)
    (ask,) = seams.ask()
    assert ask.offset == 9
    assert tell(seams, ask, *range(90, 190, 10)) == [Take(0, 90)]
    assert (seams.frontier, seams.rank) == (180, 18)


def test_a_bookmark_beyond_every_list_does_no_harm():
    seams = Seams(10, frontier=90, rank=10**18)
    while seams.rank:
        tell(seams, *seams.ask())
    assert tell(seams, *seams.ask(), 90, 100) == [Take(28, 90)]


# what is delivered


def test_only_rows_above_the_frontier_are_delivered():
    seams = begun()
    assert tell(seams, *seams.ask(), *range(90, 190, 10)) == [Take(1, 90)]


def test_a_page_that_begins_right_after_the_frontier_joins():
    seams = begun()
    assert tell(seams, *seams.ask(), *range(91, 101)) == [Take(1, 90)]
    assert seams.mended == 0


def test_a_page_that_begins_later_does_not():
    seams = begun()
    assert tell(seams, *seams.ask(), *range(92, 102)) == []
    assert seams.mended == 1


def test_pages_that_come_too_early_wait():
    seams = begun(ahead=3)
    lead, second, third = seams.ask()
    assert tell(seams, third, *range(270, 370, 10)) == []
    assert tell(seams, second, *range(180, 280, 10)) == []
    takes = tell(seams, lead, *range(90, 190, 10))
    assert takes == [Take(lead.token, 90), Take(second.token, 180), Take(third.token, 270)]


def test_pages_that_bring_nothing_come_back_too():
    seams = begun(ahead=3)
    lead, second, third = seams.ask()
    assert tell(seams, third) == [Take(third.token, 90)]
    tell(seams, lead, *range(90, 190, 10))
    assert tell(seams, second, *range(90, 190, 10)) == [Take(second.token, 180)]


def test_no_more_pages_wait_than_allowed_and_the_far_ones_go():
    seams = begun()
    assert tell(seams, *seams.ask(), *range(500, 600, 10)) == []
    assert tell(seams, *seams.ask(), *range(400, 500, 10)) == [Take(1, 590)]


def test_equal_neighbours_are_no_disorder():
    seams = Seams(10)
    assert tell(seams, *seams.ask(), 1, 2, 2, 3) == [Take(0, None)]
    assert (seams.frontier, seams.rank) == (3, 3)


# gaps


def test_on_a_gap_the_walk_steps_back_by_half_a_page_then_twice_as_far():
    seams = begun()
    for _ in range(9):
        tell(seams, ask := seams.ask()[0], *range(ask.offset * 10, ask.offset * 10 + 100, 10))
    stepped = []
    while seams.rank:
        stepped += offsets([ask := seams.ask()[0]])
        tell(seams, ask, *range(5_000 + ask.offset, 5_100, 10))
    assert stepped == [90, 85, 75, 55, 15]
    assert seams.mended == 1
    assert tell(seams, *seams.ask(), 20, 910) == [Take(15, 900)]


def test_the_next_gap_is_another_one():
    seams = begun()
    for mended in (1, 2, 3):
        tell(seams, ask := seams.ask()[0], *range(ask.offset * 10 + 100, ask.offset * 10 + 200, 10))
        assert (seams.mended, seams.rank) == (mended, ask.offset - 5)
        tell(seams, ask := seams.ask()[0], *range(ask.offset * 10 + 20, ask.offset * 10 + 120, 10))


def test_gaps_beside_rows_without_an_id_are_harmless_while_there_is_progress():
    seams = begun()
    for _ in range(BLIND_PAGES + 1):
        tell(seams, ask := seams.ask()[0], *range(ask.offset * 10 + 100, ask.offset * 10 + 190, 10), received=10)
        tell(seams, ask := seams.ask()[0], *range(ask.offset * 10 + 20, ask.offset * 10 + 120, 10))
    assert seams.mended == BLIND_PAGES + 1


def test_an_empty_page_is_a_gap():
    seams = begun()
    tell(seams, *seams.ask())
    assert not seams.done
    assert offsets(seams.ask()) == [4]


def test_nothing_is_fetched_ahead_while_there_is_a_gap():
    seams = begun(ahead=4)
    lead, second, *_ = seams.ask()
    tell(seams, lead, *range(100, 200, 10))
    assert offsets(seams.ask()) == [4]
    tell(seams, second, *range(180, 280, 10))
    assert seams.ask() == []


def test_pages_overlap_by_more_once_rows_have_left():
    seams = begun(100)
    tell(seams, *seams.ask(), *range(1_020, 2_020, 10))
    tell(seams, *seams.ask(), *range(520, 1_520, 10))
    assert (seams.frontier, seams.mended) == (2_010, 1)
    assert seams.rank == 199 - 1 - 3 * 3


def test_when_the_frontier_overtakes_the_lead_another_page_becomes_it():
    seams = begun(3, ahead=4, frontier=None)
    late, second, third, fourth = seams.ask()
    assert offsets([late, second, third, fourth]) == [2, 4, 6, 8]
    tell(seams, second, 21, 22, 23)
    tell(seams, third, 24, 25, 26)
    assert offsets(seams.ask()) == [10, 12]
    tell(seams, fourth, 40, 41, 42)
    assert offsets(seams.ask()) == [7]
    assert tell(seams, late, 18, 19, 20) == [Take(late.token, 26)]


# the end


def test_an_empty_page_at_offset_0_is_the_end():
    seams = Seams(10)
    tell(seams, *seams.ask())
    assert seams.done
    assert seams.ask() == []


def test_a_page_of_one_row_that_brings_nothing_is_the_end():
    seams = begun()
    assert tell(seams, *seams.ask(), 90) == [Take(1, 90)]
    assert seams.done


def test_a_single_page_of_one_row_is_not_since_pages_may_have_no_more():
    seams = Seams(10)
    tell(seams, *seams.ask(), 90)
    assert tell(seams, ask := seams.ask()[0], 100) == [Take(1, 90)]
    assert ask.offset == 1
    tell(seams, *seams.ask())
    assert seams.done


def test_one_short_page_that_brings_nothing_is_not_the_end_and_two_are():
    seams = begun()
    tell(seams, *seams.ask(), 70, 80, 90)
    assert not seams.done
    tell(seams, *seams.ask(), 80, 90)
    assert seams.done


def test_short_pages_before_and_after_progress_are_not_the_end():
    seams = begun()
    tell(seams, *seams.ask(), 70, 80, 90)
    tell(seams, *seams.ask(), *range(80, 180, 10))
    tell(seams, *seams.ask(), 160, 170)
    assert not seams.done


def test_equally_short_pages_mean_that_the_server_lowered_its_cap():
    seams = begun()
    for _ in range(3):
        tell(seams, *seams.ask(), 60, 70, 80)
    assert not seams.done


def test_a_page_asked_for_before_the_cap_was_raised_is_not_short():
    seams = Seams(10, ahead=3)
    tell(seams, *seams.ask(), 10, 20, 30, 40)
    tell(seams, *seams.ask(), 40, 50, 60, 70)
    lead, second, third = seams.ask()
    tell(seams, lead, *range(70, 170, 10))
    tell(seams, second, 100, 110, 120, 130)
    tell(seams, third, 110, 120, 130, 140, 150, 160)
    assert not seams.done


@pytest.mark.parametrize(("rows", "done"), [(4, True), (5, False)])
def test_a_first_page_may_be_enough(rows, done):
    seams = Seams(10, enough=5)
    tell(seams, *seams.ask(), *range(rows))
    assert seams.done == done


def test_no_other_page_is_enough_nor_a_full_one():
    seams = Seams(10, frontier=0, rank=0, enough=5)
    tell(seams, *seams.ask(), 0, 1, 2)
    assert not seams.done
    seams = begun(enough=100)
    for _ in range(2):
        tell(seams, *seams.ask())
    assert tell(seams, ask := seams.ask()[0], 100, 110) == [Take(ask.token, 90)]
    assert (ask.offset, seams.done) == (0, False)


def test_what_comes_after_the_end_is_void():
    seams = begun(ahead=3)
    lead, second, third = seams.ask()
    assert tell(seams, third, 270, 280) == []
    assert tell(seams, lead, 90) == [Take(lead.token, 90)]
    assert seams.done
    assert tell(seams, second, 3, 2, 1) == []


def test_three_equal_pages_may_be_due_to_rows_that_came_back():
    seams, page = begun(), range(0, 100, 10)
    for _ in range(2):
        tell(seams, *seams.ask(), *page)
    assert tell(seams, ask := seams.ask()[0]) == [Take(ask.token, 90)]
    assert (ask.offset, seams.mended) == (FAR, 0)
    assert tell(seams, *seams.ask(), *range(60, 160, 10)) == [Take(4, 90)]
