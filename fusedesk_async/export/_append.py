"""Outputs that are appended to: the file `OUT.part` and, beside it, how many of its bytes count.

Each commit brings the rows onto the disk before the checkpoint that counts them, and the checkpoint before anything
else is written; what a crash leaves beyond the counted bytes is cut off by the next run. So after SIGKILL the output is
exact, and after a power failure as well, if the disk does what fsync asks of it.
"""

import gzip
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from io import FileIO
from pathlib import Path
from threading import Event
from typing import Protocol

import attrs

from fusedesk_async._durable_files import (
    as_export_error,
    locked,
    private_opener,
    replace_output,
    sync,
    sync_folder,
    write_durably,
)
from fusedesk_async.errors import ExportError
from fusedesk_async.export._checkpoint import Checkpoint, Job
from fusedesk_async.export._name_lists import NameLists
from fusedesk_async.export._row import Row
from fusedesk_async.export._sink import (
    DEFAULT_REPLACEMENT,
    Replacement,
    Resume,
    check_target,
    refuse_to_empty,
    require_checkpoint,
)


class RowFormat(Protocol):
    """A format in which the text of each row follows that of the row before."""

    header: bytes
    """What the output begins with."""

    def encode(self, rows: Iterable[Row]) -> bytes:
        """The text of rows."""
        ...


class Conversion(Protocol):
    """What `OUT.part` is converted to before it gets the name of the output."""

    def is_done(self, part: Path) -> bool:
        """Whether it is converted already."""
        ...

    def is_empty(self, output: Path) -> bool:
        """Whether a file, converted or not, holds no row."""
        ...

    def holds(self, output: Path, rows: int) -> bool:
        """Whether a file is converted and holds this many rows."""
        ...

    def __call__(self, part: Path, interrupted: Event) -> None:
        """Convert it in place: whole or not at all. The event says that it is no longer wanted."""
        ...


class AppendSink:
    """Appends to `OUT.part`, which becomes `OUT` at the end.

    Args:
        target: `OUT`.
        row_format: The format.
        compressed: Whether to compress with gzip, one member for each commit.
        conversion: What `OUT.part` is converted to once all rows are in it.
        replacement: How it takes its name.
    """

    uses_disk = True
    log_file = ""

    def __init__(
        self,
        target: Path,
        row_format: RowFormat,
        *,
        compressed: bool = False,
        conversion: Conversion | None = None,
        replacement: Replacement = DEFAULT_REPLACEMENT,
    ) -> None:
        self._target = target
        self._part = target.with_name(f"{target.name}.part")
        self._checkpoint_path = target.with_name(f"{target.name}.checkpoint")
        self._format = row_format
        self._compress = _gzip if compressed else bytes
        self._conversion = conversion
        self._replacement = replacement
        self._interrupted = Event()
        self._resources = ExitStack()
        self._file: FileIO | None = None
        self._overwrite = self._is_truncated = False

    def find_checkpoint(self, job: Job, *, resume: Resume, overwrite: bool) -> Checkpoint | None:
        """How far an earlier run has come."""
        with as_export_error(self._target):
            found = None if resume == "never" else self._read_checkpoint(job)
            require_checkpoint(found, resume, self._target)
            if not (found and self._is_renamed(found)):
                check_target(self._target, overwrite=overwrite)
            if found is None and resume != "never":
                self._check_part()
        return found

    def open(self, job: Job, *, resume: Resume, overwrite: bool) -> Checkpoint:
        """Lock the output, and cut off what does not count."""
        self._resources.enter_context(locked(self._target))
        self._overwrite = overwrite
        found = self.find_checkpoint(job, resume=resume, overwrite=overwrite)
        with as_export_error(self._part):
            if not (found and (self._is_renamed(found) or self._is_converted(found))):
                self._file = self._open_part(found.size if found else 0)
        return found or Checkpoint(job=job)

    def write(self, rows: Iterable[Row], checkpoint: Checkpoint) -> Checkpoint:
        """Append rows: first the rows, then the checkpoint."""
        text = self._format.encode(rows)
        with as_export_error(self._part):
            file = self._truncated_file(checkpoint)
            if not checkpoint.size:
                self._append(file, self._compress(self._format.header + text))
            elif text:
                self._append(file, self._compress(text))
            checkpoint = attrs.evolve(checkpoint, size=file.tell())
            write_durably(self._checkpoint_path, checkpoint.encode())
        return checkpoint

    def write_names(self, lists: NameLists) -> tuple[str, ...]:
        """Rows of cases only: there is nothing that could hold them."""
        del lists
        return ()

    def restart(self) -> None:
        """A checkpoint that counts no bytes drops all rows."""
        self._is_truncated = False

    def missing_histories(self) -> None:
        """What is written stays as it is."""

    def finish(self) -> int:
        """Give the output its name."""
        with as_export_error(self._target):
            if self._part.exists():
                if self._file:
                    self._file.close()
                check_target(self._target, overwrite=self._overwrite)
                self._check_not_emptied()
                if self._conversion and not self._conversion.is_done(self._part):
                    self._conversion(self._part, self._interrupted)
                replace_output(self._part, self._target, self._replacement.mode)
                sync_folder(self._target.parent)
            return self._target.stat().st_size

    def forget(self) -> None:
        """Remove the checkpoint."""
        with suppress(OSError):  # then the next run says that it is whole already
            self._checkpoint_path.unlink(missing_ok=True)

    def interrupt(self) -> None:
        """Stop a conversion."""
        self._interrupted.set()

    def close(self) -> None:
        """Close the file and unlock it. An empty part is removed."""
        if self._file:
            with suppress(OSError):
                if not self._checkpoint_path.exists() and not self._part.stat().st_size:
                    self._part.unlink()
        self._resources.close()

    def _read_checkpoint(self, job: Job) -> Checkpoint | None:
        with as_export_error(self._checkpoint_path):
            if not self._checkpoint_path.exists():
                return None
            found = Checkpoint.decode(self._checkpoint_path.read_bytes(), self._checkpoint_path)
            if self._is_renamed(found) and not self._is_output_of(found, job):
                return None
        return found.resumed(job, self._checkpoint_path)

    def _is_renamed(self, found: Checkpoint) -> bool:
        """Whether a run was stopped after it gave the output its name."""
        return found.phase == "complete" and not self._part.exists()

    def _is_output_of(self, found: Checkpoint, job: Job) -> bool:
        """Whether the file that has the name is what such a run of the job wrote, and was not replaced since."""
        if job.difference(found.job) or not self._target.is_file():
            return False
        if self._conversion:
            return self._conversion.holds(self._target, found.cases)
        return self._target.stat().st_size == found.size

    def _is_converted(self, found: Checkpoint) -> bool:
        """Whether a run was stopped right before that, and nothing else remains to be done."""
        return found.phase == "complete" and self._conversion is not None and self._conversion.is_done(self._part)

    def _check_part(self) -> None:
        """Check that there is no part that nothing says is ours.

        Raises:
            ExportError: There is one, and whether it can be done without only its owner knows.
        """
        if self._part.exists() and self._part.stat().st_size:
            message = f"{self._part} holds something, but {self._checkpoint_path.name} is not beside it; move it away"
            raise ExportError(message, None, "checkpoint")

    def _check_not_emptied(self) -> None:
        """Check that no rows are replaced by none. A part without rows goes, or the next run would resume it."""
        if self._replacement.allow_empty or not self._target.exists() or not self._is_empty(self._part):
            return
        if not self._is_empty(self._target):
            self._checkpoint_path.unlink(missing_ok=True)
            self._part.unlink()
            refuse_to_empty(self._target)

    def _is_empty(self, output: Path) -> bool:
        if self._conversion:
            return self._conversion.is_empty(output)
        return output.stat().st_size <= len(self._compress(self._format.header))

    def _open_part(self, size: int) -> FileIO:
        """`OUT.part`, of which the first `size` bytes count.

        Raises:
            ExportError: It has fewer.
        """
        length = self._part.stat().st_size if self._part.exists() else 0
        if length < size:
            message = f"{self._part} was changed: it has {length} bytes, fewer than the {size} recorded; start over"
            raise ExportError(message, None, "checkpoint")
        return self._resources.enter_context(
            FileIO(self._part, "r+b" if self._part.exists() else "w+b", opener=private_opener)
        )

    def _truncated_file(self, checkpoint: Checkpoint) -> FileIO:
        """The file, cut to the bytes that count: no remains of an earlier run or of another job."""
        file, size = self._file, checkpoint.size
        if file is None:
            raise AssertionError
        if not self._is_truncated:
            if not size:  # or after a crash an old one would count bytes of this job, or none would say whose they are
                write_durably(self._checkpoint_path, checkpoint.encode())
            file.truncate(size)
            file.seek(size)
            sync(file.fileno())
            self._is_truncated = True
        return file

    def _append(self, file: FileIO, text: bytes) -> None:
        remaining = memoryview(text)
        while remaining:
            remaining = remaining[file.write(remaining) :]
        sync(file.fileno())


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=6, mtime=0)
