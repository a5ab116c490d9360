"""What has happened in a case: notes, calls, emails."""

from datetime import datetime

import attrs

from fusedesk_async._exports import public
from fusedesk_async.models._record import Record


@public
@attrs.frozen(kw_only=True)
class HistoryItem(Record):
    """One item of a case's history; of this very class only if its kind is not known today.

    Attributes:
        type: `note`, `call`, `email`, or a text not known today.
        id: The item's id, if the server tells.
        rep_id: The user id of the rep who did it (`repid`).
    """

    type: str
    id: int | str | None = None
    rep_id: int | None = None


@public
@attrs.frozen(kw_only=True)
class Note(HistoryItem):
    """A note or a call. Its members are known from the request side only (seed page).

    Attributes:
        title: A headline.
        note: The text.
        date_added: When it was written.
    """

    title: str | None = None
    note: str | None = None
    date_added: datetime | None = None


@public
@attrs.frozen(kw_only=True)
class Email(HistoryItem):
    """An email. Its members are known from the request side only (seed page).

    Attributes:
        to: The receivers.
        sender: Who wrote it (`from`).
        cc: Further receivers.
        bcc: Hidden receivers.
        subject: The subject.
        body: The text, perhaps shortened by the server.
        date_sent: When it was sent.
        date_received: When it arrived (`date_recvd`).
    """

    to: str | None = None
    sender: str | None = None
    cc: str | None = None
    bcc: str | None = None
    subject: str | None = None
    body: str | None = None
    date_sent: datetime | None = None
    date_received: datetime | None = None
