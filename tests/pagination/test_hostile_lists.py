"""Servers that say nothing, fail, refuse, sort, cut, round and repeat: all comes, or it is told what is missing."""

import random

import pytest
from hostile_list import HostileList, go_through
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async import (
    Case,
    FuseDeskError,
    NotFoundError,
    PaginationError,
    Request,
    RequestRejectedError,
    ServerError,
    UnexpectedResponseError,
)
from fusedesk_async._pagination.asking import MOST_WITHOUT_PROGRESS
from fusedesk_async._pagination.id_plan import Start
from fusedesk_async._pagination.inquiry import OrderIgnored
from fusedesk_async._wire.profile import LearnedProfile, ServerProfile
from fusedesk_async._wire.readers import Records

NOTHINGS = ["", "false", "null"]
SPOILS = [*NOTHINGS, "5xx", "unparsable"]
aheads = pytest.mark.parametrize("ahead", [1, 4])


def told(done):
    return [(row.after, row.before) for row in done.unreadable]


# A1: an empty answer is not believed


@aheads
@pytest.mark.parametrize("page_size", [10, 500])
@pytest.mark.parametrize("place", [0, 1, 6, 9, 10, 18, 44, 89])
@pytest.mark.parametrize("spoils", ["[]", *SPOILS])
def test_a_row_that_spoils_its_pages_is_passed_over_and_told_of(spoils, place, page_size, ahead):
    ids = [3 * place for place in range(90)]
    if spoils == "[]" and place == 89 and page_size == 500:
        pytest.skip("the newest row is in the first page: both come as [], which an empty list does, too")
    done = go_through(HostileList(ids, spoilt={ids[place]}, spoils=spoils), page_size, ahead=ahead)
    assert done.ids == [row for row in ids if row != ids[place]]
    after = None if place == 0 else ids[place] - 3
    before = None if place == 89 else ids[place] + 3
    assert [(row.rank, row.after, row.before) for row in done.unreadable] == [(place, after, before)]
    assert done.unreadable[0].id is None


@given(
    count=st.integers(2, 120),
    spoilt=st.sets(st.integers(0, 119), max_size=6),
    page_size=st.integers(2, 60),
    spoils=st.sampled_from(SPOILS),
    tells_newest=st.booleans(),
    ahead=st.integers(1, 4),
)
def test_whatever_is_missing_lies_between_the_neighbours_told(count, spoilt, page_size, spoils, tells_newest, ahead):
    server = HostileList(
        range(0, 2 * count, 2), spoilt={2 * row for row in spoilt}, spoils=spoils, tells_newest=tells_newest
    )
    try:
        done = go_through(server, page_size, ahead=ahead)
    except (ServerError, UnexpectedResponseError):
        assert {0, 1} & spoilt, "an outage looks just like that"
        return
    if {0, 1} <= spoilt and not done.ids:
        return  # an empty list looks just like that
    assert done.ids == sorted({*done.ids})
    for row in {*server.ids} - {*done.ids}:
        assert any((after or -1) < row < (before or 10**9) for after, before in told(done))


@pytest.mark.parametrize("spoils", SPOILS)
@pytest.mark.parametrize("place", [0, 1, 40, 70, 89])
def test_in_plain_paging_a_row_that_spoils_its_pages_is_passed_over_too(place, spoils):
    ids = [number * 7 % 90 for number in range(90)]
    server = HostileList(ids, order="as given", spoilt={ids[place]}, spoils=spoils)
    done = go_through(server, 40, plain=True, trusts_empty=False)
    assert done.ids == [row for row in ids if row != ids[place]]
    around = [None, *ids, None]
    assert told(done) == [(around[place], around[place + 2])]


def test_behind_what_spoils_a_page_plain_pages_grow_again():
    server = HostileList([*range(0, 400, 2), *range(1, 400, 2)], order="as given", spoilt={20}, spoils="5xx")
    done = go_through(server, 40, plain=True)
    assert len(done.ids) == 399
    assert max(fetch.limit for fetch in server.asked[-8:]) == 40


@pytest.mark.parametrize("spoils", SPOILS)
def test_a_pass_reports_no_row_that_the_one_before_it_has_reported(spoils):
    ids = [number * 7 % 90 for number in range(90)]
    server = HostileList(ids, order="as given", spoilt={ids[40]}, spoils=spoils)
    done = go_through(server, 40, plain=True, until_nothing_new=True, trusts_empty=False)
    assert done.ids == [row for row in ids if row != ids[40]]
    assert len(done.unreadable) == 1


@pytest.mark.parametrize("spoils", ["[]", *SPOILS])
@pytest.mark.parametrize("spoilt", [{1, 38, 39, 40, 57}, {38, 39, 40, 41, 57}, {5, 6, 7, 8, 20, 21, 22}])
def test_rows_next_to_each_other_that_spoil_their_pages_are_passed_over_while_others_do_further_on(spoilt, spoils):
    done = go_through(HostileList(range(1, 61), spoilt=spoilt, spoils=spoils), 15)
    assert done.ids == [row for row in range(1, 61) if row not in spoilt]
    assert len(done.unreadable) == len(spoilt)


@pytest.mark.parametrize("tells_newest", [True, False])
@pytest.mark.parametrize("spoils", NOTHINGS)
def test_a_walk_goes_on_from_a_row_between_two_that_spoil_all_pages_but_its_own(spoils, tells_newest):
    server = HostileList([0, 3, 4, *range(5, 20)], 4, spoilt={0, 4}, spoils=spoils, tells_newest=tells_newest)
    done = go_through(server, 2, start=Start(3, 3, descending=False))
    assert (done.ids, told(done)) == ([*range(5, 20)], [(3, 5)])


def test_the_id_of_a_row_is_known_if_only_one_fits():
    done = go_through(HostileList(range(30), spoilt={12}, spoils="5xx"))
    (row,) = done.unreadable
    assert (row.id, str(row)) == (12, "row 12 (between ids 11 and 13) cannot be had: ServerError: out of order")


def test_an_empty_list_costs_one_call_more_and_one_that_says_so_in_its_own_way_a_few_once():
    for nothing, first, later in [("[]", 2, 2), ("", 6, 2), ("false", 6, 2), ("null", 6, 2)]:
        profile = LearnedProfile()
        server = HostileList([], nothing=nothing)
        go_through(server, profile=profile)
        assert len(server.asked) == first
        server.asked.clear()
        go_through(server, profile=profile)
        assert len(server.asked) == later


def test_an_interactive_list_believes_a_well_formed_empty_one_at_once_and_no_other():
    for nothing, calls in [("[]", 1), ("null", 6)]:
        server = HostileList([], nothing=nothing)
        go_through(server, trusts_empty=True)
        assert len(server.asked) == calls


@pytest.mark.parametrize("nothing", NOTHINGS)
def test_one_spoilt_answer_to_the_first_page_loses_nothing(nothing):
    def between(server):
        server.spoilt = set()

    server = HostileList(range(95), spoilt=range(95), spoils=nothing, between=between)
    assert go_through(server).ids == [*range(95)]


# A2: without progress it ends, and says where


@pytest.mark.parametrize("tells_newest", [True, False])
@pytest.mark.parametrize("rows", [1, 2, 3, 9, 10, 11, 12, 20, 24, 95, 240])
@pytest.mark.parametrize("spread", [1, 3])
@pytest.mark.parametrize("page_size", [10, 500])
@aheads
def test_offsets_that_are_rounded_down_to_whole_pages_are_followed(rows, spread, page_size, ahead, tells_newest):
    server = HostileList(range(0, rows * spread, spread), rounds=True, tells_newest=tells_newest)
    done = go_through(server, page_size, ahead=ahead)
    assert done.ids == server.ids
    assert done.most_without_progress <= MOST_WITHOUT_PROGRESS + ahead


ANSWERS = st.one_of(
    st.lists(st.integers(0, 40), max_size=8).map(sorted),
    st.lists(st.integers(0, 40), max_size=8),
    st.sampled_from(["[]", *SPOILS, "refused", "404"]),
)


@given(
    answers=st.lists(ANSWERS, max_size=60),
    forever=ANSWERS,
    page_size=st.integers(2, 8),
    ahead=st.integers(1, 3),
    start=st.sampled_from([None, Start(20, 5), Start(20, 5, descending=True)]),
)
def test_whatever_the_server_answers_it_ends_after_a_dozen_requests_without_anything_new(
    answers, forever, page_size, ahead, start
):
    def answer(fetch):
        said = answers.pop() if answers else forever
        if isinstance(said, list):
            return Records(tuple(Case(id=row) for row in said))
        if said in {"refused", "404"}:
            return {"refused": RequestRejectedError, "404": NotFoundError}[said]("no", Request("GET", "v1/cases"), 405)
        return HostileList.say_nothing(said, fetch)

    server = HostileList([])
    server.answer = answer
    try:
        done = go_through(server, page_size, ahead=ahead, start=start)
    except FuseDeskError:
        return
    assert len({*done.ids}) == len(done.ids)


# A10, A12: a short page


def test_a_short_first_page_is_believed_once_the_server_has_sent_a_longer_one():
    profile = LearnedProfile()
    server = HostileList(range(70))
    assert go_through(server, 500, profile=profile, trusts_empty=True).ids == [*range(70)]
    assert len(server.asked) == 2
    go_through(HostileList(range(300)), 500, profile=profile, trusts_empty=True)
    server.asked.clear()
    go_through(server, 500, profile=profile, trusts_empty=True)
    assert len(server.asked) == 1


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("cap", [7, 70])
def test_a_cap_below_100_rows_loses_nothing(cap, plain):
    server = HostileList(range(1_200), cap)
    assert go_through(server, 500, plain=plain, trusts_empty=True).ids == [*range(1_200)]


@given(
    count=st.integers(0, 160),
    runs=st.lists(st.tuples(st.booleans(), st.integers(1, 45)), max_size=12),
    page_size=st.integers(6, 40),
    plain=st.booleans(),
)
def test_a_server_that_filters_pages_after_it_cut_them_out_loses_nothing(count, runs, page_size, plain):
    most = page_size - 2 if plain else 2 * page_size  # without the newest row it looks one page further, and no more
    passing = [passes for passes, length in runs for _ in range(min(length, most))]
    for place in range(most, len(passing)):
        passing[place] = passing[place] or not any(passing[place - most : place])

    def passes(row):
        return row < 2 or row // 2 >= min(len(passing), count - 2) or passing[row // 2]

    server = HostileList(range(0, 2 * count, 2), passes=passes)
    try:
        done = go_through(server, page_size, plain=plain, trusts_empty=False)
    except PaginationError:
        assert len(server.asked) > MOST_WITHOUT_PROGRESS
    else:
        assert done.ids == [row for row in server.ids if passes(row)]


@pytest.mark.parametrize(
    "passes", [lambda row: row % 900 < 400, lambda row: row < 100 or row > 1_700, lambda row: row > 1_500]
)
@pytest.mark.parametrize("tells_newest", [True, False])
def test_a_server_that_filters_pages_is_walked_to_its_end_and_it_is_told_if_that_is_not_lossless(passes, tells_newest):
    server = HostileList(range(2_000), passes=passes, tells_newest=tells_newest)
    done = go_through(server, 500)
    if tells_newest or passes(499):
        assert done.ids == [row for row in server.ids if passes(row)]
    assert done.most_without_progress <= MOST_WITHOUT_PROGRESS


# A13, A14


@given(count=st.integers(0, 60), twins=st.sets(st.integers(0, 59)), page_size=st.integers(2, 50), tells=st.booleans())
def test_lists_with_rows_that_come_twice_have_an_end(count, twins, page_size, tells):
    server = HostileList(range(0, 3 * count, 3), twins={3 * row for row in twins}, tells_newest=tells)
    assert go_through(server, page_size).ids == server.ids


@pytest.mark.parametrize("beyond", ["last", "clipped"])
@pytest.mark.parametrize("tells_newest", [True, False])
@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("rows", [1, 5, 9, 10, 11, 20, 28, 95])
def test_a_server_that_answers_beyond_the_end_with_its_last_page_is_walked(rows, plain, tells_newest, beyond):
    server = HostileList(range(0, rows * 3, 3), beyond=beyond, tells_newest=tells_newest)
    assert go_through(server, plain=plain).ids == server.ids


# B1: the order


@aheads
@pytest.mark.parametrize("rows", [1, 2, 9, 10, 11, 40, 95])
@pytest.mark.parametrize("refused", [(), ("caseid asc",), ("caseid asc", "caseid")])
def test_a_server_that_sorts_descending_is_walked_so(rows, refused, ahead):
    profile = LearnedProfile()
    server = HostileList(range(0, 3 * rows, 3), order="desc", refused_orders=refused)
    done = go_through(server, ahead=ahead, profile=profile)
    assert done.ids == server.ids[::-1]
    assert not done.plan.unordered
    if rows > 1:
        assert profile.value.direction == "descending"
        server.asked.clear()
        assert go_through(server, ahead=ahead, profile=profile).ids == server.ids[::-1]
        assert len(server.asked) <= rows // 9 + 4 + ahead


def test_a_walk_down_loses_nothing_while_rows_leave_and_resumes():
    chance = random.Random(1)

    def between(server):
        del server.ids[chance.randrange(len(server.ids))]

    server = HostileList(range(0, 3_000, 3), order="desc", between=between)
    got = go_through(server, 50).ids
    assert {*server.ids} <= {*got}
    assert got == sorted({*got}, reverse=True)
    server = HostileList(range(0, 300, 3), order="desc")
    assert go_through(server, start=Start(150, 50, descending=True)).ids == [*range(147, -1, -3)]


def test_a_server_that_refuses_a_direction_is_asked_for_the_bare_column_from_then_on():
    profile = LearnedProfile()
    server = HostileList(range(95), refused_orders=["caseid asc"])
    assert go_through(server, profile=profile).ids == server.ids
    assert profile.value.order == "caseid"
    server.asked.clear()
    go_through(server, profile=profile)
    assert {fetch.order for fetch in server.asked} == {"caseid", "caseid desc"}


def test_a_server_that_knows_only_the_bare_column_is_asked_for_that():
    ids = [number * 7 % 95 for number in range(95)]
    server = HostileList(ids, order="bare")
    done = go_through(server, 30)
    assert (done.ids, done.plan.unordered) == (sorted(ids), False)


@pytest.mark.parametrize("order", ["text", "as given"])
@pytest.mark.parametrize("rows", [11, 40, 95, 700])
def test_without_an_order_by_id_all_of_a_quiet_list_comes_and_it_is_told_that_it_is_not_lossless(rows, order):
    ids = [*range(rows)]
    random.Random(rows).shuffle(ids)
    profile = LearnedProfile()
    server = HostileList(ids, order=order)
    for _ in range(2):
        done = go_through(server, profile=profile)
        assert (sorted(done.ids), done.plan.unordered) == (sorted(ids), True)
    with pytest.raises(OrderIgnored):
        go_through(server, may_be_unordered=False)


def test_without_an_order_by_id_what_moves_is_caught_by_the_second_pass():
    def between(server):
        if len(server.asked) == 3:
            server.ids.append(server.ids.pop(0))

    ids = [number * 7 % 45 for number in range(45)]
    done = go_through(HostileList(ids, order="as given", between=between))
    assert sorted(done.ids) == [*range(45)]


def test_a_list_in_no_order_that_never_comes_to_rest_is_gone_through_a_few_times():
    def between(server):
        server.ids.append(1_000 + len(server.asked))

    done = go_through(HostileList([5, 3, 4, 1, 2], order="as given", between=between), 50)
    assert {1, 2, 3, 4, 5} <= {*done.ids}
    assert len(done.ids) < 40


def test_a_list_that_begins_with_rows_that_spoil_their_pages_is_not_taken_for_one_that_has_emptied():
    def between(server):
        if len(server.asked) == 2:
            server.ids = server.ids[2:]

    server = HostileList(range(25), 2, tells_newest=False, largest_limit=6, spoilt={2, 3}, between=between)
    with pytest.raises(PaginationError):
        go_through(server, 7)


def test_rows_that_come_just_as_fast_as_an_end_is_looked_for_are_no_last_page():
    coming = {1: [9, 7], 3: [8], 4: [5, 6, 4]}

    def between(server):
        server.ids = sorted({*server.ids, *coming.get(len(server.asked), ())})

    done = go_through(HostileList(range(4), 3, order="desc", tells_newest=False, between=between), 3)
    assert done.ids == [3, 2, 1, 0]


# B2: heavy places


@aheads
def test_where_pages_are_too_heavy_they_are_smaller_and_grow_behind_it(ahead):
    server = HostileList(range(2_000), heavy=(700, 900), heaviest=20, spoils="unparsable")
    assert go_through(server, 500, ahead=ahead).ids == server.ids
    assert server.asked[-2].limit > 250
    assert len(server.asked) < 60


def test_an_outage_is_no_spoilt_row():
    def between(server):
        server.spoilt = range(95) if len(server.asked) > 2 else ()

    server = HostileList(range(95), between=between, spoils="5xx")
    with pytest.raises(ServerError, match="out of order"):
        go_through(server)
    assert len(server.asked) <= 6


def test_rows_that_spoil_their_pages_where_the_last_one_delivered_was_do_not_keep_it_going_round():
    server = HostileList([2, 3, 4], 4, order="desc", tells_newest=False, spoilt={2, 4})
    done = go_through(server, 4, start=Start(1, 3, descending=True))
    assert done.ids == []
    assert len(server.asked) <= 25
    assert [(row.rank, row.after) for row in done.unreadable] == [(2, 1)]


def test_two_spoilt_rows_that_look_like_an_empty_list_do_not_end_it_while_another_one_arrives():
    def between(server):
        server.spoilt = {0, 1} if len(server.asked) > 4 else {1}
        server.ids = [2, 1, 0] if len(server.asked) > 4 else [1, 0]

    server = HostileList([1, 0], 2, order="desc", tells_newest=False, spoilt={1}, between=between)
    server.refused_orders = ["caseid asc"]
    done = go_through(server, 2)
    assert done.ids == [2]
    assert [row.rank for row in done.unreadable] == [1, 2]


def spoilt_until(asked, left, *later):
    """A row spoils its pages for some requests; then other rows are left, and after two more again others."""

    def between(server):
        if server.spoilt and len(server.asked) >= asked:
            server.ids, server.spoilt = left, set()
        elif not server.spoilt and later and len(server.asked) >= asked + 2:
            server.ids = later[0]

    return between


@pytest.mark.parametrize("left", [[1, 0], [0]])
@pytest.mark.parametrize("asked", range(5, 9))
def test_one_row_does_not_show_which_way_ids_go(left, asked):
    server = HostileList([2, 1, 0], 2, order="desc", tells_newest=False, spoilt={1}, between=spoilt_until(asked, left))
    assert {*go_through(server, 2).ids} >= {2, 0}


@pytest.mark.parametrize("asked", [5, 8])
def test_rows_that_were_taken_for_descending_are_not_once_they_show_that_they_ascend(asked):
    between = spoilt_until(asked, [0], [0, 6, 7, 8])
    done = go_through(HostileList([2, 3], tells_newest=False, spoilt={3}, between=between), 2)
    assert (done.ids, done.plan.unordered) == ([2, 0, 6, 7, 8], False)


# what is too much for the server (B3)


@pytest.mark.parametrize(("largest", "learned"), [(250, 250), (499, 250), (200, 150), (100, 100)])
def test_a_limit_that_is_refused_is_lowered_once(largest, learned):
    profile = LearnedProfile()
    server = HostileList(range(1_000), largest_limit=largest)
    assert go_through(server, 500, profile=profile).ids == server.ids
    assert profile.value.page_limit == learned
    server.asked.clear()
    assert go_through(server, 500, profile=profile).ids == server.ids
    assert {fetch.limit for fetch in server.asked} == {learned, 2}


@aheads
def test_a_limit_that_is_lowered_on_the_way_is_followed(ahead):
    def between(server):
        server.largest_limit = 40 if len(server.asked) > 2 else 500

    server = HostileList(range(1_000), between=between)
    assert go_through(server, 100, ahead=ahead).ids == server.ids


def test_a_filter_that_is_refused_is_refused_as_ever_with_few_calls_more():
    server = HostileList(range(95), refused_orders=["caseid asc", "caseid", ""])
    with pytest.raises(RequestRejectedError, match="no such order"):
        go_through(server, 500)
    assert len(server.asked) == 4


def test_a_profile_is_what_was_found_out():
    assert LearnedProfile().value == ServerProfile()
