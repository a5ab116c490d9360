"""Every odd value PHP is known to send, each with a hook that names it.

A hook gives the value in its right type, None where nothing is meant, or raises `ValueError` (`TypeError`) with the
reason. Nothing is coerced that is not named here.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from fusedesk_async import _json

T = TypeVar("T")

LARGEST_EXACT_FLOAT = 2.0**53

_DIGITS = re.compile(r"\s*-?[0-9]+\s*")
_NO_DATE = ("0000-00-00", "-0001-11-30")


def whole_number(value: Any) -> int | None:
    """A number, the same as text (`"42"`) or as a float without fraction; None for `null`, `""` and `false`."""
    if value is None or value is False or value == "":
        return None
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_EXACT_FLOAT:
        return int(value)
    if isinstance(value, int) and value is not True:
        return value
    message = f"expected a whole number, got {_json.shown(value)}"
    raise ValueError(message)


def text(value: Any) -> str | None:
    """Text; a number becomes its text; None for `null` and `false`, never the text `None`."""
    if value is None or value is False:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and value is not True:
        return str(value)
    message = f"expected text, got {_json.shown(value)}"
    raise ValueError(message)


def flag(value: Any) -> bool | None:
    """A boolean, or PHP's other ways to say one: 1, 0, `"1"`, `"0"`, `"true"`, `"false"`; None for `null` and `""`."""
    if value is None or value == "":
        return None
    known = {"1": True, "true": True, "0": False, "false": False}.get(str(value).lower())
    if known is None:
        message = f"expected true or false, got {_json.shown(value)}"
        raise ValueError(message)
    return known


def moment(value: Any) -> datetime | None:
    """An ISO 8601 date with time; None for `false`, `null`, `""` and MySQL's `0000-00-00 …`, however PHP shows that.

    A text without offset gives a naive datetime: the zone is unknown and is not guessed.
    """
    if value is None or value is False or value == "":
        return None
    if isinstance(value, str):
        if value.startswith(_NO_DATE):
            return None
        return datetime.fromisoformat(value)
    message = f"expected a date, got {_json.shown(value)}"
    raise ValueError(message)


def loose(value: Any) -> Any:
    """A value whose type varies (`rating`): as it came, None for `false`, `""` and `null`."""
    return None if value is False or value == "" else value


def identifier(value: Any) -> int | str | None:
    """An id that may be a number or a text (chats, emails), as it came; None for `null`, `""` and `false`."""
    if isinstance(value, str):
        return value or None
    return whole_number(value)


def ids(value: Any) -> tuple[int, ...]:
    """Ids (of tags, of reps): numbers, numbers as text, or objects with an `id`; none for `null`, `false` and `""`."""
    if value is None or value is False or value == "":
        return ()
    if not _json.is_list(value):
        message = f"expected a list of ids, got {_json.shown(value)}"
        raise TypeError(message)
    return tuple(_id(each) for each in value)


def required(hook: Callable[[Any], T | None]) -> Callable[[Any], T]:
    """The same hook for a field that must not be missing."""

    def checked(value: Any) -> T:
        result = hook(value)
        if result is None:
            message = "is missing"
            raise ValueError(message)
        return result

    return checked


def _id(value: Any) -> int:
    return required(whole_number)(value.get("id") if _json.is_object(value) else value)


HOOKS: Mapping[Any, Callable[[Any], Any]] = {
    int: required(whole_number),
    int | None: whole_number,
    int | str | None: identifier,
    str: required(text),
    str | None: text,
    bool | None: flag,
    datetime | None: moment,
    tuple[int, ...]: ids,
    Any: loose,
}
"""Types of fields to what reads their values."""
