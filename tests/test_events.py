import logging

import pytest

from fusedesk_async import CallAnswered, QuotaWaitOver, Request
from fusedesk_async._events import Observers

EVENT = QuotaWaitOver(seconds=5.0)


def test_an_observer_is_told_while_the_block_lasts():
    observers, heard = Observers(), []
    observers.tell(EVENT)
    with observers.told(heard.append):
        observers.tell(EVENT)
    observers.tell(EVENT)
    assert heard == [EVENT]


def test_an_observer_leaves_even_if_the_block_fails():
    observers, heard = Observers(), []
    with pytest.raises(KeyError), observers.told(heard.append):
        raise KeyError
    observers.tell(EVENT)
    assert heard == []


def test_all_are_told_in_the_order_they_came_and_one_that_came_twice_is_told_twice():
    observers, heard = Observers(), []

    def first(event):
        heard.append("first")

    def second(event):
        heard.append("second")

    with observers.told(first), observers.told(second), observers.told(first):
        observers.tell(EVENT)
    assert heard == ["first", "second", "first"]


def test_an_observer_that_fails_is_logged_and_the_others_are_told_all_the_same(caplog):
    observers, heard = Observers(), []

    def fails(event):
        raise KeyError("oops")

    with observers.told(fails), observers.told(heard.append), caplog.at_level(logging.ERROR, "fusedesk_async"):
        observers.tell(EVENT)
    assert heard == [EVENT]
    assert "an observer failed at QuotaWaitOver(seconds=5.0)" in caplog.text
    assert "KeyError: 'oops'" in caplog.text


def test_an_observer_may_leave_while_it_is_told():
    observers, heard = Observers(), []
    block = observers.told(lambda event: (heard.append(event), block.__exit__(None, None, None)))
    block.__enter__()
    with observers.told(heard.append):
        observers.tell(EVENT)
        observers.tell(EVENT)
    assert heard == [EVENT] * 3


def test_events_are_values():
    request = Request("GET", "v1/cases", 1)
    one, other = (CallAnswered(request=request, status=200, seconds=0.5) for _ in range(2))
    assert one == other
    with pytest.raises(AttributeError):
        one.status = 500
