"""Questions about dates: their zone, and filters by them."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from fusedesk_async._wire.call import LARGEST_PAGE
from fusedesk_async.diagnosis._plan import dated_case
from fusedesk_async.diagnosis._registry import Outcome, cannot_tell, judged, question, unread
from fusedesk_async.diagnosis._seen import Answers, Seen
from fusedesk_async.diagnosis._shapes import Row, kind_of, row_id

_OFFSET = re.compile(r"[+-][0-9]{2}:?[0-9]{2}$|[zZ]$")


@question("zone", "default", "ascending", "bare", "descending")
def zone(answers: Answers) -> Outcome:
    """Count the offsets of dates."""
    texts = [value for case in answers.cases for value in case.values() if kind_of(value) == "date"]
    if not texts:
        return cannot_tell(answers["default"].problem or "no date was seen")
    offsets = Counter(_offset(text) for text in texts)
    named = sorted(offset for offset in offsets if offset)
    evidence = f"{len(texts)} dates, {offsets['']} of them without an offset, {len(named)} different offsets"
    value = max(named, key=lambda offset: offsets[offset], default=None)
    return judged(value, evidence, known=len(offsets) == 1 and bool(named))


def _offset(text: str) -> str:
    found = _OFFSET.search(text)
    if found is None:
        return ""
    digits = found[0].replace(":", "")
    return "+00:00" if digits in {"z", "Z"} else f"{digits[:3]}:{digits[3:]}"


def _holds(page: Seen, case: Row) -> bool | None:
    """Whether a case is in a page; None if it may be in a later one."""
    rows = page.rows or []
    if row_id(case) in {row_id(row) for row in rows}:
        return True
    return None if len(rows) >= LARGEST_PAGE else False


def _in_window(rows: Sequence[Row], case: Row) -> bool:
    """Whether all rows were opened within two days of a case, as any reading of the bounds allows."""
    middle = datetime.fromisoformat(case["date_opened"])
    moments = [datetime.fromisoformat(row["date_opened"]) for row in rows if kind_of(row.get("date_opened")) == "date"]
    apart = [abs(each.replace(tzinfo=None) - middle.replace(tzinfo=None)) for each in moments]
    return all(distance < timedelta(days=4) for distance in apart)


@question("date_filter_works", "around")
def date_filter_works(answers: Answers) -> Outcome:
    """Look whether a search around the day of a case finds it, and nothing far away."""
    page, case = answers["around"], dated_case(answers.cases)
    if case is None or page.rows is None:
        return cannot_tell("no case was seen") if case is None else unread(page)
    if not _in_window(page.rows, case):
        return judged(False, "cases came that were opened at other times", known=False)  # noqa: FBT003 - the value
    if _holds(page, case):
        return judged(True, f"{len(page.rows)} cases came, all opened at the time", known=True)  # noqa: FBT003 - likewise
    return cannot_tell(f"{len(page.rows)} cases came, not the one that was looked for")


@question("after_inclusive", "around", "from_day")
def after_inclusive(answers: Answers) -> Outcome:
    """Look whether a case is found by its own day as the lower bound."""
    return _bound(answers, answers["from_day"], usual=True)


@question("before_inclusive", "around", "to_day")
def before_inclusive(answers: Answers) -> Outcome:
    """Look whether a case is found by its own day as the upper bound."""
    return _bound(answers, answers["to_day"], usual=False)


def _bound(answers: Answers, page: Seen, *, usual: bool) -> Outcome:
    works, case = date_filter_works(answers), dated_case(answers.cases)
    if case is None or works.value is not True:
        return cannot_tell(works.evidence)
    if page.rows is None:
        nothing = page.is_refusal and answers["no_matches"].is_refusal
        return judged(False, page.problem, known=not usual) if nothing else unread(page)  # noqa: FBT003 - the value
    found = _holds(page, case)
    if found is None:
        return cannot_tell("the page is full, so the case that was looked for may be in the next one")
    evidence = f"a case of the day is {'' if found else 'not '}found by its own day as bound"
    return judged(found, evidence, known=found is usual)
