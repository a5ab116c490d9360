"""The shapes an answer can have, each as a reader that turns its JSON text into the result.

Where a list or a record is due, an empty answer, `null`, `false` and `""` all mean "nothing": PHP says all four.
"""

from typing import Any, Generic, TypeVar

import attrs

from fusedesk_async import _json
from fusedesk_async._call import Notice, Reader
from fusedesk_async._convert import structure
from fusedesk_async._rows import read_rows, split
from fusedesk_async.errors import UnexpectedResponseError
from fusedesk_async.models import Acknowledgement, Record

R = TypeVar("R", bound=Record)

_NOTHING = frozenset({b"", b"null", b"false", b'""'})


@attrs.frozen
class Records(Generic[R]):
    """The records of one answer.

    Attributes:
        items: The records, in the order they came.
        rejected: One error for each record that could not be read.
    """

    items: tuple[R, ...] = ()
    rejected: tuple[UnexpectedResponseError, ...] = ()

    @property
    def received(self) -> int:
        """How many records the server sent."""
        return len(self.items) + len(self.rejected)


def many(record: type[R]) -> Reader[Records[R]]:
    """A list of records. Nothing at all is an empty list; a record that cannot be read does not lose the others."""

    def read(text: bytes, notice: Notice) -> Records[R]:
        rows = read_rows(record, text, _list_elements(text))
        rejected: list[UnexpectedResponseError] = []
        items: list[R] = []
        for place, row in enumerate(rows):
            if not isinstance(row, bytes):
                items.append(row)
                continue
            try:
                items.append(structure(record, row, notice))
            except UnexpectedResponseError as error:
                rejected.append(_at(error, f"$[{place}]"))
                notice(rejected[-1])
        return Records(tuple(items), tuple(rejected))

    return read


def one(record: type[R]) -> Reader[R]:
    """One record, as an object or as the only element of a list."""

    def read(text: bytes, notice: Notice) -> R:
        sources = [text] if text.startswith(b"{") else _list_elements(text)
        if len(sources) != 1:
            message = f"expected one record, got {len(sources) or 'nothing'}"
            raise UnexpectedResponseError(message)
        return structure(record, sources[0], notice)

    return read


def strings(text: bytes, notice: Notice) -> frozenset[str]:
    """A list of texts, as a set."""
    del notice
    values = _value(text)
    if not _json.is_list(values) or not all(isinstance(value, str) for value in values):
        message = f"expected a list of texts, got {values!r:.80}"
        raise UnexpectedResponseError(message)
    return frozenset(values)


def anything(text: bytes, notice: Notice) -> Any:
    """Whatever JSON came; None for nothing."""
    del notice
    return _value(text) if text else None


def acknowledgement(text: bytes, notice: Notice) -> Acknowledgement:
    """The answer to a write: no source shows one, so every shape is good, plain text included."""
    try:
        return Acknowledgement(raw=anything(text, notice))
    except UnexpectedResponseError:
        return Acknowledgement(raw=text.decode(errors="replace"))


def _list_elements(text: bytes) -> list[bytes]:
    if text in _NOTHING:
        return []
    try:
        return split(text)
    except ValueError as error:
        message = f"expected a list of records: {error}"
        raise UnexpectedResponseError(message) from None


def _value(text: bytes) -> Any:
    try:
        return _json.loads(text)
    except ValueError as error:
        message = f"not JSON: {error}"
        raise UnexpectedResponseError(message) from None


def _at(error: UnexpectedResponseError, place: str) -> UnexpectedResponseError:
    path = place + error.path.removeprefix("$")
    return UnexpectedResponseError(error.message, error.request, path, error.record_id, error.sample)
