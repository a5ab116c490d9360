"""Session and usage (2.2), known from FuseDesk's plugin."""

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
