"""How the limit on bursts is found that no header announces."""

import math
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fusedesk_async._ratelimit.burst import (
    CALLS_PER_EXTRA_SLOT,
    CALLS_REFILLED_PER_PAUSE,
    MEASUREMENT_DECAY,
    BurstPacer,
)
from fusedesk_async.sandbox import TokenBucket

DAY = 86_400.0
RATES, SIZES = st.floats(2.0, 50.0), st.integers(1, 60)
EASE = st.floats(0.02, 0.5)
"""How long a call takes, as part of the time in which the server gives one. Slower callers never see the limit."""


class Sender:
    """Makes calls one after the other, without end, against a bucket that tells nothing."""

    def __init__(self, rate, size, latency, *, seed=1, jitter=0.0):
        self.burst, self.now, self.accepted, self.rejections = BurstPacer(), 0.0, 0, 0
        self.bucket = TokenBucket(1, window=1 / rate, burst=size)
        self.latency, self.jitter, self.source = latency, jitter, random.Random(seed)

    def make_until_rejected(self, times):
        while self.rejections < times:
            self.make(1)

    def make(self, calls):
        for _ in range(calls):
            self.now += self.burst.delay(self.now, 0)
            self.burst.on_granted(self.now)
            self.now += self.latency + self.source.uniform(0, self.jitter)
            if self.bucket.admit(self.now):
                self.accepted += 1
                self.burst.on_accepted(self.now)
            else:
                self.rejections += 1
                self.burst.on_rejected(self.now, 0)
                self.now += max(0.25, self.burst.pause)


def test_at_first_nothing_is_held_back():
    burst = BurstPacer()
    for _ in range(100):
        assert burst.delay(5.0, 99) == 0.0
        burst.on_granted(5.0)
        burst.on_accepted(5.0)
    assert burst.pause == 0.0


def test_two_rejections_in_one_moment_measure_no_rate():
    burst = BurstPacer()
    for _ in range(2):
        burst.on_granted(5.0)
        burst.on_accepted(5.0)
        burst.on_rejected(5.0, 3)
    assert burst.rate == BurstPacer().rate
    assert burst.slots == 2


def test_a_rejection_of_the_very_first_call_tells_nothing():
    burst = BurstPacer()
    burst.on_rejected(0.0, 3)
    burst.on_rejected(5.0, 3)
    assert (burst.slots, burst.rate) == (math.inf, math.inf)


@pytest.mark.parametrize(("in_flight", "slots"), [(0, 1), (1, 1), (2, 1), (3, 2), (8, 4), (9, 5)])
def test_the_first_rejection_halves_the_calls_in_flight(in_flight, slots):
    burst = BurstPacer()
    burst.on_accepted(0.0)
    burst.on_rejected(1.0, in_flight)
    assert burst.slots == slots
    assert burst.delay(1.0, slots) == math.inf
    assert burst.delay(1.0, slots - 1) == 0.0


def test_after_some_calls_that_were_taken_one_more_may_be_in_flight():
    burst = BurstPacer()
    burst.on_accepted(0.0)
    burst.on_rejected(1.0, 4)
    for _ in range(CALLS_PER_EXTRA_SLOT):
        assert burst.delay(1.0, 2) == math.inf
        burst.on_accepted(1.0)
    assert burst.delay(1.0, 2) == 0.0


def test_what_was_taken_between_two_rejections_is_what_the_server_gives_in_that_time():
    burst = BurstPacer()
    burst.on_accepted(0.0)
    burst.on_rejected(1.0, 4)
    for _ in range(20):
        burst.on_accepted(2.0)
    burst.on_rejected(5.0, 4)
    assert (burst.rate, burst.slots, burst.pause) == (5.0, math.inf, pytest.approx(CALLS_REFILLED_PER_PAUSE / 5.0))


def test_from_then_on_calls_are_sent_in_even_steps():
    burst = BurstPacer(rate=5.0)
    burst.on_granted(10.0)
    assert burst.delay(10.0, 0) == pytest.approx(0.2)
    burst.on_granted(10.3)  # late by half a step, which the next call catches up with
    assert burst.delay(10.3, 0) == pytest.approx(0.1)
    burst.on_granted(20.0)  # after a pause nothing is caught up with: the server may take no two calls at once
    assert burst.delay(20.0, 0) == pytest.approx(0.2)


def test_the_rate_is_at_least_what_the_hour_allows_on_the_average():
    burst = BurstPacer()
    burst.on_accepted(0.0)
    burst.on_rejected(1.0, 4)
    burst.on_accepted(2.0)
    burst.on_rejected(21.0, 4, least_rate=0.5)
    assert (burst.rate, burst.step) == (0.5, 2.0)


@pytest.mark.parametrize(("pause", "measures"), [(5.0, True), (7.0, False)])
def test_what_was_taken_while_nobody_wanted_more_measures_nothing(pause, measures):
    burst = BurstPacer(window=3_600.0)
    burst.on_granted(0.0)
    burst.on_accepted(0.0)
    burst.on_rejected(0.0, 4)
    burst.on_granted(pause)
    burst.on_accepted(pause)
    burst.on_rejected(pause + 1, 4)
    assert math.isinf(burst.rate) == (not measures)


def test_the_best_measurement_counts_but_less_each_time():
    burst, now, rates = BurstPacer(), 0.0, []
    for calls in (1, 40, 20, 38, 60):
        for _ in range(calls):
            burst.on_accepted(now)
        now += 2.0
        burst.on_rejected(now, 0)
        rates.append(burst.rate)
    assert rates[1:] == [20.0, MEASUREMENT_DECAY * 20.0, 19.0, 30.0]


def test_two_rejections_with_nothing_taken_between_them_measure_nothing():
    burst = BurstPacer()
    burst.on_accepted(0.0)
    burst.on_rejected(1.0, 4)
    burst.on_rejected(2.0, 0)
    assert (burst.slots, burst.rate) == (2, math.inf)


@given(RATES, SIZES, EASE)
def test_it_finds_the_rate_of_any_bucket_after_a_few_rejections(rate, size, ease):
    sender = Sender(rate, size, ease / rate)
    sender.make_until_rejected(12)
    assert 0.8 * rate <= sender.burst.rate <= 1.25 * rate
    assert sender.accepted < 3_000


@given(RATES, SIZES, EASE, st.integers(0, 99))
def test_no_limit_however_strict_makes_it_slower_and_slower(rate, size, ease, seed):
    sender = Sender(rate, size, 0.5 * ease / rate, seed=seed, jitter=0.5 * ease / rate)
    sender.make_until_rejected(20)
    began, accepted, rejections = sender.now, sender.accepted, sender.rejections
    sender.make(600)
    assert (sender.accepted - accepted) / (sender.now - began) >= 0.6 * rate
    assert sender.rejections - rejections <= 12


@given(
    st.floats(0.05, 5.0),
    st.lists(st.tuples(st.sampled_from(["call", "refuse"]), st.one_of(st.just(0.0), st.floats(0, 200))), max_size=80),
)
@example(1.0, [("call", 0.0), ("refuse", 0.0)])
def test_when_the_hour_is_used_up_it_goes_no_faster_than_it_should_for_as_long_as_it_should(rate, steps):
    sender, hour = Sender(10.0, 10, 0.05), 3_600.0
    sender.make_until_rejected(4)
    burst, began, sent_at = sender.burst, sender.now, []
    burst.on_hour_exhausted(began, rate=rate, seconds=hour)
    now = began
    for step, pause in steps:
        now += pause
        now += burst.delay(now, 0)
        if now - began >= hour:
            break
        burst.on_granted(now)
        sent_at.append(now)
        if step == "call":
            burst.on_accepted(now)
        else:
            burst.on_rejected(now, 0)
        assert burst.rate <= rate
    for first, last in zip(sent_at, sent_at[2:], strict=False):
        assert last - first >= 1 / rate * (1 - 1e-6)
