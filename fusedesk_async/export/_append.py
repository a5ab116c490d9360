"""Outputs that are appended to: the file `OUT.part` and, beside it, how many of its bytes count.

Each commit brings the rows onto the disk before the checkpoint that counts them, and the checkpoint before anything
else is written; what a crash leaves behind the counted bytes is cut off by the next run. So after SIGKILL the output is
exact, and after a power failure as well, if the disk does what fsync asks of it.
"""

import gzip
import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Protocol

import attrs

from fusedesk_async._files import held, named, sync, sync_folder, write_durably
from fusedesk_async.errors import ExportError
from fusedesk_async.export._checkpoint import Checkpoint, Job
from fusedesk_async.export._row import Row
from fusedesk_async.export._sink import Resume, checked_target, required

Settle = Callable[[Path, Path], object]
"""Makes the output itself of `OUT.part`, durable or not at all."""


class Lines(Protocol):
    """A format in which each row is text behind that of the row before."""

    header: bytes
    """What stands at the beginning."""

    def encode(self, rows: Iterable[Row]) -> bytes:
        """The text of rows."""
        ...


def rename(part: Path, target: Path) -> None:
    """The usual way to settle: the part is the output."""
    part.replace(target)
    sync_folder(target.parent)


class AppendSink:
    """Appends to `OUT.part`, which becomes `OUT` at the end.

    Args:
        target: `OUT`.
        lines: The format.
        packed: Whether to compress with gzip, one member for each commit.
        settle: Makes `OUT` of `OUT.part`.
    """

    blocks_briefly = True

    def __init__(self, target: Path, lines: Lines, *, packed: bool = False, settle: Settle = rename) -> None:
        self._target = target
        self._part = target.with_name(f"{target.name}.part")
        self._place = target.with_name(f"{target.name}.checkpoint")
        self._lines = lines
        self._pack: Callable[[bytes], bytes] = partial(gzip.compress, compresslevel=6, mtime=0) if packed else bytes
        self._settle = settle
        self._holds = ExitStack()
        self._file: FileIO
        self._overwrite = self._is_cut = False

    def look(self, job: Job, *, resume: Resume, overwrite: bool) -> Checkpoint | None:
        """How far an earlier run has come."""
        found = None if resume == "never" else self._found(job)
        required(found, resume, self._target)
        if not (found and found.phase == "complete" and not self._part.exists()):  # else it has its name already
            checked_target(self._target, overwrite=overwrite)
        return found

    def open(self, job: Job, *, resume: Resume, overwrite: bool) -> Checkpoint:
        """Lock the output, and cut off what does not count."""
        self._holds.enter_context(held(self._target))
        self._overwrite = overwrite
        found = self.look(job, resume=resume, overwrite=overwrite)
        if found and found.phase == "complete" and not self._part.exists():
            return found  # it was stopped right behind that
        with named(self._part):
            self._file = self._holds.enter_context(FileIO(self._part, "r+b" if self._part.exists() else "w+b"))
        if found:
            self._check_length(found.size)
        return found or Checkpoint(job=job)

    def write(self, rows: Iterable[Row], checkpoint: Checkpoint) -> Checkpoint:
        """Append rows: first the rows, then the place."""
        text = self._lines.encode(rows)
        text = text if checkpoint.size else self._lines.header + text
        with named(self._part):
            if not self._is_cut:
                self._cut(checkpoint.size)
            if text:
                self._append(self._pack(text))
            checkpoint = attrs.evolve(checkpoint, size=self._file.tell())
            write_durably(self._place, checkpoint.encode())
        return checkpoint

    def finish(self) -> int:
        """Give the output its name."""
        with named(self._target):
            if self._part.exists():
                self._file.close()
                checked_target(self._target, overwrite=self._overwrite)
                self._settle(self._part, self._target)
                self._part.unlink(missing_ok=True)
            self._place.unlink(missing_ok=True)
            sync_folder(self._target.parent)
            return self._target.stat().st_size

    def close(self) -> None:
        """Close the file and let go of the lock. A part in which there is nothing goes."""
        with suppress(OSError):
            if not self._place.exists() and not self._part.stat().st_size:
                self._part.unlink()
        self._holds.close()

    def _found(self, job: Job) -> Checkpoint | None:
        with named(self._place):
            if not self._place.exists():
                return None
            return Checkpoint.decode(self._place.read_bytes(), self._place).resumed(job, self._place)

    def _check_length(self, size: int) -> None:
        length = os.fstat(self._file.fileno()).st_size
        if length < size:
            message = f"{self._part} has {length} bytes where {size} are recorded, so it was changed; begin anew"
            raise ExportError(message, None, "checkpoint")

    def _cut(self, size: int) -> None:
        """Cut off what does not count: what an earlier run left behind the counted bytes, or all of another job's."""
        if not size:
            self._place.unlink(missing_ok=True)  # or after a crash it would count bytes of this job
            sync_folder(self._place.parent)
        self._file.truncate(size)
        self._file.seek(size)
        self._is_cut = True

    def _append(self, text: bytes) -> None:
        rest = memoryview(text)
        while rest:
            rest = rest[self._file.write(rest) :]
        sync(self._file.fileno())
