import logging
import math

import pytest

from fusedesk_async import QuotaWait, QuotaWaitOver
from fusedesk_async._clock import utc
from fusedesk_async._events import Observers
from fusedesk_async._ratelimit.reporter import WaitReport
from fusedesk_async._ratelimit.rules import Hold

WALL = 1_790_000_000.0


class Listener:
    """A report, and all that it says."""

    def __init__(self, caplog):
        self.heard, self.observers, self._caplog = [], Observers(), caplog
        self.report = WaitReport(self.observers, least=1.0)

    def held(self, seconds, now, why="quota", waiting=1):
        with self.observers.told(self.heard.append):
            self.report.held(Hold(seconds, why), now, wall=WALL + now, waiting=waiting)

    def over(self, now):
        with self.observers.told(self.heard.append):
            self.report.over(now)

    @property
    def logged(self):
        return [record.getMessage() for record in self._caplog.records]


@pytest.fixture
def listener(caplog):
    caplog.set_level(logging.INFO, "fusedesk_async")
    return Listener(caplog)


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("reserve", "the calls left this hour are kept for interactive work"),
        ("quota", "no calls are left this hour"),
        ("refused", "the server refused a call (429)"),
    ],
)
def test_a_wait_is_told_with_its_reason_and_its_end(listener, why, words):
    listener.held(30.0, 5.0, why, waiting=7)
    assert listener.heard == [QuotaWait(reason=why, until=utc(WALL + 35), waiting=7)]
    assert listener.logged == [f"waiting for quota, since {words}; next call at {utc(WALL + 35)}"]


def test_observers_hear_again_only_when_the_end_moves_and_the_log_hears_once(listener):
    for now in range(20):
        listener.held(30.0 - now, float(now), waiting=50 - now)
    assert len(listener.heard) == 1
    listener.held(60.0, 20.0, "refused", waiting=9)
    assert listener.heard[1:] == [QuotaWait(reason="refused", until=utc(WALL + 80), waiting=9)]
    assert len(listener.logged) == 1


def test_an_end_that_moves_by_less_than_a_moment_is_not_worth_a_word(listener):
    listener.held(30.0, 0.0)
    listener.held(30.9, 0.0)
    listener.held(29.1, 0.0)
    assert len(listener.heard) == 1
    listener.held(31.0, 0.0)
    assert len(listener.heard) == 2


@pytest.mark.parametrize("seconds", [0.0, 0.99, math.inf])
def test_a_wait_that_is_too_short_or_has_no_known_end_is_not_told(listener, seconds):
    listener.held(seconds, 5.0)
    listener.over(6.0)
    assert (listener.heard, listener.logged) == ([], [])


def test_the_end_of_a_wait_is_told_once(listener):
    listener.held(30.0, 5.0)
    listener.over(40.0)
    listener.over(50.0)
    assert listener.heard[1:] == [QuotaWaitOver(seconds=35.0)]


def test_a_new_wait_is_told_even_if_it_ends_when_the_old_one_was_to_end(listener):
    listener.held(30.0, 5.0)
    listener.over(10.0)
    listener.held(25.0, 10.0)
    assert [type(event) for event in listener.heard] == [QuotaWait, QuotaWaitOver, QuotaWait]
    assert len(listener.logged) == 2


def test_people_who_ask_for_more_than_is_kept_for_them_are_a_warning(listener):
    listener.report.reserve_exceeded(190)
    expected = (
        "190 interactive calls in the last hour are more than bulk calls leave them; raise RateLimiter(reserve=…)"
    )
    assert listener.logged == [expected]
    assert listener.heard == []
