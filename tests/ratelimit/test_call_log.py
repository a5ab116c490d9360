"""Our own count of calls, which keeps within any kind of hour."""

import math
from bisect import bisect_left
from heapq import heappop, heappush

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async._ratelimit.call_log import CallLog
from fusedesk_async.sandbox import FixedHour, SlidingHour, TokenBucket

WINDOW = 64.0
CALLS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 90), st.integers(0, 4), st.booleans()), max_size=60)
"""When the next call is asked for, how long it takes, in which quarter it is counted, and whether it is at all. Seconds
that sum up exactly."""


def obedient(calls, most):
    """The moments at which the server counts calls that go as soon as `delay` lets them."""
    log, now, ends, moments = CallLog(WINDOW), 0.0, [], []
    for pause, lasts, quarter, counted in calls:
        now += pause
        while True:
            while ends and ends[0][0] <= now:
                end, reached = heappop(ends)
                log.on_ended(end, counted=reached)
            delay = log.delay(most, now)
            if delay == 0:
                break
            now = min(now + delay, ends[0][0] if ends else math.inf)
        log.on_granted()
        heappush(ends, (now + lasts, counted))
        if counted:
            moments.append(now + lasts * quarter / 4)
    return sorted(moments)


def test_an_empty_log_holds_nothing_back():
    log = CallLog(WINDOW)
    assert (log.count(0.0), log.delay(1, 0.0)) == (0, 0.0)


def test_a_call_counts_from_when_it_is_sent_until_an_hour_after_its_response():
    log = CallLog(WINDOW)
    log.on_granted()
    assert (log.count(1e6), log.delay(1, 1e6)) == (1, math.inf)
    log.on_ended(1e6)
    assert (log.count(1e6 + 1), log.delay(1, 1e6 + 1)) == (1, WINDOW - 1)
    assert (log.count(1e6 + WINDOW), log.delay(1, 1e6 + WINDOW)) == (0, 0.0)


def test_a_call_that_was_surely_not_counted_counts_no_more_when_it_is_over():
    log = CallLog(WINDOW)
    log.on_granted()
    log.on_ended(5.0, counted=False)
    assert log.count(5.0) == 0


def test_it_waits_for_as_many_to_grow_old_as_there_are_too_many():
    log = CallLog(WINDOW)
    for now in range(5):
        log.on_granted()
        log.on_ended(float(now))
    assert [log.delay(most, 10.0) for most in (6, 5, 4, 1)] == [0.0, WINDOW - 10, WINDOW - 9, WINDOW - 6]
    assert log.delay(0, 10.0) == math.inf


@given(CALLS, st.integers(1, 6))
def test_who_obeys_it_never_makes_more_calls_than_are_allowed_in_any_hour(calls, most):
    moments = obedient(calls, most)
    for index, moment in enumerate(moments):
        assert bisect_left(moments, moment + WINDOW) - index <= most


@pytest.mark.parametrize("limit", [FixedHour, SlidingHour, TokenBucket])
@given(CALLS, st.integers(1, 6), st.integers(0, 63))
def test_who_obeys_it_is_never_rejected_whatever_hour_the_server_keeps(limit, calls, most, phase):
    settings = {"phase": phase} if limit is FixedHour else {}
    hour = limit(most, window=WINDOW, **settings)
    assert all(hour.admit(moment) for moment in obedient(calls, most))


@given(
    st.lists(st.tuples(st.sampled_from(["begin", "end", "drop"]), st.integers(0, 30)), max_size=60), st.integers(1, 5)
)
def test_it_holds_nobody_back_for_longer_than_a_plain_count_says(steps, most):
    log, now, out, ended = CallLog(WINDOW), 0.0, 0, []
    for step, pause in steps:
        now += pause
        if step == "begin":
            log.on_granted()
            out += 1
        elif out:
            log.on_ended(now, counted=step == "end")
            out -= 1
            ended += [now] if step == "end" else []

        def count(moment):
            return out + sum(moment - end < WINDOW for end in ended)  # noqa: B023 - called in this round only

        assert log.count(now) == count(now)
        later = [now, *(end + WINDOW for end in ended if end + WINDOW > now)]
        assert log.delay(most, now) == min((at - now for at in later if count(at) < most), default=math.inf)


def test_calls_of_long_ago_are_forgotten_though_nobody_counts():
    log = CallLog(10.0)
    for now in range(100):
        log.on_granted()
        log.on_ended(float(now))
    assert len(log._ended_at) <= 10
