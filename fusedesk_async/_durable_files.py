"""Files that must survive a crash: durable writes, transactions, and a lock that says who holds it."""

import os
import platform
import sqlite3
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from fusedesk_async.errors import ExportError

if sys.platform != "win32":
    import fcntl


def sync(descriptor: int) -> None:
    """Bring what was written to an open file onto the disk itself."""
    if sys.platform == "darwin":  # where fsync leaves it in the disk's own cache
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable."""
    with suppress(PermissionError):  # Windows opens no folders; its names are durable by themselves
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            sync(descriptor)
        finally:
            os.close(descriptor)


def write_durably(path: Path, content: bytes) -> None:
    """Give a file a new content: after a crash it has either the old one or the new one, whole."""
    fresh = path.with_name(f"{path.name}.new")
    with removed_on_failure(fresh), fresh.open("wb") as file:
        file.write(content)
        file.flush()
        sync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


@contextmanager
def removed_on_failure(path: Path) -> Generator[None, None, None]:
    """Remove a file again if the block that writes it fails: its remains would keep a full disk full."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


@contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[sqlite3.Connection, None, None]:
    """Carry out the block as one transaction of SQLite: whole, or not at all if it fails."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # after some failures, as of a full disk, SQLite has rolled it back already
            connection.execute("ROLLBACK")
        raise


@contextmanager
def as_export_error(path: Path) -> Generator[None, None, None]:
    """Turn an `OSError` of the block into an `ExportError` that names the file."""
    try:
        yield
    except OSError as error:
        message = f"cannot write {path}: {error.strerror or error}"
        raise ExportError(message, None, "output") from error


@contextmanager
def locked(target: Path) -> Generator[None, None, None]:
    """Lock a file against other processes while the block lasts; the system unlocks it if the process dies.

    On Windows nothing is locked.

    Args:
        target: The file. The lock is a file beside it, with `.lock` at the end of its name.

    Raises:
        ExportError: Another process has the lock (reason `locked`; the message says which), or the folder cannot be
            written (`output`).
    """
    path = target.with_name(f"{target.name}.lock")
    with as_export_error(path):
        file = _open_lock(path, target)
    with file:
        with suppress(OSError):  # on a full disk the lock holds all the same
            file.truncate(0)
            file.write(f"process {os.getpid()} on {platform.node()}\n".encode())
        try:
            yield
        finally:
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _open_lock(path: Path, target: Path) -> FileIO:
    """The open lock file, locked by this process."""
    while True:
        file = FileIO(path, "a+")
        if not _try_lock(file):
            file.seek(0)
            holder = file.readline().decode(errors="replace").strip() or "another process"
            file.close()
            message = f"{target} is in use by {holder}"
            raise ExportError(message, None, "locked")
        if _is_same_file(path, file):
            return file
        file.close()  # the process that had the lock has just removed the file


def _is_same_file(path: Path, file: FileIO) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _try_lock(file: FileIO) -> bool:
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
