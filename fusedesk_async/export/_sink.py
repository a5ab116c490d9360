"""What an export writes to: rows, and the place reached, which become durable together."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from fusedesk_async._durable_files import as_export_error
from fusedesk_async.errors import ExportError
from fusedesk_async.export._checkpoint import Checkpoint, Job
from fusedesk_async.export._row import Row

Resume: TypeAlias = Literal["auto", "never", "require"]
"""Whether to go on where an earlier run stopped: if there is one, never, or only so."""


class Sink(Protocol):
    """An output. Its methods block, and are called one at a time."""

    blocks_briefly: bool
    """Whether it is a matter of a disk, so that a thread can wait for it, even if the export is cancelled meanwhile."""

    def look(self, job: Job, *, resume: Resume, overwrite: bool) -> Checkpoint | None:
        """How far an earlier run of the job has come, if there was one. Changes nothing.

        Raises:
            ExportError: The output exists, belongs to another job, or there is nothing to go on with.
        """
        ...

    def open(self, job: Job, *, resume: Resume, overwrite: bool) -> Checkpoint:
        """Take hold of the output before anything is asked of the server; how far it has come.

        Raises:
            ExportError: As `look`, or it cannot be written, or somebody else is at it.
        """
        ...

    def write(self, rows: Iterable[Row], checkpoint: Checkpoint) -> Checkpoint:
        """Make rows and place durable together; the place as it was recorded.

        Raises:
            ExportError: They cannot be written; then neither of them counts.
        """
        ...

    def finish(self) -> int:
        """Everything is there: give the output its name; its size in bytes.

        Raises:
            ExportError: That cannot be done. The checkpoint stays, so it can be tried again.
        """
        ...

    def interrupt(self) -> None:
        """Stop `finish` soon, if it is at something that takes long. Called from another thread."""
        ...

    def close(self) -> None:
        """Let the output go, finished or not."""
        ...


def checked_target(target: Path, *, overwrite: bool) -> None:
    """Look whether an output may get its name.

    Raises:
        ExportError: There is such a file already, and it is not to be replaced, or is no regular one.
    """
    with as_export_error(target):
        exists, is_file = target.exists(), target.is_file()
    if exists and not is_file:
        message = f"{target} is no regular file; give another name"
        raise ExportError(message, None, "output")
    if exists and not overwrite:
        message = f"{target} exists already"
        raise ExportError(message, None, "exists")


def required(found: Checkpoint | None, resume: Resume, target: Path) -> None:
    """Look whether there is something to go on with, if there must be.

    Raises:
        ExportError: There is nothing.
    """
    if found is None and resume == "require":
        message = f"there is no export to {target} that could be gone on with"
        raise ExportError(message, None, "checkpoint")
