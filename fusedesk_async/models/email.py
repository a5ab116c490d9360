"""Emails that are not in a case yet."""

from datetime import datetime

import attrs

from fusedesk_async._exports import public
from fusedesk_async.models._record import Record


@public
@attrs.frozen(kw_only=True)
class EmailMessage(Record):
    """An email on its own. No public source shows one: that its members are named as in a history is assumed.

    Attributes:
        id: A text, even where it looks like a number; None if the server calls it otherwise, see `raw`.
        to: The receivers.
        sender: Who wrote it (`from`).
        cc: Further receivers.
        bcc: Hidden receivers.
        subject: The subject.
        body: The text, shortened to `body_limit` if one was asked for.
        html: The text as HTML.
        date_sent: When it was sent.
        date_received: When it arrived (`date_recvd`).
        rep_id: The user id of the rep who sent it (`repid`).
    """

    id: str | None = None
    to: str | None = None
    sender: str | None = None
    cc: str | None = None
    bcc: str | None = None
    subject: str | None = None
    body: str | None = None
    html: str | None = None
    date_sent: datetime | None = None
    date_received: datetime | None = None
    rep_id: int | None = None
