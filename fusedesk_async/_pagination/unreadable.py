"""Rows that cannot be had."""

import attrs

from fusedesk_async._exports import public


@public
@attrs.frozen
class UnreadableRow:
    """A row of a list that cannot be had, since every page that holds it fails, however small. It was passed over.

    Whatever is missing because of it has an id between `after` and `before`.

    Attributes:
        rank: Its offset in the list when it was passed over.
        after: The id of the record delivered before it; None if there is none.
        before: The id of the next record behind it; None if there is none.
        reason: What came in place of it, in one line.
    """

    rank: int
    after: int | None
    before: int | None
    reason: str

    @property
    def id(self) -> int | None:
        """Its id, if only one fits between its neighbours."""
        if self.after is None or self.before is None or abs(self.before - self.after) != 2:  # noqa: PLR2004
            return None
        return (self.before + self.after) // 2

    def __str__(self) -> str:
        """`row 41 (between ids 40 and 42) cannot be had: …`."""
        bounds = f"between ids {'…' if self.after is None else self.after} and "
        return f"row {self.rank} ({bounds}{'…' if self.before is None else self.before}) cannot be had: {self.reason}"
