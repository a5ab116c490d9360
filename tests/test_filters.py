import pickle
from datetime import UTC, date, datetime, timedelta, timezone

import attrs
import pytest

from fusedesk_async.errors import ConfigurationError
from fusedesk_async.filters import DateFilter, Order, after, asc, before, between, desc, encode_day, on

MARCH = date(2024, 3, 1)


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (on(MARCH), "2024-03-01"),
        (on("-30 days"), "-30 days"),
        (before("2024-03-01"), '{"before":"2024-03-01"}'),
        (after(MARCH), '{"after":"2024-03-01"}'),
        (between(MARCH, date(2024, 3, 31)), '{"after":"2024-03-01","before":"2024-03-31"}'),
        (after(datetime(2024, 3, 1, 10, 30, tzinfo=UTC)), '{"after":"2024-03-01T10:30:00+00:00"}'),
        (on(datetime(2024, 3, 1, tzinfo=timezone(timedelta(hours=-6)))), "2024-03-01T00:00:00-06:00"),
        (after('"tricky\\'), '{"after":"\\"tricky\\\\"}'),
    ],
)
def test_each_condition_has_one_spelling(condition: DateFilter, text: str) -> None:
    assert condition.encode() == text


def test_a_datetime_without_zone_is_refused_with_the_reason() -> None:
    naive = datetime(2024, 3, 1)  # noqa: DTZ001 - what is tested
    for make in (on, before, after, encode_day):
        with pytest.raises(ConfigurationError, match=r"no time zone.*tzinfo=UTC"):
            make(naive)


@pytest.mark.parametrize("bad", ["", "  ", 20240301, 1.5, b"2024", None, True])
def test_what_is_no_date_is_refused(bad: object) -> None:
    with pytest.raises(ConfigurationError):
        encode_day(bad)  # type: ignore[arg-type] # callers without types are told, too


@pytest.mark.parametrize("given", [{}, {"on": MARCH, "after": MARCH}, {"on": MARCH, "before": MARCH}])
def test_a_filter_says_one_thing(given: dict[str, date]) -> None:
    with pytest.raises(ConfigurationError, match="either on a day, or after"):
        DateFilter(**given)


def test_a_lone_surrogate_is_refused_when_it_would_be_hidden_in_json() -> None:
    with pytest.raises(ConfigurationError, match="lone surrogate"):
        after("\ud800").encode()


def test_values_are_immutable_hashable_and_picklable() -> None:
    for value in (on(MARCH), between(MARCH, "now"), asc("id"), desc("date_opened")):
        assert pickle.loads(pickle.dumps(value)) == value
        assert len({value, attrs.evolve(value)}) == 1
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            value.on = "x"  # type: ignore[misc, union-attr] # what is tested


@pytest.mark.parametrize(("column", "direction"), [("a b", "asc"), ("", "asc"), (5, "asc"), ("a", "up"), ("a", "")])
def test_bad_columns_are_refused(column: object, direction: object) -> None:
    with pytest.raises(ConfigurationError):
        Order(column, direction)  # type: ignore[arg-type] # callers without types are told, too
