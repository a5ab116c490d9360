"""Each hook on each odd value; section 7 of the API's contract."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from strategies import json_values

from fusedesk_async._wire import php_values

NOTHING = (None, False, "")
HOOKS = [
    php_values.whole_number,
    php_values.text,
    php_values.flag,
    php_values.moment,
    php_values.identifier,
    php_values.ids,
]
NAIVE = datetime(2024, 3, 1, 10)  # noqa: DTZ001 - the zone is not guessed


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (42, 42),
        ("42", 42),
        (" 42 ", 42),
        ("-7", -7),
        (0, 0),
        ("0", 0),
        (42.0, 42),
        (-0.0, 0),
        (2.0**53, 2**53),
        (2**70, 2**70),
    ]
    + [(nothing, None) for nothing in NOTHING],
)
def test_whole_numbers(value: Any, number: int | None) -> None:
    assert php_values.whole_number(value) == number
    assert type(php_values.whole_number(value)) is type(number)


@pytest.mark.parametrize(
    "bad",
    [True, 1.5, 2.0**53 + 2, 1e300, "4x", "4.0", "--4", "+4", "\u0663", "0x1", " ", [], [1], {}, "9" * 5000, "1 2"],
)
def test_no_whole_numbers(bad: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        php_values.whole_number(bad)


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), ("", ""), ("None", "None"), (5, "5"), (1.5, "1.5"), (0, "0"), (None, None), (False, None)],
)
def test_texts(value: Any, text: str | None) -> None:
    assert php_values.text(value) == text


@pytest.mark.parametrize("bad", [True, [], ["a"], {"a": 1}])
def test_no_texts(bad: Any) -> None:
    with pytest.raises(ValueError, match="expected text"):
        php_values.text(bad)


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        (True, True),
        (1, True),
        ("1", True),
        ("true", True),
        ("TRUE", True),
        (False, False),
        (0, False),
        ("0", False),
        ("False", False),
        (None, None),
        ("", None),
    ],
)
def test_flags(value: Any, flag: bool | None) -> None:  # noqa: FBT001 - a table
    assert php_values.flag(value) is flag


@pytest.mark.parametrize("bad", [2, -1, 1.0, "yes", "on", " ", [], [True], {}])
def test_no_flags(bad: Any) -> None:
    with pytest.raises(ValueError, match="expected true or false"):
        php_values.flag(bad)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2024-03-01T10:00:00+00:00", datetime(2024, 3, 1, 10, tzinfo=UTC)),
        ("2024-03-01T10:00:00Z", datetime(2024, 3, 1, 10, tzinfo=UTC)),
        ("2024-03-01T10:00:00+0530", datetime(2024, 3, 1, 10, tzinfo=timezone(timedelta(hours=5, minutes=30)))),
        ("2024-03-01 10:00:00", NAIVE),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        *((nothing, None) for nothing in NOTHING),
        ("0000-00-00", None),
        ("0000-00-00 00:00:00", None),
        ("0000-00-00T00:00:00-06:00", None),
        ("-0001-11-30T00:00:00-06:00", None),
    ],
)
def test_moments(value: Any, moment: datetime | None) -> None:
    read = php_values.moment(value)
    assert read == moment
    assert (read and read.utcoffset()) == (moment and moment.utcoffset())


@pytest.mark.parametrize(
    "bad", [True, 0, 1709251200, 1.5, "soon", "1709251200x", " ", [], {}, "2024-02-30", "10000-01-01"]
)
def test_no_moments(bad: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        php_values.moment(bad)


@pytest.mark.parametrize(
    ("value", "kept"), [(0, 0), ("0", "0"), (4.5, 4.5), ([], []), (True, True), *((n, None) for n in NOTHING)]
)
def test_loose_values_stay_as_they_came(value: Any, kept: Any) -> None:
    assert php_values.loose(value) == kept


@pytest.mark.parametrize(("value", "kept"), [("a1", "a1"), ("7", "7"), (7, 7), (7.0, 7), *((n, None) for n in NOTHING)])
def test_identifiers_stay_as_they_came(value: Any, kept: Any) -> None:
    assert php_values.identifier(value) == kept


@pytest.mark.parametrize("bad", [True, 7.5, [], {}])
def test_no_identifiers(bad: Any) -> None:
    with pytest.raises(ValueError, match="whole number"):
        php_values.identifier(bad)


@pytest.mark.parametrize(
    ("value", "ids"),
    [([1, "2", 3.0, {"id": 4, "tagname": "vip"}, {"id": "5"}], (1, 2, 3, 4, 5)), ([], ()), *((n, ()) for n in NOTHING)],
)
def test_tags(value: Any, ids: tuple[int, ...]) -> None:
    assert php_values.ids(value) == ids


@pytest.mark.parametrize("bad", [[None], [""], ["vip"], [{"name": "vip"}], [True], [[1]], "1,2", 7, True, {"id": 1}])
def test_no_tags(bad: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=r"."):
        php_values.ids(bad)


def test_a_required_value_may_not_be_missing() -> None:
    hook = php_values.required(php_values.whole_number)
    assert hook("7") == 7
    for nothing in NOTHING:
        with pytest.raises(ValueError, match="is missing"):
            hook(nothing)


@pytest.mark.parametrize("hook", HOOKS)
@given(value=json_values)
def test_hooks_raise_nothing_but_value_and_type_errors_with_short_texts(hook: Callable[[Any], Any], value: Any) -> None:
    reason = ""
    try:
        hook(value)
    except (ValueError, TypeError) as error:
        reason = str(error)
    assert len(reason) < 200
