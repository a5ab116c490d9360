"""Reading cases: search and get (6.1)."""

from collections.abc import Sequence
from typing import TypeVar

from fusedesk_async.sandbox._call import NO_BODY, Call
from fusedesk_async.sandbox._filters import read_query
from fusedesk_async.sandbox._refusals import not_found, refuse
from fusedesk_async.sandbox._render import render_case, render_detail
from fusedesk_async.sandbox._state import State
from fusedesk_async.sandbox._texts import case_of_number

from ._registry import endpoint

T = TypeVar("T")
_DEFAULT, _MOST = 150, 500  # rows of a page (S2)
_NOTHING: dict[str, object] = {"list": [], "text": "", "empty": NO_BODY, "false": False, "null": None}


@endpoint("GET", "v1/cases", "search", "cases")
def search_cases(state: State, call: Call) -> object:
    """A bare array of cases (C#, WP54, MC)."""
    found = rows_of_page(call, state.searcher.find(read_query(state, call)))
    return [render_case(state, case) for case in found] or nothing(call)


@endpoint("GET", "v1/cases/{case}", "get", "cases")
def get_case(state: State, call: Call) -> object:
    """One case with its history (MC, CO)."""
    return render_detail(state, known_case(state, call))


def known_case(state: State, call: Call) -> int:
    """The id in the path, if there is such a case (else 404, PM); the number of a case where that is taken, too."""
    by_number = case_of_number(call.path["case"]) if call.profile.case_numbers_in_paths else None
    case = call.id("case") if by_number is None else by_number
    if case not in state.cases:
        what = "Case"
        raise not_found(what)
    return case


def rows_of_page(call: Call, found: Sequence[T]) -> Sequence[T]:
    """What a page of a list holds, by `limit` and `offset`; values out of range are refused (assumed)."""
    limit, offset = _limit(call), call.integer("offset") or 0
    if offset < 0:
        message = "offset must not be negative"
        raise refuse(message)
    if offset >= len(found) > 0 and limit:
        offset = _beyond(call, offset, limit, len(found))
    return found[offset : offset + limit]


def _limit(call: Call) -> int:
    profile, limit = call.profile, call.integer("limit")
    most = profile.largest_limit or _MOST
    if limit is None:
        return min(_DEFAULT, most)
    if limit == 0 and profile.limit_zero in {"none", "default", "all"}:
        return {"none": 0, "default": min(_DEFAULT, most), "all": most}[profile.limit_zero]
    if limit < 1 or (limit > most and profile.over_limit != "cut"):
        message = f"limit must be between 1 and {most}"
        raise refuse(message)
    return min(limit, most)


def _beyond(call: Call, offset: int, limit: int, total: int) -> int:
    """Where a page starts that was asked for behind the end."""
    if call.profile.offset_past_end == "error":
        message = "offset is behind the end of the list"
        raise refuse(message)
    return max(0, total - limit) if call.profile.offset_past_end == "last page" else offset


def nothing(call: Call) -> object:
    """What stands for no rows."""
    kind = call.profile.no_matches or "list"
    if kind == "error":
        message = "No cases found"
        raise refuse(message)
    if kind == "404":
        what = "Cases"
        raise not_found(what)
    return _NOTHING[kind]
