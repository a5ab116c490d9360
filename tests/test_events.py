"""Observers: who is notified of what, in which order, and what a failing one does."""

import logging

import pytest

from fusedesk_async import CallAnswered, QuotaWaitOver, Request
from fusedesk_async._events import Observers

EVENT = QuotaWaitOver(seconds=5.0)


def test_an_observer_is_notified_while_the_block_lasts():
    observers, events = Observers(), []
    observers.notify(EVENT)
    with observers.subscribed(events.append):
        observers.notify(EVENT)
    observers.notify(EVENT)
    assert events == [EVENT]


def test_an_observer_is_removed_even_if_the_block_fails():
    observers, events = Observers(), []
    with pytest.raises(KeyError), observers.subscribed(events.append):
        raise KeyError
    observers.notify(EVENT)
    assert events == []


def test_all_are_notified_in_the_order_they_came_and_one_that_came_twice_is_notified_twice():
    observers, events = Observers(), []

    def first(event):
        events.append("first")

    def second(event):
        events.append("second")

    with observers.subscribed(first), observers.subscribed(second), observers.subscribed(first):
        observers.notify(EVENT)
    assert events == ["first", "second", "first"]


def test_an_observer_that_fails_is_logged_and_the_others_are_notified_all_the_same(caplog):
    observers, events = Observers(), []

    def fails(event):
        raise KeyError("oops")

    with (
        observers.subscribed(fails),
        observers.subscribed(events.append),
        caplog.at_level(logging.ERROR, "fusedesk_async"),
    ):
        observers.notify(EVENT)
    assert events == [EVENT]
    assert "an observer failed at QuotaWaitOver(seconds=5.0)" in caplog.text
    assert "KeyError: 'oops'" in caplog.text


def test_an_observer_may_be_removed_while_it_is_notified():
    observers, events = Observers(), []
    block = observers.subscribed(lambda event: (events.append(event), block.__exit__(None, None, None)))
    block.__enter__()
    with observers.subscribed(events.append):
        observers.notify(EVENT)
        observers.notify(EVENT)
    assert events == [EVENT] * 3


def test_events_are_values():
    request = Request("GET", "v1/cases", 1)
    one, other = (CallAnswered(call=1, request=request, status=200, seconds=0.5) for _ in range(2))
    assert one == other
    with pytest.raises(AttributeError):
        one.status = 500
