"""Calls that vanish and are not ours: other programs with the same key, for whose calls bulk calls step back."""

from statistics import fmean

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fusedesk_async._ratelimit.allowance import Ledger
from fusedesk_async._ratelimit.call_log import CallLog
from fusedesk_async._ratelimit.others import CAUTION, SMOOTHED, OtherPrograms
from fusedesk_async._ratelimit.pacing import HourlyPacer
from fusedesk_async._wire.headers import Usage

HOUR = 3_600.0


def watch(rate, seconds, *, uncertain=0):
    """Others after so many seconds at so many calls a second, looked at once a second."""
    others = OtherPrograms(HOUR)
    for second in range(seconds + 1):
        others.observe(1_800 - int(rate * second), float(second), uncertain)
    return others


@given(st.floats(0.05, 2.0), st.integers(600, 3_000), st.integers(0, 4))
def test_a_steady_rate_is_found_and_rather_too_high_than_too_low(rate, seconds, uncertain):
    found = watch(rate, seconds, uncertain=uncertain).rate(float(seconds))
    hidden = 2 * uncertain + 1
    most_seen = rate * seconds + 1
    assert 0.9 * (rate - hidden / seconds) <= found <= (most_seen + CAUTION * most_seen**0.5) / seconds


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(3, 6)), max_size=100))
def test_nothing_vanishes_while_calls_in_flight_may_explain_it_and_are_counted_too_soon_as_often_as_too_late(steps):
    assume(len(steps) < SMOOTHED or fmean(wobble for wobble, _ in steps[-SMOOTHED:]) >= 0)
    others = OtherPrograms(HOUR)
    for second, (wobble, uncertain) in enumerate(steps):
        others.observe(1_800 + wobble, float(second), uncertain)
    assert others.rate(100.0) == 0.0


def test_a_few_calls_that_calls_in_flight_would_hide_show_in_the_average_of_the_newest_looks():
    others = OtherPrograms(HOUR)
    others.observe(1_800, 0.0, 0)
    for second in range(1, 2 * SMOOTHED):
        others.observe(1_797 + second % 2, float(second), 3)
    assert others.rate(20.0) == pytest.approx((2.5 + CAUTION * 2.5**0.5) / 30.0, rel=0.2)


def test_calls_that_come_back_hide_nothing_that_vanished_before():
    others = watch(0.1, 600)
    before = others.rate(600.0)
    others.observe(3_000, 600.0, 0)
    assert others.rate(600.0) == before > 0.1
    assert others.rate(600.0 + HOUR) == 0.0


def test_another_limit_is_no_call_of_others():
    others = watch(0.0, 10)
    others.on_limit_changed()
    others.observe(900, 11.0, 0)
    assert others.rate(11.0) == 0.0


def make_pacer(others_per_call):
    """A pacer after 600 calls, one a second, beside which so many calls of others were made."""
    ledger, log = Ledger(HOUR), CallLog(HOUR)
    pacer = HourlyPacer(0.1, HOUR, 1_800, ledger, log)
    for number in range(600):
        ledger.on_granted(number)
        left = 1_799 - number - int(number * others_per_call)
        ledger.on_response(number, Usage(1_800, left), now=float(number))
    return pacer


@pytest.mark.parametrize(("others_per_call", "free"), [(0.0, True), (0.1, True), (0.3, False), (2.0, False)])
def test_bulk_calls_step_back_for_what_others_will_make_in_the_hour(others_per_call, free):
    pacer = make_pacer(others_per_call)
    assert pacer.is_unrestricted(600.0) == free
    assert (pacer.delay(600.0, bulk=True) == 0.0) == free
    assert (pacer.seconds_for(1, 600.0) == 0.0) == free


def test_bulk_calls_leave_nothing_to_others_that_will_use_up_the_hour_anyway():
    assert make_pacer(2.0)._others == 0.0
    assert make_pacer(0.1)._others == pytest.approx(0.16 * 3_000, rel=0.1)


def test_a_limit_that_changes_is_not_taken_for_calls_of_others():
    ledger = Ledger(HOUR)
    for number, (limit, left) in enumerate([(1_800, 1_700), (900, 799), (900, 798), (900, 797)]):
        ledger.on_granted(number)
        ledger.on_response(number, Usage(limit, left), now=float(number))
    assert ledger.limit == 900
    assert ledger.others.rate(4.0) == 0.0
