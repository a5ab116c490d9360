"""Whole pages of records, fast: types are checked while the JSON is parsed, odd values are mended column by column.

Records that hold anything rarer go through the converter, which is the definition; a property test holds the two
equal. The frozen records are filled as open ones of the same layout, since filling a frozen one field by field costs
as much as parsing it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

import attrs
import msgspec

from fusedesk_async import _json
from fusedesk_async._names import answer_names
from fusedesk_async.models import Record

R = TypeVar("R", bound=Record)

_WIRE_TYPES: dict[Any, Any] = {
    int: int,
    int | None: int | None,
    str | None: str | None,
    bool | None: bool | None,
    datetime | None: str | bool | None,
    tuple[int, ...]: tuple[int, ...],
    Any: Any,
}


def split(text: bytes) -> list[bytes]:
    """The elements of a JSON array, each as its own text, as they stand there.

    Raises:
        ValueError: It is no JSON array.
    """
    try:
        return list(map(bytes, _elements.decode(text)))
    except (msgspec.DecodeError, RecursionError):
        values = _json.loads(text)
    if not _json.is_list(values):
        message = "expected a list"
        raise ValueError(message)
    return [_json.dumps(value) for value in values]


class RowReader(Generic[R]):
    """Reads many records of one class at once.

    Args:
        record: The class. Its field types must be ones that `_WIRE_TYPES` knows.
    """

    def __init__(self, record: type[R]) -> None:
        fields = [field for field in attrs.fields(attrs.resolve_types(record)) if field.name != "source"]
        self._record = record
        self._open_twin = _open_twin(record, [*(field.name for field in fields), "source"])
        self._decode = msgspec.json.Decoder(list[_row_type(record, fields)]).decode  # type: ignore[misc] # made at run time
        self._dates = [place for place, field in enumerate(fields) if field.type == datetime | None]
        self._loose = [place for place, field in enumerate(fields) if field.type is Any]

    def __call__(self, text: bytes, sources: Sequence[bytes]) -> list[R]:
        """The records of a JSON array, given whole and in its elements.

        Raises:
            ValueError, TypeError: One of them holds something that is left to the converter.
        """
        columns: list[Sequence[Any]] = list(zip(*map(msgspec.structs.astuple, self._decode(text)), strict=True))
        for place in self._dates:
            columns[place] = [_from_iso(value) if value else None for value in columns[place]]
        for place in self._loose:
            columns[place] = [None if value is False or value == "" else value for value in columns[place]]
        twins: list[Any] = list(map(self._open_twin, *columns, sources))
        for twin in twins:
            twin.__class__ = self._record
        return twins


def read_rows(record: type[R], text: bytes, sources: Sequence[bytes]) -> list[R | bytes]:
    """The records of a JSON array in their order; in place of each one that is left to the converter, its text."""
    if not sources:
        return []
    try:
        return [*_row_reader(record)(text, sources)]
    except (ValueError, TypeError):  # msgspec's errors are ValueErrors too
        if len(sources) == 1:
            return [*sources]
    half = len(sources) // 2
    return [row for part in (sources[:half], sources[half:]) for row in read_rows(record, _array(part), part)]


def _array(sources: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(sources) + b"]"


def _open_twin(record: type[R], names: list[str]) -> Any:
    """A subclass that adds nothing but can be written to, so that its instances may become the frozen class's."""
    open_init = vars(attrs.make_class(record.__name__, names))["__init__"]
    open_up = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    return type(record.__name__, (record,), {"__slots__": (), "__init__": open_init, **open_up})


def _row_reader(record: type[R]) -> RowReader[R]:
    """The reader of a class, made once."""
    return _readers.get(record) or _readers.setdefault(record, RowReader(record))


def _row_type(record: type[Record], fields: "list[attrs.Attribute[Any]]") -> type[msgspec.Struct]:
    """A struct with the API's names. Where a duplicate may stand in for a member, the member is required."""
    names = {field.name: answer_names(record, field.name) for field in fields}
    return msgspec.defstruct(
        record.__name__,
        [
            (field.name, _WIRE_TYPES[field.type])
            if len(names[field.name]) > 1 or field.default is attrs.NOTHING
            else (field.name, _WIRE_TYPES[field.type], None)
            for field in fields
        ],
        rename={name: answers[0] for name, answers in names.items()},
        kw_only=True,
        gc=False,
    )


_readers: dict[type, RowReader[Any]] = {}
_from_iso = datetime.fromisoformat
_elements = msgspec.json.Decoder(list[msgspec.Raw])
