"""Contacts, v2 (6.6). What writes answer is assumed."""

from typing import Any

from fusedesk_async.sandbox._call import Call
from fusedesk_async.sandbox._contacts import Contact
from fusedesk_async.sandbox._refusals import not_found, refuse
from fusedesk_async.sandbox._render import render_contact
from fusedesk_async.sandbox._state import State

from ._registry import endpoint
from .cases import nothing, rows_of_page

_FIELDS = {
    "firstName": "first_name",
    "lastName": "last_name",
    "company": "company",
    "emailAddress": "email",
    "phone1": "phone",
    "timeZone": "time_zone",
}
_MORE = (
    "emailAddress2",
    "emailAddress3",
    "phoneExt1",
    "phone2",
    "phoneExt2",
    "street1Billing",
    "street2Billing",
    "cityBilling",
    "stateBilling",
    "postalBilling",
    "countryBilling",
    "website",
)


@endpoint("GET", "v2/contacts", "contacts", "contacts")
def search_contacts(state: State, call: Call) -> object:
    """Contacts whose name, address or company holds the words (what is searched is assumed; paging: UN)."""
    words = call.required("search").lower()
    found = [
        contact for contact in state.contacts if words in f"{contact.name} {contact.email} {contact.company}".lower()
    ]
    return [render_contact(contact) for contact in rows_of_page(call, found)] or nothing(call)


@endpoint("GET", "v2/contacts/{contact}", "contacts", "contacts")
def get_contact(state: State, call: Call) -> object:
    """One contact by CRM id or UUID (MC)."""
    return render_contact(_known(state, call))


@endpoint("POST", "v2/contacts", "contacts", "contacts")
def create_contact(state: State, call: Call) -> object:
    """A new contact; MC names no field that must be there, that one must be is assumed."""
    _check(call)
    return _change(state, call, state.contacts.add(call.now))


@endpoint("POST", "v2/contacts/{contact}", "contacts", "contacts")
def update_contact(state: State, call: Call) -> object:
    """Change what is given; an empty text takes away what was there (assumed)."""
    contact = _known(state, call)
    _check(call)
    return _change(state, call, contact)


def _known(state: State, call: Call) -> Contact:
    text = call.path["contact"]
    number = int(text) if text.isascii() and text.isdigit() else state.contacts.with_uuid(text)
    if number is None or number not in state.contacts:
        what = "Contact"
        raise not_found(what)
    return state.contacts.get(number)


def _check(call: Call) -> None:
    if call.fields.keys().isdisjoint({*_FIELDS, *_MORE}):
        message = "Nothing to update"
        raise refuse(message)


def _change(state: State, call: Call, contact: Contact) -> object:
    known: dict[str, Any] = {field: call.text(name) or "" for name, field in _FIELDS.items() if name in call.fields}
    more = {name: call.text(name) or "" for name in _MORE if name in call.fields}
    changed = contact._replace(**known, more={**contact.more, **more}, updated=call.now)
    state.contacts.change(changed)
    return render_contact(changed)
