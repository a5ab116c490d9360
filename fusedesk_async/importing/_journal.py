"""The journal of an import: what is to be opened, what may have been, what was. One SQLite file.

Each change is one transaction of its own in WAL mode with `synchronous=FULL`: it is on the disk before the method
returns, so a mark is durable before the request is sent. A connection is used by one thread at a time.
"""

import sqlite3
import threading
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

import attrs

from fusedesk_async._durable_files import as_export_error, make_private, sync_folder, transaction
from fusedesk_async._text import one_line
from fusedesk_async.errors import ExportError, ExportTrouble

APPLICATION_ID = 0x4644_494A  # "FDIJ"
VERSION = 1

MOST_CONFIRMED = 200
"""Rows that are compared with what the server shows."""
LATEST = 3_600.0
"""Seconds after its mark until which a row had been sent, and if it was confirmed, opened."""

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR})
"""What SQLite says of a damaged file; `SQLITE_ERROR` if a table or column is missing."""

State: TypeAlias = Literal["intended", "sent", "confirmed", "rejected"]

_SCHEMA = (
    "CREATE TABLE journal (base_url TEXT NOT NULL, runs INTEGER NOT NULL)",
    """CREATE TABLE rows (
        id INTEGER PRIMARY KEY,
        source_id TEXT,
        content TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('intended', 'sent', 'confirmed', 'rejected')),
        run INTEGER NOT NULL,
        opened TEXT NOT NULL,
        sent_at REAL,
        case_number TEXT,
        case_id INTEGER,
        reason TEXT,
        history INTEGER NOT NULL DEFAULT 0,
        history_sent INTEGER NOT NULL DEFAULT 0,
        history_sent_at REAL
    )""",
    "CREATE UNIQUE INDEX rows_by_source ON rows (source_id) WHERE source_id IS NOT NULL",
    "CREATE UNIQUE INDEX rows_by_content ON rows (content) WHERE source_id IS NULL",
    "CREATE INDEX rows_by_case ON rows (case_id)",
    "CREATE INDEX rows_by_number ON rows (case_number)",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)


@attrs.frozen
class Entry:
    """What the journal knows of a row.

    Attributes:
        id: The entry's own.
        state: How far it has come.
        opened: The date of opening that it is sent with.
        sent_at: When it was last sent, in seconds since 1970.
        case_number: Of the case that was opened.
        case_id: Of the same case, if the server sent it.
        history: Elements of a separate history that were imported.
        history_sent: Elements of it that may have been imported.
        history_sent_at: When these were sent.
        repeated: Whether the same row came before in this run, unless its case is open already.
        other_content: Whether the source id came before with different content.
    """

    id: int
    state: State
    opened: str
    sent_at: float | None = None
    case_number: str | None = None
    case_id: int | None = None
    history: int = 0
    history_sent: int = 0
    history_sent_at: float | None = None
    repeated: bool = False
    other_content: bool = False

    @property
    def can_be_sent(self) -> bool:
        """Whether it certainly was not opened, and is not about to be."""
        return self.state in {"intended", "rejected"} and not self.repeated


class Journal:
    """One journal, open. The caller keeps other processes away from it.

    Args:
        path: The file; it is made if it is not there.
        base_url: The app it belongs to.
        dry_run: Change nothing.

    Raises:
        ExportError: It is not a journal, one of a newer version or of another app, damaged, or cannot be written.
    """

    def __init__(self, path: Path, base_url: str, *, dry_run: bool = False) -> None:
        self._path = path
        self._dry_run = dry_run
        self._lock = threading.RLock()
        with self._as_export_error():
            database = ":memory:" if dry_run else path
            if not dry_run:
                with as_export_error(path):
                    make_private(path)
            self._database = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        try:
            if dry_run and path.exists() and path.stat().st_size:
                self._copy(path)
            self._open(base_url)
        except BaseException:
            self._database.close()
            raise
        if not dry_run:
            sync_folder(path.parent)

    def _open(self, base_url: str) -> None:
        with self._as_export_error():
            if self._pragma("page_count"):
                self._check(base_url)
            else:  # a crash here leaves an empty file, so this may happen again
                self._database.execute("BEGIN EXCLUSIVE")
                for statement in _SCHEMA:
                    self._database.execute(statement)
                self._database.execute("INSERT INTO journal VALUES (?, 0)", (base_url,))
                self._database.execute("COMMIT")
            if not self._dry_run:
                self._database.execute("PRAGMA journal_mode = WAL")
                self._database.execute("PRAGMA synchronous = FULL")
                self._database.execute("UPDATE journal SET runs = runs + 1")
            (self._run,) = self._database.execute("SELECT runs FROM journal").fetchone()

    def _copy(self, path: Path) -> None:
        """Work on a copy in memory. Where nobody writes, no file is made beside the journal either."""
        in_use = path.with_name(f"{path.name}-wal").exists()
        address = f"{path.resolve().as_uri()}?mode=ro{'' if in_use else '&immutable=1'}"
        with self._as_export_error(), closing(sqlite3.connect(address, uri=True)) as read:
            read.backup(self._database)

    def _check(self, base_url: str) -> None:
        if self._pragma("application_id") != APPLICATION_ID:
            message = f"{self._path} is not an import journal; give another name"
            raise ExportError(message, None, "checkpoint")
        if self._pragma("user_version") > VERSION:
            message = f"{self._path} was made by a newer version of fusedesk_async; use that one"
            raise ExportError(message, None, "checkpoint")
        (problem,) = self._database.execute("PRAGMA integrity_check(1)").fetchone()
        if problem != "ok":
            raise self._damaged(problem)
        (apps, other) = self._database.execute("SELECT count(*), max(base_url) FROM journal").fetchone()
        if apps != 1:
            problem = f"it names {apps} apps"
            raise self._damaged(problem)
        if other != base_url:
            message = f"{self._path} is the journal of an import into {other}, not into {base_url}"
            raise ExportError(message, None, "checkpoint")

    def claim(self, source_id: str | None, content: str, opened: str) -> Entry:
        """The entry of a row; it becomes `intended` if it is new, or if it certainly was not opened before.

        Args:
            source_id: The row's id in its source, if it has one.
            content: The fingerprint of its content.
            opened: The date of opening that it is sent with if it is new.
        """
        with self._lock:
            known = self.peek(source_id, content)
            if known and (known.state == "confirmed" or known.other_content) and not known.can_be_sent:
                return known
            with self._transaction():
                if known is None:
                    added = self._database.execute(
                        "INSERT INTO rows (source_id, content, state, run, opened) VALUES (?, ?, 'intended', ?, ?)",
                        (source_id, content, self._run, opened),
                    )
                    return Entry(added.lastrowid or 0, "intended", opened=opened)
                if known.can_be_sent:
                    opened = opened if known.other_content else known.opened
                    self._set(known.id, state="intended", content=content, opened=opened, reason=None, run=self._run)
                    return attrs.evolve(known, state="intended", opened=opened, other_content=False)
                self._set(known.id, run=self._run)
                return known

    def peek(self, source_id: str | None, content: str) -> Entry | None:
        """The entry of a row, if it has one."""
        columns = (
            "id, state, run, content, opened, sent_at, case_number, case_id, history, history_sent, history_sent_at"
        )
        where = "content = ? AND source_id IS NULL" if source_id is None else "source_id = ?"
        with self._as_export_error(), self._lock:
            found = self._database.execute(
                f"SELECT {columns} FROM rows WHERE {where}",  # noqa: S608 - all of it is ours
                (content if source_id is None else source_id,),
            ).fetchone()
        if found is None:
            return None
        number, state, run, known, *rest = found
        entry = Entry(number, state, *rest)
        return attrs.evolve(entry, repeated=run == self._run and not self._dry_run, other_content=known != content)

    def mark(self, entry: int, **fields: Any) -> None:
        """Set members of an entry."""
        with self._transaction():
            self._set(entry, **fields)

    def of_others(self, cases: Mapping[int, str | None], entries: Iterable[int]) -> set[int]:
        """Which of these cases, ids with their numbers, belong to other entries than these."""
        mine = {*entries}
        found: set[int] = set()
        with self._as_export_error(), self._lock:
            for case in cases.items():
                rows = self._database.execute("SELECT id FROM rows WHERE case_id = ? OR case_number = ?", case)
                if any(row not in mine for (row,) in rows.fetchall()):
                    found.add(case[0])
        return found

    def confirmed(self) -> list[tuple[int | None, str | None, str, float, float]]:
        """The last rows that were opened, latest first.

        Returns:
            Id and number of the case, the date of opening that was asked for, and two moments between which it was
            opened, in seconds since 1970.
        """
        with self._as_export_error(), self._lock:
            found = self._database.execute(
                "SELECT case_id, case_number, opened, sent_at, sent_at + ? FROM rows "
                "WHERE state = 'confirmed' AND sent_at IS NOT NULL ORDER BY sent_at DESC LIMIT ?",
                (LATEST, MOST_CONFIRMED),
            )
            return found.fetchall()

    def close(self) -> None:
        """Close it, once what runs has ended."""
        with self._lock:
            self._database.close()

    def _pragma(self, pragma: str) -> int:
        (value,) = self._database.execute(f"PRAGMA {pragma}").fetchone()
        return int(value)

    def _set(self, entry: int, **fields: Any) -> None:
        names = ", ".join(f"{name} = ?" for name in fields)
        self._database.execute(f"UPDATE rows SET {names} WHERE id = ?", (*fields.values(), entry))  # noqa: S608 - the names are ours

    @contextmanager
    def _transaction(self) -> Generator[None, None, None]:
        with self._as_export_error(), self._lock, transaction(self._database):
            yield

    def _damaged(self, problem: str) -> ExportError:
        """What to do if the journal cannot say any more what was opened."""
        message = (
            f"{self._path} is damaged ({one_line(problem)}), so it does not say any more which rows were opened. "
            f"Nothing more is sent. Keep it, and restore it from a backup or save what can be read (sqlite3 "
            f"{self._path} .recover); an import with a new journal would open again what is open already"
        )
        return ExportError(message, None, "checkpoint")

    @contextmanager
    def _as_export_error(self) -> Generator[None, None, None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE) & 0xFF  # the rest says why
            if code in _DAMAGED:
                raise self._damaged(str(error)) from error
            kind: ExportTrouble = "output" if isinstance(error, sqlite3.OperationalError) else "checkpoint"
            message = f"cannot use {self._path} as a journal: {error}"
            if code == sqlite3.SQLITE_NOTADB:
                message = f"{message}, or its beginning is damaged; give another name, or restore it from a backup"
            raise ExportError(message, None, kind) from error
