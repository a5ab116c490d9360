"""JSON Lines into a stream, such as stdout: what is written cannot be taken back, so there is nothing to resume."""

import sys
from collections.abc import Iterable
from errno import EAGAIN
from io import RawIOBase
from typing import Protocol

from fusedesk_async.errors import ConfigurationError, ExportError
from fusedesk_async.export._checkpoint import Checkpoint, Job
from fusedesk_async.export._json_lines import JsonLines
from fusedesk_async.export._name_lists import NameLists
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

    uses_disk = False
    log_file = ""

    def __init__(self, stream: BinaryStream) -> None:
        self._stream = stream
        self._format = JsonLines()
        self._size = 0

    def find_checkpoint(self, job: Job, *, resume: Resume, overwrite: bool) -> None:
        """There is none: nothing is kept of earlier runs."""
        del job, overwrite
        if resume == "require":
            message = "an export to a stream cannot be resumed; give the name of a file"
            raise ConfigurationError(message)

    def open(self, job: Job, *, resume: Resume, overwrite: bool) -> Checkpoint:
        """Always at the beginning."""
        self.find_checkpoint(job, resume=resume, overwrite=overwrite)
        return Checkpoint(job=job)

    def write(self, rows: Iterable[Row], checkpoint: Checkpoint) -> Checkpoint:
        """Pass rows on at once."""
        text = self._format.encode(rows)
        try:
            remaining = memoryview(text)
            while remaining:  # an unbuffered stream may write only a part
                remaining = remaining[self._write_some(bytes(remaining)) :]
            self._stream.flush()
        except BrokenPipeError as error:
            message = "the reader closed the pipe"
            raise ExportError(message, None, "closed") from error
        except OSError as error:
            message = f"cannot write the output: {error.strerror or error}"
            raise ExportError(message, None, "output") from error
        except ValueError as error:  # what Python says of a closed file
            message = f"cannot write the output: {error}"
            raise ExportError(message, None, "closed") from error
        self._size += len(text)
        return checkpoint

    def _write_some(self, text: bytes) -> int:
        """Write some of a text, or all; how many bytes."""
        written = self._stream.write(text)
        if written is None and isinstance(self._stream, RawIOBase):
            raise BlockingIOError(EAGAIN, "it takes no bytes now and does not block")
        return len(text) if written is None else written

    def write_names(self, lists: NameLists) -> tuple[str, ...]:
        """Rows of cases only: there is nothing that could hold them."""
        del lists
        return ()

    def restart(self) -> None:
        """Nothing is resumed."""

    def missing_histories(self) -> None:
        """What is written stays as it is."""

    def finish(self) -> int:
        """Nothing remains to be done."""
        return self._size

    def forget(self) -> None:
        """Nothing is kept."""

    def interrupt(self) -> None:
        """Nothing takes long."""

    def close(self) -> None:
        """The stream stays open for its owner."""


def stdout() -> BinaryStream:
    """The standard output, as bytes."""
    return sys.stdout.buffer
