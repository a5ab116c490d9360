"""Questions about a case with its history."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from fusedesk_async import _json, models
from fusedesk_async._clock import utc
from fusedesk_async._wire.converter import HISTORY_NAMES
from fusedesk_async._wire.headers import timestamp
from fusedesk_async.diagnosis._plan import busy_case
from fusedesk_async.diagnosis._registry import Outcome, cannot_tell, judged, question, unread
from fusedesk_async.diagnosis._seen import Answers, Seen
from fusedesk_async.diagnosis._shapes import Row, members, moment, own_members, row_id, rows_of, safe_name

_KNOWN = own_members(models.Note) | own_members(models.Email) | own_members(models.HistoryItem)
_DATES = ("date_added", "date_sent", "date_recvd")
SAME_TIME = timedelta(seconds=2)


def case_of(page: Seen) -> Row | None:
    """The case of a response, which may be in a list; None if there is none."""
    value: Any = page.value
    rows = rows_of(value)
    if rows is not None:
        return rows[0] if len(rows) == 1 else None
    return cast("Row", value) if _json.is_object(value) else None


def histories(case: Row, plain: Row) -> Mapping[str, list[Row]]:
    """The lists in a case that are, or may be, its history: those that it does not have in searches."""
    lists = {name: rows_of(value) for name, value in case.items() if name in HISTORY_NAMES or name not in plain}
    return {name: rows for name, rows in lists.items() if rows is not None}


def _all_items(answers: Answers, case: Row) -> list[Row]:
    return [item for items in histories(case, busy_case(answers.cases) or {}).values() for item in items]


@question("detail_shape", "detail")
def detail_shape(answers: Answers) -> Outcome:
    """Look at the case."""
    page = answers["detail"]
    if page.kind != "value" or case_of(page) is None:
        return unread(page) if page.kind != "value" else cannot_tell("the response is no case")
    value = "object" if _json.is_object(page.value) else "list"
    return judged(value, "the case came by itself" if value == "object" else "a list of it came", known=True)


@question("history_names", "detail")
def history_names(answers: Answers) -> Outcome:
    """Name the lists of a case that it does not have in searches."""
    case = case_of(answers["detail"])
    if case is None:
        return unread(answers["detail"])
    found = histories(case, busy_case(answers.cases) or {})
    if not found:
        return judged(None, "a case by its id has no list that it does not have in searches", known=False)
    names = [safe_name(name) for name in found]
    evidence = f"{sum(map(len, found.values()))} items in {len(found)} lists"
    return judged(names, evidence, known=found.keys() <= {*HISTORY_NAMES})


@question("history_members", "detail")
def history_members(answers: Answers) -> Outcome:
    """Count the kinds of the values of each member of an item."""
    case = case_of(answers["detail"])
    if case is None:
        return unread(answers["detail"])
    items = _all_items(answers, case)
    if not items:
        return cannot_tell("the case has no history")
    found = members(items)
    return judged(found, f"{len(found)} members were seen on {len(items)} items", known=found.keys() <= _KNOWN)


@question("case_numbers_in_paths", "detail", "number")
def case_numbers_in_paths(answers: Answers) -> Outcome:
    """Ask for a case by its number."""
    page, wanted = answers["number"], busy_case(answers.cases)
    if answers["detail"].kind != "value":
        return unread(answers["detail"])
    if page.is_refusal:
        return judged(False, page.problem, known=True)  # noqa: FBT003 - the value
    case = case_of(page)
    if case is None or wanted is None:
        return unread(page) if page.kind != "value" else cannot_tell("the response is no case")
    if row_id(case) != row_id(wanted):
        return judged(False, "another case came", known=False)  # noqa: FBT003 - the value
    return judged(True, "the same case came", known=False)  # noqa: FBT003 - the value


@question("notes_update", "detail", "created", "noted")
def notes_update(answers: Answers) -> Outcome:
    """Compare `date_updated` with the newest note; with a note of our own, if one was written."""
    if answers["note"].kind == "value":
        return _after_own_note(answers)
    case = case_of(answers["detail"])
    if case is None:
        return unread(answers["detail"])
    updated, items = moment(case.get("date_updated")), _all_items(answers, case)
    notes = [at for item in items if item.get("type") in ("note", "call") and (at := moment(item.get("date_added")))]
    if updated is None or not notes:
        return cannot_tell("no note was seen whose date can be compared")
    if max(notes) > updated + SAME_TIME:
        return judged(False, "a note is newer than date_updated", known=False)  # noqa: FBT003 - the value
    if max(notes) >= updated - SAME_TIME and max(notes) == max(_moments(items)):
        return judged(True, "date_updated is the date of the newest note", known=True)  # noqa: FBT003 - the value
    return cannot_tell("date_updated is newer than the newest note, which may have other reasons")


def _moments(items: list[Row]) -> list[datetime]:
    return [at for item in items for name in _DATES if (at := moment(item.get(name)))]


def _after_own_note(answers: Answers) -> Outcome:
    before, after = case_of(answers["created"]), case_of(answers["noted"])
    old, new = moment((before or {}).get("date_updated")), moment((after or {}).get("date_updated"))
    if old is None or new is None:
        return cannot_tell(answers["noted"].problem or "the case shows no date_updated")
    if new > old:
        return judged(True, "date_updated moved with a note", known=True)  # noqa: FBT003 - the value
    if abs(old - server_time(answers["created"])) < timedelta(hours=1):
        return cannot_tell("date_updated was that moment already when the note was written")
    return judged(False, "date_updated did not move with a note", known=False)  # noqa: FBT003 - the value


def server_time(page: Seen) -> datetime:
    """When a response came, by the server's clock if it shows it."""
    assert page.answer is not None  # noqa: S101 - it had a case in it
    shown = timestamp(page.answer.headers.get("date", ""))
    return utc(page.answer.received_at if shown is None else shown)
