"""What the writes have in common: departments, reps, tags, contacts and histories as they come in fields."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, cast

from ._calendar import MISSING
from ._call import Call, whole_number
from ._history import Item, mail, note
from ._refusals import Refused, refuse
from ._state import State

LONGEST_TEXT = 255  # characters, as of a VARCHAR(255), where texts are cut
_KINDS = {"call": ("title", "note"), "note": ("title", "note"), "email": ("to", "from", "subject", "body")}


def kept_text(call: Call, name: str) -> str:
    """A text that must be there, as the server keeps it."""
    text, changes = call.required(name), call.profile.text_changes or ()
    text = text.strip() if "trimmed" in changes else text
    text = escape(text) if "escaped" in changes else text
    return text[:LONGEST_TEXT] if "cut" in changes else text


def known_department(state: State, department: int) -> int:
    """The department itself; refused unless it is in use."""
    if department not in state.departments or state.departments[department].archived is not None:
        message = f"Unknown department: {department}"
        raise refuse(message)
    return department


def choose_rep(state: State, wanted: int | None, department: int | None) -> int | None:
    """The rep asked for if he or she works there, else a random one of the department (S2), if it has any."""
    there = state.reps_of(department)
    return wanted if wanted in there or not there else state.random.choice(there)


def read_status(call: Call) -> str | None:
    """`status`; words other than the three of S2 are refused (assumed)."""
    status = call.text("status")
    if status not in {None, "new", "open", "closed"}:
        message = f"Unknown status: {status}"
        raise refuse(message)
    return status


def status_fields(status: str, now: int) -> dict[str, Any]:
    """What changes with the status: closing sets date_closed, opening takes it away (assumed)."""
    return {"status": status, "date_closed": now if status == "closed" else MISSING}


def read_tags(state: State, call: Call) -> tuple[int, ...]:
    """`casetags`, ids or names (WP54); unknown ones are refused (assumed)."""
    known = {tag.name.lower(): tag.id for tag in state.tags.values() if not tag.archived}
    known |= {str(tag): tag for tag in known.values()}
    try:
        return tuple(sorted({known[word.lower()] for word in call.words("casetags")}))
    except KeyError as unknown:
        message = f"Unknown case tag: {unknown.args[0]}"
        raise refuse(message) from None


def read_contact(state: State, call: Call) -> int | None:
    """The contact by `contactid` or else `contactUuid`, or None.

    A CRM id that we do not know is kept as it is, since the CRM is another system; an unknown UUID is refused. Both
    are assumed.
    """
    contact, uuid = call.integer("contactid"), call.text("contactUuid")
    if contact is not None or uuid is None:
        return contact
    contact = state.contacts.with_uuid(uuid)
    if contact is None:
        message = f"Unknown contact: {uuid}"
        raise refuse(message)
    return contact


def read_history(call: Call) -> list[Item]:
    """`history`: a JSON array of calls, notes and emails (6.4); anything else is refused."""
    value = call.json("history")
    if value is None:
        return []
    if not isinstance(value, list):
        message = "history must be a JSON array"
        raise refuse(message)
    return [_element(index, element, call) for index, element in enumerate(cast("Sequence[Any]", value))]


def _element(index: int, value: Any, call: Call) -> Item:
    element = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    kind = element.get("type")
    if not isinstance(kind, str) or kind not in _KINDS:
        message = f"history[{index}] must have type call, note or email"
        raise refuse(message)
    for name in _KINDS[kind]:
        if not isinstance(element.get(name), str) or not element[name]:
            message = f"history[{index}]: missing required field: {name}"
            raise refuse(message)
    try:
        return _email(element, call) if kind == "email" else _note(element, call)
    except Refused as refused:
        message = f"history[{index}]: {refused.text}"
        raise refuse(message) from None


def _note(element: Mapping[str, Any], call: Call) -> Item:
    return note(element["type"], element["title"], element["note"], _date(element, "date_added", call))


def _email(element: Mapping[str, Any], call: Call) -> Item:
    rep = element.get("repid")
    item = mail(
        element["from"],
        element["to"],
        element["subject"],
        element["body"],
        _date(element, "date_sent", call),
        rep=None if rep in {None, ""} else whole_number("repid", str(rep)),
    )
    received = mail("", "", "", "", _date(element, "date_recvd", call))["date_recvd"]
    return item | {"cc": element.get("cc") or "", "bcc": element.get("bcc") or "", "date_recvd": received}


def _date(element: Mapping[str, Any], name: str, call: Call) -> int:
    value = element.get(name)
    return call.now if not value else call.instant(name, str(value))
