"""Questions about lists: orders, limits, offsets, and what stands for nothing."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Literal, TypeAlias

from fusedesk_async._wire.call import LARGEST_PAGE
from fusedesk_async.diagnosis._plan import FALLBACK_LIMIT
from fusedesk_async.diagnosis._registry import Ask, Outcome, cannot_tell, judged, question, unread
from fusedesk_async.diagnosis._seen import Answers, Seen
from fusedesk_async.diagnosis._shapes import Row, moment, row_id

Direction: TypeAlias = Literal["ascending", "descending", "none"]

ENOUGH = 3
"""Different values from which an order is believed."""
DEFAULT_LIMIT = 150
"""Rows that come where no limit is asked for (seed page)."""
_COLUMNS = (
    "date_updated",
    "caseid",
    "date_opened",
    "date_assigned",
    "date_firstresponse",
    "date_lastresponse",
    "date_closed",
)


def direction_of(values: Sequence[Any]) -> Direction | None:
    """How values run, equal ones side by side allowed; None if too few differ."""
    if len(set(values)) < ENOUGH:
        return None
    if all(first <= second for first, second in pairwise(values)):
        return "ascending"
    return "descending" if all(first >= second for first, second in pairwise(values)) else "none"


def id_direction(page: Seen) -> Direction | None:
    """How the ids of a page run."""
    return direction_of([found for row in page.rows or [] if (found := row_id(row)) is not None])


def question_of_lists(name: str, *calls: str) -> Callable[[Ask], Ask]:
    """Put a function into the table that is asked only if lists can be had; if not, refusals say nothing."""

    def register(ask: Ask) -> Ask:
        def ask_if_there_are_lists(answers: Answers) -> Outcome:
            default = answers["default"]
            return unread(default) if default.rows is None else ask(answers)

        return question(name, "default", *calls)(ask_if_there_are_lists)

    return register


def kept_orders(answers: Answers) -> list[str]:
    """The forms of an order by id that were honoured."""
    default, bare = id_direction(answers["default"]), id_direction(answers["bare"])
    kept = {
        "caseid asc": id_direction(answers["ascending"]) == "ascending",
        "caseid": bare == "ascending" or (bare == "descending" and default != "descending"),
        "caseid desc": id_direction(answers["descending"]) == "descending",
    }
    return [form for form, is_kept in kept.items() if is_kept]


@question_of_lists("orders", "ascending", "bare", "descending")
def orders(answers: Answers) -> Outcome:
    """Compare how ids run with how they were asked for."""
    pages = [answers[name] for name in ("ascending", "bare", "descending")]
    for page in pages:
        if not page.is_refusal and page.rows is None:
            return unread(page)
    counts = [len(page.rows or ()) for page in pages]
    if not all(page.is_refusal or id_direction(page) for page in pages):
        return cannot_tell(f"{min(counts)} cases came, too few to see an order")
    kept = kept_orders(answers)
    refused = sum(page.is_refusal for page in pages)
    evidence = f"of `caseid asc`, `caseid` and `caseid desc` {len(kept)} came in order, {refused} were refused"
    return judged(kept, evidence, known=len(kept) == len(pages))


@question_of_lists("default_order")
def default_order(answers: Answers) -> Outcome:
    """Look for a column by which a page without `orderby` is sorted."""
    rows = answers["default"].rows or []
    for column in _COLUMNS:
        values = _column(rows, column)
        direction = direction_of(values) if 2 * len(values) > len(rows) else None
        if direction in {"ascending", "descending"}:
            value = f"{column} {'asc' if direction == 'ascending' else 'desc'}"
            evidence = f"{len(values)} of {len(rows)} cases of a page have a value there and are sorted so"
            return judged(value, evidence, known=value == "date_updated desc")
    if len(rows) < ENOUGH:
        return cannot_tell(f"{len(rows)} cases came, too few to see an order")
    return judged(None, "the cases of a page are not sorted by id or by any date", known=False)


def _column(rows: Sequence[Row], column: str) -> list[Any]:
    """The values of a column that can be compared."""
    values = [row_id(row) if column == "caseid" else moment(row.get(column)) for row in rows]
    return [value for value in values if value is not None]


@question_of_lists("default_limit", "large")
def default_limit(answers: Answers) -> Outcome:
    """Count the rows that come without `limit`."""
    count, most = len(answers["default"].rows or ()), len(answers["large"].rows or ())
    if count >= DEFAULT_LIMIT or most > count:
        return judged(count, f"{count} cases came where no limit was asked for", known=count == DEFAULT_LIMIT)
    return cannot_tell(f"{count} cases came, which may be all there are")


@question_of_lists("largest_limit", "large", "beyond", "larger")
def largest_limit(answers: Answers) -> Outcome:
    """Find the most rows that come at once."""
    large, beyond, larger = answers["large"], answers["beyond"], answers["larger"]
    if large.is_refusal:
        return _below(answers)
    if large.rows is None:
        return unread(large)
    count = len(large.rows)
    if len(larger.rows or ()) > max(count, LARGEST_PAGE - 1):
        return judged(None, f"more than {LARGEST_PAGE} cases come if asked for", known=False)
    if count == LARGEST_PAGE:
        return judged(count, f"{count} cases came when {count} were asked for", known=True)
    if beyond.rows:
        return judged(count, f"{count} came when {LARGEST_PAGE} were asked for, and there are more", known=False)
    why = beyond.problem or "which may be all there are"
    return cannot_tell(f"{count} cases came, {why}" if beyond.rows is not None else why)


def _below(answers: Answers) -> Outcome:
    """The largest limit, as far as can be told, if that of the seed page is refused."""
    beyond, default = answers["beyond"], answers["default"]
    if beyond.rows is not None:
        evidence = f"{LARGEST_PAGE} is refused and {FALLBACK_LIMIT} is not; what is between them was not tried"
        return judged(FALLBACK_LIMIT, evidence, known=False)
    if beyond.is_refusal and default.rows:
        count = len(default.rows)
        evidence = f"{LARGEST_PAGE} and {FALLBACK_LIMIT} are refused; {count} cases come where none is asked for"
        return judged(count, evidence, known=False)
    return cannot_tell(f"{LARGEST_PAGE} is refused; a smaller one: {beyond.problem}")


@question_of_lists("over_limit", "large", "beyond", "larger")
def over_limit(answers: Answers) -> Outcome:
    """Ask for one row more than the seed page allows."""
    large, larger = answers["large"], answers["larger"]
    if large.is_refusal:
        return judged("refused", f"a limit of {LARGEST_PAGE}: {large.problem}", known=True)
    if larger.is_refusal:
        return judged("refused", f"a limit of {LARGEST_PAGE + 1}: {larger.problem}", known=True)
    if larger.rows is None:
        return unread(larger)
    count = len(larger.rows)
    if count > LARGEST_PAGE:
        return judged(None, f"{count} cases came when as many were asked for", known=False)
    if count == LARGEST_PAGE or answers["beyond"].rows:
        return judged("cut", f"{count} cases came when {LARGEST_PAGE + 1} were asked for", known=False)
    return cannot_tell(f"it is not refused, but {count} cases may be all there are")


@question_of_lists("limit_zero", "large", "zero")
def limit_zero(answers: Answers) -> Outcome:
    """Ask for no rows."""
    zero = answers["zero"]
    if zero.is_refusal:
        return judged("refused", zero.problem, known=True)
    if zero.rows is None:
        return unread(zero)
    count = len(zero.rows)
    if not count:
        return judged("none", "no cases came", known=False)
    usual, most = len(answers["default"].rows or ()), len(answers["large"].rows or ())
    value = "default" if count == usual else "all" if count == most else None
    return judged(value, f"{count} cases came", known=False)


def nothing_of(page: Seen) -> str | None:
    """What stands for no rows; None if there are some, or it is something else."""
    if page.is_refusal:
        return "404" if page.kind == "404" else "error"
    if page.rows is None or page.rows or page.answer is None:
        return None
    if page.value is None:
        return "null" if page.answer.body.strip() else "empty"
    return "false" if page.value is False else "text" if page.value == "" else "list"


@question_of_lists("no_matches", "no_matches")
def no_matches(answers: Answers) -> Outcome:
    """Search what is not there."""
    page = answers["no_matches"]
    nothing = nothing_of(page)
    if nothing is not None:
        return judged(nothing, page.problem or "no cases came", known=nothing == "list")
    if page.rows:
        return cannot_tell(f"{len(page.rows)} cases came of a contact that should not be there")
    return unread(page)


@question_of_lists("offset_past_end", "no_matches", "past_end")
def offset_past_end(answers: Answers) -> Outcome:
    """Ask for what is behind the end."""
    page = answers["past_end"]
    nothing = nothing_of(page)
    if page.rows:
        return judged("last page", f"{len(page.rows)} cases came", known=False)
    if nothing is None:
        return unread(page)
    if page.is_refusal and nothing != nothing_of(answers["no_matches"]):
        return judged("error", page.problem, known=False)
    return judged("nothing", page.problem or "no cases came", known=True)
