"""The calls of a diagnosis that only reads, and what each asks. The later ones use what the earlier ones say."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import attrs

from fusedesk_async._wire.call import LARGEST_PAGE, Call
from fusedesk_async._wire.encode import Parts, encode
from fusedesk_async._wire.readers import anything
from fusedesk_async.diagnosis._seen import Answers
from fusedesk_async.diagnosis._shapes import Row, moment, row_id
from fusedesk_async.filters import DateFilter

Make: TypeAlias = Callable[[Answers], Parts | str]
"""Makes a request, or says why none is made."""

FEW_ROWS = 50
"""Rows of a page that is only looked at for its order or shape."""
FALLBACK_LIMIT = 250
"""The limit that is tried if the largest one is refused."""
FAR_OFFSET = 10_000_000
NO_CONTACT = 2_147_483_646
"""An id of a contact that hardly anybody has."""
_NUMBER_OF_A_CASE = re.compile(r"[\w-]{1,40}")


@attrs.frozen
class Planned:
    """A call of the plan.

    Attributes:
        name: What questions call it.
        path: What it calls, without any id.
        words: What it asks, for people.
        make: Makes the request.
    """

    name: str
    path: str
    words: str
    make: Make

    @property
    def call(self) -> Call[Any]:
        """The call as the log and observers show it: without an id."""
        return Call(method="GET", path=self.path, read=anything, repeatable=True, bulk=True)


def request(path: str, query: Mapping[str, Any] | None = None) -> Parts:
    """A read."""
    return encode(Call(method="GET", path=path, read=anything, query=query or {}))


def _fixed(name: str, path: str, words: str, **query: Any) -> Planned:
    return Planned(name, path, words, lambda _: request(path, query))


def _cases(name: str, words: str, **query: Any) -> Planned:
    return _fixed(name, "v1/cases", words, **query)


def _beyond(answers: Answers) -> Parts | str:
    """Whether a page that is shorter than the largest limit is the whole list; or what a smaller limit brings."""
    large = answers["large"]
    if large.is_refusal:
        return request("v1/cases", {"limit": FALLBACK_LIMIT})
    count = len(large.rows or ())
    if not 0 < count < LARGEST_PAGE:
        return "it would say nothing new"
    return request("v1/cases", {"limit": FEW_ROWS, "offset": count})


def _window(days_before: int, days_after: int) -> Make:
    """Cases opened around the day of a case that was seen, with bounds so many days away from it."""

    def make(answers: Answers) -> Parts | str:
        chosen = dated_case(answers.cases)
        if chosen is None:
            return "no case with a date was seen"
        day = datetime.fromisoformat(chosen["date_opened"]).date()
        bounds = DateFilter(after=day - timedelta(days=days_before), before=day + timedelta(days=days_after))
        return request("v1/cases", {"date_opened": bounds, "limit": LARGEST_PAGE})

    return make


def _detail(answers: Answers) -> Parts | str:
    case = busy_case(answers.cases)
    return "no case was seen" if case is None else request(f"v1/cases/{row_id(case)}")


def _by_number(answers: Answers) -> Parts | str:
    number = number_of(busy_case(answers.cases) or {})
    return "no case was seen whose number is more than digits" if number is None else request(f"v1/cases/{number}")


def _with_slash(_: Answers) -> Parts:
    parts = request("v1/cases", {"limit": 1})
    return attrs.evolve(parts, path=f"{parts.path}/")


def dated_case(cases: list[Row]) -> Row | None:
    """The case that was opened nearest to noon, so that its day is the same in most zones."""
    dated = [case for case in cases if _may_be_asked_for(case)]
    noon = 12
    return min(dated, key=lambda case: abs(datetime.fromisoformat(case["date_opened"]).hour - noon), default=None)


def _may_be_asked_for(case: Row) -> bool:
    opened = moment(case.get("date_opened"))
    return row_id(case) is not None and opened is not None and 1970 <= opened.year < 2100  # noqa: PLR2004 - years


def busy_case(cases: list[Row]) -> Row | None:
    """The case that changed latest after it was opened, which likely has a history."""
    known = [case for case in cases if row_id(case) is not None and (row_id(case) or 0) >= 0]

    def changed_after(case: Row) -> float:
        opened, updated = moment(case.get("date_opened")), moment(case.get("date_updated"))
        return (updated - opened).total_seconds() if opened and updated else 0.0

    return max(known, key=changed_after, default=None)


def number_of(case: Row) -> str | None:
    """The number of a case, if it cannot be taken for an id."""
    for name in ("casenum", "casenumber", "case_number"):
        number = case.get(name)
        if isinstance(number, str) and _NUMBER_OF_A_CASE.fullmatch(number) and not number.isdecimal():
            return number
    return None


READS: tuple[Planned, ...] = (
    _fixed("permissions", "v1/session/permissions", "what the key may do"),
    _fixed("departments", "v2/departments", "departments"),
    _cases("default", "cases as they come by default"),
    _cases("ascending", "cases ordered by `caseid asc`", orderby="caseid asc", limit=FEW_ROWS),
    _cases("bare", "cases ordered by `caseid`", orderby="caseid", limit=FEW_ROWS),
    _cases("descending", "cases ordered by `caseid desc`", orderby="caseid desc", limit=FEW_ROWS),
    _cases("large", f"{LARGEST_PAGE} cases", limit=LARGEST_PAGE),
    Planned("beyond", "v1/cases", "what follows them, or fewer if that was refused", _beyond),
    _cases("larger", f"{LARGEST_PAGE + 1} cases", limit=LARGEST_PAGE + 1),
    _cases("zero", "cases with a limit of 0", limit=0),
    _cases("past_end", "cases past the end", limit=FEW_ROWS, offset=FAR_OFFSET),
    _cases("no_matches", "cases of a contact that is not there", contactid=NO_CONTACT, limit=FEW_ROWS),
    Planned("around", "v1/cases", "cases opened around the day of one case", _window(1, 1)),
    Planned("from_day", "v1/cases", "cases opened after its day began", _window(0, 1)),
    Planned("to_day", "v1/cases", "cases opened before its day", _window(1, 0)),
    Planned("detail", "v1/cases/{case}", "one case with its history", _detail),
    Planned("number", "v1/cases/{number}", "the same case by its number", _by_number),
    Planned("slash", "v1/cases/", "a path with a slash at its end", _with_slash),
    _fixed("reps", "v2/reps", "reps"),
    _fixed("case_tags", "v1/casetags", "case tags"),
    _fixed("contacts", "v2/contacts", "contacts", search="a", limit=5),
    _fixed("emails", "v1/emails/unassigned", "unassigned emails", limit=5),
    _fixed("chats", "v1/chats", "chats"),
    _fixed("webhooks", "v2/webhooks", "webhooks"),
    _fixed("integrations", "v1/integrations", "integrations"),
)
"""What is asked, in this order."""
