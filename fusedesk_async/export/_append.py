"""Outputs that are appended to: the file `OUT.part` and, beside it, how many of its bytes count.

Each commit brings the rows onto the disk before the checkpoint that counts them, and the checkpoint before anything
else is written; what a crash leaves behind the counted bytes is cut off by the next run. So after SIGKILL the output is
exact, and after a power failure as well, if the disk does what fsync asks of it.
"""

import gzip
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from functools import partial
from io import FileIO
from pathlib import Path
from threading import Event
from typing import Protocol

import attrs

from fusedesk_async._durable_files import as_export_error, locked, sync, sync_folder, write_durably
from fusedesk_async.errors import ExportError
from fusedesk_async.export._checkpoint import Checkpoint, Job
from fusedesk_async.export._row import Row
from fusedesk_async.export._sink import Resume, checked_target, required


class Lines(Protocol):
    """A format in which each row is text behind that of the row before."""

    header: bytes
    """What stands at the beginning."""

    def encode(self, rows: Iterable[Row]) -> bytes:
        """The text of rows."""
        ...


class Conversion(Protocol):
    """What becomes of `OUT.part` before it gets the name of the output."""

    def is_done(self, part: Path) -> bool:
        """Whether it is converted already."""
        ...

    def __call__(self, part: Path, interrupted: Event) -> None:
        """Convert it in its place: whole or not at all. The event says that it is not wanted any more."""
        ...


class AppendSink:
    """Appends to `OUT.part`, which becomes `OUT` at the end.

    Args:
        target: `OUT`.
        lines: The format.
        packed: Whether to compress with gzip, one member for each commit.
        conversion: What becomes of `OUT.part` once all rows are in it.
    """

    blocks_briefly = True

    def __init__(
        self, target: Path, lines: Lines, *, packed: bool = False, conversion: Conversion | None = None
    ) -> None:
        self._target = target
        self._part = target.with_name(f"{target.name}.part")
        self._place = target.with_name(f"{target.name}.checkpoint")
        self._lines = lines
        self._pack: Callable[[bytes], bytes] = partial(gzip.compress, compresslevel=6, mtime=0) if packed else bytes
        self._conversion = conversion
        self._interrupted = Event()
        self._holds = ExitStack()
        self._file: FileIO | None = None
        self._overwrite = self._is_cut = False

    def look(self, job: Job, *, resume: Resume, overwrite: bool) -> Checkpoint | None:
        """How far an earlier run has come."""
        with as_export_error(self._target):
            found = None if resume == "never" else self._found(job)
            required(found, resume, self._target)
            if not (found and self._is_named(found)):
                checked_target(self._target, overwrite=overwrite)
        return found

    def open(self, job: Job, *, resume: Resume, overwrite: bool) -> Checkpoint:
        """Lock the output, and cut off what does not count."""
        self._holds.enter_context(locked(self._target))
        self._overwrite = overwrite
        found = self.look(job, resume=resume, overwrite=overwrite)
        with as_export_error(self._part):
            if not (found and (self._is_named(found) or self._is_converted(found))):
                self._file = self._opened(found.size if found else 0)
        return found or Checkpoint(job=job)

    def write(self, rows: Iterable[Row], checkpoint: Checkpoint) -> Checkpoint:
        """Append rows: first the rows, then the place."""
        text = self._lines.encode(rows)
        with as_export_error(self._part):
            file = self._cut_file(checkpoint.size)
            if not checkpoint.size:
                self._append(file, self._pack(self._lines.header + text))
            elif text:
                self._append(file, self._pack(text))
            checkpoint = attrs.evolve(checkpoint, size=file.tell())
            write_durably(self._place, checkpoint.encode())
        return checkpoint

    def finish(self) -> int:
        """Give the output its name."""
        with as_export_error(self._target):
            if self._part.exists():
                if self._file:
                    self._file.close()
                checked_target(self._target, overwrite=self._overwrite)
                if self._conversion and not self._conversion.is_done(self._part):
                    self._conversion(self._part, self._interrupted)
                self._part.replace(self._target)
                sync_folder(self._target.parent)
            self._place.unlink(missing_ok=True)
            sync_folder(self._target.parent)
            return self._target.stat().st_size

    def interrupt(self) -> None:
        """Stop a conversion."""
        self._interrupted.set()

    def close(self) -> None:
        """Close the file and let go of the lock. A part in which there is nothing goes."""
        if self._file:
            with suppress(OSError):
                if not self._place.exists() and not self._part.stat().st_size:
                    self._part.unlink()
        self._holds.close()

    def _found(self, job: Job) -> Checkpoint | None:
        with as_export_error(self._place):
            if not self._place.exists():
                return None
            found = Checkpoint.decode(self._place.read_bytes(), self._place).resumed(job, self._place)
        return None if self._is_named(found) and not self._target.exists() else found  # what was whole is gone

    def _is_named(self, found: Checkpoint) -> bool:
        """Whether a run was stopped right behind giving the output its name."""
        return found.phase == "complete" and not self._part.exists()

    def _is_converted(self, found: Checkpoint) -> bool:
        """Whether a run was stopped right before that, and nothing else is left to do."""
        return found.phase == "complete" and self._conversion is not None and self._conversion.is_done(self._part)

    def _opened(self, size: int) -> FileIO:
        """`OUT.part`, of which so many bytes count.

        Raises:
            ExportError: There are fewer.
        """
        length = self._part.stat().st_size if self._part.exists() else 0
        if length < size:
            message = f"{self._part} has {length} bytes where {size} are recorded, so it was changed; begin anew"
            raise ExportError(message, None, "checkpoint")
        return self._holds.enter_context(FileIO(self._part, "r+b" if self._part.exists() else "w+b"))

    def _cut_file(self, size: int) -> FileIO:
        """The file without what does not count: what an earlier run left behind the counted bytes, or another job's."""
        file = self._file
        if file is None:
            raise AssertionError
        if not self._is_cut:
            if not size:
                self._place.unlink(missing_ok=True)  # or after a crash it would count bytes of this job
                sync_folder(self._place.parent)
            file.truncate(size)
            file.seek(size)
            sync(file.fileno())
            self._is_cut = True
        return file

    def _append(self, file: FileIO, text: bytes) -> None:
        rest = memoryview(text)
        while rest:
            rest = rest[file.write(rest) :]
        sync(file.fileno())
