"""Webhooks, v2 (6.6, 7.10). Ids are text (MC); what is shown, and that nothing is ever called, is assumed."""

from fusedesk_async.sandbox._call import Call
from fusedesk_async.sandbox._refusals import not_found, refuse
from fusedesk_async.sandbox._state import State

from ._registry import endpoint


@endpoint("GET", "v2/webhooks", "webhooks", "webhooks")
def webhooks(state: State, _: Call) -> object:
    """All of them."""
    return [*state.webhooks.values()]


@endpoint("POST", "v2/webhooks", "webhooks", "webhooks")
def create_webhook(state: State, call: Call) -> object:
    """A new one; an address that is none is refused."""
    fields = {name: call.required(name) for name in ("url", "objectType", "action")}
    if not fields["url"].startswith(("https://", "http://")):
        message = f"Invalid url: {fields['url']}"
        raise refuse(message)
    made = f"w{state.next_number()}"
    state.webhooks[made] = {"id": made} | fields
    return state.webhooks[made]


@endpoint("DELETE", "v2/webhooks/{webhook}", "webhooks", "webhooks")
def delete_webhook(state: State, call: Call) -> object:
    """Forget it."""
    if state.webhooks.pop(call.path["webhook"], None) is None:
        what = "Webhook"
        raise not_found(what)
    return True
