"""Records as rows of a table: the columns, and the cells of a record.

A value that does not fit its column (a number beyond 64 bits, half a character, a date without zone where one is
needed) or cannot be read is left out there and kept in `extra`, as are all members that this library does not know:
nothing is lost.
"""

import json
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import attrs

from fusedesk_async import _json
from fusedesk_async._wire.converter import HISTORY_NAMES
from fusedesk_async._wire.field_names import answer_names
from fusedesk_async.models import Case, CaseDetail, Email, HistoryItem, Note, Record

Kind: TypeAlias = Literal["whole", "text", "moment", "flag", "tags", "loose", "identifier", "key"]
Encoders: TypeAlias = Mapping[Kind, Callable[[Any], Any]]
"""How a format writes the values of each kind. They raise `ValueError` or `OverflowError` for what does not fit."""

EXTRA = "extra"
"""The last column: a JSON object with what has no column, or does not fit into its own; empty if there is none."""

_KINDS: Mapping[Any, Kind] = {
    int: "key",
    int | None: "whole",
    str: "text",
    str | None: "text",
    datetime | None: "moment",
    bool | None: "flag",
    tuple[int, ...]: "tags",
    Any: "loose",
    int | str | None: "identifier",
}
_NOT_COLUMNS = frozenset({"source", "odd", "history"})
_EMPTY_CONTAINERS = frozenset({"[]", "{}"})
_PHP_EMPTY_VALUES = frozenset({"", "null", "false", '""', '"0000-00-00"', '"0000-00-00 00:00:00"'})
_INT64_END = 2**63


@attrs.frozen
class Column:
    """A field of a record.

    Attributes:
        name: Our name of the field.
        kind: What it holds.
        members: How the API may call it in answers.
    """

    name: str
    kind: Kind
    members: tuple[str, ...]


class Table:
    """The cells of records, one for each column and one for `EXTRA`.

    Args:
        records: The classes of the records; they share the columns of all of them.
        encoders: How the format writes each kind of value.
        exclude: Fields that have no column.
    """

    def __init__(self, records: Iterable[type[Record]], encoders: Encoders, exclude: Iterable[str] = ()) -> None:
        columns = {column.name: column for record in records for column in _columns(record)}
        self._known = {member for column in columns.values() for member in column.members}
        self._members = {column.name: column.members for column in columns.values()}
        self.columns = tuple(column for name, column in columns.items() if name not in {*exclude})
        self._encoders = [(column, encoders[column.kind]) for column in self.columns]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, `EXTRA` included."""
        return (*(column.name for column in self.columns), EXTRA)

    def cells(self, record: Record) -> list[Any]:
        """The values of a record, None where there is none."""
        cells: list[Any] = []
        odd = {each.field for each in record.odd}
        without = {member for name in odd for member in self._members[name]}
        for column, encode in self._encoders:
            value = getattr(record, column.name, None)
            if column.name in odd and not value:
                value = None  # or no tags that can be read would pass for no tags
            try:
                cell = None if value is None else encode(value)
            except (ValueError, OverflowError):
                cell = None
            cells.append(cell)
            if cell is None:
                without.update(column.members)
        return [*cells, self._extra(record, without)]

    def _extra(self, record: Record, without: Container[str]) -> str | None:
        """The members that have no column, as they were sent, but for those that PHP sends for no value.

        Args:
            record: The record.
            without: Members whose column is empty.
        """
        parts = [
            f"{json.dumps(name)}:{text}"
            for name, text in _members(record.source)
            if (text not in _PHP_EMPTY_VALUES if name in without else not self._has_column(name, text, record))
        ]
        return f"{{{','.join(parts)}}}" if parts else None

    def _has_column(self, name: str, text: str, record: Record) -> bool:
        if name in self._known:
            return True
        read = bool(getattr(record, "history", ())) or text in _PHP_EMPTY_VALUES | _EMPTY_CONTAINERS
        return name in HISTORY_NAMES and isinstance(record, CaseDetail) and read


def case_table(encoders: Encoders, exclude: Iterable[str] = ()) -> Table:
    """The table of cases."""
    return Table([Case], encoders, exclude)


def history_table(encoders: Encoders) -> Table:
    """The table of all kinds of history items."""
    return Table([HistoryItem, Note, Email], encoders)


def int64(number: int) -> int:
    """A number that fits into 64 bits.

    Raises:
        OverflowError: It does not.
    """
    if -_INT64_END <= number < _INT64_END:
        return number
    raise OverflowError


def clean_text(text: str) -> str:
    """A text that every tool can read.

    Raises:
        ValueError: It holds half a character (a lone surrogate) or a NUL.
    """
    if "\0" in text:
        raise ValueError
    text.encode()
    return text


def loose_text(value: Any) -> str:
    """A value whose type varies, as text: texts as they are, anything else as JSON."""
    return clean_text(value if isinstance(value, str) else _json.dumps(value))


def in_utc(moment: datetime) -> datetime:
    """A moment in UTC.

    Raises:
        ValueError: It has no zone, so nobody knows which moment it is.
        OverflowError: In UTC it lies beyond the years that a datetime can have.
    """
    if moment.utcoffset() is None:
        raise ValueError
    return moment.astimezone(UTC)


def _columns(record: type[Record]) -> Iterator[Column]:
    for field in attrs.fields(attrs.resolve_types(record)):
        if field.name not in _NOT_COLUMNS:
            yield Column(field.name, _KINDS[field.type], answer_names(record, field.name))


def _members(source: bytes) -> Iterator[tuple[str, str]]:
    for name, text in _json.members(source.decode(errors="replace").encode()).items():
        yield name, text.decode()
