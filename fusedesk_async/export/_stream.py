"""JSON Lines into a stream, such as stdout for a pipe: what was taken cannot be taken back, so it cannot be resumed."""

import sys
from collections.abc import Iterable
from errno import EAGAIN
from io import RawIOBase
from typing import Protocol

from fusedesk_async.errors import ConfigurationError, ExportError
from fusedesk_async.export._checkpoint import Checkpoint, Job
from fusedesk_async.export._json_lines import JsonLines
from fusedesk_async.export._row import Row
from fusedesk_async.export._sink import Resume


class BinaryStream(Protocol):
    """What takes bytes, such as `sys.stdout.buffer`."""

    def write(self, content: bytes, /) -> int | None:
        """Take some of the bytes, or all; how many."""
        ...

    def flush(self) -> None:
        """Pass them on."""


class StreamSink:
    """Writes to a stream that is not closed at the end.

    Args:
        stream: The stream.
    """

    blocks_briefly = False

    def __init__(self, stream: BinaryStream) -> None:
        self._stream = stream
        self._lines = JsonLines()
        self._size = 0

    def look(self, job: Job, *, resume: Resume, overwrite: bool) -> None:
        """Nothing is kept of earlier runs."""
        del job, overwrite
        if resume == "require":
            message = "an export into a stream cannot be gone on with; give the name of a file"
            raise ConfigurationError(message)

    def open(self, job: Job, *, resume: Resume, overwrite: bool) -> Checkpoint:
        """Always at the beginning."""
        self.look(job, resume=resume, overwrite=overwrite)
        return Checkpoint(job=job)

    def write(self, rows: Iterable[Row], checkpoint: Checkpoint) -> Checkpoint:
        """Pass rows on at once."""
        text = self._lines.encode(rows)
        try:
            rest = memoryview(text)
            while rest:  # an unbuffered stream takes only as much as it likes
                rest = rest[self._taken(bytes(rest)) :]
            self._stream.flush()
        except BrokenPipeError as error:
            message = "whoever read the output has left"
            raise ExportError(message, None, "closed") from error
        except OSError as error:
            message = f"cannot write the output: {error.strerror or error}"
            raise ExportError(message, None, "output") from error
        except ValueError as error:  # what Python says of a closed file
            message = f"cannot write the output: {error}"
            raise ExportError(message, None, "closed") from error
        self._size += len(text)
        return checkpoint

    def _taken(self, text: bytes) -> int:
        """Write some of a text, or all; how many bytes."""
        taken = self._stream.write(text)
        if taken is None and isinstance(self._stream, RawIOBase):
            raise BlockingIOError(EAGAIN, "it takes nothing at the moment, and does not wait")
        return len(text) if taken is None else taken

    def finish(self) -> int:
        """Nothing is left to do."""
        return self._size

    def interrupt(self) -> None:
        """Nothing takes long."""

    def close(self) -> None:
        """The stream belongs to somebody else."""


def stdout() -> BinaryStream:
    """The standard output, as bytes."""
    return sys.stdout.buffer
