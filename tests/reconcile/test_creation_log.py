"""What a client remembers of the cases it has opened."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async import Case
from fusedesk_async._reconcile.creation_log import CLOCK_PRECISION, Creation, CreationLog
from fusedesk_async._reconcile.date_keeping import date_keeping

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECONDS = NOW.timestamp()
LONG_AGO = "2019-05-01T10:00:00+00:00"


def creation(number=1, asked=LONG_AGO):
    return Creation(number, f"N{number}", asked, SECONDS, SECONDS + 9, SECONDS + 9)


def seen(opened, number=1, **fields):
    case = Case(id=number, date_opened=opened, **fields)
    return {case.id: case}


@pytest.mark.parametrize(
    ("opened", "expected"),
    [
        (datetime(2019, 5, 1, 10, tzinfo=UTC), "kept"),
        (datetime(2019, 5, 1, tzinfo=UTC), "kept"),
        (NOW, "ignored"),
        (datetime(2001, 1, 1, tzinfo=UTC), "neither"),
    ],
)
def test_what_becomes_of_a_date_is_seen_by_a_case_that_was_surely_opened(opened, expected):
    log = CreationLog()
    log.add(creation())
    assert date_keeping(log, seen(opened), (), 0.0) == expected
    assert log.keeps_date_opened is {"kept": True, "ignored": False, "neither": None}[expected]
    remembered = None if expected == "neither" else expected
    assert date_keeping(log, {}, (), 0.0) == remembered


def test_a_case_without_a_date_proves_nothing():
    assert date_keeping(CreationLog(), seen(None), [creation()], 0.0) == "neither"


def test_cases_that_disagree_prove_nothing():
    log, old = CreationLog(), datetime(2019, 5, 1, 10, tzinfo=UTC)
    assert date_keeping(log, seen(old) | seen(NOW, 2), [creation(1), creation(2)], 0.0) == "neither"


@pytest.mark.parametrize("asked", [None, "-30 days", "2026-02-27T12:00:00+00:00"])
def test_a_date_near_the_time_of_sending_tells_nothing_apart(asked):
    log = CreationLog()
    log.add(creation(asked=asked))
    assert date_keeping(log, seen(NOW), (), 0.0) is None


def test_a_case_is_known_by_its_number_where_the_server_sends_no_id():
    log = CreationLog()
    known = Creation(None, "N7", LONG_AGO, SECONDS, SECONDS)
    assert date_keeping(log, {"N7": Case(id=3, date_opened=NOW)}, [known], 0.0) == "ignored"


@given(st.lists(st.floats(0, 100), max_size=6), st.floats(0, 120))
def test_an_id_that_was_seen_before_a_moment_is_no_newer_one(moments, moment):
    log, moments = CreationLog(), sorted(moments)
    for number, at in enumerate(moments, start=1):
        log.see(number, at)
    before = [number for number, at in enumerate(moments, start=1) if at < moment - CLOCK_PRECISION]
    assert log.id_before(moment) == (before[-1] if before else None)


def test_what_is_seen_by_a_clock_that_was_set_back_is_not_taken_for_earlier():
    log = CreationLog()
    log.begin(3_600.0)
    log.see(9, 10.0)
    assert log.id_before(3_600.0) is None
    log.see(10, 3_601.0)
    assert log.id_before(4_000.0) == 10
