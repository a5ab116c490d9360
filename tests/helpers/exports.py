"""Exports that are killed: rows to write, what a crash leaves on the disk, and what is in an output at the end."""

import csv
import gzip
import json
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import psycopg
import pytest

from fusedesk_async import _json
from fusedesk_async._json import JSONText
from fusedesk_async._wire.readers import many
from fusedesk_async.errors import UnexpectedResponseError
from fusedesk_async.export._checkpoint import Job
from fusedesk_async.export._row import Row
from fusedesk_async.export._sink import Replacement, Sink
from fusedesk_async.export._target import destination, format_of, sink_for
from fusedesk_async.models import Case

NAMES = ("out.jsonl", "out.jsonl.gz", "out.csv", "out.parquet", "out.db")
DATABASES = ("out.db", "postgres")
OUTPUTS = (*NAMES, "postgres")
Place: TypeAlias = Path | str
"""A file, or the address of a database."""


class Killed(BaseException):
    """The process ends here."""


def job(name: Place, *, history: bool = False, query: str = "") -> Job:
    """What an export is about."""
    kind = format_of(destination(name), None)
    return Job(server="https://acme.fusedesk.com", query=query, format=kind, history=history)


def sink(
    path: Place, *, history: bool = False, update: bool = False, allow_empty: bool = False, mode: int | None = None
) -> Sink:
    """The output of this name."""
    to = destination(path)
    return sink_for(
        to,
        format_of(to, None),
        history=history,
        guard_formulas=False,
        update=update,
        replacement=Replacement(allow_empty=allow_empty, mode=mode),
    )


def case(text: bytes | dict[str, Any]) -> Case:
    """A case as a page of a search brings it."""
    source = text if isinstance(text, bytes) else json.dumps(text).encode()
    records = many(Case)(JSONText(b"[" + source + b"]"), _heard)
    return records.items[0]


def rows(ids: Sequence[int]) -> list[Row]:
    """Rows of cases."""
    return [Row(case=case({"caseid": each, "summary": f"a\n{each}", "tags": [1, 2]})) for each in ids]


def bookmark(after: int) -> str:
    """The place behind a case."""
    return f"fusedesk-walk/1 {after} 0 {'0' * 16}"


def asks_for_names(request: httpx.Request) -> bool:
    """Whether a request is for the list of departments, reps or tags."""
    return request.url.path.endswith(("/departments/all", "/reps", "/casetags"))


def select(out: Place, query: str, schema: str = "fusedesk") -> list[tuple[Any, ...]]:
    """What a query of an output with tables gives."""
    if isinstance(out, Path):
        with closing(sqlite3.connect(out)) as database:
            return database.execute(query).fetchall()
    with connected(out, schema) as connection:
        return connection.execute(query.encode()).fetchall()


@contextmanager
def connected(url: str, schema: str = "fusedesk") -> Iterator[psycopg.Connection]:
    """A connection to a Postgres database in which names mean tables of a schema."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT set_config('search_path', quote_ident(%s), false)", (schema,))
        yield connection


def left_beside(out: Place) -> list[str]:
    """What there is beside a finished output."""
    if isinstance(out, Path):
        return [path.name for path in out.parent.iterdir() if path != out]
    query = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$|public$|fusedesk$)'"
    return [name for (name,) in select(out, query)]


def ids_in(path: Place) -> list[int]:
    """The ids of the cases in an output."""
    if not isinstance(path, Path):
        return [each for (each,) in select(path, "SELECT id FROM cases ORDER BY id")]
    if path.suffix == ".db":
        with closing(sqlite3.connect(path)) as database:
            return [each for (each,) in database.execute("SELECT id FROM cases ORDER BY rowid")]
    if path.suffix == ".parquet":
        found: list[int] = import_module("pyarrow.parquet").read_table(path).column("id").to_pylist()
        return found
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if path.suffix == ".csv":
        return [int(each["id"]) for each in csv.DictReader(StringIO(content.decode(), newline=""))]
    return [_json.loads(line)["caseid"] for line in content.split(b"\n") if line]


@contextmanager
def crash(folder: Path, left: Path, step: int, chance: random.Random) -> Iterator[None]:
    """Take a copy of a folder as a power failure would leave it at the n-th step, and end the program there.

    A step is the moment before or after a file is synced, renamed or removed, or a statement of SQLite begins. What was
    written behind the last sync may be there, be missing in part, or be zeros.
    """
    synced = {path.stat().st_ino: path.stat().st_size for path in folder.iterdir()}
    count = 0

    def tick() -> None:
        nonlocal count
        count += 1
        if count == step:
            shutil.copytree(folder, left)
            for path in folder.iterdir():
                if path.name.endswith((".part", ".new")):
                    _lose(left / path.name, synced.get(path.stat().st_ino, 0), chance)
            raise Killed

    def around(function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **options: Any) -> Any:
            tick()
            result = function(*arguments, **options)
            if function is fsync:
                status = os.fstat(arguments[0])
                synced[status.st_ino] = status.st_size
            tick()
            return result

        return called

    fsync = os.fsync
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", around(os.fsync))
        patch.setattr(Path, "replace", around(Path.replace))
        patch.setattr(Path, "unlink", around(Path.unlink))
        patch.setattr(sqlite3, "connect", lambda *given, **options: _Connection(tick, *given, **options))
        yield


class _Connection(sqlite3.Connection):
    """Tells of each statement before it is carried out."""

    def __init__(self, tick: Callable[[], None], *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.tick = tick

    def execute(self, *given: Any) -> sqlite3.Cursor:
        self.tick()
        return super().execute(*given)

    def executemany(self, *given: Any) -> sqlite3.Cursor:
        self.tick()
        return super().executemany(*given)


def _lose(path: Path, synced: int, chance: random.Random) -> None:
    content = path.read_bytes()
    if path.suffixes[-2:] == [".db", ".part"] or len(content) <= synced:
        return
    kept = chance.randint(synced, len(content))
    path.write_bytes(content[:kept] + b"\0" * chance.choice([0, len(content) - kept]))


def _heard(error: UnexpectedResponseError) -> UnexpectedResponseError:
    return error
