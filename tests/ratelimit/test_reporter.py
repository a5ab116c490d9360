"""What is said of waits for quota, and how often."""

import logging
import math

import pytest

from fusedesk_async import QuotaWait, QuotaWaitOver
from fusedesk_async._clock import utc
from fusedesk_async._events import Observers
from fusedesk_async._ratelimit.reporter import WaitReporter
from fusedesk_async._ratelimit.rules import Delay

WALL = 1_790_000_000.0


class Listener:
    """A report, and all that it says."""

    def __init__(self, caplog):
        self.events, self.observers, self._caplog = [], Observers(), caplog
        self.reporter = WaitReporter(self.observers, min_wait=1.0)

    def delayed(self, seconds, now, reason="quota", waiting=1):
        with self.observers.subscribed(self.events.append):
            self.reporter.on_delayed(Delay(seconds, reason), now, wall=WALL + now, waiting=waiting)

    def unrestricted(self, now):
        with self.observers.subscribed(self.events.append):
            self.reporter.on_unrestricted(now)

    @property
    def logged(self):
        return [record.getMessage() for record in self._caplog.records]


@pytest.fixture
def listener(caplog):
    caplog.set_level(logging.INFO, "fusedesk_async")
    return Listener(caplog)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("reserve", "the remaining calls of this hour are reserved for interactive work"),
        ("quota", "no calls remain this hour"),
        ("refused", "the server refused a call (429)"),
    ],
)
def test_a_wait_is_reported_with_its_reason_and_its_end(listener, reason, words):
    listener.delayed(30.0, 5.0, reason, waiting=7)
    assert listener.events == [QuotaWait(reason=reason, until=utc(WALL + 35), waiting=7)]
    assert listener.logged == [f"waiting for quota: {words}; next call at {utc(WALL + 35)}"]


def test_observers_are_notified_again_only_when_the_end_moves_and_the_log_has_it_once(listener):
    for now in range(20):
        listener.delayed(30.0 - now, float(now), waiting=50 - now)
    assert len(listener.events) == 1
    listener.delayed(60.0, 20.0, "refused", waiting=9)
    assert listener.events[1:] == [QuotaWait(reason="refused", until=utc(WALL + 80), waiting=9)]
    assert len(listener.logged) == 1


def test_an_end_that_moves_by_less_than_a_moment_is_not_reported(listener):
    listener.delayed(30.0, 0.0)
    listener.delayed(30.9, 0.0)
    listener.delayed(29.1, 0.0)
    assert len(listener.events) == 1
    listener.delayed(31.0, 0.0)
    assert len(listener.events) == 2


@pytest.mark.parametrize("seconds", [0.0, 0.99, math.inf])
def test_a_wait_that_is_too_short_or_has_no_known_end_is_not_reported(listener, seconds):
    listener.delayed(seconds, 5.0)
    listener.unrestricted(6.0)
    assert (listener.events, listener.logged) == ([], [])


def test_the_end_of_a_wait_is_reported_once(listener):
    listener.delayed(30.0, 5.0)
    listener.unrestricted(40.0)
    listener.unrestricted(50.0)
    assert listener.events[1:] == [QuotaWaitOver(seconds=35.0)]


def test_a_new_wait_is_reported_even_if_it_ends_when_the_old_one_was_to_end(listener):
    listener.delayed(30.0, 5.0)
    listener.unrestricted(10.0)
    listener.delayed(25.0, 10.0)
    assert [type(event) for event in listener.events] == [QuotaWait, QuotaWaitOver, QuotaWait]
    assert len(listener.logged) == 2


def test_more_interactive_calls_than_the_reserve_are_a_warning(listener):
    listener.reporter.on_reserve_exceeded(190)
    assert listener.logged == [
        "190 interactive calls in the last hour exceed the reserve; raise RateLimiter(reserve=…)"
    ]
    assert listener.events == []
