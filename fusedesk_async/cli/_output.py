"""Where exported cases go: a file that appears only when it is whole, or stdout."""

import os
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._failure import CommandError, closed_pipe
from fusedesk_async.cli._partfile import lock, settle
from fusedesk_async.cli._text import counted, terminal_json


class Output(Protocol):
    """Takes lines."""

    def write(self, lines: Iterable[bytes]) -> None:
        """Add lines; they come without line breaks."""
        ...

    def finish(self) -> str:
        """Everything is there; what to say about it."""
        ...

    def left_behind(self) -> str:
        """What to say if it did not come to that."""
        ...


class FileOutput:
    """Writes to `OUT.part`, which becomes `OUT` at the end."""

    def __init__(self, target: Path, file: BinaryIO, *, overwrite: bool) -> None:
        self._target = target
        self._part = Path(file.name)
        self._file = file
        self._overwrite = overwrite
        self._size = 0
        self._count = 0
        self._is_finished = False

    def write(self, lines: Iterable[bytes]) -> None:
        """Add lines. What an earlier export left behind goes only now."""
        batch = list(lines)
        text = b"".join(line + b"\n" for line in batch)
        with _named(self._part):
            if not self._size:
                self._file.truncate(0)
            self._file.write(text)
            self._file.flush()
        self._size += len(text)
        self._count += len(batch)

    def finish(self) -> str:
        """Make it durable and give it its name."""
        self.write([])
        if not self._overwrite and self._target.exists():
            message = f"{self._target} has appeared meanwhile and is left as it is; the export is whole"
            raise CommandError(message, Exit.OUTPUT)
        with _named(self._part):
            settle(self._file, self._part, self._target)
        self._is_finished = True
        return f"{self._target} {size_text(self._size)}"

    def left_behind(self) -> str:
        """Say what is in `OUT.part`."""
        return (
            f"; the first {counted(self._count, 'case')} are left in {self._part}"
            if self._size and self._part.exists()
            else ""
        )

    def tidy(self) -> None:
        """Remove an `OUT.part` in which there is nothing."""
        if not self._is_finished and not os.fstat(self._file.fileno()).st_size:
            self._part.unlink(missing_ok=True)


class StdoutOutput:
    """Writes to stdout."""

    def __init__(self) -> None:
        self._file = sys.stdout.buffer
        self._is_terminal = sys.stdout.isatty()
        self._size = 0

    def write(self, lines: Iterable[bytes]) -> None:
        """Add lines, at once."""
        text = b"".join((terminal_json(line) if self._is_terminal else line) + b"\n" for line in lines)
        with _named(Path("the output")):
            rest = memoryview(text)
            while rest:  # with PYTHONUNBUFFERED set, stdout takes only as much as it likes
                rest = rest[self._file.write(rest) :]
            self._file.flush()
        self._size += len(text)

    def finish(self) -> str:
        """Nothing is left to do."""
        return size_text(self._size)

    def left_behind(self) -> str:
        """Whoever reads it has seen it."""
        return ""


@contextmanager
def output_to(out: str, *, overwrite: bool) -> Generator[Output, None, None]:
    """Open an output, before anything is asked of the server.

    Args:
        out: A path, or `-` for stdout.
        overwrite: Whether a file of that name may be replaced.

    Raises:
        CommandError: It cannot be written, or it exists.
    """
    if out == "-":
        yield StdoutOutput()
        return
    target = Path(os.path.realpath(out))
    if target.exists():
        _check_replaceable(out, target, overwrite=overwrite)
    part = target.with_name(f"{target.name}.part")
    with _named(part):
        file = part.open("ab")
    with file:
        lock(file, part)
        output = FileOutput(Path(out), file, overwrite=overwrite)
        try:
            yield output
        finally:
            output.tidy()


def size_text(size: float) -> str:
    """`11.2 MB`."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:  # noqa: PLR2004 - what kilo means
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _check_replaceable(out: str, target: Path, *, overwrite: bool) -> None:
    if not target.is_file():
        message = f"{out} is no regular file; give another name, or - for stdout"
        raise CommandError(message, Exit.OUTPUT)
    if not overwrite:
        message = f"{out} exists; --overwrite replaces it when the export is whole"
        raise CommandError(message, Exit.OUTPUT)


@contextmanager
def _named(path: Path) -> Generator[None, None, None]:
    """Turn trouble with a file into a failure that names it."""
    try:
        yield
    except BrokenPipeError:
        raise closed_pipe() from None
    except OSError as error:
        message = f"cannot write {path}: {error.strerror}"
        raise CommandError(message, Exit.OUTPUT) from error
