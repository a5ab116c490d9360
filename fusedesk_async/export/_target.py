"""Where an export goes, and in which format."""

import os
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from fusedesk_async.errors import ConfigurationError
from fusedesk_async.export._append import AppendSink, Lines
from fusedesk_async.export._csv import Csv
from fusedesk_async.export._json_lines import JsonLines
from fusedesk_async.export._parquet import ParquetMaker
from fusedesk_async.export._sink import Sink
from fusedesk_async.export._sqlite import SqliteSink
from fusedesk_async.export._stream import BinaryStream, StreamSink, stdout

Format: TypeAlias = Literal["jsonl", "csv", "parquet", "sqlite"]
Target: TypeAlias = str | os.PathLike[str] | BinaryStream

_ENDINGS: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
    ".db": "sqlite",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
}
_PACKED = ".gz"


def format_of(to: Target, wanted: Format | None) -> Format:
    """The format of an output: the one asked for, or that of its ending.

    Raises:
        ConfigurationError: Neither tells, or the format does not fit the output.
    """
    if wanted is not None and wanted not in get_args(Format):
        message = f"format is one of {', '.join(get_args(Format))}, not {wanted!r}"
        raise ConfigurationError(message)
    if not isinstance(to, str | os.PathLike) or to == "-":
        if not (to == "-" or hasattr(to, "write")):
            message = f"an output is a path, '-' or a binary stream, not {type(to).__name__}"
            raise ConfigurationError(message)
        if wanted not in (None, "jsonl"):
            message = f"{wanted} needs a file; a stream gets JSON Lines"
            raise ConfigurationError(message)
        return "jsonl"
    name = _checked(to).name
    found = wanted or _ENDINGS.get(Path(name.removesuffix(_PACKED)).suffix.lower())
    if found is None:
        message = f"what format is {name!r}? End it in {', '.join(_ENDINGS)} or {_PACKED} behind these, or say so"
        raise ConfigurationError(message)
    if name.endswith(_PACKED) and found in ("parquet", "sqlite"):
        message = f"{found} is not packed by {_PACKED}; leave that ending out"
        raise ConfigurationError(message)
    return found


def sink_for(to: Target, kind: str, *, history: bool, guard_formulas: bool, update: bool) -> Sink:
    """The output.

    Raises:
        ConfigurationError: A package is missing.
    """
    if not isinstance(to, str | os.PathLike):
        return StreamSink(to)
    if to == "-":
        return StreamSink(stdout())
    target = Path(os.path.realpath(to))  # a link stays one, and what it points at is replaced
    if kind == "sqlite":
        return SqliteSink(target, update=update)
    if kind == "parquet":
        return AppendSink(target, JsonLines(), conversion=ParquetMaker(history=history))
    lines: Lines = JsonLines() if kind == "jsonl" else Csv(history=history, guard_formulas=guard_formulas)
    return AppendSink(target, lines, packed=target.name.endswith(_PACKED))


def layout_of(kind: Format, to: Target, *, history: bool, guard_formulas: bool) -> str:
    """What else than its format decides how an output looks."""
    packed = isinstance(to, str | os.PathLike) and Path(to).name.endswith(_PACKED)
    parts = ["packed"] if packed else []
    if kind == "csv":
        parts += [",".join(Csv(history=history, guard_formulas=guard_formulas).names)]
        parts += ["formulas guarded"] if guard_formulas else []
    return "; ".join(parts)


def _checked(path: str | os.PathLike[str]) -> Path:
    """A path that a file can have.

    Raises:
        ConfigurationError: No file can be called so.
    """
    try:
        possible = isinstance(os.fspath(path), str) and b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        possible = False
    if not possible:
        message = f"no file can be called {os.fspath(path)!r}"
        raise ConfigurationError(message)
    return Path(path)
