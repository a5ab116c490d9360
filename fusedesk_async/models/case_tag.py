"""Case tags."""

import attrs

from fusedesk_async._exports import public
from fusedesk_async.models._record import Record


@public
@attrs.frozen(kw_only=True)
class CaseTag(Record):
    """A tag that cases can carry.

    Attributes:
        id: What every `tag_id` wants.
        name: What people see (`tagname`).
        hidden: Whether it is hidden (third-party source).
        total_cases: How many cases carry it (`totalcases`, third-party source).
    """

    id: int
    name: str | None = None
    hidden: bool | None = None
    total_cases: int | None = None
