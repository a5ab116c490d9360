"""What an export writes to: rows and a checkpoint, which become durable together."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NoReturn, Protocol, TypeAlias

import attrs

from fusedesk_async._durable_files import as_export_error
from fusedesk_async.errors import ExportError
from fusedesk_async.export._checkpoint import Checkpoint, Job
from fusedesk_async.export._name_lists import NameLists
from fusedesk_async.export._row import Row

Resume: TypeAlias = Literal["auto", "never", "require"]
"""Whether to resume an earlier run: if there is one, never, or fail if there is none."""


@attrs.frozen(kw_only=True)
class Replacement:
    """How a finished output takes its name.

    Attributes:
        allow_empty: Whether an output that holds cases may be replaced by one without any.
        mode: Its permissions; None for those of the one that is replaced, or else for its owner's alone.
    """

    allow_empty: bool = False
    mode: int | None = None


DEFAULT_REPLACEMENT = Replacement()


class Sink(Protocol):
    """An output. Its methods block, and are called one at a time."""

    uses_disk: bool
    """Whether its methods are brief enough for a thread to wait for them, even if the export is cancelled meanwhile."""
    log_file: str
    """After `finish`, the name of a file beside it that holds rows, too; empty if there is none."""

    def find_checkpoint(self, job: Job, *, resume: Resume, overwrite: bool) -> Checkpoint | None:
        """How far an earlier run of the job has come, if there was one. Changes nothing.

        Raises:
            ExportError: The output exists, belongs to another job, or there is nothing to resume.
        """
        ...

    def open(self, job: Job, *, resume: Resume, overwrite: bool) -> Checkpoint:
        """Lock the output before anything is asked of the server; how far it has come.

        Raises:
            ExportError: As `find_checkpoint`, or it cannot be written, or another process has locked it.
        """
        ...

    def write(self, rows: Iterable[Row], checkpoint: Checkpoint) -> Checkpoint:
        """Make rows and checkpoint durable together; the checkpoint as it was recorded.

        Raises:
            ExportError: They cannot be written; then neither of them counts.
        """
        ...

    def write_names(self, lists: NameLists) -> tuple[str, ...]:
        """Replace the lists of departments, reps and tags that came; those that could not be put in, with the reason.

        Only databases have tables for them; no other output is given any.

        Raises:
            ExportError: They cannot be written.
        """
        ...

    def restart(self) -> None:
        """Drop all rows; the next write begins the output anew."""
        ...

    def missing_histories(self) -> Sequence[int] | None:
        """Ids of the cases in it whose history could not be fetched; None if it cannot take them later."""
        ...

    def finish(self) -> int:
        """Everything is there: give the output its name; its size in bytes. The checkpoint stays beside it.

        Raises:
            ExportError: That cannot be done. It can be tried again.
        """
        ...

    def forget(self) -> None:
        """Remove what says that it is finished: the caller knows. Until then another run of the job says so, too."""
        ...

    def interrupt(self) -> None:
        """Stop `finish` soon, if it is at something that takes long. Called from another thread."""
        ...

    def close(self) -> None:
        """Close and unlock the output, finished or not."""
        ...


def check_target(target: Path, *, overwrite: bool) -> None:
    """Check that an output may get its name.

    Raises:
        ExportError: There is such a file already, and it is not to be replaced, or is not a regular one.
    """
    with as_export_error(target):
        exists, is_file = target.exists() or target.is_symlink(), target.is_file()  # a link that is left leads nowhere
    if exists and not is_file:
        message = f"{target} is not a regular file; give another name, or - for stdout"
        raise ExportError(message, None, "output")
    if exists and not overwrite:
        message = f"{target} exists already"
        raise ExportError(message, None, "exists")


def refuse_to_empty(target: object) -> NoReturn:
    """Refuse to replace an output that holds cases by one without any.

    Raises:
        ExportError: Always.
    """
    message = f"no case came, so {target} was left as it is, with the cases it holds"
    raise ExportError(message, None, "empty")


def require_checkpoint(found: Checkpoint | None, resume: Resume, target: object) -> None:
    """Check that there is an earlier run, if one is required.

    Raises:
        ExportError: There is none.
    """
    if found is None and resume == "require":
        message = f"there is no export to {target} to resume"
        raise ExportError(message, None, "checkpoint")
