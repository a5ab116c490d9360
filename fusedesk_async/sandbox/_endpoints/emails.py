"""Mails (6.6): those in no case, and any one by its id. Ids are text (MC); all members are assumed."""

from fusedesk_async.sandbox._call import Call
from fusedesk_async.sandbox._history import Item
from fusedesk_async.sandbox._refusals import not_found, refuse
from fusedesk_async.sandbox._state import State

from ._registry import endpoint
from .cases import nothing, rows_of_page

_SORTED_BY = ("date_recvd", "date_sent", "from", "subject")


@endpoint("GET", "v1/emails/unassigned", "emails", "emails")
def unassigned(state: State, call: Call) -> object:
    """Mails whose sender, subject and text hold the words (assumed), newest first (assumed)."""
    found = [mail for mail in state.mails.values() if _matches(call, mail)]
    column, _, direction = (call.text("orderby") or "date_recvd desc").partition(" ")
    if column not in _SORTED_BY or direction not in {"", "asc", "desc"}:
        message = f"Unknown orderby: {column}"
        raise refuse(message)
    found.sort(key=lambda mail: mail[column], reverse=direction == "desc")
    most = call.integer("bodylimit")
    return [mail | {"body": mail["body"][:most]} for mail in rows_of_page(call, found)] or nothing(call)


@endpoint("GET", "v1/emails/{email}", "emails", "emails")
def get_email(state: State, call: Call) -> object:
    """One mail, from a case's history as well."""
    mail = state.mails.get(call.path["email"]) or state.mail_in_a_case(call.path["email"])
    if mail is None:
        what = "Email"
        raise not_found(what)
    return mail


def _matches(call: Call, mail: Item) -> bool:
    wanted = {"from": mail["from"], "subject": mail["subject"], "content": mail["body"]}
    return all((call.text(name) or "").lower() in text.lower() for name, text in wanted.items())
