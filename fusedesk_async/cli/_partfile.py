"""What a file that is being written needs from the operating system."""

import os
from pathlib import Path
from typing import BinaryIO

from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._failure import CommandError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def lock(file: BinaryIO, path: Path) -> None:
    """Keep other exports away from a file.

    Raises:
        CommandError: Another one has it.
    """
    message = f"another export is writing {path}"
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(message, Exit.OUTPUT) from None
    if not path.exists() or not os.path.samestat(os.fstat(file.fileno()), path.stat()):
        raise CommandError(message, Exit.OUTPUT)  # it has got its final name just now


def settle(file: BinaryIO, path: Path, target: Path) -> None:
    """Put a file's content safely on disk, then its name."""
    target = Path(os.path.realpath(target))
    os.fsync(file.fileno())
    if os.name == "nt":
        file.close()  # no open file gets another name there
    path.replace(target)
    if os.name != "nt":
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
