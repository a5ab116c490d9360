"""Cases to stdout: complete, at once, and harmless to a terminal."""

import sys

from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._failure import CommandError, closed_pipe
from fusedesk_async.cli._text import terminal_json


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
