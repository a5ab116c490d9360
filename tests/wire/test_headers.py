"""What headers say about waiting and about the hourly quota; junk says nothing."""

import math
import time
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async._wire.headers import LONGEST_RETRY_AFTER, UNREADABLE_PAUSE, Usage, retry_after, usage

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
LATER = "Sun, 01 Mar 2026 12:00:30 GMT"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30.0),
        (" 30 ", 30.0),
        ("0030", 30.0),
        (LATER, 30.0),
        ("Sunday, 01-Mar-26 12:00:30 GMT", 30.0),
        ("Sun Mar  1 12:00:30 2026", 30.0),
        ("Sun, 01 Mar 2026 12:00:30", 30.0),
        ("Sun, 01 Mar 2026 13:00:30 +0100", 30.0),
        ("Sun, 01 Mar 2026 12:00:30 -0000", 30.0),
        ("1000000000", LONGEST_RETRY_AFTER),
        ("9" * 5000, LONGEST_RETRY_AFTER),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_RETRY_AFTER),
    ],
)
def test_both_forms_are_read(text: str, seconds: float) -> None:
    assert retry_after({"retry-after": text}, NOW) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0.0",
        "0, 0",
        "Sun, 01 Mar 2026 11:59:59 GMT",
        "Sun, 01 Mar 2026 12:00:00 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
    ],
)
def test_zero_and_the_past_are_no_hint(text: str) -> None:
    assert retry_after({"retry-after": text}, NOW) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("900.0", 900.0), ("1.5", 2.0), ("0.493", 1.0), ("2.", 2.0), ("30, 60", 60.0), ("30,30", 30.0)],
)
def test_fractions_are_rounded_up_and_of_several_numbers_the_largest_counts(text: str, seconds: float) -> None:
    assert retry_after({"retry-after": text}, NOW) == seconds


@given(st.floats(0, 1e6, exclude_min=True))
def test_no_fraction_means_sooner_than_it_says(seconds: float) -> None:
    read = retry_after({"retry-after": f"{seconds:.9f}"}, NOW) or 0.0
    assert round(seconds, 9) <= read < seconds + 1


@pytest.mark.parametrize(
    "text",
    [
        "-1",
        "1e9",
        "soon",
        "0x10",
        "٣",
        "inf",
        "nan",
        "2026-03-01T12:00:30Z",
        "Sun",
        f"{LATER}, {LATER}",
        f"30, {LATER}",
        f"{LATER}, 30",
        "Sun, 32 Mar 2026 12:00:30 GMT",
        "Sun, 01 Mar 99999 12:00:30 GMT",
        "Sun, 01 Mar 2026 12:00:30 +9999999999",
        "1 2",
        "Sun Mar  1 12:00:30 2026, Sun Mar  1 12:00:30 2026",
    ],
)
def test_what_cannot_be_read_never_means_soon(text: str) -> None:
    assert retry_after({"retry-after": text}, NOW) == UNREADABLE_PAUSE


def test_without_the_header_there_is_no_hint() -> None:
    assert retry_after({}, NOW) is None


@pytest.mark.parametrize("skew", [-7200.0, 0.0, 7200.0])
def test_a_date_is_measured_against_the_answers_own(skew: float) -> None:
    headers = {"retry-after": LATER, "date": "Sun, 01 Mar 2026 11:59:50 GMT"}
    assert retry_after(headers, NOW + skew) == 40.0


@pytest.mark.parametrize("date", ["", "soon", f"{LATER}, {LATER}"])
def test_without_a_usable_date_our_own_clock_decides(date: str) -> None:
    assert retry_after({"retry-after": LATER, "date": date}, NOW) == 30.0


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone can be set on POSIX only")
def test_a_date_without_zone_is_utc_wherever_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Denver")
    time.tzset()
    try:
        assert retry_after({"retry-after": "Sun, 01 Mar 2026 12:00:30"}, NOW) == 30.0
    finally:
        monkeypatch.undo()
        time.tzset()


http_dates = st.datetimes(timezones=st.just(UTC)).map(lambda moment: format_datetime(moment, usegmt=True))
pieces = st.sampled_from(
    ["30", "-", "+", "e", ".", ",", " ", "Sun, ", "Mar", "01", "2026", "12:00:30", "GMT", "+0000", "99999999999"]
)
values = st.one_of(st.text(), http_dates, st.integers().map(str), st.floats().map(str), st.lists(pieces).map("".join))


@given(st.fixed_dictionaries({}, optional={"retry-after": values, "date": values}), st.floats(0, 1e11))
def test_any_text_gives_a_sane_wait_or_none(headers: dict[str, str], now: float) -> None:
    seconds = retry_after(headers, now)
    assert seconds is None or (0 < seconds <= LONGEST_RETRY_AFTER and math.isfinite(seconds))


LIMIT, REMAINING = "x-fusedesk-usage-limit", "x-fusedesk-usage-remaining"


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, Usage()),
        ({LIMIT: "1800"}, Usage(1800)),
        ({LIMIT: "1800", REMAINING: "1799"}, Usage(1800, 1799)),
        ({REMAINING: "5"}, Usage(None, 5)),
        ({LIMIT: " 1800 ", REMAINING: " 0 "}, Usage(1800, 0)),
        ({LIMIT: "1800", REMAINING: "1801"}, Usage(1800)),
        ({LIMIT: "0", REMAINING: "5"}, Usage(None, 5)),
        ({LIMIT: "abc", REMAINING: "-5"}, Usage()),
        ({LIMIT: "1800, 1800", REMAINING: ""}, Usage()),
        ({LIMIT: "9" * 13, REMAINING: "9" * 5000}, Usage()),
        ({LIMIT: "1800.0", REMAINING: "1e3"}, Usage()),
        ({LIMIT: "\u0663", REMAINING: "\u00b2"}, Usage()),
        ({LIMIT: "1800", "x-fusedesk-usage-left": "7"}, Usage(1800, 7)),
        ({"x-fusedesk-usage-calls": "1", "x-fusedesk-usage-z-remain": "9"}, Usage(None, 9)),
        ({"x-fusedesk-usage-b": "2", "x-fusedesk-usage-a": "1"}, Usage(None, 1)),
        ({REMAINING: "junk", "x-fusedesk-usage-left": "7"}, Usage(None, 7)),
        ({"x-ratelimit-remaining": "7"}, Usage()),
    ],
)
def test_usage_is_read_and_junk_is_not(headers: dict[str, str], told: Usage) -> None:
    assert usage(headers) == told


def test_a_name_by_choice_is_the_only_one_read() -> None:
    headers = {REMAINING: "5", "x-left": "7", LIMIT: "10"}
    assert usage(headers, "X-Left") == Usage(10, 7)
    assert usage(headers, "X-Other") == Usage(10)


@given(st.dictionaries(st.sampled_from([LIMIT, REMAINING, "x-fusedesk-usage-x"]), values), st.none() | st.text())
def test_any_text_gives_counts_or_none(headers: dict[str, str], name: str | None) -> None:
    told = usage(headers, name)
    assert told.limit is None or told.limit > 0
    assert told.remaining is None or 0 <= told.remaining <= (told.limit or 10**12)
