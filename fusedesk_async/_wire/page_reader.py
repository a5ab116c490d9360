"""Whole pages of records, fast: types are checked while the JSON is parsed, dates are read column by column.

A few records that hold odd values go through the converter, which is the definition, and do not slow the others. A page
with many of them is parsed as it is, and the hooks of `php_values.py` go over its columns; a record that even these
refuse goes through the converter, too. A property test holds all three equal. (But for what stands in members that no
field reads, such as numbers beyond a float or bytes that are not UTF-8: nobody looks there.)

The frozen records are filled as open ones of the same layout, by a function made for their class as attrs makes
`__init__`: any way that goes over the fields one by one costs as much as parsing them.

Why setting `__class__` is sound: Python allows it between classes of the same layout only, and raises a `TypeError`
otherwise. The open twin is a subclass with empty `__slots__` that adds nothing but its `__setattr__`, so slots, order
and defaults are those of the record. Nothing else holds an instance before it is frozen, and attrs computes the hash of
a frozen record from its fields when it is asked, so none is cached. What `__init__` would do besides setting fields is
skipped: these records have no validators, converters or `__attrs_post_init__`.

If a later attrs lays frozen classes out differently, the `TypeError` ends in `read_rows`, which leaves every record to
the converter: pages take some fifteen times as long, and nothing else changes. The benchmark and the property test show
it; then make the records by `record(**fields)` here, or do without this file.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeAlias, TypeVar

import attrs
import msgspec

from fusedesk_async._wire import php_values
from fusedesk_async._wire.field_names import answer_names
from fusedesk_async.models import Record

R = TypeVar("R", bound=Record)
Field: TypeAlias = "attrs.Attribute[Any]"
Mend: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]

FEW = 8
"""Records of a page with odd values up to which each of them goes through the converter."""

_NOT_READ = frozenset({"source", "odd"})
_ROW = re.compile(r"`\$\[([0-9]+)\]")
_EXPECTED: Mapping[Any, Any] = {
    int: int,
    int | None: int | None,
    int | str | None: Any,
    str: str,
    str | None: str | None,
    bool | None: bool | None,
    datetime | None: str | bool | None,
    tuple[int, ...]: tuple[int, ...],
    Any: Any,
}
"""Types of fields to the types of the values that are usually sent for them."""


class RowReader(Generic[R]):
    """Reads many records of one class at once.

    Args:
        record: The class. Its field types must be ones that `_EXPECTED` knows.
    """

    def __init__(self, record: type[R]) -> None:
        fields = [field for field in attrs.fields(attrs.resolve_types(record)) if field.name not in _NOT_READ]
        hooks = {field.name: php_values.HOOKS[field.type] for field in fields}
        mends = {field.name: _USUAL_MENDS[field.type] for field in fields if field.type in _USUAL_MENDS}
        usual = {name: (mend, hooks[name]) for name, mend in mends.items()}
        every = {name: (_each(hook), hook) for name, hook in hooks.items()}
        self.read_usual = _Reading(record, _row_type(record, fields, _EXPECTED), usual)
        self.read_any = _Reading(record, _row_type(record, fields, dict.fromkeys(php_values.HOOKS, Any)), every)


def read_rows(record: type[R], text: bytes, sources: Sequence[bytes]) -> list[R | bytes]:
    """The records of a JSON array, given whole and in its elements, in their order.

    In place of each one that is left to the converter, its text.
    """
    rows: list[R | bytes] = [*sources]
    reader, positions = _row_reader(record), [*range(len(sources))]
    while len(sources) - len(positions) <= FEW and positions:
        texts = [sources[position] for position in positions]
        try:
            read = reader.read_usual(text if len(texts) == len(sources) else _array(texts), texts)
        except msgspec.ValidationError as error:
            del positions[_row_of(error)]
        except (ValueError, TypeError, RecursionError):  # msgspec's other errors are ValueErrors, too
            return _read_halves(record, sources)
        else:
            for position, row in zip(positions, read, strict=True):
                rows[position] = row
            return rows
    return _read_any(record, text, sources) if positions else rows


def _read_any(record: type[R], text: bytes, sources: Sequence[bytes]) -> list[R | bytes]:
    """The records of a page with many odd values."""
    try:
        return _row_reader(record).read_any(text, sources)
    except (ValueError, TypeError, RecursionError):
        return _read_halves(record, sources)


def _read_halves(record: type[R], sources: Sequence[bytes]) -> list[R | bytes]:
    """The records of a page that cannot be parsed; it is halved until the text that is no record stands alone."""
    if len(sources) == 1:
        return [*sources]
    half = len(sources) // 2
    return [row for part in (sources[:half], sources[half:]) for row in read_rows(record, _array(part), part)]


def _row_of(error: msgspec.ValidationError) -> int:
    """In which row of a page the value stands that is not what it should be."""
    found = _ROW.search(str(error))
    return int(found[1]) if found else 0


def _array(sources: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(sources) + b"]"


def _row_reader(record: type[R]) -> RowReader[R]:
    """The reader of a class, made once."""
    return _readers.get(record) or _readers.setdefault(record, RowReader(record))


class _Reading(Generic[R]):
    """One way to read the rows of a page: as structs whose types are checked, some columns of which are mended."""

    def __init__(
        self, record: type[R], row: type[msgspec.Struct], mends: Mapping[str, tuple[Mend, Callable[[Any], Any]]]
    ) -> None:
        self._decode = msgspec.json.Decoder(list[row]).decode  # type: ignore[valid-type] # made at run time
        self._mends = [*mends.values()]
        self._columns = _make_columns([*mends])
        kept = [name for name in row.__struct_fields__ if name not in mends]
        self._fill = _make_fill(record, kept, [*mends, "source"])

    def __call__(self, text: bytes, sources: Sequence[bytes]) -> list[R | bytes]:
        rows: list[msgspec.Struct] = self._decode(text)
        odd: set[int] = set()
        columns = zip(self._mends, self._columns(rows), strict=True)
        mended = [_mended(mend, hook, column, odd) for (mend, hook), column in columns]
        records: list[R | bytes] = [*self._fill(rows, zip(*mended, sources, strict=True))]
        for position in odd:
            records[position] = sources[position]
        return records


def _mended(mend: Mend, hook: Callable[[Any], Any], column: Sequence[Any], odd: set[int]) -> Sequence[Any]:
    """A column with its values mended. The positions of those that cannot be are added to `odd`."""
    try:
        return mend(column)
    except (ValueError, TypeError):
        return [_mended_or_noted(hook, value, position, odd) for position, value in enumerate(column)]


def _mended_or_noted(hook: Callable[[Any], Any], value: Any, position: int, odd: set[int]) -> Any:
    try:
        return hook(value)
    except (ValueError, TypeError):
        odd.add(position)


def _row_type(record: type[Record], fields: Sequence[Field], types: Mapping[Any, Any]) -> type[msgspec.Struct]:
    """A struct with the API's names. Where a duplicate may stand in for a member, the member is required."""
    names = {field.name: answer_names(record, field.name) for field in fields}
    return msgspec.defstruct(
        record.__name__,
        [
            (field.name, types[field.type])
            if len(names[field.name]) > 1 or field.default is attrs.NOTHING
            else (field.name, types[field.type], field.default)
            for field in fields
        ],
        rename={name: answers[0] for name, answers in names.items()},
        kw_only=True,
        gc=False,
    )


def _make_columns(names: Sequence[str]) -> Callable[[Any], Sequence[list[Any]]]:
    """A function that takes the columns of these fields out of rows."""
    columns = ", ".join(f"[_row.{name} for _row in _rows]" for name in names)
    make: Callable[[Any], Sequence[list[Any]]] = _made("columns", [f"def columns(_rows): return [{columns}]"], {})
    return make


def _make_fill(record: type[R], kept: Sequence[str], mended: Sequence[str]) -> Callable[[Any, Any], list[R]]:
    """A function that makes records from rows, and from tuples of the fields that are not as in the rows."""
    code = [
        "def fill(_rows, _mended):",
        "    _records = []",
        f"    for _row, ({', '.join(mended)},) in zip(_rows, _mended, strict=True):",
        "        _record = _new(_open)",
        *(f"        _record.{name} = _row.{name}" for name in kept),
        *(f"        _record.{name} = {name}" for name in mended),
        "        _record.odd = ()",
        "        _record.__class__ = _frozen",
        "        _records.append(_record)",
        "    return _records",
    ]
    space = {"_new": object.__new__, "_open": _open_twin(record), "_frozen": record}
    fill: Callable[[Any, Any], list[R]] = _made("fill", code, space)
    return fill


def _made(name: str, code: Sequence[str], space: dict[str, Any]) -> Any:
    exec("\n".join(code), space)  # noqa: S102 - there is nothing in it but the names of our own fields
    return space[name]


def _open_twin(record: type[Record]) -> type[Record]:
    """A subclass that adds nothing but can be written to, so that its instances may become the frozen class's."""
    open_up = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    return type(record.__name__, (record,), {"__slots__": (), **open_up})


def _each(hook: Callable[[Any], Any]) -> Mend:
    return lambda column: list(map(hook, column))


def _moments(column: Sequence[Any]) -> Sequence[datetime | None]:
    """Dates, all at once where msgspec reads them as the hook does, which takes a fraction of the time.

    It does not for fractions of a second, which it rounds rather than cuts, and for a small z.
    """
    present = [value or None for value in column]
    try:
        texts = "".join(filter(None, present))
        if "." not in texts and "z" not in texts:
            return msgspec.convert(present, list[datetime | None])
    except (TypeError, msgspec.ValidationError):  # the hook knows better
        pass
    return list(map(php_values.moment, present))


def _loose(column: Sequence[Any]) -> Sequence[Any]:
    return [None if value is False or value == "" else value for value in column]


_USUAL_MENDS: Mapping[Any, Mend] = {
    datetime | None: _moments,
    int | str | None: _each(php_values.identifier),
    Any: _loose,
}
_readers: dict[type, RowReader[Any]] = {}
