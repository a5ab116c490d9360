"""Which calls a response may not have counted."""

import math

from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async._ratelimit.allowance import InFlightOverlap

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["grant", "grant", "count", "count", "answer", "mute", "lose", "not sent"]), st.integers(0, 9)
    ),
    max_size=80,
)


def overlap(*numbers):
    known = InFlightOverlap()
    for number in numbers:
        known.on_granted(number)
    return known


def test_a_call_that_was_in_flight_alone_leaves_no_doubt():
    known = overlap(0)
    assert known.on_ended(0, 10) == set()
    known.on_granted(1)
    assert known.on_ended(1, 9) == set()


def test_an_answer_may_not_have_counted_those_that_were_in_flight_together_with_it():
    assert overlap(0, 1, 2).on_ended(1, 10) == {0, 2}


def test_of_two_that_were_in_flight_together_the_one_with_more_left_came_first():
    known = overlap(0, 1, 2)
    known.on_ended(0, 10)
    known.on_ended(1, 11)
    assert known.on_ended(2, 10) == set()
    known = overlap(0, 1, 2)
    known.on_ended(0, 8)
    assert known.on_ended(2, 9) == {0, 1}


def test_a_response_that_says_nothing_leaves_all_in_doubt():
    known = overlap(0, 1)
    known.on_ended(0, None)
    assert known.on_ended(1, 9) == {0}
    known = overlap(0, 1)
    known.on_ended(0, 10)
    assert known.on_ended(1, None) == {0}


def test_one_that_surely_was_not_counted_is_in_nobodys_doubt():
    known = overlap(0, 1)
    known.on_ended(0, math.inf)
    assert known.on_ended(1, 9) == set()


@given(STEPS)
def test_all_calls_that_the_newest_answer_did_not_count_are_in_doubt(steps):
    known, made, newest, left, in_flight, served, gone = InFlightOverlap(), 0, -1, 1_000, [], {}, set()
    for step, choice in steps:
        waiting = [number for number in in_flight if number not in served]
        ready = [number for number in in_flight if number in served]
        if step == "grant":
            known.on_granted(made)
            in_flight.append(made)
            made += 1
        elif step == "count" and waiting:
            left -= 1
            served[waiting[choice % len(waiting)]] = left
        elif step == "not sent" and waiting:
            number = waiting[choice % len(waiting)]
            in_flight.remove(number)
            gone.add(number)
            known.on_ended(number, math.inf)
        elif step in {"answer", "mute", "lose"} and ready:
            number = ready[choice % len(ready)]
            in_flight.remove(number)
            uncertain = known.on_ended(number, served[number] if step == "answer" else None)
            uncounted = {other for other in range(made) if served.get(other, -1) < served[number]} - gone
            assert number < newest or uncounted <= uncertain
            newest = max(newest, number)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.none() | st.integers(0, 20)), max_size=120))
def test_who_was_in_flight_together_is_the_same_as_if_each_call_had_noted_it(steps):
    known, together, remaining_after, made = InFlightOverlap(), {}, {}, 0
    for grant, choice, remaining in steps:
        if grant or not together:
            known.on_granted(made)
            together[made] = set(together)
            made += 1
            continue
        number = sorted(together)[choice % len(together)]
        others = together.pop(number) | {other for other in together if other > number}
        uncertain = {other for other in others if remaining is None or remaining_after.get(other, -1) < remaining}
        assert known.on_ended(number, remaining) == uncertain
        remaining_after[number] = -1 if remaining is None else remaining
        if choice == 0:
            known.forget()


@given(st.integers(1, 6), st.integers(20, 200))
def test_it_remembers_no_more_than_a_few_times_the_calls_that_are_out(slots, calls):
    known = overlap(*range(slots))
    for number in range(calls):
        known.on_ended(number, 10_000 - number)
        known.on_granted(number + slots)
        assert len(known._ended) <= 8 * (slots + 1)
        assert len(known._in_flight) == slots
