"""Parquet, by way of JSON Lines: a Parquet file can be read only once it is closed, so it is made in one go at the end.

Until then the cases are in `OUT.part`, under the rules of `_append.py`. What is cut off while it is made is made again
by the next run, which needs no calls for that.
"""

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from fusedesk_async import _json
from fusedesk_async._convert import structure
from fusedesk_async._files import sync, sync_folder
from fusedesk_async.errors import ConfigurationError, UnexpectedResponseError
from fusedesk_async.export._columns import Kind, case_table, clean_text, history_table, int64, loose_text, utc
from fusedesk_async.models import CaseDetail

GROUP = 20_000
"""Rows in a row group."""


def _each_int64(numbers: Iterable[int]) -> list[int]:
    return [int64(number) for number in numbers]


_SPELLING: Mapping[Kind, Any] = {
    "whole": int64,
    "text": clean_text,
    "moment": utc,
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
        self._cases = case_table(_SPELLING)
        self._items = history_table(_SPELLING) if history else None

    def __call__(self, part: Path, target: Path) -> None:
        """Make `target` of `part`: whole or not at all."""
        _, parquet = pyarrow()
        schema = self._schema()
        fresh = target.with_name(f"{target.name}.new")
        with fresh.open("wb") as file:
            with part.open("rb") as lines, parquet.ParquetWriter(file, schema, compression="zstd") as writer:
                while rows := [self._row(line) for line in islice(lines, GROUP)]:
                    self._write(writer, schema, rows)
            file.flush()
            sync(file.fileno())
        fresh.replace(target)
        sync_folder(target.parent)

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

    def _row(self, line: bytes) -> list[Any]:
        case = structure(CaseDetail, line, _passed_over)
        cells = self._cases.cells(case)
        if self._items is None:
            return cells
        names = self._items.names
        items = [dict(zip(names, self._items.cells(item), strict=True)) for item in case.history]
        notes = _json.loads(line)
        return [*cells, items, notes.get("tombstone", False), notes.get("history_error")]


def _fields(columns: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    arrow, _ = pyarrow()
    kinds = {
        "whole": arrow.int64(),
        "moment": arrow.timestamp("us", "UTC"),
        "flag": arrow.bool_(),
        "tags": arrow.list_(arrow.int64()),
    }
    for column in columns:
        yield column.name, kinds.get(column.kind, arrow.string())
    yield "extra", arrow.string()


def _passed_over(error: UnexpectedResponseError) -> UnexpectedResponseError:
    """What could not be read in an item was told when it came; its text is in `extra`."""
    return error
