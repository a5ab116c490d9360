"""What belongs to the account as a whole: its plan, its integrations."""

import attrs

from fusedesk_async._exports import public
from fusedesk_async.models._record import Record


@public
@attrs.frozen(kw_only=True)
class PoweredBy(Record):
    """What a page that uses FuseDesk says about it (plugin).

    Attributes:
        plan: The name of the plan.
        footer_link: Whether the page should link to FuseDesk (`footerlink`).
        partner_code: The code of the partner for that link (`partnercode`).
    """

    plan: str | None = None
    footer_link: bool | None = None
    partner_code: str | None = None


@public
@attrs.frozen(kw_only=True)
class Integration(Record):
    """Something the account is connected with (plugin).

    Attributes:
        id: A number or a text, as it came.
        name: What people see.
        platform: What it is, such as `livechat`.
    """

    id: int | str | None = None
    name: str | None = None
    platform: str | None = None
