"""Session, usage (2.2) and integrations, known from FuseDesk's plugin."""

from fusedesk_async.sandbox._call import Call
from fusedesk_async.sandbox._state import State

from ._registry import endpoint


@endpoint("GET", "v1/session/permissions", "permissions")
def permissions(_: State, call: Call) -> object:
    """The scopes of the key (WP54)."""
    return sorted(call.scopes)


@endpoint("GET", "v1/session/poweredby", "poweredby")
def powered_by(_: State, __: Call) -> object:
    """The plan of the account (WP54); the values are made up."""
    return {"plan": "sandbox", "footerlink": "0", "partnercode": ""}


@endpoint("POST", "v1/usage", "usage")
def usage(_: State, call: Call) -> object:
    """Counters of the key; the member names are assumed (WP24 shows none)."""
    if call.usage is None:
        return {"limit": None, "used": None, "remaining": None}
    limit, remaining = call.usage
    return {"limit": limit, "used": limit - remaining, "remaining": remaining}


@endpoint("GET", "v1/integrations", "integrations", "integrations")
def integrations(_: State, __: Call) -> object:
    """What the account is connected with (WP54); the values, and that ids may be text, are made up."""
    return [
        {"id": 3, "name": "Website chat", "platform": "livechat"},
        {"id": "keap-1", "name": "Keap", "platform": "infusionsoft"},
        {"id": "", "name": "Shop", "platform": None},
    ]
