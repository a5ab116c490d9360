"""Contacts, v2 (6.6)."""

from itertools import islice

from fusedesk_async.sandbox._call import Call
from fusedesk_async.sandbox._refusals import not_found
from fusedesk_async.sandbox._render import render_contact
from fusedesk_async.sandbox._state import State

from ._registry import endpoint
from .cases import page


@endpoint("GET", "v2/contacts", "contacts", "contacts")
def search_contacts(state: State, call: Call) -> object:
    """Contacts whose name, address or company holds the words (what is searched is assumed; paging: UN)."""
    words = call.required("search").lower()
    start, stop = page(call)
    found = (
        contact for contact in state.contacts if words in f"{contact.name} {contact.email} {contact.company}".lower()
    )
    return [render_contact(contact) for contact in islice(found, start, stop)]


@endpoint("GET", "v2/contacts/{contact}", "contacts", "contacts")
def get_contact(state: State, call: Call) -> object:
    """One contact by CRM id or UUID (MC)."""
    text = call.path["contact"]
    number = int(text) if text.isascii() and text.isdigit() else state.contacts.with_uuid(text)
    if number is None or number not in state.contacts:
        what = "Contact"
        raise not_found(what)
    return render_contact(state.contacts.get(number))
