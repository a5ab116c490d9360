"""How fast the hour is used up: freely, at a trickle, or not at all."""

import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fusedesk_async._ratelimit.allowance import Ledger
from fusedesk_async._ratelimit.call_log import CallLog
from fusedesk_async._ratelimit.pacing import (
    FIRST_LOOK,
    FIRST_POLL,
    LEAST_TRICKLE_FLOOR,
    LONGEST_POLL_GAP,
    LONGEST_TRICKLE_GAP,
    TRICKLE_BUDGET,
    HourlyPacer,
)
from fusedesk_async._wire.headers import Usage

HOUR = 3_600.0
RESERVES = st.floats(0.0, 0.9)
LIMITS = st.integers(1, 3_000)


class Desk:
    """A server that gives nothing back, and a pacer that hears of it at once."""

    def __init__(self, *, reserve=0.1, limit=1_800, left=None, most=None, assumed=1_800):
        self.ledger, self.call_log, self.made = Ledger(), CallLog(HOUR), 0
        self.pacer = HourlyPacer(reserve, HOUR, assumed, self.ledger, self.call_log)
        self.limit, self.left = limit, left
        if left is not None:
            self.call(0.0, bulk=False, left=max(left, most or 0))
            if limit > 1:  # three calls within no time would show that its hour is none
                self.call(0.0, bulk=False, left=left)

    def call(self, now, *, bulk, left=None):
        self.call_log.on_granted()
        self.ledger.on_granted(self.made)
        self.pacer.on_granted(now, bulk=bulk)
        if left is None:
            self.left = left = self.left - 1
        self.call_log.on_ended(now)
        self.ledger.on_response(self.made, Usage(self.limit, left), now=now)
        self.pacer.on_response(now)
        self.made += 1

    @property
    def floor(self):
        return self.pacer._floor + self.pacer._others


def silent(calls, *, reserve=0.1, limit=20, moment=0.0):
    """A pacer that no answer tells anything, after so many calls of which one ended each second."""
    desk = Desk(reserve=reserve, assumed=limit)
    for number in range(calls):
        desk.call_log.on_granted()
        desk.call_log.on_ended(moment + number)
    return desk.pacer


def test_at_first_both_kinds_may_go():
    pacer = silent(0)
    assert (pacer.delay(0.0, bulk=True), pacer.delay(0.0, bulk=False)) == (0.0, 0.0)
    assert pacer.is_unrestricted(0.0)
    assert pacer.remaining(0.0) is None


@given(RESERVES, LIMITS, st.integers(0, 3_000), st.integers(0, 3_000), st.floats(0, HOUR))
def test_interactive_calls_go_at_once_as_long_as_one_is_left(reserve, limit, left, most, now):
    assume(left <= limit and most <= limit)
    pacer = Desk(reserve=reserve, limit=limit, left=left, most=most).pacer
    delay = pacer.delay(now, bulk=False)
    assert delay == 0 if left >= 1 else HOUR * FIRST_POLL - now <= delay <= HOUR * LONGEST_POLL_GAP


@given(RESERVES, LIMITS, st.integers(0, 3_000), st.integers(0, 3_000), st.floats(0, HOUR))
def test_bulk_calls_never_go_before_interactive_ones_may(reserve, limit, left, most, now):
    assume(left <= limit and most <= limit)
    desk = Desk(reserve=reserve, limit=limit, left=left, most=most)
    assert desk.pacer.delay(now, bulk=True) >= desk.pacer.delay(now, bulk=False)
    assert desk.pacer.is_unrestricted(now) == (left > desk.floor)


@given(RESERVES, LIMITS, st.integers(0, 3_000), st.lists(st.floats(0, 400), max_size=60), st.randoms())
def test_below_the_floor_bulk_calls_only_trickle_and_ever_more_slowly(reserve, limit, left, pauses, source):
    assume(left <= limit)
    desk = Desk(reserve=reserve, limit=limit, left=left, most=limit)
    now, last, gaps = 0.0, None, []
    for pause in pauses:
        now += pause
        if desk.left < 1:
            break
        if desk.pacer.delay(now, bulk=True) > 0:
            assert desk.left <= desk.floor
        elif desk.left > desk.floor:
            last = None
            desk.call(now, bulk=True)
        else:
            gaps += [] if last is None else [now - last]
            last = now
            desk.call(now, bulk=True)
        if source.random() < 0.2 and desk.left >= 1:
            desk.call(now, bulk=False)
    for gap, so_far in zip(gaps[1:], (sum(gaps[:number]) for number in range(1, len(gaps))), strict=True):
        assert gap >= min(so_far, HOUR * LONGEST_TRICKLE_GAP) * (1 - 1e-9)


@pytest.mark.parametrize("limit", [40, 100, 600, 1_800, 5_000])
@pytest.mark.parametrize("reserve", [0.0, 0.033, 0.1, 0.4])
def test_a_trickle_that_finds_nothing_for_an_hour_does_not_use_up_the_reserve(limit, reserve):
    desk = Desk(reserve=reserve, limit=limit, left=limit)
    now = 0.0
    while True:
        now += max(desk.pacer.delay(now, bulk=True), 0.3)
        if now > HOUR:
            break
        desk.call(now, bulk=True)
    assert desk.left >= (1 if limit < 1_800 else reserve * limit)


@pytest.mark.parametrize("limit", [1, 2, 5, 10, 60, 240, 1_800])
@pytest.mark.parametrize("calls_at_once", [1, 64])
def test_where_calls_take_no_time_none_of_an_hour_that_gives_nothing_back_is_rejected(limit, calls_at_once):
    desk, now = Desk(limit=limit, left=limit), 0.0
    while now < HOUR:
        for _ in range(calls_at_once):
            if desk.pacer.delay(now, bulk=True) == 0.0:
                desk.call(now, bulk=True)
                assert desk.left >= 0
        now += max(desk.pacer.delay(now, bulk=True), 1e-3)
    assert now == pytest.approx(HOUR) or desk.left > 0


def test_a_bulk_call_waits_for_our_own_calls_if_these_used_up_the_hour_and_else_looks_now_and_then():
    ours, others = Desk(limit=20, left=20), Desk(limit=20, left=5)
    for number in range(20):
        ours.call(10.0 + number, bulk=False)
    others.call(29.0, bulk=False, left=0)
    assert ours.pacer.delay(30.0, bulk=True) == ours.call_log.delay(20, 30.0) > HOUR - 40
    assert ours.pacer.delay(30.0, bulk=False) <= HOUR * LONGEST_POLL_GAP
    assert others.pacer.delay(30.0, bulk=True) <= HOUR * LONGEST_POLL_GAP


def trickle(left):
    """Seconds between two calls of the trickle, when so many are left and one came back every five seconds."""
    desk = Desk(left=left + 1, most=1_800)
    desk.call(10.0, bulk=True)
    desk.call(20.0, bulk=True, left=left + 3)
    desk.call(20.0, bulk=True, left=left)
    return desk.pacer._trickle_gap


def test_the_first_gap_of_the_trickle_is_brief_and_each_look_comes_after_a_multiple_of_the_time():
    desk, now, looks = Desk(limit=20, left=20), 0.0, []
    while desk.left > desk.floor:
        desk.call(0.0, bulk=True)
    while desk.left:
        now += desk.pacer.delay(now, bulk=True)
        looks.append(now)
        desk.call(now, bulk=True)
    assert looks[0] == pytest.approx(HOUR * FIRST_LOOK)
    assert all(later >= 3.9 * earlier for earlier, later in pairwise(looks[:-1]))
    assert looks[-1] == pytest.approx(HOUR)


def test_where_fewer_than_four_are_left_the_first_look_is_later():
    desk = Desk(limit=5, left=5)
    while desk.left > desk.floor:
        desk.call(0.0, bulk=True)
    assert desk.left == 2
    assert 30 < desk.pacer.delay(0.0, bulk=True) < 90


def test_where_little_was_ever_shown_the_first_gap_is_the_average_unless_a_few_looks_can_be_made():
    assert 1 < Desk(limit=300, left=2).pacer._trickle_gap <= HOUR / 300
    assert Desk(limit=20, left=4, most=9).pacer._trickle_gap < 1


def test_more_calls_than_two_hours_allow_show_that_the_hour_is_shorter():
    desk = Desk(limit=20, left=20)
    for number in range(38):
        desk.call(number / 10, bulk=True, left=10)
    assert desk.pacer.longest_window == HOUR
    desk.call(5.0, bulk=True, left=10)
    assert desk.pacer.longest_window == pytest.approx(5.0)
    desk.limit = 30
    desk.call(6.0, bulk=True, left=10)
    desk.call(6.0, bulk=True, left=10)
    assert desk.pacer.longest_window == HOUR


def test_bulk_calls_look_although_all_calls_were_ours_if_the_hour_is_shorter():
    desk = Desk(limit=20, left=20)
    for number in range(45):
        desk.call(number / 10, bulk=True, left=10)
    desk.call(5.0, bulk=True, left=0)
    assert desk.pacer.delay(5.0, bulk=True) < 10


def test_bulk_calls_look_if_people_took_the_last_call_and_some_came_back_before():
    desk = Desk(limit=20, left=20)
    for number in range(15):
        desk.call(number / 10, bulk=True)
    desk.call(3.0, bulk=True, left=19)
    for _ in range(19):
        desk.call(3.1, bulk=False)
    assert desk.pacer.delay(3.1, bulk=True) < 10
    desk.call(4.0, bulk=True, left=0)
    assert desk.pacer.delay(4.0, bulk=True) > HOUR - 40


def test_calls_that_come_back_set_the_pace_of_the_trickle():
    assert trickle(252) == pytest.approx(5.0, rel=0.02)


def test_the_more_people_take_from_the_reserve_the_slower_is_the_trickle():
    gaps = [trickle(left) for left in (252, 200, 150, 100, 50)]
    assert gaps == sorted(set(gaps))
    assert gaps[-1] <= HOUR * LONGEST_TRICKLE_GAP


def test_the_trickle_looks_as_soon_as_many_of_our_own_calls_are_an_hour_old():
    desk = Desk(limit=100, left=100)
    for number in range(86):
        desk.call(number / 10, bulk=True)
    desk.call(3_500.0, bulk=True)
    returning = desk.pacer.until_calls_return(3_500.0)
    assert desk.pacer.delay(3_500.0, bulk=True) == returning == pytest.approx(100 + 1.2, abs=0.2)


def test_but_not_when_too_few_are_left_to_look_again_if_nothing_came_back():
    desk = Desk(limit=100, left=100)
    for number in range(93):
        desk.call(number / 10, bulk=True)
    desk.call(3_500.0, bulk=True)
    assert desk.pacer.delay(3_500.0, bulk=True) > desk.pacer.until_calls_return(3_500.0)


def test_when_none_are_left_it_looks_soon_at_first_and_then_after_as_long_as_nothing_came():
    desk = Desk(left=0)
    assert desk.pacer.delay(0.0, bulk=False) == HOUR * FIRST_POLL
    desk.call(100.0, bulk=False, left=0)
    assert desk.pacer.delay(100.0, bulk=False) == desk.pacer.delay(100.0, bulk=True) == 100.0
    desk.call(3_000.0, bulk=False, left=0)
    assert desk.pacer.delay(3_000.0, bulk=False) == HOUR * LONGEST_POLL_GAP


def test_beside_other_programs_it_looks_after_a_minute_though_few_calls_seemed_to_come_back():
    desk = Desk(left=0, most=1_800)
    desk.call(100.0, bulk=False, left=0)
    assert desk.pacer.delay(100.0, bulk=False) == HOUR * LONGEST_TRICKLE_GAP


def test_when_calls_come_back_it_looks_as_soon_as_one_more_may_have():
    desk = Desk(left=100, most=1_800)
    desk.call(100.0, bulk=False, left=109)
    for number in range(3):
        desk.ledger.on_granted(desk.made + number)
    desk.ledger.on_response(desk.made, Usage(1_800, 0), now=100.0)
    assert desk.ledger.certainly_remaining == -2
    assert desk.pacer.delay(100.0, bulk=False) == pytest.approx(3 * desk.ledger.refill.seconds_per_call)


@given(RESERVES, LIMITS)
def test_the_trickle_begins_above_the_reserve_but_at_no_more_than_half_of_a_limit_that_is_small(reserve, limit):
    floor, asked = Desk(reserve=reserve, limit=limit, left=limit).floor, (reserve + TRICKLE_BUDGET) * limit
    bounds = max(asked, LEAST_TRICKLE_FLOOR), max(limit / 2, asked), max(limit / 2, limit - 1)
    assert floor == pytest.approx(min(bounds))


def test_a_small_bucket_is_used_down_to_half_of_what_it_ever_showed():
    desk = Desk(left=100)
    assert desk.pacer.delay(0.0, bulk=True) == 0.0
    assert desk.floor == 50
    desk = Desk(left=50, most=100)
    desk.call(1.0, bulk=True)
    assert desk.pacer.delay(1.0, bulk=True) > 0


def test_news_older_than_an_hour_are_none():
    desk = Desk(left=0)
    assert desk.pacer.remaining(HOUR) == 0
    assert desk.pacer.remaining(HOUR + 1) is None
    assert desk.pacer.delay(HOUR + 1, bulk=True) == 0.0


def test_without_news_bulk_calls_stop_at_the_reserve_and_interactive_ones_at_the_limit():
    reserve_reached, used_up = silent(18), silent(20)
    assert reserve_reached.reserved == 2
    assert (reserve_reached.delay(20.0, bulk=True), reserve_reached.delay(20.0, bulk=False)) == (HOUR - 20, 0.0)
    assert (used_up.delay(20.0, bulk=True), used_up.delay(20.0, bulk=False)) == (HOUR - 18, HOUR - 20)
    assert [silent(17).is_unrestricted(20.0), reserve_reached.is_unrestricted(20.0)] == [True, False]


def test_the_limit_is_assumed_until_an_answer_tells():
    assert silent(0, limit=7).limit == 7
    assert Desk(left=5, limit=9).pacer.limit == 9


@given(st.floats(0.0, 0.999), st.integers(1, 3_000))
def test_what_is_reserved_is_the_part_asked_for_but_never_the_whole(reserve, limit):
    reserved = silent(0, reserve=reserve, limit=limit).reserved
    assert 0 <= reserved < limit
    assert reserved >= min(reserve * limit, limit - 1)


def test_many_calls_are_back_when_as_many_as_the_floor_are_an_hour_old():
    desk = Desk(limit=100, left=100, reserve=0.21)
    assert desk.pacer.until_calls_return(0.0) == math.inf
    for number in range(30):
        desk.call(float(number), bulk=True)
    assert desk.floor == 25
    assert desk.pacer.until_calls_return(30.0) == 23 + HOUR - 30
    assert silent(2, reserve=0.0).until_calls_return(5.0) == 1 + HOUR - 5


def test_some_bulk_calls_may_go_at_once_and_the_others_take_as_long_as_the_hour_on_average():
    desk = Desk(limit=1_800, left=1_000, most=1_800)
    assert desk.pacer.seconds_for(int(1_000 - desk.floor), 0.0) == 0.0
    assert desk.pacer.seconds_for(int(1_000 - desk.floor) + 50, 0.0) == 100.0
    assert silent(10, limit=20).seconds_for(8, 20.0) == 0.0
    assert silent(10, limit=20).seconds_for(9, 20.0) == HOUR / 20


@pytest.mark.parametrize("reserve", [0.5, 0.7, 0.9])
def test_a_reserve_of_more_than_half_is_kept_too(reserve):
    desk = Desk(reserve=reserve, left=1_000, most=1_799)
    assert 1_800 * reserve < desk.floor <= 1_800 * (reserve + TRICKLE_BUDGET)
