"""Parquet, by way of JSON Lines: a Parquet file can be read only once it is closed, so it is written at the end.

Until then the cases are in `OUT.part`, under the rules of `_append.py`. If writing it is cut off, the next run does it
again, which needs no calls.
"""

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

from fusedesk_async._durable_files import private_opener, removed_on_failure, sync, sync_folder
from fusedesk_async._json import JSONText
from fusedesk_async._wire.converter import structure
from fusedesk_async._wire.page_reader import read_rows
from fusedesk_async.errors import ConfigurationError, ExportError, UnexpectedResponseError
from fusedesk_async.export._columns import Kind, case_table, clean_text, history_table, in_utc, int64, loose_text
from fusedesk_async.export._row import Row
from fusedesk_async.models import Case, CaseDetail, HistoryItem

ROW_GROUP_ROWS = 5_000
"""Rows in a row group, at the most."""
ROW_GROUP_BYTES = 8 * 1024 * 1024
"""Bytes of JSON after which a row group is full, too: histories may be long."""
MAGIC = b"PAR1"
"""The first bytes of a Parquet file, with which no line of JSON begins."""


def _each_int64(numbers: Iterable[int]) -> list[int]:
    return [int64(number) for number in numbers]


_ENCODERS: Mapping[Kind, Any] = {
    "whole": int64,
    "key": int64,
    "text": clean_text,
    "moment": in_utc,
    "flag": bool,
    "tags": _each_int64,
    "loose": loose_text,
    "identifier": loose_text,
}


def pyarrow() -> Any:
    """The packages of pyarrow that are needed: itself and `pyarrow.parquet`.

    Raises:
        ConfigurationError: It is not installed.
    """
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        message = 'Parquet needs one more package: pip install "fusedesk_async[parquet]"'
        raise ConfigurationError(message) from None


class ParquetMaker:
    """Makes the Parquet file of a JSON Lines file.

    The columns are the fields of `Case`: whole numbers of 64 bits, timestamps in UTC, texts, booleans, lists of tags;
    with histories also a list of items. What does not fit, such as a date without zone, is in `extra`.

    Args:
        history: Whether there are histories.
    """

    def __init__(self, *, history: bool) -> None:
        pyarrow()
        self._cases = case_table(_ENCODERS)
        self._items = history_table(_ENCODERS) if history else None

    def is_done(self, part: Path) -> bool:
        """Whether the file is Parquet already."""
        with part.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC

    def is_empty(self, output: Path) -> bool:
        """Whether a file of JSON Lines or of Parquet holds no row; one of another kind holds something."""
        if not output.stat().st_size:
            return True
        _, parquet = pyarrow()
        return self.is_done(output) and not parquet.read_metadata(output).num_rows

    def holds(self, output: Path, rows: int) -> bool:
        """Whether a file is Parquet, whole, and holds this many rows."""
        arrow, parquet = pyarrow()
        try:
            return bool(self.is_done(output) and parquet.read_metadata(output).num_rows == rows)
        except arrow.ArrowInvalid:
            return False

    def __call__(self, part: Path, interrupted: Event) -> None:
        """Replace JSON Lines by Parquet: whole or not at all."""
        _, parquet = pyarrow()
        schema = self._schema()
        fresh = part.with_name(f"{part.name}.new")
        with removed_on_failure(fresh), open(fresh, "wb", opener=private_opener) as file:
            with part.open("rb") as lines, parquet.ParquetWriter(file, schema, compression="zstd") as writer:
                while group := list(_row_group(lines)):
                    if interrupted.is_set():
                        message = f"the export was cancelled before {part} was converted; the cases are in it"
                        raise ExportError(message)
                    self._write(writer, schema, self._rows(group))
            file.flush()
            sync(file.fileno())
        fresh.replace(part)
        sync_folder(part.parent)

    def _schema(self) -> Any:
        arrow, _ = pyarrow()
        fields = list(_fields(self._cases.columns))
        if self._items:
            item = arrow.struct(list(_fields(self._items.columns)))
            fields += [("history", arrow.list_(item)), ("tombstone", arrow.bool_()), ("history_error", arrow.string())]
        return arrow.schema(fields)

    def _write(self, writer: Any, schema: Any, rows: Iterable[list[Any]]) -> None:
        arrow, _ = pyarrow()
        columns = [
            arrow.array(column, field.type) for column, field in zip(zip(*rows, strict=True), schema, strict=True)
        ]
        writer.write_table(arrow.Table.from_arrays(columns, schema=schema))
        del columns
        arrow.default_memory_pool().release_unused()  # or it keeps more with every group

    def _rows(self, group: list[bytes]) -> Iterator[list[Any]]:
        """The cells of cases, which are read in the same way as when they came."""
        if self._items:
            return map(self._with_history, group)
        return map(self._cases.cells, _cases(group))

    def _with_history(self, line: bytes) -> list[Any]:
        line, tombstone, history_error = Row.split(line)
        if tombstone or history_error:
            (case,) = _cases([line])
        else:
            case = structure(CaseDetail, JSONText(line), _ignore)
        items = [self._item(item) for item in getattr(case, "history", ())]
        return [*self._cases.cells(case), items, tombstone, history_error or None]

    def _item(self, item: HistoryItem) -> dict[str, Any]:
        table = self._items
        if table is None:
            raise AssertionError
        return dict(zip(table.names, table.cells(item), strict=True))


def _row_group(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The lines of a row group."""
    size = 0
    for line in islice(lines, ROW_GROUP_ROWS):
        yield line.rstrip(b"\n")
        size += len(line)
        if size >= ROW_GROUP_BYTES:
            return


def _cases(lines: list[bytes]) -> list[Case]:
    read = read_rows(Case, lines)
    return [structure(Case, JSONText(row), _ignore) if isinstance(row, bytes) else row for row in read]


def _fields(columns: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    arrow, _ = pyarrow()
    kinds = {
        "whole": arrow.int64(),
        "key": arrow.int64(),
        "moment": arrow.timestamp("us", "UTC"),
        "flag": arrow.bool_(),
        "tags": arrow.list_(arrow.int64()),
    }
    for column in columns:
        yield column.name, kinds.get(column.kind, arrow.string())
    yield "extra", arrow.string()


def _ignore(error: UnexpectedResponseError) -> UnexpectedResponseError:
    """What could not be read in an item was reported when it came; its text is in `extra`."""
    return error
