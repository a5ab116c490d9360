"""Who is told when to come back: each a moment of its own, in order, as far away as the call that it waits for."""

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async._ratelimit.retry_times import PUNCTUALITY, TIME_KEPT, RetryTimes
from fusedesk_async._ratelimit.rules import AdmissionRules
from fusedesk_async._wire.headers import Usage

HOUR = 3_600.0


def make_rules(limit, left, calls, *, reserve=0.1, headers=True):
    """Rules after so many calls, one a second, of which the last left so many; and the time."""
    rules = AdmissionRules(reserve=reserve, window=HOUR, assumed_limit=limit, source=random.Random(1))
    for second in range(calls):
        usage = Usage(limit, left + calls - second - 1) if headers else Usage()
        rules.on_accepted(rules.on_granted(float(second), bulk=False), usage, float(second))
    return rules, float(calls)


@given(st.lists(st.floats(0.0, 100.0), max_size=30))
def test_each_that_asks_has_a_turn_of_its_own(moments):
    times = RetryTimes(HOUR)
    for number, moment in enumerate(moments, 1):
        assert times.next_turn(0.0) == number
        assert times.on_told(moment) == moment + PUNCTUALITY
    assert times.earliest == min(moments, default=math.inf)


def test_who_comes_back_when_told_frees_the_turn_and_who_comes_sooner_does_not():
    times = RetryTimes(HOUR)
    times.on_asked(0.0)
    for moment in (10.0, 20.0):
        times.on_told(moment)
    times.on_asked(9.0)
    assert times.next_turn(9.0) == 3
    times.on_asked(10.0 + PUNCTUALITY)
    assert (times.next_turn(11.0), times.earliest) == (2, 20.0)


def test_who_does_not_come_back_is_not_expected_for_ever():
    times = RetryTimes(HOUR)
    times.on_told(10.0)
    assert times.next_turn(10.0 + TIME_KEPT * HOUR - 1.0) == 2
    assert times.next_turn(10.0 + TIME_KEPT * HOUR) == 1


@given(
    st.integers(1, 50),
    st.integers(0, 3),
    st.integers(0, 60),
    st.booleans(),
    st.booleans(),
    st.integers(1, 150),
    st.floats(0.0, HOUR),
)
def test_while_nothing_new_is_known_nobody_is_told_to_come_before_one_who_asked_first(
    limit, left, calls, headers, bulk, askers, pause
):
    rules, now = make_rules(limit, min(left, limit), min(calls, limit), headers=headers)
    now += pause
    told = [now + rules.retry_after(now, bulk=bulk) for _ in range(askers)]
    scouts = 1  # who finds out whether calls have come back may be asked to come before the others
    assert sum(after < before for before, after in pairwise(told)) <= scouts
    assert all(moment - now >= 1.0 for moment in told)


def test_by_our_own_count_each_is_told_when_a_call_is_an_hour_old():
    rules, now = make_rules(5, 0, 5, headers=False)
    told = [now + rules.retry_after(now, bulk=False) for _ in range(7)]
    assert told == pytest.approx([HOUR, HOUR + 1, HOUR + 2, HOUR + 3, HOUR + 4, 2 * HOUR, 2 * HOUR + 1], abs=0.01)


def test_where_none_remain_each_is_told_when_one_more_is_back_on_the_average():
    rules, now = make_rules(20, 0, 20)
    told = [now + rules.retry_after(now, bulk=False) for _ in range(3)]
    assert told == pytest.approx([19 + 180, 19 + 360, 19 + 540], abs=0.01)


def test_when_none_came_back_in_that_time_the_hour_is_waited_for_and_one_looks_meanwhile():
    rules, _ = make_rules(20, 0, 20)
    rules.on_rejected(rules.on_granted(200.0, bulk=False), Usage(20, 0), 200.0, hint=None)
    told = [200.0 + rules.retry_after(200.0, bulk=False) for _ in range(4)]
    assert told == pytest.approx([10 * 200, HOUR + 1, HOUR + 2, HOUR + 3], abs=0.01)


def test_calls_of_others_are_back_an_hour_after_the_last_one_came_back():
    rules, _ = make_rules(10, 0, 1)
    rules.on_rejected(rules.on_granted(400.0, bulk=False), Usage(10, 0), 400.0, hint=None)
    told = [400.0 + rules.retry_after(400.0, bulk=False) for _ in range(12)]
    assert told[0] == pytest.approx(HOUR, abs=0.01)
    assert told[1:8] == pytest.approx([HOUR + 36.0 * place for place in range(1, 8)], abs=0.01)
    assert told[10] == pytest.approx(2 * HOUR, abs=0.01)


def test_in_a_cooldown_each_is_told_a_moment_after_it():
    rules, now = make_rules(1_800, 1_000, 1)
    rules.on_rejected(rules.on_granted(now, bulk=False), Usage(1_800, 999), now, hint=30.0)
    told = [rules.retry_after(now, bulk=False) for _ in range(3)]
    assert 30.0 <= told[0] <= 33.01
    assert [after - before for before, after in pairwise(told)] == pytest.approx([1.0, 1.0])


def test_who_asks_while_a_probe_is_in_flight_is_told_to_come_later():
    rules, now = make_rules(20, 19, 1, headers=False)
    rules.on_rejected(rules.on_granted(now, bulk=False), Usage(), now, hint=30.0)
    rules.on_granted(rules.cooldowns.newest.until, bulk=False)
    assert rules.retry_after(rules.cooldowns.newest.until, bulk=False) == pytest.approx(180.0, abs=0.01)


def test_a_hint_beyond_the_hour_is_passed_on_although_the_limiter_looks_sooner():
    rules, now = make_rules(1_800, 1_000, 1)
    rules.on_rejected(rules.on_granted(now, bulk=False), Usage(1_800, 999), now, hint=9_000.0)
    assert rules.retry_after(now, bulk=False) == pytest.approx(9_000.0, abs=0.01)
    rules.on_accepted(rules.on_granted(5_000.0, bulk=False), Usage(1_800, 999), 5_000.0)
    assert rules.retry_after(5_000.0, bulk=False) < 10.0


def test_bulk_calls_are_told_the_next_ones_of_the_trickle():
    rules, now = make_rules(100, 10, 90)
    told = [rules.retry_after(now, bulk=True) for _ in range(3)]
    gaps = [after - before for before, after in pairwise(told)]
    assert all(gap > 60.0 for gap in gaps)
    assert rules.retry_after(now, bulk=False) == pytest.approx(1.0, abs=0.01)
    empty, now = make_rules(20, 0, 20)
    assert empty.retry_after(now, bulk=True) == pytest.approx(179.0, abs=0.01)


def test_where_steps_are_even_each_is_told_a_step_of_its_own():
    rules, now = make_rules(1_800, 1_000, 1)
    rules._burst.rate = 0.1
    told = [rules.retry_after(now, bulk=False) for _ in range(3)]
    assert told == pytest.approx([1.0, 10.0, 20.0], abs=0.01)
