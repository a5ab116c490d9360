"""Files that must survive a crash: durable writes, and a lock that says who holds it."""

import os
import platform
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from fusedesk_async.errors import ExportError

if sys.platform != "win32":
    import fcntl


def sync(number: int) -> None:
    """Bring what was written to an open file onto the disk itself."""
    if sys.platform == "darwin":  # where fsync leaves it in the disk's own cache
        fcntl.fcntl(number, fcntl.F_FULLFSYNC)
    os.fsync(number)


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable."""
    with suppress(PermissionError):  # Windows opens no folders; its names are durable by themselves
        number = os.open(folder, os.O_RDONLY)
        try:
            sync(number)
        finally:
            os.close(number)


def write_durably(path: Path, content: bytes) -> None:
    """Give a file a new content: after a crash it has either the old one or the new one, whole."""
    fresh = path.with_name(f"{path.name}.new")
    with unless_it_fails(fresh), fresh.open("wb") as file:
        file.write(content)
        file.flush()
        sync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


@contextmanager
def unless_it_fails(path: Path) -> Generator[None, None, None]:
    """Remove a file again if the block that makes it fails: what is left of it would keep a full disk full."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


@contextmanager
def named(path: Path) -> Generator[None, None, None]:
    """Turn trouble with a file into an `ExportError` that names it."""
    try:
        yield
    except OSError as error:
        message = f"cannot write {path}: {error.strerror or error}"
        raise ExportError(message, None, "output") from error


@contextmanager
def held(target: Path) -> Generator[None, None, None]:
    """Keep others away from a file while the block lasts; the system lets it go if the process dies.

    On Windows nobody is kept away.

    Args:
        target: The file. The lock is a file beside it, with `.lock` at the end of its name.

    Raises:
        ExportError: Somebody else has it (`locked`; the message says who), or the folder cannot be written (`output`).
    """
    path = target.with_name(f"{target.name}.lock")
    with named(path):
        file = _locked(path, target)
    with file:
        with suppress(OSError):  # on a full disk it is held all the same
            file.truncate(0)
            file.write(f"process {os.getpid()} on {platform.node()}\n".encode())
        try:
            yield
        finally:
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _locked(path: Path, target: Path) -> FileIO:
    """The open lock file, which nobody else has."""
    while True:
        file = FileIO(path, "a+")
        if not _take(file):
            file.seek(0)
            holder = file.readline().decode(errors="replace").strip() or "another process"
            file.close()
            message = f"{target} is in use by {holder}"
            raise ExportError(message, None, "locked")
        if _is_at(path, file):
            return file
        file.close()  # who had it has just removed it


def _is_at(path: Path, file: FileIO) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _take(file: FileIO) -> bool:
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
