"""SQLite: the tables `cases`, `tags` and `history`, the lists of names, and views, which any SQL tool opens.

Rows and checkpoint are committed in one transaction, so they are durable together or not at all: after SIGKILL
the file is exact; a power failure may take back the last transactions, whole, and they are fetched again. That rests on
what SQLite says of its write-ahead log, which does not work on network drives.
"""

import sqlite3
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import TypeVar

from fusedesk_async._durable_files import (
    as_export_error,
    committed,
    locked,
    make_private,
    replace_output,
    sync,
    sync_folder,
    write_durably,
)
from fusedesk_async.errors import ExportError
from fusedesk_async.export import _sqlite_names as names
from fusedesk_async.export import _sqlite_schema as schema
from fusedesk_async.export._checkpoint import Checkpoint, Job
from fusedesk_async.export._name_lists import NameLists
from fusedesk_async.export._row import Row
from fusedesk_async.export._sink import (
    DEFAULT_REPLACEMENT,
    Replacement,
    Resume,
    check_target,
    refuse_to_empty,
    require_checkpoint,
)
from fusedesk_async.export._sqlite_rows import holds_cases, write_rows

T = TypeVar("T")

BUSY_ATTEMPTS = 25
"""Attempts to get the database, ten seconds in all; a program that only looks at it has it for less."""
BUSY_PAUSE = 0.2
"""Seconds that an attempt waits by itself, and as many until the next one."""


class SqliteSink:
    """Fills `OUT.part`, which becomes `OUT` at the end; an update works on `OUT` itself.

    Args:
        target: `OUT`.
        update: Whether to bring an `OUT` that is there up to date. If there is none yet, it is exported.
        replacement: How it takes its name.
    """

    uses_disk = True

    def __init__(self, target: Path, *, update: bool = False, replacement: Replacement = DEFAULT_REPLACEMENT) -> None:
        self._target = target
        self._part = target.with_name(f"{target.name}.part")
        self._checkpoint_path = target.with_name(f"{target.name}.checkpoint")
        self._update = update
        self._replacement = replacement
        self._overwrite = False
        self._path = self._part
        self._resources = ExitStack()
        self._is_open = self._is_whole = False
        self._interrupted = Event()
        self.log_file = ""
        self._complete = ""
        self._database: sqlite3.Connection

    def find_checkpoint(self, job: Job, *, resume: Resume, overwrite: bool) -> Checkpoint | None:
        """How far an earlier run has come."""
        self._path = self._target if self._update and self._target.exists() else self._part
        found = self._checkpoint_after_rename(job) if resume != "never" else None
        self._is_whole = found is not None
        if found:
            return found
        if self._path == self._part:
            check_target(self._target, overwrite=overwrite)
        if self._path.exists() and (resume != "never" or self._path == self._target):
            with self._connection():
                found = self._checkpoint(job)
        require_checkpoint(found, resume, self._target)
        return found

    def open(self, job: Job, *, resume: Resume, overwrite: bool) -> Checkpoint:
        """Lock the output, and open it if it is there already."""
        self._resources.enter_context(locked(self._target))
        self._overwrite = overwrite
        found = self.find_checkpoint(job, resume=resume, overwrite=overwrite)
        if found and not self._is_whole:
            self._open_for_writing()
            with self._transaction():
                schema.complete(self._database)
                names.create(self._database)
        return found or Checkpoint(job=job)

    def write(self, rows: Iterable[Row], checkpoint: Checkpoint) -> Checkpoint:
        """Put rows and checkpoint into the database, in one transaction."""
        if not self._is_open:
            self._create()
        with self._transaction():
            write_rows(self._database, rows, checkpoint)
        return checkpoint

    def write_names(self, lists: NameLists) -> tuple[str, ...]:
        """Replace the lists of names that came."""
        with self._transaction():
            return names.write_names(self._database, lists.records)

    def restart(self) -> None:
        """Drop all rows."""
        with self._transaction():
            for table in schema.TABLES_OF_ROWS:
                self._database.execute(f"DELETE FROM {table}")  # noqa: S608 - our names

    def missing_histories(self) -> list[int] | None:
        """Ids of the cases whose history could not be fetched; None if it is whole and only its end was cut off."""
        if self._is_whole:
            return None
        with self._as_export_error():
            return sorted(int(case_id) for (case_id,) in self._database.execute(schema.MISSING_HISTORIES))

    def finish(self) -> int:
        """Merge its write-ahead log, and give it its name."""
        if self._is_whole:
            return self._target.stat().st_size
        with self._as_export_error(), as_export_error(self._path):
            if self._path == self._part:
                check_target(self._target, overwrite=self._overwrite)
                self._check_not_emptied()
                ((self._complete,),) = self._database.execute("SELECT checkpoint FROM fusedesk_export")
            is_one_file = self._merge_wal()
            self._database.close()
            if self._path == self._part:
                if not is_one_file:
                    message = f"{self._part} is open in another program; close it there and run the export again"
                    raise ExportError(message, None, "locked")
                self._rename()
            elif not is_one_file:
                self.log_file = f"{self._target}-wal"
            sync_folder(self._target.parent)
            return self._target.stat().st_size

    def forget(self) -> None:
        """Remove the checkpoint beside it."""
        with suppress(OSError):  # then the next run says that it is whole already
            self._checkpoint_path.unlink(missing_ok=True)

    def _checkpoint_after_rename(self, job: Job) -> Checkpoint | None:
        """The checkpoint of a run of the job that was stopped after it gave the output its name."""
        with as_export_error(self._checkpoint_path):
            if self._update or self._part.exists() or not (self._checkpoint_path.exists() and self._target.is_file()):
                return None
            noted = Checkpoint.decode(self._checkpoint_path.read_bytes(), self._checkpoint_path)
        if job.difference(noted.job):
            return None
        self._path = self._target
        with suppress(ExportError), self._connection():
            found = self._checkpoint(job)
            if found == noted.resumed(job, self._target):
                return found
        self._path = self._part  # the output was replaced since
        return None

    def _check_not_emptied(self) -> None:
        """Check that no cases are replaced by none. A part without cases goes, or the next run would resume it."""
        if self._replacement.allow_empty or not self._target.exists() or holds_cases(self._database):
            return
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"{self._target.as_uri()}?mode=ro", uri=True)) as old:
            if not holds_cases(old):
                return
        self._database.close()
        _remove_log_files(self._part)
        self._part.unlink()
        refuse_to_empty(self._target)

    def _rename(self) -> None:
        """Give the output its name. A log of the old output would be taken for one of the new.

        A copy of its checkpoint says until the very end that it is the output of this job.
        """
        with self._part.open("rb+") as file:
            sync(file.fileno())
        write_durably(self._checkpoint_path, self._complete.encode())
        if any(log.exists() for log in _log_files(self._target)):
            with suppress(sqlite3.Error), closing(sqlite3.connect(self._target)) as old:
                _merge_wal(old)
        _remove_log_files(self._target)
        replace_output(self._part, self._target, self._replacement.mode)
        _remove_log_files(self._part)

    def _merge_wal(self) -> bool:
        """Merge the write-ahead log into the file itself, as soon as nobody reads; whether all of it is there now."""
        remaining = BUSY_ATTEMPTS
        while not _merge_wal(self._database):
            remaining -= 1
            if not remaining or self._interrupted.wait(BUSY_PAUSE):
                return False
        return True

    def interrupt(self) -> None:
        """Wait for other programs no longer."""
        self._interrupted.set()

    def close(self) -> None:
        """Close the database and unlock it."""
        self._resources.close()

    def _create(self) -> None:
        """Create the database, now that there is something to keep."""
        with as_export_error(self._path):
            self._path.unlink(missing_ok=True)
            _remove_log_files(self._path)
            make_private(self._path)
        self._open_for_writing()
        with self._transaction():
            schema.create(self._database)
            names.create(self._database)

    def _open_for_writing(self) -> None:
        """Open the database for writing, as soon as nobody else has it."""
        self._resources.enter_context(self._connection())
        with self._as_export_error():
            self._when_free(lambda: self._database.execute("PRAGMA journal_mode=WAL"))
            self._database.execute("PRAGMA synchronous=NORMAL")
        self._is_open = True

    @contextmanager
    def _transaction(self) -> Generator[None, None, None]:
        with self._as_export_error():
            self._when_free(lambda: self._database.execute("BEGIN IMMEDIATE"))
            with committed(self._database):
                yield

    def _when_free(self, attempt: Callable[[], T]) -> T:
        """What an attempt gives, which is made again while another program has the database."""
        remaining = BUSY_ATTEMPTS
        while True:
            remaining -= 1
            try:
                return attempt()
            except sqlite3.OperationalError as error:
                if not (_is_busy(error) and remaining) or self._interrupted.wait(BUSY_PAUSE):
                    raise

    def _checkpoint(self, job: Job) -> Checkpoint | None:
        """The checkpoint in the database; None if it was killed before there was one."""
        with self._as_export_error():
            (kind,) = self._when_free(lambda: self._database.execute("PRAGMA application_id").fetchone())
            if self._path == self._part and not self._database.execute("SELECT 1 FROM sqlite_master").fetchone():
                return None
            if kind != schema.APPLICATION_ID:
                message = f"{self._path} is not a case export; give another name"
                raise ExportError(message, None, "checkpoint")
            ((text,),) = self._database.execute("SELECT CAST(max(checkpoint) AS TEXT) FROM fusedesk_export")
        if text == "":
            return None
        return Checkpoint.decode((text or "").encode(), self._path).resumed(job, self._path)

    @contextmanager
    def _connection(self) -> Generator[None, None, None]:
        with self._as_export_error():
            self._database = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False, timeout=BUSY_PAUSE
            )
        with closing(self._database):
            yield

    @contextmanager
    def _as_export_error(self) -> Generator[None, None, None]:
        """Turn an error of the database into an `ExportError` that names it."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if _is_busy(error):
                message = f"another program reads or writes {self._path}; close it there and run the export again"
                raise ExportError(message, None, "locked") from error
            message = f"cannot write {self._path}: {error}"
            raise ExportError(message, None, "output") from error
        except sqlite3.DatabaseError as error:
            message = f"cannot resume from {self._path}: {error}"
            raise ExportError(message, None, "checkpoint") from error


def _is_busy(error: sqlite3.OperationalError) -> bool:
    """Whether another program has what is needed."""
    code = getattr(error, "sqlite_errorcode", 0)  # there is none where Python itself is at a loss
    return code & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}  # the rest says why


def _merge_wal(database: sqlite3.Connection) -> bool:
    """Merge the write-ahead log into the file itself; whether all of it is there now."""
    (is_busy, *_) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    with suppress(sqlite3.OperationalError):  # another program has it open: then an empty log stays beside it
        database.execute("PRAGMA journal_mode=DELETE")
    return not is_busy


def _remove_log_files(path: Path) -> None:
    for log in _log_files(path):
        log.unlink(missing_ok=True)


def _log_files(path: Path) -> list[Path]:
    """What SQLite keeps beside a database while it is written, or after that was cut off."""
    return [path.with_name(f"{path.name}-{end}") for end in ("wal", "shm", "journal")]
