"""What customers say of a case."""

from datetime import datetime
from typing import Any

import attrs

from fusedesk_async._exports import public
from fusedesk_async.models._record import Record


@public
@attrs.frozen(kw_only=True)
class CaseFeedback(Record):
    """The feedback on a case. No public source shows it: that its members are named as in a case is assumed.

    Attributes:
        rating: As it came, a number or a text; None for `false`, `""` and `null`.
        feedback: Likewise.
        date_rated: When the customer rated it.
        date_requested_feedback: When the customer was asked to (`date_requestedfeedback`).
    """

    rating: Any = None
    feedback: Any = None
    date_rated: datetime | None = None
    date_requested_feedback: datetime | None = None
