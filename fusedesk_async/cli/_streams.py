"""The standard streams of the program, whatever they are: words on stderr that cannot be written end no work."""

import os
import sys
from typing import Any, TextIO, cast

STANDARD_DESCRIPTORS = (0, 1, 2)


class BestEffortStream:
    """A text stream that becomes the null device as soon as it cannot be written.

    Args:
        stream: The stream.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text, or nothing."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError):  # full, its reader has gone, or closed
            self._give_up()
            return len(text)

    def flush(self) -> None:
        """Pass on what was written, or nothing."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._give_up()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _give_up(self) -> None:
        self._stream = null_stream()


def null_stream() -> TextIO:
    """A stream that takes everything and keeps nothing."""
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - open until the program ends


def prepare() -> None:
    """Make the standard streams usable, whatever the program was started with.

    A closed one becomes the null device: a file that is opened later would get its number, and what is meant for the
    stream would get into the file.
    """
    for descriptor in STANDARD_DESCRIPTORS:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, which is this one
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123 - as above
    sys.stdout = sys.stdout or null_stream()
    sys.stderr = cast("TextIO", BestEffortStream(sys.stderr or null_stream()))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # they are what Python made


def flush_stdout() -> OSError | None:
    """Pass on what was printed; what went wrong, if it did. Python would say it in words of its own when it ends."""
    try:
        sys.stdout.flush()
    except OSError as error:
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, sys.stdout.fileno())
        os.close(descriptor)
        return error
    return None
