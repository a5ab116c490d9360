"""Files that must survive a crash and are nobody else's: durable private writes, transactions, and a lock."""

import errno
import functools
import os
import platform
import shutil
import sqlite3
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from fusedesk_async.errors import ExportError, warn

if sys.platform != "win32":
    import fcntl


PRIVATE = 0o600
"""Outputs, checkpoints and journals hold customers' data, so nobody else may read them, unless their owner says so."""
_UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
"""What file systems say that do not know what they are asked for, network drives above all."""


def private_opener(path: str, flags: int) -> int:
    """For `open(…, opener=)`: a file that is made is its owner's alone from the start."""
    return os.open(path, flags, PRIVATE)


def make_private(path: Path) -> None:
    """Make a file that is its owner's alone, if there is none of that name. What SQLite keeps beside it is, too."""
    os.close(private_opener(str(path), os.O_RDWR | os.O_CREAT))


@functools.cache
def warn_of_missing_safety(what: str, reason: str) -> None:
    """Say once that a file system cannot do something that an export can do without."""
    warn(f"this file system cannot {what} ({reason}); the export goes on without it")


def sync(descriptor: int) -> None:
    """Bring what was written to an open file onto the disk itself."""
    if sys.platform == "darwin":  # where fsync leaves it in the disk's own cache
        with suppress(OSError):  # a network drive knows no such thing
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable, where the file system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows opens no folders; its names are durable by themselves
        return
    try:
        sync(descriptor)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        warn_of_missing_safety("make new names in a folder durable", error.strerror or str(error))
    finally:
        os.close(descriptor)


def replace_output(part: Path, target: Path, mode: int | None) -> None:
    """Give a finished file its name. What it replaces keeps its permissions and, where that is allowed, its owner.

    Where the target cannot be replaced, as a file that a container mounts by itself, its content is.

    Args:
        part: The finished file.
        target: Its name.
        mode: Its permissions; None for those of the file that is replaced, or else none for others.

    Raises:
        OSError: Neither is possible. The finished file stays.
    """
    with suppress(FileNotFoundError):
        old = target.stat()
        with suppress(OSError):  # not everybody may give a file away
            os.chown(part, old.st_uid, old.st_gid)
        part.chmod(stat.S_IMODE(old.st_mode))
    if mode is not None:
        part.chmod(mode)
    try:
        part.replace(target)
    except OSError as error:
        if error.errno not in {errno.EBUSY, errno.EXDEV}:
            raise
        with part.open("rb") as source, target.open("r+b") as file:
            shutil.copyfileobj(source, file)
            file.truncate()
            file.flush()
            sync(file.fileno())
        part.unlink()


def write_durably(path: Path, content: bytes) -> None:
    """Give a file a new content: after a crash it has either the old one or the new one, whole."""
    fresh = path.with_name(f"{path.name}.new")
    with removed_on_failure(fresh), open(fresh, "wb", opener=private_opener) as file:
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
    with committed(connection):
        yield connection


@contextmanager
def committed(connection: sqlite3.Connection) -> Generator[None, None, None]:
    """End a transaction of SQLite that was begun: with the block, or without anything if it fails."""
    try:
        yield
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
    with as_export_error(path if target.parent.is_dir() else target):
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
        file = FileIO(path, "a+", opener=private_opener)
        try:
            is_locked = _try_lock(file)
        except OSError:
            file.close()
            raise
        if not is_locked:
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
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
            warn_of_missing_safety("lock files against other processes", error.strerror or str(error))
    return True
