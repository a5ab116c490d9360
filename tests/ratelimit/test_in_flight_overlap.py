import math

from hypothesis import given, settings
from hypothesis import strategies as st

from fusedesk_async._ratelimit.allowance import Overlap

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["leave", "leave", "serve", "serve", "answer", "mute", "lose", "stay"]), st.integers(0, 9)
    ),
    max_size=80,
)


def overlap(*numbers):
    known = Overlap()
    for number in numbers:
        known.granted(number)
    return known


def test_a_call_that_was_out_alone_leaves_no_doubt():
    known = overlap(0)
    assert known.ended(0, 10) == set()
    known.granted(1)
    assert known.ended(1, 9) == set()


def test_an_answer_may_not_have_counted_those_that_were_out_together_with_it():
    assert overlap(0, 1, 2).ended(1, 10) == {0, 2}


def test_of_two_that_were_out_together_the_one_with_more_left_came_first():
    known = overlap(0, 1, 2)
    known.ended(0, 10)
    known.ended(1, 11)
    assert known.ended(2, 10) == set()
    known = overlap(0, 1, 2)
    known.ended(0, 8)
    assert known.ended(2, 9) == {0, 1}


def test_an_answer_that_tells_nothing_leaves_all_in_doubt():
    known = overlap(0, 1)
    known.ended(0, None)
    assert known.ended(1, 9) == {0}
    known = overlap(0, 1)
    known.ended(0, 10)
    assert known.ended(1, None) == {0}


def test_one_that_surely_was_not_counted_is_in_nobodys_doubt():
    known = overlap(0, 1)
    known.ended(0, math.inf)
    assert known.ended(1, 9) == set()


@settings(deadline=None)
@given(STEPS)
def test_all_calls_that_the_newest_answer_did_not_count_are_in_doubt(steps):
    known, made, newest, left, flying, served, gone = Overlap(), 0, -1, 1_000, [], {}, set()
    for step, choice in steps:
        waiting = [number for number in flying if number not in served]
        ready = [number for number in flying if number in served]
        if step == "leave":
            known.granted(made)
            flying.append(made)
            made += 1
        elif step == "serve" and waiting:
            left -= 1
            served[waiting[choice % len(waiting)]] = left
        elif step == "stay" and waiting:
            number = waiting[choice % len(waiting)]
            flying.remove(number)
            gone.add(number)
            known.ended(number, math.inf)
        elif step in {"answer", "mute", "lose"} and ready:
            number = ready[choice % len(ready)]
            flying.remove(number)
            doubtful = known.ended(number, served[number] if step == "answer" else None)
            uncounted = {other for other in range(made) if served.get(other, -1) < served[number]} - gone
            assert number < newest or uncounted <= doubtful
            newest = max(newest, number)


@settings(deadline=None)
@given(st.integers(1, 6), st.integers(20, 200))
def test_it_remembers_no_more_than_a_few_times_the_calls_that_are_out(places, calls):
    known = overlap(*range(places))
    for number in range(calls):
        known.ended(number, 10_000 - number)
        known.granted(number + places)
        assert len(known._left_after) <= 9 * (places + 1)
        assert len(known._beside) == places
