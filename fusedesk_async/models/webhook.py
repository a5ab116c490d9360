"""Webhooks."""

import attrs

from fusedesk_async._exports import public
from fusedesk_async.models._record import Record


@public
@attrs.frozen(kw_only=True)
class Webhook(Record):
    """An address that FuseDesk calls when something happens.

    No public source shows one: that its members are named as when it is made is assumed. What is sent to the address,
    and how one can tell that FuseDesk sent it, is not public either.

    Attributes:
        id: A text, even where it looks like a number; None if the server calls it otherwise, see `raw`.
        url: The address that is called.
        object_type: What it is about (`objectType`).
        action: What must happen to that.
    """

    id: str | None = None
    url: str | None = None
    object_type: str | None = None
    action: str | None = None
