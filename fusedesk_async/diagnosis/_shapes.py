"""What may be told of a value, a name or a list of records: its shape. No value of a customer gets through here."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias, cast

import attrs

from fusedesk_async import _json, models
from fusedesk_async._wire.converter import HISTORY_NAMES
from fusedesk_async._wire.field_names import answer_names
from fusedesk_async.models import Record

Row: TypeAlias = Mapping[str, Any]

MOST_NAMES = 150
"""Members of a record that are told of. An object with more is no record, but a list by some name."""
LONGEST_NAME = 40

_PLAIN = re.compile(rf"[A-Za-z_]{{1,{LONGEST_NAME}}}")
_NUMBER = re.compile(r"\s*-?[0-9]{1,18}\s*")
_ZERO_DATES = ("0000-00-00", "-0001-11-30")
_JSON_TYPES = {"empty text": "text", "number as text": "text", "date": "text", "zero date": "text"} | {
    "true": "boolean",
    "false": "boolean",
    "empty list": "list",
}


def own_members(record: type[Record]) -> frozenset[str]:
    """The names under which the library reads the fields of a record."""
    fields = {field.name for field in attrs.fields(record)} - {"source", "odd"}
    return frozenset(name for field in fields for name in answer_names(record, field))


_OURS = frozenset(
    name
    for record in (getattr(models, name) for name in models.__all__)  # they are loaded when they are asked for
    if isinstance(record, type) and issubclass(record, Record)
    for name in own_members(record)
) | {*HISTORY_NAMES}


def safe_name(name: str) -> str:
    """A name as it is, if it looks like one, else its shape: a member may be named by what a customer typed."""
    return name if name in _OURS or _PLAIN.fullmatch(name) else shape_of_name(name)


def shape_of_name(name: str) -> str:
    """What a name is made of."""
    found = sorted({"letters" if each.isalpha() else "digits" if each.isdigit() else "others" for each in name})
    return f"<{len(name)} characters: {', '.join(found)}>"


def kind_of(value: Any) -> str:
    """The kind of a value in a record, PHP's oddities told apart."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return _kind_of_text(value)
    if _json.is_list(value):
        return "list" if value else "empty list"
    return "object"


def json_type(kind: str) -> str:
    """The type that JSON has for a kind."""
    return _JSON_TYPES.get(kind, kind)


def _kind_of_text(text: str) -> str:
    if not text:
        return "empty text"
    if text.startswith(_ZERO_DATES):
        return "zero date"
    if _NUMBER.fullmatch(text):
        return "number as text"
    return "text" if moment(text) is None else "date"


def members(rows: Iterable[Row]) -> dict[str, dict[str, int]]:
    """The members of records by name, each with the kinds of its values and how often they came."""
    found: dict[str, Counter[str]] = {}
    for row in rows:
        for name, value in list(row.items())[:MOST_NAMES]:
            shown = safe_name(name)
            if shown in found or len(found) < MOST_NAMES:
                found.setdefault(shown, Counter())[kind_of(value)] += 1
    return {name: dict(sorted(found[name].items())) for name in sorted(found)}


def moment(value: Any) -> datetime | None:
    """A date with a time; one without offset is taken as UTC. None if it is none."""
    if not isinstance(value, str) or len(value) < len("2024-01-01T00:00"):
        return None
    try:
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def row_id(row: Row) -> int | None:
    """The id of a case."""
    for name in ("caseid", "id"):
        value = row.get(name)
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def rows_of(value: Any) -> list[Row] | None:
    """The records of a list; None if it is no list of records."""
    if not _json.is_list(value):
        return None
    elements = cast("Sequence[Any]", value)
    return cast("list[Row]", elements) if all(map(_json.is_object, elements)) else None


def shape_of(value: Any) -> dict[str, Any]:
    """The shape of an answer."""
    rows = rows_of(value)
    if rows is not None:
        return {"shape": "list", "members": members(rows)}
    if _json.is_object(value):
        inner = rows_of(list(value.values()))
        if inner:  # its names may be those of customers
            return {"shape": "object of objects", "members": members(inner)}
        return {"shape": "object", "members": members([cast("Row", value)])}
    return {"shape": kind_of(value), "members": {}}
