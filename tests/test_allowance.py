from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async._allowance import Ledger
from fusedesk_async._hints import Usage


def test_nothing_is_known_before_the_first_answer():
    ledger = Ledger()
    assert (ledger.limit, ledger.remaining, ledger.left) == (None, None, None)


def test_an_answer_tells_and_later_grants_are_counted():
    ledger = Ledger()
    ledger.granted()
    ledger.observe(0, Usage(1800, 1799), now=5.0, in_flight=0)
    assert (ledger.limit, ledger.remaining, ledger.left, ledger.observed_at) == (1800, 1799, 1799, 5.0)
    ledger.granted()
    assert ledger.left == 1798


def test_calls_on_their_way_are_taken_off():
    ledger = Ledger()
    ledger.observe(0, Usage(1800, 100), now=5.0, in_flight=4)
    assert ledger.left == 96


def test_an_answer_to_an_older_question_changes_nothing():
    ledger = Ledger()
    ledger.observe(5, Usage(1800, 10), now=5.0, in_flight=0)
    ledger.observe(4, Usage(1700, 1600), now=6.0, in_flight=0)
    assert (ledger.limit, ledger.remaining) == (1800, 10)


def test_an_answer_that_says_nothing_keeps_what_was_known():
    ledger = Ledger()
    ledger.observe(0, Usage(1800, 10), now=5.0, in_flight=0)
    ledger.observe(1, Usage(), now=6.0, in_flight=0)
    assert (ledger.limit, ledger.remaining, ledger.observed_at) == (1800, 10, 5.0)


def test_a_changed_limit_is_taken_over():
    ledger = Ledger()
    ledger.observe(0, Usage(1800, 10), now=5.0, in_flight=0)
    ledger.observe(1, Usage(600), now=6.0, in_flight=0)
    assert (ledger.limit, ledger.remaining) == (600, 10)


@given(st.permutations(range(12)))
def test_in_whatever_order_answers_come_the_newest_question_wins(order):
    ledger = Ledger()
    for number in order:
        ledger.observe(number, Usage(1800, 1000 - number), now=0.0, in_flight=0)
    assert ledger.remaining == 1000 - 11
