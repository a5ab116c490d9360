"""Dates as PHP reads them."""

from datetime import datetime

import pytest

from fusedesk_async.sandbox._calendar import DATA_ENDS, DAY, ZONE, iso, midnight, working_time
from fusedesk_async.sandbox._dates import UnreadableError, bounds, instant


def local(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=ZONE).timestamp())  # type: ignore[misc,arg-type]


NOW = local(2026, 3, 31, 15, 30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-01", local(2024, 3, 1)),
        (" 2024-03-01 ", local(2024, 3, 1)),
        ("2024-03-01 14:05", local(2024, 3, 1, 14, 5)),
        ("2024-03-01T14:05:00Z", local(2024, 3, 1, 9, 5)),
        ("2024-03-01T14:05:00+02:00", local(2024, 3, 1, 7, 5)),
        ("now", NOW),
        ("Today", local(2026, 3, 31)),
        ("yesterday", local(2026, 3, 30)),
        ("tomorrow", local(2026, 4, 1)),
        ("-30 days", local(2026, 3, 1, 15, 30)),
        ("2 hours ago", local(2026, 3, 31, 13, 30)),
        ("+ 1 week", local(2026, 4, 7, 15, 30)),
        ("-1 month", local(2026, 3, 3, 15, 30)),
        ("-2 years", local(2024, 3, 31, 15, 30)),
        ("+9 months", local(2026, 12, 31, 15, 30)),
        ("@1700000000", 1_700_000_000),
    ],
)
def test_texts_that_name_an_instant(text: str, expected: int) -> None:
    assert instant(text, NOW) == expected


@pytest.mark.parametrize(
    "text", ["", "soon", "2024-13-01", "0000-00-00", "@x", "-999999 years", "@99999999999999999999", "0001-01-01"]
)
def test_texts_that_do_not(text: str) -> None:
    with pytest.raises(UnreadableError):
        instant(text, NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-01", (local(2024, 3, 1), local(2024, 3, 2))),
        ('{"before":"2024-03-01"}', (None, local(2024, 3, 1))),
        ('{"after":"2024-03-01"}', (local(2024, 3, 1), None)),
        ('{\n  "before": "2024-03-31",\n  "after": "2024-03-01"\n}', (local(2024, 3, 1), local(2024, 3, 31))),
        ('{"after":"-30 days"}', (local(2026, 3, 1, 15, 30), None)),
    ],
)
def test_the_four_forms_of_a_filter(text: str, expected: tuple[int | None, int | None]) -> None:
    """Assumed: after includes its day, before does not."""
    assert bounds(text, NOW) == expected


@pytest.mark.parametrize(
    "text", ['{"after:"2024-03-01"}', "{}", '{"since":"2024-03-01"}', '{"after":5}', '{"after":"soon"}', "[]"]
)
def test_filters_that_are_none(text: str) -> None:
    """The first is one of the slips in S2's samples."""
    with pytest.raises(UnreadableError):
        bounds(text, NOW)


def test_dates_are_written_as_python_writes_them() -> None:
    for moment in range(DATA_ENDS - 900 * DAY, DATA_ENDS, 86_399 * 7):
        assert iso(moment) == datetime.fromtimestamp(moment, ZONE).isoformat()
        assert datetime.fromtimestamp(midnight(moment), ZONE) == datetime.fromtimestamp(moment, ZONE).replace(
            hour=0, minute=0, second=0
        )


def test_working_time_is_on_a_weekday_between_eight_and_six() -> None:
    for moment in range(DATA_ENDS - 30 * DAY, DATA_ENDS, 1777):
        at = datetime.fromtimestamp(working_time(moment), ZONE)
        assert at.weekday() < 5
        assert 8 <= at.hour < 18
        assert moment <= at.timestamp() < moment + 3 * DAY
