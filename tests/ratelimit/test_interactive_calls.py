from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async._ratelimit.call_log import ABOUT, People

HOUR = 3_600.0
STEPS = st.lists(st.tuples(st.integers(0, 2_000), st.booleans()), max_size=50)


def people(*moments, bulk=None):
    known = People(HOUR)
    for moment in moments:
        known.granted(moment, bulk=False)
    if bulk is not None:
        known.granted(bulk, bulk=True)
    return known


def test_at_first_nobody_is_about():
    known = people(bulk=5.0)
    assert known.about_for(5.0) == 0
    assert known.excess(0, 5.0) == 0


def test_somebody_who_just_asked_may_ask_again():
    known = people(10.0)
    assert known.about_for(10.0) == ABOUT * HOUR
    assert known.about_for(9.0 + ABOUT * HOUR) == 1.0
    assert known.about_for(11.0 + ABOUT * HOUR) == 0


def test_too_many_beside_bulk_work_are_told_once_an_hour():
    known = people(1.0, 2.0, 3.0, 4.0, bulk=5.0)
    assert known.excess(4, 5.0) == 0
    assert known.excess(3, 5.0) == 4
    assert known.excess(3, 6.0) == 0
    for moment in (3_500.0, 3_501.0, 3_502.0, 3_503.0):
        known.granted(moment, bulk=False)
    assert known.excess(3, 3_604.9) == 0
    assert known.excess(3, 3_605.0) == 4


def test_without_bulk_work_they_may_be_as_many_as_they_like():
    assert people(1.0, 2.0, 3.0).excess(1, 3.0) == 0
    known = people(bulk=0.0)
    for moment in (3_601.0, 3_602.0, 3_603.0):
        known.granted(moment, bulk=False)
    assert known.excess(1, 3_603.0) == 0


def test_calls_of_an_hour_that_is_over_count_no_more():
    assert people(0.0, 1.0, 2.0, 3.0, bulk=7_000.0).excess(2, 7_000.0) == 0


@given(STEPS, st.integers(0, 5))
def test_it_tells_how_many_there_were_in_the_last_hour_if_that_is_too_many_beside_bulk_work(steps, reserved):
    known, now, asked, last_bulk, last_told = People(HOUR), 0, [], -HOUR - 1, -HOUR
    for pause, bulk in steps:
        now += pause
        known.granted(now, bulk=bulk)
        if bulk:
            last_bulk = now
        else:
            asked.append(now)
        count = sum(now - moment <= HOUR for moment in asked)
        told = count > reserved and now - last_bulk <= HOUR and now - last_told >= HOUR
        assert known.excess(reserved, now) == (count if told else 0)
        last_told = now if told else last_told
        assert (known.about_for(now) > 0) == any(now - moment < ABOUT * HOUR for moment in asked)
