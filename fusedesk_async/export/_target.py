"""Where an export goes, and in which format."""

import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from fusedesk_async.errors import ConfigurationError
from fusedesk_async.export._append import AppendSink, RowFormat
from fusedesk_async.export._csv import Csv
from fusedesk_async.export._json_lines import JsonLines
from fusedesk_async.export._parquet import ParquetMaker
from fusedesk_async.export._postgres_url import PostgresUrl, is_address
from fusedesk_async.export._sink import Replacement, Sink
from fusedesk_async.export._sqlite import SqliteSink
from fusedesk_async.export._stream import BinaryStream, StreamSink, stdout

if TYPE_CHECKING:
    from fusedesk_async.export._postgres_histories import HistoryTable

Format: TypeAlias = Literal["jsonl", "csv", "parquet", "sqlite", "postgres"]
Target: TypeAlias = str | os.PathLike[str] | BinaryStream
Destination: TypeAlias = Target | PostgresUrl
"""A target whose password, if it has one, does not show."""

_FORMATS_BY_SUFFIX: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
    ".db": "sqlite",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
}
_GZIP_SUFFIX = ".gz"
_DESCRIPTOR = re.compile(r"/dev/(?:std(?:in|out|err)|fd/[0-9]+)\Z|/proc/(?:self|[0-9]+)/fd/[0-9]+\Z")
"""Names that Unix gives to what a program has open."""


def destination(to: Destination) -> Destination:
    """The target, as a `PostgresUrl` if it is an address."""
    return PostgresUrl(to) if isinstance(to, str) and is_address(to) else to


def shown(to: Destination) -> str:
    """What an output is called."""
    if isinstance(to, PostgresUrl):
        return str(to)
    return os.fspath(to) if isinstance(to, str | os.PathLike) else "-"


def format_of(to: Destination, wanted: Format | None) -> Format:
    """The format of an output: the one asked for, or that of its ending.

    Raises:
        ConfigurationError: Neither says, or the format does not fit the output.
    """
    if wanted is not None and wanted not in get_args(Format):
        message = f"format is one of {', '.join(get_args(Format))}, not {wanted!r}"
        raise ConfigurationError(message)
    if isinstance(to, PostgresUrl) or wanted == "postgres":
        if not isinstance(to, PostgresUrl) or wanted not in {None, "postgres"}:
            message = "postgres is for addresses such as postgresql://user@host/database, other formats are for files"
            raise ConfigurationError(message)
        to.check()
        return "postgres"
    if isinstance(to, str | os.PathLike) and _DESCRIPTOR.match(str(to)):
        message = f"{to} is an open file of this program and cannot be replaced by an output; give - for stdout"
        raise ConfigurationError(message)
    if not isinstance(to, str | os.PathLike) or to == "-":
        return _format_of_stream(to, wanted)
    name = _checked_path(to).name
    found = wanted or _FORMATS_BY_SUFFIX.get(Path(name.removesuffix(_GZIP_SUFFIX)).suffix.lower())
    if found is None:
        message = f"unknown format of {name!r}: give format, or a name that ends in {', '.join(_FORMATS_BY_SUFFIX)}"
        raise ConfigurationError(message)
    if name.endswith(_GZIP_SUFFIX) and found in ("parquet", "sqlite"):
        message = f"{found} cannot be compressed with {_GZIP_SUFFIX}; leave that ending out"
        raise ConfigurationError(message)
    return found


def _format_of_stream(to: Destination, wanted: Format | None) -> Format:
    if not (to == "-" or hasattr(to, "write")):
        message = f"an output is a path, '-' or a binary stream, not {type(to).__name__}"
        raise ConfigurationError(message)
    if wanted not in {None, "jsonl"}:
        message = f"{wanted} needs a file; a stream takes JSON Lines only"
        raise ConfigurationError(message)
    return "jsonl"


def sink_for(
    to: Destination,
    kind: str,
    *,
    history: bool,
    guard_formulas: bool,
    update: bool,
    replacement: Replacement,
    bom: bool = False,
) -> Sink:
    """The output.

    Raises:
        ConfigurationError: A package is missing.
    """
    if isinstance(to, PostgresUrl):
        return _postgres_sink(to, update=update, replacement=replacement)
    if not isinstance(to, str | os.PathLike):
        return StreamSink(to)
    if to == "-":
        return StreamSink(stdout())
    target = Path(os.path.realpath(to))  # a link stays one, and what it points at is replaced
    if kind == "sqlite":
        return SqliteSink(target, update=update, replacement=replacement)
    if kind == "parquet":
        return AppendSink(target, JsonLines(), conversion=ParquetMaker(history=history), replacement=replacement)
    row_format: RowFormat = JsonLines()
    if kind == "csv":
        row_format = Csv(history=history, guard_formulas=guard_formulas, bom=bom)
    compressed = target.name.endswith(_GZIP_SUFFIX)
    return AppendSink(target, row_format, compressed=compressed, replacement=replacement)


def _postgres_sink(url: PostgresUrl, *, update: bool, replacement: Replacement) -> Sink:
    with _extra_needed():
        from fusedesk_async.export._postgres import PostgresSink  # noqa: PLC0415 - an extra
    return PostgresSink(url, update=update, allow_empty=replacement.allow_empty)


def history_table(url: PostgresUrl, *, update: bool = False) -> "HistoryTable":
    """The histories of an export in Postgres.

    Args:
        url: The database, and the name of the export.
        update: Whether the export is being updated under its own name.

    Raises:
        ConfigurationError: A package is missing.
    """
    with _extra_needed():
        from fusedesk_async.export._postgres_histories import HistoryTable  # noqa: PLC0415 - an extra
    return HistoryTable(url, update=update)


@contextmanager
def _extra_needed() -> Generator[None, None, None]:
    try:
        yield
    except ImportError:
        message = 'Postgres needs one more package: pip install "fusedesk_async[postgres]"'
        raise ConfigurationError(message) from None


def layout_of(kind: Format, to: Destination, *, history: bool, guard_formulas: bool, bom: bool = False) -> str:
    """What decides how an output looks besides its format."""
    compressed = isinstance(to, str | os.PathLike) and Path(to).name.endswith(_GZIP_SUFFIX)
    parts = ["gzip"] if compressed else []
    if kind == "csv":
        parts += [",".join(Csv(history=history, guard_formulas=guard_formulas).names)]
        parts += ["formulas guarded"] if guard_formulas else []
        parts += ["byte order mark"] if bom else []
    return "; ".join(parts)


def _checked_path(path: str | os.PathLike[str]) -> Path:
    """A path that a file can have.

    Raises:
        ConfigurationError: No file can have this name.
    """
    try:
        possible = isinstance(os.fspath(path), str) and b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        possible = False
    if not possible:
        message = f"{os.fspath(path)!r} cannot be the name of a file"
        raise ConfigurationError(message)
    return Path(path)
