"""Whole pages of records, fast: types are checked while the JSON is parsed, odd values are mended column by column.

A page is read in the shape that its rows have (`row_shapes.py`), which the first row shows, or the page before it: the
names of members and the kinds of values. A row with values of other kinds widens the shape, rows with other names are
read after the others. What fits no shape goes through the converter, which is the definition, and does not slow the
others. A property test holds both equal. (But for what stands in members that no field reads, such as numbers beyond a
float or bytes that are not UTF-8: nobody looks there.)

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

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from fusedesk_async._wire import php_values
from fusedesk_async._wire.columns import Column, ColumnHook
from fusedesk_async._wire.row_shapes import Field, Shape, fields_of, joined, read_as, shape_of, struct_of
from fusedesk_async.models import Record

R = TypeVar("R", bound=Record)
Hook: TypeAlias = Callable[[Any], Any]

MOST_SHAPES = 32
"""Shapes of a record for which the way to read them is kept; for others it is made again."""
SHAPES_OF_A_PAGE = 4
"""Groups of rows under different names that are read fast in one page. The converter reads what is left."""
ROWS_LOOKED_AT = 16
"""Rows of such a group that are looked at to find its shape, and that are looked at to widen it."""
PAGES_REMEMBERED = 64
"""Pages after which shapes are found out anew, so that one odd row does not slow down all that follow."""


class RowReader(Generic[R]):
    """Reads many records of one class at once.

    Args:
        record: The class. Its field types must be ones that `columns.KINDS` knows.
    """

    def __init__(self, record: type[R]) -> None:
        self._record = record
        self._fields = fields_of(record)
        self._readings: dict[tuple[Any, ...], _Reading[R]] = {}
        self._recent: Sequence[Shape] = ()
        self._pages = 0

    def read(self, sources: Sequence[bytes]) -> list[R | bytes]:
        """The records of a page, as `read_rows` gives them."""
        shapes: list[Shape] = []
        rows, others = self._read_alike(sources, shapes)
        while others and len(shapes) < SHAPES_OF_A_PAGE:
            read, rest = self._read_alike([sources[position] for position in others], shapes)
            for position, row in zip(others, read, strict=True):
                rows[position] = row
            others = [others[position] for position in rest]
        self._pages += 1
        self._recent = shapes if self._pages % PAGES_REMEMBERED else ()
        return rows

    def _read_alike(self, sources: Sequence[bytes], shapes: list[Shape]) -> tuple[list[R | bytes], list[int]]:
        """The records of the rows that have the shape of the first, and the positions of those that have another."""
        shape = self._first_shape(sources)
        if shape is None:
            return [*sources], []
        group = _Group(shape, self._fields, sources)
        while not group.decode_all((reading := self._reading(group.shape)).decode):
            pass
        shapes.append(group.shape)
        read = reading.records(group.rows, group.sources)
        if not group.failed:
            return read, []
        following = iter(read)
        return [row if at in group.failed else next(following) for at, row in enumerate(sources)], group.others

    def _first_shape(self, sources: Sequence[bytes]) -> Shape | None:
        """The shape of the first row that has one; if the page before had one that it fits, that."""
        for shape in self._recent:
            try:
                self._reading(shape).decode(sources[0])
            except (ValueError, RecursionError):
                continue
            return shape
        return next(filter(None, (shape_of(self._fields, source) for source in sources[:ROWS_LOOKED_AT])), None)

    def _reading(self, shape: Shape) -> "_Reading[R]":
        key = read_as(shape)
        if reading := self._readings.get(key):
            return reading
        if len(self._readings) >= MOST_SHAPES:
            self._readings.clear()
        return self._readings.setdefault(key, _Reading(self._record, self._fields, shape))


def read_rows(record: type[R], sources: Sequence[bytes]) -> list[R | bytes]:
    """The records of a list, given in its elements, in their order.

    In place of each one that is left to the converter, its text.
    """
    if not sources:
        return []
    reader: RowReader[R] = _readers.get(record) or _readers.setdefault(record, RowReader(record))
    try:
        return reader.read(sources)
    except TypeError:  # of records that cannot be filled
        return [*sources]


class _Group:
    """Rows of one shape, which widens as rows of other types come.

    Attributes:
        shape: Their shape.
        rows: What could be decoded.
        failed: The positions of all others.
        others: Of these, the positions of rows that may have another shape.
    """

    def __init__(self, shape: Shape, fields: Sequence[Field], sources: Sequence[bytes]) -> None:
        self.shape = shape
        self.rows: list[msgspec.Struct] = []
        self.failed: set[int] = set()
        self.others: list[int] = []
        self._fields = fields
        self._all = sources
        self._looks = ROWS_LOOKED_AT

    @property
    def sources(self) -> Sequence[bytes]:
        """The texts of the rows that could be decoded."""
        return self._all if not self.failed else [self._all[position] for position in self._positions]

    @property
    def _positions(self) -> Sequence[int]:
        every = range(len(self._all))
        return every if not self.failed else [position for position in every if position not in self.failed]

    def decode_all(self, decode: Callable[[bytes], msgspec.Struct]) -> bool:
        """Decode all rows that this shape fits. False if it was widened on the way: rows of two types would be slow."""
        positions, following = self._positions, iter(self.sources)
        self.rows, failures = [], 0
        while True:
            try:
                self.rows.extend(map(decode, following))  # keeps what comes before an error
            except (ValueError, RecursionError):  # msgspec's own errors are ValueErrors, too
                if self._is_widened_by(positions[len(self.rows) + failures]):
                    return False
                failures += 1
            else:
                return True

    def _is_widened_by(self, position: int) -> bool:
        self._looks -= 1
        shape = shape_of(self._fields, self._all[position]) if self._looks >= 0 else None
        wider = joined(self.shape, shape) if shape else None
        if wider and read_as(wider) != read_as(self.shape):
            self.shape = wider
            return True
        self.failed.add(position)
        if wider is None:
            self.others.append(position)
        return False


class _Reading(Generic[R]):
    """A way to read rows of one shape: as structs whose types are checked, some columns of which are mended."""

    def __init__(self, record: type[R], fields: list[Field], shape: Shape) -> None:
        self.decode: Callable[[bytes], msgspec.Struct] = msgspec.json.Decoder(
            struct_of(record.__name__, fields, shape)
        ).decode
        kinds = [(field, field.kind(of)) for field, of in zip(fields, shape, strict=True) if of.member]
        hooks = {field.name: (kind.hook, php_values.HOOKS[field.type]) for field, kind in kinds if kind.hook}
        taken = {field.name: f"_row.{field.name}{kind.default and ' or '}{kind.default}" for field, kind in kinds}
        absent = {field.name: field.default for field in fields if field.name not in taken}
        self._hooks = [*hooks.values()]
        self._columns = _make_columns([taken.pop(name) for name in hooks])
        self._fill = _make_fill(record, taken, [*hooks, "source"], absent | {"odd": ()})

    def records(self, rows: Sequence[msgspec.Struct], sources: Sequence[bytes]) -> list[R | bytes]:
        """The records of decoded rows. In place of each one that no hook can mend, its text."""
        odd: set[int] = set()
        columns = zip(self._hooks, self._columns(rows), strict=True)
        mended = [_mended(hook, one, column, odd) for (hook, one), column in columns]
        records: list[R | bytes] = [*self._fill(rows, *mended, sources)]
        for position in odd:
            records[position] = sources[position]
        return records


def _mended(hook: ColumnHook, one: Hook, column: Column, odd: set[int]) -> Column:
    """A column with its values mended. The positions of those that cannot be are added to `odd`."""
    try:
        return hook(column)
    except (ValueError, TypeError):
        return [_mended_or_noted(one, value, position, odd) for position, value in enumerate(column)]


def _mended_or_noted(hook: Hook, value: Any, position: int, odd: set[int]) -> Any:
    try:
        return hook(value)
    except (ValueError, TypeError):
        odd.add(position)


def _make_columns(values: Sequence[str]) -> Callable[[Any], Sequence[Column]]:
    """A function that takes columns out of rows, given the expression for a value of each."""
    columns = ", ".join(f"[{value} for _row in _rows]" for value in values)
    make: Callable[[Any], Sequence[Column]] = _made("columns", [f"def columns(_rows): return [{columns}]"], {})
    return make


def _make_fill(
    record: type[R], taken: Mapping[str, str], mended: Sequence[str], constant: Mapping[str, Any]
) -> Callable[..., list[R]]:
    """A function that makes records from rows and from the columns of the fields that are not as in the rows."""
    code = [
        f"def fill(_rows, {', '.join(f'_{name}s' for name in mended)}):",
        "    _records = []",
        f"    for _row, {', '.join(mended)} in zip(_rows, {', '.join(f'_{name}s' for name in mended)}, strict=True):",
        "        _record = _new(_open)",
        *(f"        _record.{name} = {value}" for name, value in taken.items()),
        *(f"        _record.{name} = {name}" for name in mended),
        *(f"        _record.{name} = _constant_{name}" for name in constant),
        "        _record.__class__ = _frozen",
        "        _records.append(_record)",
        "    return _records",
    ]
    space: dict[str, Any] = {"_new": object.__new__, "_open": _open_twin(record), "_frozen": record}
    space |= {f"_constant_{name}": value for name, value in constant.items()}
    fill: Callable[..., list[R]] = _made("fill", code, space)
    return fill


def _made(name: str, code: Sequence[str], space: dict[str, Any]) -> Any:
    exec("\n".join(code), space)  # noqa: S102 - there is nothing in it but the names of our own fields
    return space[name]


def _open_twin(record: type[Record]) -> type[Record]:
    """A subclass that adds nothing but can be written to, so that its instances may become the frozen class's."""
    open_up = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    return type(record.__name__, (record,), {"__slots__": (), **open_up})


_readers: dict[type, RowReader[Any]] = {}
