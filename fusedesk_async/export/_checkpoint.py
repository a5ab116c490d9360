"""How far an export has come, as it is kept beside its output: nothing of the key is in it."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self, TypeAlias, TypeVar

import attrs
import msgspec

from fusedesk_async import _json
from fusedesk_async._pagination.bookmark import Bookmark
from fusedesk_async._pagination.unreadable import UnreadableRow
from fusedesk_async._wire.profile import ServerProfile
from fusedesk_async.errors import ExportError

VERSION = 2
"""Version 1 knew no rows that cannot be had."""
MAX_REJECTED_IDS = 1_000
"""Ids of cases that could not be read beyond these are not kept, only counted."""
MAX_UNREADABLE = 1_000
"""Likewise of rows that cannot be had."""
MAX_ODD_FIELDS = 1_000
"""Likewise of fields."""
LONGEST_ODD_TEXT = 80
"""Characters that are kept of the text of such a field, since the checkpoint is written at each commit."""

C = TypeVar("C", bound="Checkpoint")
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
Phase: TypeAlias = Literal["cases", "missing", "changes", "update", "complete"]
"""What is under way: all cases; in an update, what was missing before, all changed cases, and then those of the export;
or nothing any more."""


@attrs.frozen(kw_only=True)
class Job:
    """What an export is about. A checkpoint is good for exactly the same job.

    Attributes:
        server: The address of the app.
        query: The filters, as they are sent.
        format: The format of the output.
        history: Whether each case is fetched with its history.
        layout: What else decides how the output looks, such as its columns.
    """

    server: str
    query: str
    format: str
    history: bool
    layout: str = ""

    def difference(self, other: Self) -> str:
        """How another job differs; empty if it does not."""
        for field in attrs.fields(Job):
            ours, theirs = getattr(self, field.name), getattr(other, field.name)
            if ours != theirs:
                return f"its {field.name} is {_shown(theirs)}, not {_shown(ours)}"
        return ""


@attrs.frozen(kw_only=True)
class Checkpoint:
    """How far a job has come.

    Attributes:
        job: The job.
        version: Of the checkpoint's own format.
        phase: What is under way.
        bookmark: Where the walk of this phase is; empty if it has not begun.
        size: Bytes of the output that count; what is behind them does not.
        cases: Cases in the output.
        tombstones: Those of them that were gone when their history was asked for.
        history_errors: Those of them whose history could not be fetched otherwise.
        rejected: Cases that could not be read, so that they are not in the output.
        rejected_ids: Ids of the first of these.
        unreadable: Rows of the list that cannot be had, the first of them.
        unreadable_count: How many these are in all.
        is_unordered: Whether the server does not keep the order by id, so that the list cannot be resumed.
        is_certain: In an update, whether the lists say for certain what does not match any more.
        odd_fields: Fields that could not be read, so that their cells are empty.
        odd: The first of these: the id of the case, the field, the text as sent.
        missing_names: Which lists of departments, reps and tags could not be fetched, each with the reason.
        expected: How many cases there will be, as far as known.
        started_after: The newest date on the server when the job began; an update asks for what changed since.
        since: In an update, the day after which changes count; empty for all of them.
        known_good: The last case whose history came: asked again, it tells a broken case from a broken server.
        runs: How often it was started.
        profile: What is known of the server.
    """

    job: Job
    version: int = VERSION
    phase: Phase = "cases"
    bookmark: str = ""
    size: Count = 0
    cases: Count = 0
    tombstones: Count = 0
    history_errors: Count = 0
    rejected: Count = 0
    rejected_ids: tuple[int | str | None, ...] = ()
    unreadable: tuple[UnreadableRow, ...] = ()
    unreadable_count: Count = 0
    is_unordered: bool = False
    is_certain: bool = True
    odd_fields: Count = 0
    odd: tuple[tuple[int | str, str, str], ...] = ()
    missing_names: tuple[str, ...] = ()
    expected: Count | None = None
    started_after: str = ""
    since: str = ""
    known_good: int | None = None
    runs: Count = 1
    profile: ServerProfile = ServerProfile()  # noqa: RUF009 - it is frozen

    @property
    def has_cases(self) -> bool:
        """Whether the list of this phase has brought cases already."""
        return bool(self.bookmark) and Bookmark.parse(self.bookmark).id is not None

    def encode(self) -> bytes:
        """As JSON."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, text: bytes, path: object) -> Self:
        """From JSON.

        Raises:
            ExportError: It is none, or of a newer version of this library.
        """
        try:
            version = _version(msgspec.json.decode(text))
            if version <= VERSION:
                return _checked(msgspec.json.decode(text, type=cls))
        except (ValueError, TypeError, RecursionError) as error:
            message = f"the checkpoint in {path} is corrupt ({error}); start over"
            raise ExportError(message, None, "checkpoint") from None
        message = (
            f"the checkpoint in {path} is of a newer version of fusedesk_async ({version}); use that one, or start over"
        )
        raise ExportError(message, None, "checkpoint")

    def resumed(self, job: Job, path: object) -> Self:
        """The same checkpoint for another run of the same job.

        Raises:
            ExportError: It belongs to another job.
        """
        difference = job.difference(self.job)
        if difference:
            message = f"{path} belongs to another export: {difference}; use the same options, or start over"
            raise ExportError(message, None, "checkpoint")
        return attrs.evolve(self, runs=self.runs + 1)


def _version(value: Any) -> int:
    version: Any = value.get("version") if _json.is_object(value) else None
    if not isinstance(version, int) or version < 1:
        message = "it names no version"
        raise TypeError(message)
    return version


def _checked(checkpoint: C) -> C:
    """A checkpoint whose texts are what they should be.

    Raises:
        ValueError: One of them is not.
    """
    if checkpoint.bookmark:
        Bookmark.parse(checkpoint.bookmark)
    for moment in filter(None, (checkpoint.started_after, checkpoint.since)):
        datetime.fromisoformat(moment)
    return checkpoint


def _shown(value: object) -> str:
    return f"{value!r:.200}"
