"""A reply to a case, putting it off, and asking what the customer thinks of it (6.5). All answers are assumed."""

from fusedesk_async.sandbox._calendar import MISSING, iso
from fusedesk_async.sandbox._call import Call
from fusedesk_async.sandbox._history import DESK, mail
from fusedesk_async.sandbox._refusals import refuse
from fusedesk_async.sandbox._render import render_feedback
from fusedesk_async.sandbox._state import State
from fusedesk_async.sandbox._writes import status_fields

from ._registry import endpoint
from .cases import known_case

_SCOPE = "cases_update"


@endpoint("POST", "v1/cases/{case}/reply", "reply", _SCOPE)
def reply(state: State, call: Call) -> object:
    """A mail to the customer; the case waits for him or her then, and has its last response now."""
    case, body = known_case(state, call), call.required("body")
    call.integer("templateid")
    values = state.cases.values(case)
    to, sender = call.text("to") or values["openedby"], call.text("from") or DESK
    sent = mail(sender, to, f"Re: {values['summary']}", body, call.now, rep=values["repid"])
    sent |= {"cc": ",".join(call.words("cc")), "bcc": ",".join(call.words("bcc"))}
    if (html := call.text("html")) is not None:
        sent["html"] = html
    state.add_history(case, [sent])
    first = values["date_firstresponse"]
    dates = {"date_firstresponse": call.now if first == MISSING else first, "date_lastresponse": call.now}
    state.change(case, call.now, **dates, **status_fields("open", call.now))
    return {"success": True, "caseid": case, "emailid": state.history(case)[-1]["id"]}


@endpoint("POST", "v1/cases/{case}/snooze", "snooze", _SCOPE)
def snooze(state: State, call: Call) -> object:
    """Put it off; the case shows until when under a name that is assumed, its status stays."""
    case = known_case(state, call)
    until = iso(call.instant("until", call.required("until")))
    state.change(case, call.now, snoozedUntil=until)
    return {"success": True, "caseid": case, "until": until}


@endpoint("GET", "v1/cases/{case}/feedback", "feedback", "cases")
def feedback(state: State, call: Call) -> object:
    """What the customer said."""
    return render_feedback(state, known_case(state, call))


@endpoint("POST", "v1/cases/{case}/feedback/dontask", "feedback", _SCOPE)
def never_ask(state: State, call: Call) -> object:
    """The customer is not to be asked; saying so twice is a success."""
    return _ask(state, call, allowed=False)


@endpoint("POST", "v1/cases/{case}/feedback/doask", "feedback", _SCOPE)
def may_ask(state: State, call: Call) -> object:
    """The customer may be asked; saying so twice is a success."""
    return _ask(state, call, allowed=True)


@endpoint("POST", "v1/cases/{case}/feedback/request", "feedback", _SCOPE)
def ask_now(state: State, call: Call) -> object:
    """Ask now; refused where the customer is not to be asked."""
    case = known_case(state, call)
    if not state.may_ask(case):
        message = "Feedback is off for this case"
        raise refuse(message)
    state.change(case, call.now, date_requestedfeedback=call.now)
    return render_feedback(state, case)


def _ask(state: State, call: Call, *, allowed: bool) -> object:
    case = known_case(state, call)
    state.change(case, call.now, askFeedback=allowed)
    return {"success": True}
