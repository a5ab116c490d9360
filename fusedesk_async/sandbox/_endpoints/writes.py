"""Changing cases: create, note, tag, update and history (6.1, 6.2). What writes answer is assumed throughout."""

from typing import Any

from fusedesk_async.sandbox._calendar import MISSING
from fusedesk_async.sandbox._call import Call, whole_number
from fusedesk_async.sandbox._history import note
from fusedesk_async.sandbox._refusals import Refused, refuse
from fusedesk_async.sandbox._render import render_case
from fusedesk_async.sandbox._state import State
from fusedesk_async.sandbox._writes import (
    choose_rep,
    kept_text,
    known_department,
    read_contact,
    read_history,
    read_status,
    read_tags,
    status_fields,
)

from ._registry import endpoint
from .cases import known_case

_SCOPE = "cases_update"


@endpoint("POST", "v1/cases", "create", "cases_create")
def create_case(state: State, call: Call) -> object:
    """A new case (6.2); answers it. S2: the stored rep can differ from the one asked for."""
    kind = call.text("type") or "note"
    if kind not in {"call", "note", "import"}:
        message = f"Unknown type: {kind}"
        raise refuse(message)
    fields = _new_fields(state, call)
    history = read_history(call)
    case = state.cases.add(**fields)
    if kind != "import":
        history.insert(0, note(kind, fields["summary"], fields["details"], fields["date_opened"], fields["repid"]))
    state.add_history(case, history)
    return render_case(state, case)


def _new_fields(state: State, call: Call) -> dict[str, Any]:
    department = known_department(state, whole_number("depid", call.required("depid")))
    asked = call.date("date_opened") if call.profile.keeps_date_opened is not False else None
    opened = asked or call.now
    assigned = call.date("date_assigned")
    contact = read_contact(state, call)
    if contact is None and (found := state.contacts.with_email(call.text("email") or "")):
        contact = found[0]
    return {
        "departmentid": department,
        "repid": choose_rep(state, _loose_rep(call), department),
        "contactid": contact,
        "companyid": call.integer("companyid"),
        **{name: kept_text(call, name) for name in ("summary", "details", "openedby")},
        "tags": read_tags(state, call),
        "date_opened": opened,
        "date_assigned": MISSING if assigned is None else assigned,
        "date_updated": call.date("date_updated") or opened,
        **status_fields(read_status(call) or "new", call.date("date_updated") or opened),
    }


def _loose_rep(call: Call) -> int | None:
    """S2: an invalid id gives a random rep, so text that is no number does too."""
    try:
        return call.integer("repid")
    except Refused:
        return None


@endpoint("POST", "v1/cases/{case}", "update", _SCOPE)
def update_case(state: State, call: Call) -> object:
    """Transfer, link to a contact, or change status and texts (S2, MC); answers the case."""
    case = known_case(state, call)
    fields = _transfer(state, call, case)
    if (contact := read_contact(state, call)) is not None:
        fields["contactid"] = contact
    if (company := call.integer("companyid")) is not None:
        fields["companyid"] = company
    fields |= {name: text for name in ("summary", "details") if (text := call.text(name)) is not None}
    if (status := read_status(call)) is not None:
        fields |= status_fields(status, call.now)
    if not fields:
        message = "Nothing to update"
        raise refuse(message)
    state.change(case, call.now, **fields)
    return render_case(state, case)


def _transfer(state: State, call: Call, case: int) -> dict[str, Any]:
    """New department and rep; a rep who does not work there is replaced as on create, one nobody knows refused."""
    department, rep = call.integer("depid"), call.integer("repid")
    if department is None and rep is None:
        return {}
    if rep is not None and rep not in state.reps:
        message = f"Unknown rep: {rep}"
        raise refuse(message)
    department = state.cases.value(case, "departmentid") if department is None else known_department(state, department)
    wanted = state.cases.value(case, "repid") if rep is None else rep
    return {
        "departmentid": department,
        "repid": choose_rep(state, wanted, department),
        "date_assigned": call.now,
    }


@endpoint("POST", "v1/cases/{case}/addnote", "addnote", _SCOPE)
def add_note(state: State, call: Call) -> object:
    """A call or note (S2; repid and status: MC, CO); answers it."""
    case = known_case(state, call)
    kind = call.required("type")
    if kind not in {"call", "note"}:
        message = f"Unknown type: {kind}"
        raise refuse(message)
    title, text, added = kept_text(call, "title"), kept_text(call, "note"), call.date("date_added")
    status, rep = read_status(call), call.integer("repid")
    state.add_history(case, [note(kind, title, text, call.now if added is None else added, rep)])
    fields = status_fields(status, call.now) if status else {}
    if call.profile.notes_update is False:
        fields["date_updated"] = state.cases.value(case, "date_updated")
    state.change(case, call.now, **fields)
    return {"caseid": case} | state.history(case)[-1]


@endpoint("POST", "v1/cases/{case}/tag/{tag}", "tag", _SCOPE)
def tag_case(state: State, call: Call) -> object:
    """Put a tag on a case; one that is there already is a success, an unknown one is refused (both assumed)."""
    case, tag = known_case(state, call), call.id("tag")
    if tag not in state.tags or state.tags[tag].archived:
        message = f"Unknown case tag: {tag}"
        raise refuse(message)
    return _set_tags(state, call, case, tag, on=True)


@endpoint("POST", "v1/cases/{case}/untag/{tag}", "untag", _SCOPE)
def untag_case(state: State, call: Call) -> object:
    """Take a tag off a case; one that is not there is a success (assumed)."""
    case, tag = known_case(state, call), call.id("tag")
    if tag not in state.tags:
        message = f"Unknown case tag: {tag}"
        raise refuse(message)
    return _set_tags(state, call, case, tag, on=False)


def _set_tags(state: State, call: Call, case: int, tag: int, *, on: bool) -> object:
    before = {*state.cases.value(case, "tags")}
    if call.profile.tags_twice is False and (tag in before) == on:
        message = "The case has this tag already" if on else "The case does not have this tag"
        raise refuse(message)
    tags = before | {tag} if on else before - {tag}
    state.change(case, call.now, tags=tuple(sorted(tags)))
    return {"success": True, "caseid": case, "tags": sorted(tags)}


@endpoint("POST", "v1/cases/{case}/history", "history", _SCOPE)
def import_history(state: State, call: Call) -> object:
    """Append calls, notes and emails (S2); answers how many. `skipinfusionsoft` is read, there is no CRM to spare."""
    case = known_case(state, call)
    call.required("history")
    call.flag("skipinfusionsoft")
    items = read_history(call)
    state.add_history(case, items)
    state.change(case, call.now)
    return {"success": True, "caseid": case, "imported": len(items)}
