"""SQLite: the tables `cases`, `tags` and `history`, which any SQL tool opens.

Rows and the place reached are committed in one transaction, so they are durable together or not at all: after SIGKILL
the file is exact; a power failure may take back the last transactions, whole, and they are fetched again. That rests on
what SQLite says of its write-ahead log, which does not work on network drives.
"""

import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from fusedesk_async._durable_files import as_export_error, locked, sync, sync_folder, transaction
from fusedesk_async.errors import ExportError
from fusedesk_async.export import _sqlite_schema as schema
from fusedesk_async.export._checkpoint import Checkpoint, Job
from fusedesk_async.export._row import Row
from fusedesk_async.export._sink import Resume, checked_target, required
from fusedesk_async.models import CaseDetail


class SqliteSink:
    """Fills `OUT.part`, which becomes `OUT` at the end; an update goes on in `OUT` itself.

    Args:
        target: `OUT`.
        update: Whether to bring an `OUT` that is there up to date. If there is none yet, it is exported.
    """

    blocks_briefly = True

    def __init__(self, target: Path, *, update: bool = False) -> None:
        self._target = target
        self._part = target.with_name(f"{target.name}.part")
        self._update = update
        self._overwrite = False
        self._path = self._part
        self._holds = ExitStack()
        self._is_there = False
        self._database: sqlite3.Connection

    def look(self, job: Job, *, resume: Resume, overwrite: bool) -> Checkpoint | None:
        """How far an earlier run has come."""
        self._path = self._target if self._update and self._target.exists() else self._part
        if self._path == self._part:
            checked_target(self._target, overwrite=overwrite)
        found = None
        if self._path.exists() and (resume != "never" or self._path == self._target):
            with self._connected():
                found = self._checkpoint(job)
        required(found, resume, self._target)
        return found

    def open(self, job: Job, *, resume: Resume, overwrite: bool) -> Checkpoint:
        """Lock the output, and begin it if that is still to be done."""
        self._holds.enter_context(locked(self._target))
        self._overwrite = overwrite
        found = self.look(job, resume=resume, overwrite=overwrite)
        if found:
            self._go_on()
        return found or Checkpoint(job=job)

    def write(self, rows: Iterable[Row], checkpoint: Checkpoint) -> Checkpoint:
        """Put rows and place into the database, in one transaction."""
        if not self._is_there:
            self._begin()
        with self._named(), transaction(self._database) as database:
            if checkpoint.phase == "changes":
                _note_changed(database, rows)
            else:
                _insert(database, list(rows), left_changed=checkpoint.phase == "update")
            if checkpoint.phase == "complete":
                database.execute("UPDATE cases SET matches = 0 WHERE id IN (SELECT id FROM fusedesk_changed)")
                database.execute("DELETE FROM fusedesk_changed")
            database.execute("UPDATE fusedesk_export SET checkpoint = ?", (checkpoint.encode().decode(),))
        return checkpoint

    def finish(self) -> int:
        """Make one file of it, and give it its name."""
        with self._named(), as_export_error(self._path):
            if self._path == self._part:
                checked_target(self._target, overwrite=self._overwrite)
            is_one_file = _merge_log(self._database)
            self._database.close()
            if self._path == self._part:
                if not is_one_file:
                    message = f"{self._part} is being read, so it cannot be brought into one file; end that, then go on"
                    raise ExportError(message, None, "output")
                self._rename()
            sync_folder(self._target.parent)
            return self._target.stat().st_size

    def _rename(self) -> None:
        """Give the output its name. A log that is still beside the old one would be taken for the new one's."""
        with self._part.open("rb+") as file:
            sync(file.fileno())
        if any(log.exists() for log in _logs(self._target)):
            with suppress(sqlite3.Error), closing(sqlite3.connect(self._target)) as old:
                _merge_log(old)
        _remove_logs(self._target)
        self._part.replace(self._target)
        _remove_logs(self._part)

    def interrupt(self) -> None:
        """Nothing takes long."""

    def close(self) -> None:
        """Close the database and let go of the lock."""
        self._holds.close()

    def _begin(self) -> None:
        """Make a new database. Nothing is on the disk before there is something to keep."""
        with as_export_error(self._path):
            self._path.unlink(missing_ok=True)
            _remove_logs(self._path)
        self._go_on()
        with self._named(), transaction(self._database) as database:
            for statement in schema.SCHEMA.split(";"):
                database.execute(statement)
            database.execute("INSERT INTO fusedesk_export VALUES ('')")

    def _go_on(self) -> None:
        """Open the database for writing."""
        self._holds.enter_context(self._connected())
        with self._named():
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=NORMAL")
        self._is_there = True

    def _checkpoint(self, job: Job) -> Checkpoint | None:
        """The checkpoint in the database; None if it was killed before there was one."""
        with self._named():
            (kind,) = self._database.execute("PRAGMA application_id").fetchone()
            if self._path == self._part and not self._database.execute("SELECT 1 FROM sqlite_master").fetchone():
                return None
            if kind != schema.APPLICATION_ID:
                message = f"{self._path} is no export of cases; give another name"
                raise ExportError(message, None, "checkpoint")
            ((text,),) = self._database.execute("SELECT CAST(max(checkpoint) AS TEXT) FROM fusedesk_export")
        if text == "":
            return None
        return Checkpoint.decode((text or "").encode(), self._path).resumed(job, self._path)

    @contextmanager
    def _connected(self) -> Generator[None, None, None]:
        with self._named():
            self._database = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        with closing(self._database):
            yield

    @contextmanager
    def _named(self) -> Generator[None, None, None]:
        """Turn trouble with the database into an `ExportError` that names it."""
        try:
            yield
        except sqlite3.OperationalError as error:
            message = f"cannot write {self._path}: {error}"
            raise ExportError(message, None, "output") from error
        except OverflowError as error:
            message = f"an id of more than 64 bits does not fit into {self._path}; export to JSON Lines or CSV"
            raise ExportError(message, None, "output") from error
        except sqlite3.DatabaseError as error:
            message = f"{self._path} cannot be gone on with: {error}"
            raise ExportError(message, None, "checkpoint") from error


def _note_changed(database: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """Take over what changed in cases that are here; whether these still match is seen later."""
    for row in rows:
        state = database.execute(schema.STATE_OF_CASE, (row.case.id,)).fetchone()
        if state:
            _insert(database, [row], keep_history=True)
            database.execute(schema.SET_STATE, (*state, row.case.id))
            database.execute("INSERT OR IGNORE INTO fusedesk_changed VALUES (?)", (row.case.id,))


def _merge_log(database: sqlite3.Connection) -> bool:
    """Bring what is in the write-ahead log into the file itself; whether all of it is there now."""
    (is_busy, *_) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    with suppress(sqlite3.OperationalError):  # somebody has it open: then an empty log stays beside it
        database.execute("PRAGMA journal_mode=DELETE")
    return not is_busy


def _remove_logs(path: Path) -> None:
    for log in _logs(path):
        log.unlink(missing_ok=True)


def _logs(path: Path) -> list[Path]:
    """What SQLite keeps beside a database while somebody writes to it, or after that was cut off."""
    return [path.with_name(f"{path.name}-{end}") for end in ("wal", "shm", "journal")]


def _insert(
    database: sqlite3.Connection, rows: list[Row], *, left_changed: bool = False, keep_history: bool = False
) -> None:
    ids = [(row.case.id,) for row in rows]
    database.executemany("DELETE FROM tags WHERE case_id = ?", ids)
    database.executemany(schema.INSERT_CASE, map(_case_cells, rows))
    database.executemany(schema.INSERT_TAG, [(row.case.id, tag) for row in rows for tag in row.case.tags])
    if not keep_history:
        database.executemany("DELETE FROM history WHERE case_id = ?", ids)
        database.executemany(schema.INSERT_ITEM, (cells for row in rows for cells in _item_cells(row)))
    if left_changed:
        database.executemany("DELETE FROM fusedesk_changed WHERE id = ?", ids)


def _case_cells(row: Row) -> list[Any]:
    return [*schema.CASES.cells(row.case), int(row.tombstone), row.history_error or None, 1]


def _item_cells(row: Row) -> Iterator[list[Any]]:
    history = row.case.history if isinstance(row.case, CaseDetail) else ()
    for position, item in enumerate(history):
        yield [row.case.id, position, *schema.ITEMS.cells(item)]
