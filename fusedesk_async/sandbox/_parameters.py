"""Names and values as PHP reads them from queries, forms and JSON bodies."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, cast

import orjson

from ._refusals import refuse

#: A text, or the texts of an array in the order they came.
Value = str | list[str]
Parameters = dict[str, Value]

_NAME = re.compile(r"([^\[]+)(?:\[([^\]]*)\])?")


def decode_pairs(pairs: Iterable[tuple[str, str]]) -> Parameters:
    """PHP's reading: the last of equal names wins, `name[]` and `name[key]` make an array, deeper keys are ignored."""
    found: dict[str, str | dict[str, str]] = {}
    for name, value in pairs:
        match = _NAME.match(name)
        if match is None:
            continue
        base, key = match.groups()
        if key is None:
            found[base] = value
            continue
        array = found.get(base)
        if not isinstance(array, dict):
            array = found[base] = {}
        array[key or f"#{len(array)}"] = value
    return {name: list(value.values()) if isinstance(value, dict) else value for name, value in found.items()}


def decode_json(body: bytes) -> Parameters:
    """The members of a JSON object as if they had come in a form; that FuseDesk reads JSON bodies is assumed.

    Args:
        body: starts with an opening brace.
    """
    try:
        members: dict[str, Any] = orjson.loads(body)
    except orjson.JSONDecodeError:
        message = "Request body is not valid JSON"
        raise refuse(message) from None
    return {name: _value(member) for name, member in members.items() if member is not None}


def _value(member: Any) -> Value:
    if isinstance(member, list):
        parts = cast("Sequence[Any]", member)
        # Lists of objects, such as a history, are JSON inside their field (S2); lists of plain values are PHP arrays.
        if not any(isinstance(part, dict | list) for part in parts):
            return [_text(part) for part in parts]
    return _text(member)


def _text(member: Any) -> str:
    if isinstance(member, str):
        return member
    if isinstance(member, bool):
        return "1" if member else ""
    return orjson.dumps(member).decode()
