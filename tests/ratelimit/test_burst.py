import math
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fusedesk_async._ratelimit.burst import CALLS_PER_PAUSE, CALLS_PER_PLACE, KEPT, Burst
from fusedesk_async.sandbox import TokenBucket

DAY = 86_400.0
RATES, SIZES = st.floats(2.0, 50.0), st.integers(1, 60)
EASE = st.floats(0.02, 0.5)
"""How long a call takes, as part of the time in which the server gives one. Slower callers never see the limit."""


class Sender:
    """Makes calls one after the other, without end, against a bucket that tells nothing."""

    def __init__(self, rate, size, latency, *, seed=1, jitter=0.0):
        self.burst, self.now, self.taken, self.refusals = Burst(), 0.0, 0, 0
        self.bucket = TokenBucket(1, window=1 / rate, burst=size)
        self.latency, self.jitter, self.source = latency, jitter, random.Random(seed)

    def make_until_refused(self, times):
        while self.refusals < times:
            self.make(1)

    def make(self, calls):
        for _ in range(calls):
            self.now += self.burst.delay(self.now, 0)
            self.burst.granted(self.now)
            self.now += self.latency + self.source.uniform(0, self.jitter)
            if self.bucket.admit(self.now):
                self.taken += 1
                self.burst.taken(self.now)
            else:
                self.refusals += 1
                self.burst.refused(self.now, 0)
                self.now += max(0.25, self.burst.pause)


def test_at_first_nothing_is_held_back():
    burst = Burst()
    for _ in range(100):
        assert burst.delay(5.0, 99) == 0.0
        burst.granted(5.0)
        burst.taken(5.0)
    assert burst.pause == 0.0


def test_a_refusal_of_the_very_first_call_tells_nothing():
    burst = Burst()
    burst.refused(0.0, 3)
    burst.refused(5.0, 3)
    assert (burst.places, burst.rate) == (math.inf, math.inf)


@pytest.mark.parametrize(("in_flight", "places"), [(0, 1), (1, 1), (2, 1), (3, 2), (8, 4), (9, 5)])
def test_the_first_refusal_halves_the_calls_on_their_way(in_flight, places):
    burst = Burst()
    burst.taken(0.0)
    burst.refused(1.0, in_flight)
    assert burst.places == places
    assert burst.delay(1.0, places) == math.inf
    assert burst.delay(1.0, places - 1) == 0.0


def test_after_some_calls_that_were_taken_one_more_may_be_on_its_way():
    burst = Burst()
    burst.taken(0.0)
    burst.refused(1.0, 4)
    for _ in range(CALLS_PER_PLACE):
        assert burst.delay(1.0, 2) == math.inf
        burst.taken(1.0)
    assert burst.delay(1.0, 2) == 0.0


def test_what_was_taken_between_two_refusals_is_what_the_server_gives_in_that_time():
    burst = Burst()
    burst.taken(0.0)
    burst.refused(1.0, 4)
    for _ in range(20):
        burst.taken(2.0)
    burst.refused(5.0, 4)
    assert (burst.rate, burst.places, burst.pause) == (5.0, math.inf, pytest.approx(CALLS_PER_PAUSE / 5.0))


def test_from_then_on_calls_leave_in_even_steps():
    burst = Burst(rate=5.0)
    burst.granted(10.0)
    assert burst.delay(10.0, 0) == pytest.approx(0.2)
    burst.granted(10.3)  # late by half a step, which the next call catches up with
    assert burst.delay(10.3, 0) == pytest.approx(0.1)
    burst.granted(20.0)  # after a pause nothing is caught up with: the server may take no two calls at once
    assert burst.delay(20.0, 0) == pytest.approx(0.2)


def test_the_rate_is_at_least_what_the_hour_allows_on_the_average():
    burst = Burst()
    burst.taken(0.0)
    burst.refused(1.0, 4)
    burst.taken(2.0)
    burst.refused(21.0, 4, least_rate=0.5)
    assert (burst.rate, burst.step) == (0.5, 2.0)


@pytest.mark.parametrize(("pause", "measures"), [(5.0, True), (7.0, False)])
def test_what_was_taken_while_nobody_wanted_more_measures_nothing(pause, measures):
    burst = Burst(window=3_600.0)
    burst.granted(0.0)
    burst.taken(0.0)
    burst.refused(0.0, 4)
    burst.granted(pause)
    burst.taken(pause)
    burst.refused(pause + 1, 4)
    assert math.isinf(burst.rate) == (not measures)


def test_the_best_measurement_counts_but_less_each_time():
    burst, now, rates = Burst(), 0.0, []
    for calls in (1, 40, 20, 38, 60):
        for _ in range(calls):
            burst.taken(now)
        now += 2.0
        burst.refused(now, 0)
        rates.append(burst.rate)
    assert rates[1:] == [20.0, KEPT * 20.0, 19.0, 30.0]


def test_two_refusals_with_nothing_taken_between_them_measure_nothing():
    burst = Burst()
    burst.taken(0.0)
    burst.refused(1.0, 4)
    burst.refused(2.0, 0)
    assert (burst.places, burst.rate) == (2, math.inf)


@settings(deadline=None)
@given(RATES, SIZES, EASE)
def test_it_finds_the_rate_of_any_bucket_after_a_few_refusals(rate, size, ease):
    sender = Sender(rate, size, ease / rate)
    sender.make_until_refused(12)
    assert 0.8 * rate <= sender.burst.rate <= 1.25 * rate
    assert sender.taken < 3_000


@settings(deadline=None)
@given(RATES, SIZES, EASE, st.integers(0, 99))
def test_no_limit_however_strict_makes_it_slower_and_slower(rate, size, ease, seed):
    sender = Sender(rate, size, 0.5 * ease / rate, seed=seed, jitter=0.5 * ease / rate)
    sender.make_until_refused(20)
    began, taken, refusals = sender.now, sender.taken, sender.refusals
    sender.make(600)
    assert (sender.taken - taken) / (sender.now - began) >= 0.6 * rate
    assert sender.refusals - refusals <= 12


@settings(deadline=None)
@given(
    st.floats(0.05, 5.0),
    st.lists(st.tuples(st.sampled_from(["call", "refuse"]), st.one_of(st.just(0.0), st.floats(0, 200))), max_size=80),
)
@example(1.0, [("call", 0.0), ("refuse", 0.0)])
def test_when_the_hour_is_used_up_it_goes_no_faster_than_told_for_as_long_as_told(rate, steps):
    sender, hour = Sender(10.0, 10, 0.05), 3_600.0
    sender.make_until_refused(4)
    burst, began, left_at = sender.burst, sender.now, []
    burst.exhausted(began, rate=rate, seconds=hour)
    now = began
    for step, pause in steps:
        now += pause
        now += burst.delay(now, 0)
        if now - began >= hour:
            break
        burst.granted(now)
        left_at.append(now)
        if step == "call":
            burst.taken(now)
        else:
            burst.refused(now, 0)
        assert burst.rate <= rate
    for first, last in zip(left_at, left_at[2:], strict=False):
        assert last - first >= 1 / rate * (1 - 1e-6)
