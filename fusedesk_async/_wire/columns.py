"""Columns of values, each read at once.

A function here gives for all values of a column what the hook of `php_values.py` for the type gives for each of them,
in a fraction of the time where the values are alike. It raises `ValueError` or `TypeError` where the hook would for any
of them, and may do so where it would not: whoever calls it then asks the hook value by value. A property test holds
both equal.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any, Literal, TypeAlias, TypeVar

import attrs
import msgspec

from fusedesk_async._wire import php_values

T = TypeVar("T")
Column: TypeAlias = Sequence[Any]
ColumnHook: TypeAlias = Callable[[Column], Sequence[Any]]

_NOTHING = type(None)
_FIRST_YEAR = "0001"
"""Texts of dates before it are no dates, such as `0000-00-00`."""
_LONG_FRACTION = re.compile(r"\.[0-9]{7}")
_NUMBERS = list[int | None]
_LISTS_OF_NUMBERS = list[tuple[int, ...]]
_MOMENTS = list[datetime | None]


@attrs.frozen
class Kind:
    """A kind of values that is sent for a type of field.

    Attributes:
        type: The type of these values, as msgspec has it.
        hook: What reads a column of them; None if they are what they should be.
        default: What stands for those that are false where they are taken, which costs less than another loop; none if
            empty.
    """

    type: Any
    hook: ColumnHook | None = None
    default: str = ""


def whole_numbers(column: Column) -> Sequence[int | None]:
    """Numbers, or their texts, or nothing."""
    kinds = set(map(type, column))
    if kinds <= {int, _NOTHING}:
        return column
    if kinds <= {str, bool, _NOTHING}:
        return number_texts([value or None for value in column])
    if kinds <= {int, str, bool, _NOTHING}:
        present = loose(column)
        if set(map(type, present)) <= {int, _NOTHING}:
            return present
    return [*map(php_values.whole_number, column)]


def number_texts(column: Column) -> Sequence[int | None]:
    """Numbers, given as texts, True (which is none) and None only."""
    digits = "".join(filter(None, column))
    if not digits:
        return [None] * len(column)
    if digits.isascii() and digits.isdecimal():
        return msgspec.convert(column, _NUMBERS, strict=False)
    return [*map(php_values.whole_number, column)]


def texts(column: Column) -> Sequence[str | None]:
    """Texts, or numbers as texts, or nothing."""
    present = [None if value is False else value for value in column]
    kinds = set(map(type, present))
    if kinds <= {str, _NOTHING}:
        return present
    if kinds <= {str, int, float, _NOTHING}:
        return [value if value is None else str(value) for value in present]
    return [*map(php_values.text, column)]


def flags(column: Column) -> Sequence[bool | None]:
    """Booleans in any of PHP's ways to say one."""
    if set(map(type, column)) <= {bool, int, str, _NOTHING}:
        known = {value: php_values.flag(value) for value in set(column)}
        return [known[value] for value in column]
    return [*map(php_values.flag, column)]


def moments(column: Column) -> Sequence[datetime | None]:
    """Dates, or nothing."""
    if set(map(type, column)) <= {str, bool, _NOTHING}:
        return usual_moments([value or None for value in column])
    return [*map(php_values.moment, column)]


def usual_moments(column: Column) -> Sequence[datetime | None]:
    """Dates, given as texts, True (which is none) and None only.

    msgspec reads most of them as the hook does. It gets no fractions of a second of more than six digits, which it
    rounds rather than cuts, and no small z.
    """
    dates = " ".join(filter(None, column))
    if not dates:
        return column
    if "z" in dates or ("." in dates and _LONG_FRACTION.search(dates)):
        return [*map(php_values.moment, column)]
    try:
        return msgspec.convert(column, _MOMENTS)
    except msgspec.ValidationError:
        return _moments_and_zero_dates(column)


def ids(column: Column) -> Sequence[tuple[int, ...]]:
    """Lists of numbers or their texts, or nothing."""
    lists = [value or () for value in column]
    if not (set(map(type, column)) <= {list, str, bool, _NOTHING} and set(map(type, lists)) <= {list, tuple}):
        return [*map(php_values.ids, column)]
    elements = [*chain.from_iterable(lists)]
    numbers = _required(whole_numbers)(elements)
    if numbers is elements:
        return [*map(tuple, lists)]
    following = iter(numbers)
    return [tuple(islice(following, len(each))) for each in lists]


def lists_of_numbers(column: Column) -> Sequence[tuple[int, ...]]:
    """Lists of numbers only, or True, which is none."""
    return [*map(tuple, column)]


def lists_of_texts(column: Column) -> Sequence[tuple[int, ...]]:
    """Lists of numbers, given as lists of texts only, or True, which is none."""
    digits = "".join(chain.from_iterable(column))
    if digits.isascii() and digits.isdecimal():
        return msgspec.convert(column, _LISTS_OF_NUMBERS, strict=False)
    return [*map(php_values.ids, column)]


def identifiers(column: Column) -> Sequence[int | str | None]:
    """Ids that are numbers or texts, or nothing."""
    present = loose(column)
    if set(map(type, present)) <= {int, str, _NOTHING}:
        return present
    return [*map(php_values.identifier, column)]


def loose(column: Column) -> Sequence[Any]:
    """Values of any type, or nothing."""
    return [None if value is False or value == "" else value for value in column]


def _moments_and_zero_dates(present: Column) -> Sequence[datetime | None]:
    for text in {text for text in present if text and text < _FIRST_YEAR}:
        php_values.moment(text)
    dates = [text if text and text >= _FIRST_YEAR else None for text in present]
    try:
        return msgspec.convert(dates, _MOMENTS)
    except msgspec.ValidationError:
        return [text and datetime.fromisoformat(text) for text in dates]


def _required(hook: Callable[[Column], Sequence[T | None]]) -> Callable[[Column], Sequence[T]]:
    """The same hook for a field that must not be missing."""

    def checked(column: Column) -> Sequence[Any]:
        values = hook(column)
        if None in values:
            message = "is missing"
            raise ValueError(message)
        return values

    return checked


KINDS: Mapping[Any, Sequence[Kind]] = {
    int: (Kind(int), Kind(str, _required(number_texts)), Kind(Any, _required(whole_numbers))),
    int | None: (Kind(int | None), Kind(str | bool | None, number_texts, "None"), Kind(Any, whole_numbers)),
    int | str | None: (Kind(Any, identifiers),),
    str: (Kind(str), Kind(Any, _required(texts))),
    str | None: (Kind(str | None), Kind(Any, texts)),
    bool | None: (Kind(bool | None), Kind(Any, flags)),
    datetime | None: (Kind(str | bool | None, usual_moments, "None"), Kind(Any, moments)),
    tuple[int, ...]: (
        Kind(tuple[int, ...]),
        Kind(list[int] | bool | Literal[""] | None, lists_of_numbers, "[]"),
        Kind(list[str] | bool | Literal[""] | None, lists_of_texts, "[]"),
        Kind(Any, ids),
    ),
    Any: (Kind(Any, loose),),
}
"""Types of fields to the kinds of values that are sent for them, the one that is read fastest first, any value last."""
