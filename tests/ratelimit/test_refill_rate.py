"""How fast calls come back, as far as the sum of calls remaining and made shows."""

from hypothesis import assume, given
from hypothesis import strategies as st

from fusedesk_async._ratelimit.allowance import OVERDUE_FACTOR, RefillRate
from fusedesk_async.sandbox import TokenBucket


def test_at_first_nothing_is_known():
    refill = RefillRate()
    assert (refill.seconds_per_call, refill.overdue) == (0.0, 0.0)


def test_what_came_back_is_spread_over_the_time_since_the_look_before():
    refill = RefillRate()
    refill.observe(100, 50.0, 0)
    refill.observe(110, 70.0, 0)
    assert (refill.seconds_per_call, refill.overdue) == (2.0, 0.0)


def test_as_long_as_nothing_ever_came_back_it_is_overdue_from_the_first_look_on():
    refill = RefillRate()
    refill.observe(100, 50.0, 0)
    refill.observe(100, 70.0, 0)
    assert (refill.seconds_per_call, refill.overdue) == (0.0, 20.0)


def test_once_calls_came_back_only_what_takes_longer_than_that_is_overdue():
    refill = RefillRate()
    refill.observe(100, 0.0, 0)
    refill.observe(101, 10.0, 0)
    for now, overdue in [(20.0, 0.0), (10.0 + OVERDUE_FACTOR * 10.0, 0.0), (40.0, 30.0 - OVERDUE_FACTOR * 10.0)]:
        refill.observe(101, now, 0)
        assert refill.overdue == overdue


def test_calls_on_their_way_may_look_like_some_that_came_back():
    refill = RefillRate()
    refill.observe(100, 0.0, 2)
    refill.observe(103, 10.0, 1)
    assert refill.seconds_per_call == 0.0
    refill.observe(104, 20.0, 1)
    assert refill.seconds_per_call == 5.0


def test_calls_on_their_way_may_hide_some_that_came_back_which_are_not_overdue_then():
    refill = RefillRate()
    refill.observe(100, 0.0, 0)
    refill.observe(101, 10.0, 0)
    refill.observe(101, 40.0, 3)
    assert refill.overdue == 0.0


def test_a_certain_look_ends_the_doubt_of_those_before_it():
    refill = RefillRate()
    refill.observe(100, 0.0, 64)
    refill.observe(100, 10.0, 0)
    assert refill.overdue == 10.0
    refill.observe(101, 20.0, 0)
    assert refill.seconds_per_call == 20.0
    refill.observe(101, 80.0, 0)
    assert refill.overdue == 60.0 - OVERDUE_FACTOR * 20.0


@given(st.lists(st.tuples(st.integers(0, 64), st.floats(-1, 1), st.integers(0, 3)), max_size=60))
def test_what_calls_in_flight_may_explain_never_counts_as_come_back_and_what_they_cannot_always_does(looks):
    refill, truth, since_return = RefillRate(), 1_000, []
    for second, (uncertain, part, returned) in enumerate(looks):
        truth, since = truth + returned, refill.since
        refill.observe(truth + round(part * uncertain), float(second), uncertain)
        must = any(truth - before > 2 * (uncertain + other) for before, other in since_return)
        if must or refill.since != since:
            assert refill.since == second
            assert truth > since_return[0][0]
            since_return = []
        since_return.append((truth, uncertain))


def test_what_others_take_is_forgotten():
    refill = RefillRate()
    refill.observe(100, 0.0, 0)
    refill.observe(90, 10.0, 0)
    assert (refill.seconds_per_call, refill.overdue) == (0.0, 10.0)
    refill.observe(95, 20.0, 0)
    assert refill.seconds_per_call == 4.0


@given(st.floats(0.1, 600.0), st.floats(0.1, 600.0), st.floats(0.0, 600.0))
def test_even_looks_tell_how_fast_a_bucket_fills_within_a_factor_of_two(each, gap, start):
    assume(gap / each < 500)  # else the bucket overflows
    bucket, refill, estimates, now = (
        TokenBucket(1_000, window=1_000 * each, burst=50_000, used=40_000),
        RefillRate(),
        [],
        0.0,
    )
    bucket.remaining(0.0)
    for number in range(20):
        now = start + number * gap
        bucket.admit(now)
        refill.observe(bucket.remaining(now) + number, now, 0)
        if refill.seconds_per_call not in {0.0, *estimates}:
            estimates.append(refill.seconds_per_call)
    assert all(each / 2.001 <= estimate <= each * 2.001 for estimate in estimates[1:])  # the first may see half a call
    assert estimates or 20 * gap < 2 * each
