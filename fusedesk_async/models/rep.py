"""Reps: those who answer."""

from datetime import datetime

import attrs

from fusedesk_async._exports import public
from fusedesk_async.models._record import Record


@public
@attrs.frozen(kw_only=True)
class Rep(Record):
    """A rep, as v2 shows one; the plugin reads id, names and `active`, the rest is named by a third-party source.

    Attributes:
        user_id: What every `rep_id` wants (`userId`).
        rep_record_id: Another id that comes with it (`repid`), of unknown use. Nothing here takes it.
        first_name: The first name.
        last_name: The last name.
        active: Whether the rep may work; lists hold disabled ones, too.
        is_archived: Whether the rep is archived.
        email_address: The address.
        username: The name to log in with.
        avatar_url: Where a picture is.
        time_zone: Such as `America/New_York`.
        default_department_id: The department new cases of the rep go to.
        date_created: When the rep was added.
        date_updated: When that was last changed.
        date_last_login: When the rep last logged in.
    """

    user_id: int
    rep_record_id: int | None = None
    first_name: str | None = None
    last_name: str | None = None
    active: bool | None = None
    is_archived: bool | None = None
    email_address: str | None = None
    username: str | None = None
    avatar_url: str | None = None
    time_zone: str | None = None
    default_department_id: int | None = None
    date_created: datetime | None = None
    date_updated: datetime | None = None
    date_last_login: datetime | None = None
