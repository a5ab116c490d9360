"""Lines of a file or stdin, and cases to stdout: complete, at once, and harmless to a terminal."""

import sys
from collections import deque
from pathlib import Path
from typing import BinaryIO, Self

from anyio import to_thread

from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._failure import CommandError, closed_pipe
from fusedesk_async.cli._text import terminal_json

READ_SIZE = 1 << 16
"""Bytes, about, that are read at once."""


class FileLines:
    """The lines of a file, one by one, for `async for`.

    Args:
        name: A path, or `-` for stdin.

    Raises:
        CommandError: It cannot be read.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._ready: deque[bytes] = deque()
        try:
            self._file: BinaryIO = sys.stdin.buffer if name == "-" else Path(name).open("rb")  # noqa: SIM115 - closed by `close`
        except OSError as error:
            raise self._read_error(error) from error

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._ready:
            self._ready.extend(await to_thread.run_sync(self._read))
        if not self._ready:
            raise StopAsyncIteration
        return self._ready.popleft()

    def close(self) -> None:
        """Close the file, but not stdin."""
        if self._name != "-":
            self._file.close()

    def _read(self) -> list[bytes]:
        try:
            return self._file.readlines(READ_SIZE) if self._name != "-" else [*filter(None, [self._file.readline()])]
        except OSError as error:
            raise self._read_error(error) from error

    def _read_error(self, error: OSError) -> CommandError:
        return CommandError(f"cannot read {self._name}: {error.strerror}", Exit.USAGE)


class Stdout:
    """The standard output as a binary stream; on a terminal, control characters are escaped."""

    def __init__(self) -> None:
        self._file = sys.stdout.buffer
        self._is_terminal = sys.stdout.isatty()

    def write(self, content: bytes) -> int:
        """Take lines of JSON."""
        remaining = memoryview(terminal_json(content) if self._is_terminal else content)
        while remaining:  # with PYTHONUNBUFFERED set, stdout may write only a part
            remaining = remaining[self._file.write(remaining) :]
        return len(content)

    def flush(self) -> None:
        """Pass them on."""
        self._file.flush()


def print_lines(lines: bytes) -> None:
    """Print lines of JSON.

    Raises:
        CommandError: They cannot be written, or the reader closed the pipe.
    """
    stdout = Stdout()
    try:
        stdout.write(lines)
        stdout.flush()
    except BrokenPipeError:
        raise closed_pipe() from None
    except OSError as error:
        message = f"cannot write the output: {error.strerror}"
        raise CommandError(message, Exit.OUTPUT) from error
