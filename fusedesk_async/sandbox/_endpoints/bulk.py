"""Many cases at once (6.5). Parameters come in the query string (MC); what is answered is assumed."""

from typing import Any

from fusedesk_async.sandbox._calendar import iso
from fusedesk_async.sandbox._call import Call, whole_number
from fusedesk_async.sandbox._refusals import refuse
from fusedesk_async.sandbox._state import State
from fusedesk_async.sandbox._writes import choose_rep, known_department, read_status, status_fields

from ._registry import endpoint


@endpoint("POST", "v1/cases/update", "update_many", "cases_update")
def update_many(state: State, call: Call) -> object:
    """Change all of the cases or, if anything is not right, none (assumed). `crm…` is read, there is no CRM."""
    cases = _cases(state, call)
    fields, tag = _fields(state, call), _tag(state, call)
    crm = [number for name in ("crmTagId", "crmAutomationId") if (number := call.integer(name)) is not None]
    if call.flag("merge"):
        return _merge(state, call, cases)
    if not (fields or crm) and tag is None:
        message = "Nothing to update"
        raise refuse(message)
    for case in cases:
        own = dict(fields)
        if "departmentid" in own or "repid" in own:
            department = own.get("departmentid", state.cases.value(case, "departmentid"))
            own["repid"] = choose_rep(state, own.get("repid", state.cases.value(case, "repid")), department)
        if tag is not None:
            own["tags"] = tuple(sorted({*state.cases.value(case, "tags"), tag}))
        state.change(case, call.now, **own)
    return {"success": True, "updated": len(cases)}


def _cases(state: State, call: Call) -> list[int]:
    call.required("caseids")
    cases = [whole_number("caseids", word) for word in call.words("caseids")]
    for case in cases:
        if case not in state.cases:
            message = f"Unknown case: {case}"
            raise refuse(message)
    return cases


def _fields(state: State, call: Call) -> dict[str, Any]:
    status, snooze = read_status(call), call.date("snooze")
    department, rep = call.integer("depid"), call.integer("repid")
    fields: dict[str, Any] = status_fields(status, call.now) if status else {}
    if snooze is not None:
        fields["snoozedUntil"] = iso(snooze)
    if department is not None:
        fields |= {"departmentid": known_department(state, department), "date_assigned": call.now}
    if rep is not None:
        if rep not in state.reps:
            message = f"Unknown rep: {rep}"
            raise refuse(message)
        fields |= {"repid": rep, "date_assigned": call.now}
    return fields


def _tag(state: State, call: Call) -> int | None:
    tag = call.integer("tagid")
    if tag is not None and (tag not in state.tags or state.tags[tag].archived):
        message = f"Unknown case tag: {tag}"
        raise refuse(message)
    return tag


def _merge(state: State, call: Call, cases: list[int]) -> object:
    """The first case takes the histories and tags of the others, which are gone then (all assumed)."""
    kept, *others = dict.fromkeys(cases)
    if not others:
        message = "Nothing to merge"
        raise refuse(message)
    tags = {tag for case in (kept, *others) for tag in state.cases.value(case, "tags")}
    for case in others:
        state.add_history(kept, state.history(case))
        state.remove(case)
    state.change(kept, call.now, tags=tuple(sorted(tags)))
    return {"success": True, "caseid": kept, "merged": others}
