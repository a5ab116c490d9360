"""JSON text to values and back, in one place."""

import json
from typing import Any, NoReturn, TypeGuard

import msgspec

MAX_DIGITS = 4_000
"""Longer whole numbers are nobody's id; Python itself refuses them a little above this."""


def loads(text: bytes) -> Any:
    """The value of a JSON text.

    msgspec reads it. What msgspec refuses and Python's own reader can take without losing anything, such as lone
    surrogates that some programs escape, is read by the latter.

    Raises:
        ValueError: It is not JSON: the message says where. NaN, infinities and numbers beyond a float are refused,
            as is nesting too deep to follow.
    """
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        return _loads_slowly(text, error)
    except RecursionError:
        message = "nested too deep"
        raise ValueError(message) from None


def loads_strictly(text: bytes) -> Any:
    """As `loads`, and refuses an object that names a member twice."""
    loads(text)
    return json.loads(text, object_pairs_hook=_no_member_twice)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether a JSON value is an array."""
    return isinstance(value, list)


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def dumps(value: Any) -> bytes:
    """The JSON text of a value, in UTF-8, without blanks; lone surrogates come out escaped."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def _loads_slowly(text: bytes, reason: msgspec.DecodeError) -> Any:
    try:
        return json.loads(text.decode(), parse_constant=_refuse, parse_float=_finite)
    except UnicodeDecodeError:
        raise
    except (ValueError, RecursionError):
        raise ValueError(str(reason)) from None


def _refuse(constant: str) -> NoReturn:
    message = f"{constant} is no JSON"
    raise ValueError(message)


def _finite(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        _refuse(digits)
    return value


def _no_member_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        message = f"member named twice: {', '.join(twice)}"
        raise ValueError(message)
    return members
