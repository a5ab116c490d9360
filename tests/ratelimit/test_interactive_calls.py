"""Interactive calls: whether more are expected, and whether they are more than the reserve."""

from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async._ratelimit.call_log import ACTIVE_FOR, InteractiveCalls

HOUR = 3_600.0
STEPS = st.lists(st.tuples(st.integers(0, 2_000), st.booleans()), max_size=50)


def interactive(*moments, bulk=None):
    known = InteractiveCalls(HOUR)
    for moment in moments:
        known.on_granted(moment, bulk=False)
    if bulk is not None:
        known.on_granted(bulk, bulk=True)
    return known


def test_at_first_no_interactive_call_is_expected():
    known = interactive(bulk=5.0)
    assert known.active_for(5.0) == 0
    assert known.over_reserve(0, 5.0) == 0


def test_after_an_interactive_call_another_one_is_expected():
    known = interactive(10.0)
    assert known.active_for(10.0) == ACTIVE_FOR * HOUR
    assert known.active_for(9.0 + ACTIVE_FOR * HOUR) == 1.0
    assert known.active_for(11.0 + ACTIVE_FOR * HOUR) == 0


def test_too_many_beside_bulk_work_are_reported_once_an_hour():
    known = interactive(1.0, 2.0, 3.0, 4.0, bulk=5.0)
    assert known.over_reserve(4, 5.0) == 0
    assert known.over_reserve(3, 5.0) == 4
    assert known.over_reserve(3, 6.0) == 0
    for moment in (3_500.0, 3_501.0, 3_502.0, 3_503.0):
        known.on_granted(moment, bulk=False)
    assert known.over_reserve(3, 3_604.9) == 0
    assert known.over_reserve(3, 3_605.0) == 4


def test_without_bulk_work_they_may_be_as_many_as_they_like():
    assert interactive(1.0, 2.0, 3.0).over_reserve(1, 3.0) == 0
    known = interactive(bulk=0.0)
    for moment in (3_601.0, 3_602.0, 3_603.0):
        known.on_granted(moment, bulk=False)
    assert known.over_reserve(1, 3_603.0) == 0


def test_calls_of_an_hour_that_is_over_count_no_more():
    assert interactive(0.0, 1.0, 2.0, 3.0, bulk=7_000.0).over_reserve(2, 7_000.0) == 0


@given(STEPS, st.integers(0, 5))
def test_it_tells_how_many_there_were_in_the_last_hour_if_that_is_too_many_beside_bulk_work(steps, reserved):
    known, now, asked, last_bulk, last_reported = InteractiveCalls(HOUR), 0, [], -HOUR - 1, -HOUR
    for pause, bulk in steps:
        now += pause
        known.on_granted(now, bulk=bulk)
        if bulk:
            last_bulk = now
        else:
            asked.append(now)
        count = sum(now - moment <= HOUR for moment in asked)
        reported = count > reserved and now - last_bulk <= HOUR and now - last_reported >= HOUR
        assert known.over_reserve(reserved, now) == (count if reported else 0)
        last_reported = now if reported else last_reported
        assert (known.active_for(now) > 0) == any(now - moment < ACTIVE_FOR * HOUR for moment in asked)
