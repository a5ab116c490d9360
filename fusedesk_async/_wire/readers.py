"""The shapes an answer can have, each as a reader that turns its JSON into the result.

Where a list or a record is due, an empty answer, `null`, `false` and `""` all mean "nothing": PHP says all four.
"""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar, cast

import attrs

from fusedesk_async import _json
from fusedesk_async._json import JSONText
from fusedesk_async._wire.call import Reader, Report
from fusedesk_async._wire.converter import below, read_record, structure, within
from fusedesk_async._wire.page_reader import read_rows
from fusedesk_async._wire.profile import Nothing
from fusedesk_async.errors import UnexpectedResponseError
from fusedesk_async.models import Acknowledgement, OddField, Record

R = TypeVar("R", bound=Record)

_KINDS_OF_NOTHING: Mapping[bytes, Nothing] = {b"": "empty", b'""': "empty", b"false": "false", b"null": "null"}


@attrs.frozen
class Records(Generic[R]):
    """The records of one answer.

    Attributes:
        items: The records, in the order they came.
        rejected: One error for each record that could not be read.
        nothing: How the server said that there are none; None if there are some.

    A record needs nothing but what its class requires; what else cannot be read is in the record's `odd`.
    """

    items: tuple[R, ...] = ()
    rejected: tuple[UnexpectedResponseError, ...] = ()
    nothing: Nothing | None = None

    @property
    def received(self) -> int:
        """How many records the server sent."""
        return len(self.items) + len(self.rejected)

    @property
    def odd(self) -> tuple[OddField, ...]:
        """The fields of these records that could not be read."""
        return tuple(odd for record in self.items for odd in record.odd)


def many(record: type[R]) -> Reader[Records[R]]:
    """A list of records. Nothing at all is an empty list; what cannot be read of one does not lose the others."""

    def read(source: JSONText, report: Report) -> Records[R]:
        rows = read_rows(record, _list_elements(source.text))
        if not rows:
            return Records(nothing=_KINDS_OF_NOTHING.get(source.text, "list"))
        if bytes not in map(type, rows):  # all were read: the usual case, and a loop would show
            return Records(cast("tuple[R, ...]", tuple(rows)))
        rejected: list[UnexpectedResponseError] = []
        items: list[R] = []
        for position, row in enumerate(rows):
            if not isinstance(row, bytes):
                items.append(row)
                continue
            try:
                one_of_them = read_record(record, JSONText(row))
            except UnexpectedResponseError as error:
                rejected.append(report(within(error, f"$[{position}]")))
            else:
                items.append(one_of_them.reported(below(f"$[{position}]", report)))
        return Records(tuple(items), tuple(rejected))

    return read


def every(record: type[R]) -> Reader[list[R]]:
    """A list that comes whole. A record that cannot be read is reported and does not lose the others."""
    read = many(record)
    return lambda source, report: list(read(source, report).items)


def one(record: type[R]) -> Reader[R]:
    """One record, as an object or as the only element of a list."""

    def read(source: JSONText, report: Report) -> R:
        if source.text.startswith(b"{"):
            return structure(record, source, report)
        elements = _list_elements(source.text)
        if len(elements) != 1:
            message = f"expected one record, got {len(elements) or 'nothing'}"
            raise UnexpectedResponseError(message)
        return structure(record, JSONText(elements[0]), report)

    return read


def one_or_nothing(record: type[R]) -> Reader[R]:
    """One record; nothing at all is a record without members, so none of its fields may be required."""
    read = one(record)

    def read_or_make(source: JSONText, report: Report) -> R:
        there = source.text.startswith(b"{") or _list_elements(source.text)
        return read(source, report) if there else record()

    return read_or_make


def strings(source: JSONText, report: Report) -> frozenset[str]:
    """A list of texts, as a set."""
    del report
    values = _value(source)
    if not _json.is_list(values) or not all(isinstance(value, str) for value in values):
        message = "expected a list of texts"
        raise UnexpectedResponseError(message)
    return frozenset(values)


def anything(source: JSONText, report: Report) -> Any:
    """Whatever JSON came; None for nothing."""
    del report
    return _value(source) if source.text else None


def acknowledgement(source: JSONText, report: Report) -> Acknowledgement:
    """The answer to a write: no source shows one, so every shape is good, plain text included."""
    try:
        return Acknowledgement(raw=anything(source, report))
    except UnexpectedResponseError:
        return Acknowledgement(raw=source.text.decode(errors="replace"))


def _list_elements(text: bytes) -> list[bytes]:
    if text in _json.NOTHING:
        return []
    try:
        return _json.elements(text)
    except ValueError as error:
        message = f"no list of records: {error}"
        raise UnexpectedResponseError(message) from None


def _value(source: JSONText) -> Any:
    try:
        return source.value
    except ValueError as error:
        message = f"not JSON: {error}"
        raise UnexpectedResponseError(message) from None
