"""Chats (6.6, 7.9). Ids are text (MC); what writes answer and how messages are named is assumed."""

from typing import Any

from fusedesk_async.sandbox._calendar import iso
from fusedesk_async.sandbox._call import Call
from fusedesk_async.sandbox._history import note
from fusedesk_async.sandbox._refusals import not_found, refuse
from fusedesk_async.sandbox._render import Json
from fusedesk_async.sandbox._state import State
from fusedesk_async.sandbox._writes import choose_rep, known_department, read_status, status_fields

from ._registry import endpoint

_TEXTS, _NUMBERS = ("title", "clientName", "contactUuid"), ("caseId", "departmentId", "repId", "unseen")


@endpoint("GET", "v1/chats", "chats", "chats")
def active_chats(state: State, _: Call) -> object:
    """The chats that are going on (MC), without their messages."""
    return [_listed(chat) for chat in state.chats.values() if not chat["isArchived"]]


@endpoint("GET", "v1/chats/{chat}", "chats", "chats")
def get_chat(state: State, call: Call) -> object:
    """One chat with its messages; a closed one, too (assumed)."""
    return _known(state, call)


@endpoint("POST", "v1/chats/{chat}", "chats", "chats")
def update_chat(state: State, call: Call) -> object:
    """Change what is given (MC); a case that does not exist is refused (assumed)."""
    chat = _going_on(state, call)
    changes: Json = {name: text for name in _TEXTS if (text := call.text(name)) is not None}
    changes |= {name: number for name in _NUMBERS if (number := call.integer(name)) is not None}
    if not changes:
        message = "Nothing to update"
        raise refuse(message)
    if changes.get("caseId", 1) not in state.cases:
        message = f"Unknown case: {changes['caseId']}"
        raise refuse(message)
    chat |= changes
    return _listed(chat)


@endpoint("POST", "v1/chats/{chat}/close", "chats", "chats")
def close_chat(state: State, call: Call) -> object:
    """What was said becomes a note in the chat's case, a new one if it has none (assumed)."""
    chat = _going_on(state, call)
    fields = _case_fields(state, call, chat)
    said = "\n".join(f"{message['sender']}: {message['message']}" for message in chat["messages"])
    case = chat["caseId"] or _new_case(state, call, chat, said)
    state.add_history(case, [note("note", f"Chat with {chat['clientName']}", said, call.now, chat["repId"])])
    state.change(case, call.now, **fields)
    number = state.history(case)[-1]["id"]
    chat |= {"caseId": case, "noteId": number, "isArchived": True, "dateClosed": iso(call.now)}
    return {"success": True, "caseId": case, "noteId": number}


def _known(state: State, call: Call) -> Json:
    if call.path["chat"] not in state.chats:
        what = "Chat"
        raise not_found(what)
    return state.chats[call.path["chat"]]


def _going_on(state: State, call: Call) -> Json:
    chat = _known(state, call)
    if chat["isArchived"]:
        message = f"Chat is closed: {chat['id']}"
        raise refuse(message)
    return chat


def _listed(chat: Json) -> Json:
    return {name: value for name, value in chat.items() if name != "messages"}


def _case_fields(state: State, call: Call, chat: Json) -> dict[str, Any]:
    department, rep, status = call.integer("depid"), call.integer("repid"), read_status(call)
    fields = status_fields(status, call.now) if status else {}
    if department is not None or rep is not None:
        department = known_department(state, chat["departmentId"] if department is None else department)
        fields |= {"departmentid": department, "repid": choose_rep(state, rep, department), "date_assigned": call.now}
    return fields


def _new_case(state: State, call: Call, chat: Json, said: str) -> int:
    return state.cases.add(
        status="new",
        departmentid=chat["departmentId"],
        repid=chat["repId"],
        contactid=int(chat["contactId"]),
        summary=chat["title"],
        details=said,
        openedby=chat["clientName"],
        tags=(),
        date_opened=call.now,
        date_assigned=call.now,
        date_updated=call.now,
    )
