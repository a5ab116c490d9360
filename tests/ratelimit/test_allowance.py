"""What responses say of the calls remaining, in whatever order they come."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async._ratelimit.allowance import Ledger
from fusedesk_async._wire.headers import Usage

LIMITS = st.lists(st.one_of(st.none(), st.integers(1, 5)), max_size=20)


def call(ledger, number, usage, now=0.0, *, counted=True):
    """A call that is out alone."""
    ledger.on_granted(number)
    ledger.on_response(number, usage, now=now, counted=counted)


def known(ledger):
    return ledger.remaining, ledger.limit, ledger.remaining_at, ledger.observed_at, ledger.most_remaining


def together(*numbers):
    ledger = Ledger()
    for number in numbers:
        ledger.on_granted(number)
    return ledger


def test_nothing_is_known_before_the_first_answer():
    ledger = Ledger()
    assert (ledger.limit, ledger.remaining, ledger.certainly_remaining) == (None, None, None)
    assert (ledger.remaining_at, ledger.observed_at) == (-math.inf, -math.inf)


def test_an_answer_tells_and_later_grants_are_counted():
    ledger = Ledger()
    call(ledger, 0, Usage(1800, 1799), now=5.0)
    assert (ledger.limit, ledger.remaining, ledger.certainly_remaining, ledger.observed_at) == (1800, 1799, 1799, 5.0)
    ledger.on_granted(1)
    assert ledger.certainly_remaining == 1798


def test_calls_in_flight_are_taken_off():
    ledger = together(0, 1, 2, 3, 4)
    ledger.on_response(2, Usage(1800, 100), now=5.0)
    assert ledger.certainly_remaining == 96


def test_a_call_that_was_lost_may_have_been_counted_unless_it_was_not_sent():
    ledger = together(0, 1, 2)
    ledger.on_response(0, Usage(1800, 100), now=5.0)
    ledger.on_lost(1, sent=True)
    assert ledger.certainly_remaining == 98
    ledger.on_lost(2, sent=False)
    assert ledger.certainly_remaining == 99


def test_a_call_that_was_rejected_was_not_counted():
    ledger = together(0, 1)
    ledger.on_response(0, Usage(1800, 100), now=5.0)
    ledger.on_response(1, Usage(), now=5.0, counted=False)
    assert ledger.certainly_remaining == 100


@pytest.mark.parametrize(("said", "left"), [(101, 100), (100, 100), (99, 99), (None, 99)])
def test_a_call_is_taken_off_no_more_when_its_answer_shows_that_the_newest_counted_it(said, left):
    ledger = together(0, 1)
    ledger.on_response(1, Usage(1800, 100), now=5.0)
    assert ledger.certainly_remaining == 99
    ledger.on_response(0, Usage(1800, said), now=6.0)
    assert ledger.certainly_remaining == left


def test_an_answer_to_an_older_question_changes_nothing():
    ledger = together(4, 5)
    ledger.on_response(5, Usage(1800, 10), now=0.0)
    ledger.on_response(4, Usage(1700, 1600), now=6.0)
    assert (ledger.limit, ledger.remaining, ledger.observed_at) == (1800, 10, 0.0)


def test_an_answer_that_says_nothing_keeps_what_was_known():
    ledger = Ledger()
    call(ledger, 0, Usage(1800, 10), now=5.0)
    call(ledger, 1, Usage(), now=6.0)
    assert (ledger.limit, ledger.remaining, ledger.observed_at, ledger.remaining_at) == (1800, 10, 5.0, 5.0)


def test_news_are_about_the_calls_left_only():
    ledger = Ledger()
    call(ledger, 0, Usage(1800, 10), now=5.0)
    call(ledger, 1, Usage(1800), now=6.0)
    assert (ledger.observed_at, ledger.remaining_at) == (6.0, 5.0)


def test_a_lower_limit_counts_when_it_is_said_twice_and_forgets_what_was_left_under_the_higher_one():
    ledger = Ledger()
    call(ledger, 0, Usage(1800, 1700))
    call(ledger, 1, Usage(600, 500))
    assert ledger.limit == 1800
    call(ledger, 2, Usage(600, 499))
    assert (ledger.limit, ledger.remaining, ledger.most_remaining) == (600, 499, 499)


def test_a_lower_limit_counts_at_once_when_it_comes_with_a_rejection():
    ledger = Ledger()
    call(ledger, 0, Usage(1800))
    call(ledger, 1, Usage(600), counted=False)
    assert ledger.limit == 600


def test_a_higher_limit_counts_when_it_is_said_twice_in_a_row():
    ledger = Ledger()
    call(ledger, 0, Usage(600))
    call(ledger, 1, Usage(1800))
    assert ledger.limit == 600
    call(ledger, 2, Usage(1800))
    assert ledger.limit == 1800


def test_more_calls_left_than_the_limit_is_not_believed():
    ledger = Ledger()
    call(ledger, 0, Usage(600, 100))
    call(ledger, 1, Usage(None, 601), now=7.0)
    assert (ledger.remaining, ledger.remaining_at) == (100, 0.0)
    call(ledger, 2, Usage(None, 600), now=8.0)
    assert (ledger.remaining, ledger.remaining_at) == (600, 8.0)


def test_without_a_limit_any_number_of_calls_left_is_believed():
    ledger = Ledger()
    call(ledger, 0, Usage(None, 10**9))
    assert ledger.certainly_remaining == 10**9


def test_calls_in_doubt_may_be_taken_for_some_that_came_back():
    ledger = Ledger()
    call(ledger, 0, Usage(10, 9))
    ledger.on_granted(1)
    ledger.on_granted(2)
    ledger.on_response(2, Usage(10, 8), now=5.0)
    assert ledger.refill.seconds_per_call == 0.0
    ledger.on_response(1, Usage(10, 7), now=5.0)
    call(ledger, 3, Usage(10, 8), now=6.0)
    assert ledger.refill.seconds_per_call == 3.0


@pytest.mark.parametrize("how", ["rejected", "not sent"])
def test_a_call_that_was_not_counted_is_not_one_that_came_back(how):
    ledger = Ledger()
    call(ledger, 0, Usage(10, 9))
    if how == "rejected":
        call(ledger, 1, Usage(10, 9), now=5.0, counted=False)
    else:
        ledger.on_granted(1)
        ledger.on_lost(1, sent=False)
    call(ledger, 2, Usage(10, 8), now=5.0)
    assert ledger.refill.seconds_per_call == 0.0
    call(ledger, 3, Usage(10, 8), now=10.0)
    assert ledger.refill.seconds_per_call == 10.0


@given(LIMITS)
def test_the_limit_is_the_first_that_was_said_or_the_last_that_was_said_twice_in_a_row(limits):
    ledger, believed, last = Ledger(), None, None
    for number, limit in enumerate(limits):
        call(ledger, number, Usage(limit))
        if limit is not None:
            if believed is None or limit == last:
                believed = limit
            last = limit
        assert ledger.limit == believed


@given(st.permutations(range(12)))
def test_in_whatever_order_answers_come_the_newest_question_wins(order):
    ledger = together(*range(12))
    for number in order:
        ledger.on_response(number, Usage(1800, 1000 - number), now=0.0)
    assert ledger.remaining == ledger.certainly_remaining == 1000 - 11


@given(st.permutations(range(12)), st.lists(st.integers(1, 1800), min_size=12, max_size=12))
def test_late_answers_never_raise_what_is_left_above_what_the_newest_said(order, said):
    ledger, newest = together(*range(12)), -1
    for number in order:
        before = known(ledger)
        ledger.on_response(number, Usage(1800, said[number]), now=float(number))
        if number < newest:
            assert (
                ledger.remaining,
                ledger.limit,
                ledger.remaining_at,
                ledger.observed_at,
                ledger.most_remaining,
            ) == before
        newest = max(newest, number)
        assert ledger.certainly_remaining <= ledger.remaining == said[newest]


@pytest.mark.parametrize("usage", [Usage(1800), Usage(None, 5), Usage(1800, 5)])
def test_an_answer_that_says_anything_counts_as_an_observation(usage):
    ledger = Ledger()
    call(ledger, 0, usage, now=3.0)
    assert ledger.observed_at == 3.0


def test_calls_that_are_taken_although_none_are_left_are_not_believed_to_be_none():
    ledger = Ledger()
    for number in range(5):
        assert ledger.certainly_remaining in {None, 0, -1}
        ledger.on_granted(number)
        ledger.on_response(number, Usage(1800, 0), now=float(number))
    assert ledger.certainly_remaining is None
    ledger.on_granted(5)
    ledger.on_response(5, Usage(1800, 7), now=9.0)
    assert ledger.certainly_remaining == 7


def test_where_answers_never_tell_how_many_are_left_nothing_is_kept_of_calls_that_are_over():
    ledger = Ledger()
    for number in range(100):
        ledger.on_granted(number)
        ledger.on_response(number, Usage(1800), now=0.0)
    assert not ledger._not_in_remaining
