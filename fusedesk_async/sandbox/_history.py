"""What happened to a case: mails, calls and notes under the names S2 gives them in requests, plus `id`.

The names in answers are not documented anywhere; that they are the same is assumed. Mail ids are text (7.4).
"""

from collections.abc import Iterator
from typing import Any

from ._calendar import MISSING, iso
from ._cases import Cases
from ._directory import Rep

Item = dict[str, Any]
_ITEMS_PER_CASE = 10  # ids set aside for the generated history of each case
DESK = "help@desk.example"


def make_history(cases: Cases, case: int, reps: dict[int, Rep]) -> list[Item]:
    """The thread of a generated case, oldest first: question, call or note, answer, follow-up, last answer."""
    items = list(_thread(cases.values(case), cases, case, reps))
    for index, item in enumerate(items):
        number = case * _ITEMS_PER_CASE + index
        item["id"] = str(number) if item["type"] == "email" else number
    return items


def _thread(values: dict[str, Any], cases: Cases, case: int, reps: dict[int, Rep]) -> Iterator[Item]:
    letter, rep, sender = cases.letter(case), values["repid"], values["openedby"]
    name, subject = reps[rep].name, values["summary"]
    first, last = values["date_firstresponse"], values["date_lastresponse"]
    if case % 12:
        yield mail(sender, DESK, subject, values["details"], values["date_opened"])
    else:
        yield note("call", f"Call from {letter.name}", values["details"], values["date_opened"], rep)
    if first == MISSING:
        return
    if not case % 3:
        yield note("note", "Internal", letter.note, first - 30, rep)
    yield mail(DESK, sender, f"Re: {subject}", letter.answer(name), first, rep=rep)
    if last > first:
        yield mail(sender, DESK, f"Re: {subject}", letter.follow_up, (first + last) // 2)
        yield mail(
            DESK, sender, f"Re: {subject}", letter.fill(f"Done, order {{order}} is sorted.\n\n{name}"), last, rep=rep
        )


def note(kind: str, title: str, text: str, instant: int, rep: int | None = None) -> Item:
    """A call or a note."""
    return {"type": kind, "title": title, "note": text, "date_added": iso(instant), "repid": rep}


def mail(sender: str, to: str, subject: str, body: str, instant: int, *, rep: int | None = None) -> Item:
    """A mail, received or sent."""
    sent = iso(instant)
    return {
        "type": "email",
        "from": sender,
        "to": to,
        "cc": "",
        "bcc": "",
        "subject": subject,
        "body": body,
        "date_sent": sent,
        "date_recvd": sent,
        "repid": rep,
    }
