"""Records as the API writes them, quirks included."""

from collections.abc import Callable
from typing import Any

from ._calendar import MISSING, iso
from ._contacts import Contact
from ._directory import Department, Rep, Tag
from ._state import State
from ._texts import case_number

Json = dict[str, Any]

# What stands where there is no date. C# shows `false` for the last two; the mix of the others is assumed.
_NO_DATE: dict[str, object] = {
    "date_opened": "",
    "date_assigned": None,
    "date_firstresponse": "",
    "date_lastresponse": False,
    "date_updated": None,
    "date_closed": None,
    "date_rated": False,
    "date_requestedfeedback": False,
}
_NOT_CLOSED: tuple[object, ...] = (False, "", None)
_CLOSED = [*_NO_DATE].index("date_closed")
_ABSENT = object()
_MARKERS: dict[str, object] = {
    "null": None,
    "empty": "",
    "false": False,
    "zero": "0000-00-00 00:00:00",
    "absent": _ABSENT,
}
# Values of members that nobody knows, by their types.
_EXTRA: dict[str, Callable[[int], object]] = {
    "number": lambda case: case * 7,
    "text": lambda case: f"value {case}",
    "boolean": lambda case: case % 2 == 0,
    "null": lambda _: None,
    "list": lambda case: [case],
    "object": lambda case: {"value": case},
}


def render_case(state: State, case: int) -> Json:
    """A case as searches list it (7.1), in the names and with the markers of its server."""
    profile, values = state.profile, state.cases.values(case)
    number, contact = case_number(case), values["contactid"]
    shown: Json = dict.fromkeys(profile.case_id_names or ("caseid", "id"), case)
    shown |= dict.fromkeys(("casenum", "casenumber") if (names := profile.case_number_names) is None else names, number)
    shown["contactUuid"] = state.contacts.get(contact).uuid if contact in state.contacts else None
    shown |= values
    if (departments := profile.department_names) is not None:
        shown |= dict.fromkeys(departments, shown.pop("departmentid"))
    for place, (name, marker) in enumerate(_NO_DATE.items()):
        instant = values[name]
        shown[name] = _marker(state, case, place, marker) if instant == MISSING else iso(instant)
        if shown[name] is _ABSENT:
            del shown[name]
    if values["rating"] is None and case % 2:
        shown["rating"] = shown["feedback"] = False
    shown["isArchived"] = False
    return shown | {name: _EXTRA[kind](case) for name, kind in (profile.extra_members or {}).items()}


def _marker(state: State, case: int, place: int, usual: object) -> object:
    """What stands for a missing date."""
    if markers := state.profile.missing_dates:
        return _MARKERS[markers[(case + place) % len(markers)]]
    return _NOT_CLOSED[case % 3] if usual is None and place == _CLOSED else usual


def render_detail(state: State, case: int) -> Json:
    """A case with its history; the member name `history` is assumed (7.2)."""
    history, names = state.history(case), state.profile.history_names or ("history",)
    lists: dict[str, list[Json]] = {name: [] for name in names}
    first, *others = names
    for item in history:
        lists[others[0] if others and item["type"] == "email" else first].append(item)
    return render_case(state, case) | lists


def render_feedback(state: State, case: int) -> Json:
    """What the customer said of a case (6.5); that it is named as in the case is assumed."""
    shown = render_case(state, case)
    names = ("rating", "feedback", "date_rated", "date_requestedfeedback")
    return {"caseid": case} | {name: shown[name] for name in names if name in shown} | {"ask": state.may_ask(case)}


def render_tag(tag: Tag, total: int) -> Json:
    """A case tag (7.7) and how many cases carry it."""
    return {"id": tag.id, "tagname": tag.name, "hidden": tag.hidden, "totalcases": total}


def render_department_v1(department: Department) -> Json:
    """A department as the old page shows it (DEP)."""
    return {"departmentid": department.id, "name": department.name, "repids": department.reps}


def render_department_v2(department: Department) -> Json:
    """A department (7.5); the numbers beside id, name and reps are made up, some as text as PHP is known to send."""
    return {
        "id": department.id,
        "name": department.name,
        "repUserIds": department.reps,
        "allReps": False,
        "dateCreated": iso(department.created),
        "dateArchived": None if department.archived is None else iso(department.archived),
        "stale": "48",
        "staleWarning": 24,
        "feedbackDelay": "24",
        "feedbackFrequency": 30,
        "feedbackSample": 50,
        "feedbackTemplateId": None,
        "replyTemplateId": str(department.id + 1000),
        "noteTemplateId": "",
        "newCaseNoteTemplateId": False,
        "templateCategory": "",
        "footerHtml": f"<p>{department.name}</p>",
        "phone": None,
    } | department.settings


def render_rep_v1(rep: Rep) -> Json:
    """A rep as the plugin of 2016 read it (WP24); numbers as text are one of the quirks of section 7."""
    return {
        "userid": str(rep.user),
        "firstname": rep.first_name,
        "lastname": rep.last_name,
        "active": "1" if rep.active else "0",
    }


def render_rep_v2(rep: Rep) -> Json:
    """A rep (7.6)."""
    username = f"{rep.first_name}.{rep.last_name}".lower()
    return {
        "userId": rep.user,
        "repid": rep.rep,
        "firstName": rep.first_name,
        "lastName": rep.last_name,
        "active": rep.active,
        "isArchived": not rep.active,
        "emailAddress": f"{username}@desk.example",
        "username": username,
        "avatarUrl": "",
        "timeZone": "America/New_York",
        "defaultDepartmentId": rep.department,
        "dateCreated": "2019-04-01T09:00:00-05:00",
        "dateUpdated": "2025-11-03T11:20:00-05:00",
        "dateLastLogin": "2026-06-30T08:02:00-05:00" if rep.active else None,
    }


def render_contact(contact: Contact) -> Json:
    """A contact (7.8): `id` is the UUID, `crmId` the number cases call `contactid`."""
    return {
        "id": contact.uuid,
        "crmId": contact.crm_id,
        "firstName": contact.first_name,
        "lastName": contact.last_name,
        "company": contact.company,
        "emailAddress": contact.email,
        "phone1": contact.phone,
        "timeZone": contact.time_zone,
        "website": f"https://{contact.email.partition('@')[2]}" if contact.company and contact.email else "",
        "dateCreated": iso(contact.created),
        "dateUpdated": iso(contact.updated),
        **contact.more,
    }
