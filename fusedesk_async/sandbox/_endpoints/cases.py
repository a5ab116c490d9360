"""Reading cases: search and get (6.1)."""

from fusedesk_async.sandbox._call import Call
from fusedesk_async.sandbox._filters import read_query
from fusedesk_async.sandbox._refusals import not_found, refuse
from fusedesk_async.sandbox._render import render_case, render_detail
from fusedesk_async.sandbox._state import State

from ._registry import endpoint

_DEFAULT, _MOST = 150, 500  # rows of a page (S2)


@endpoint("GET", "v1/cases", "search", "cases")
def search_cases(state: State, call: Call) -> object:
    """A bare array of cases (C#, WP54, MC); an empty one when none match (assumed)."""
    start, stop = page(call)
    found = state.searcher.find(read_query(state, call))
    return [render_case(state, case) for case in found[start:stop]]


@endpoint("GET", "v1/cases/{case}", "get", "cases")
def get_case(state: State, call: Call) -> object:
    """One case with its history (MC, CO)."""
    return render_detail(state, known_case(state, call))


def known_case(state: State, call: Call) -> int:
    """The id in the path, if there is such a case (else 404, PM)."""
    case = call.id("case")
    if case not in state.cases:
        what = "Case"
        raise not_found(what)
    return case


def page(call: Call) -> tuple[int, int]:
    """From `limit` and `offset` the places where a page starts and stops; values out of range are refused (assumed)."""
    limit, offset = call.integer("limit"), call.integer("offset") or 0
    limit = _DEFAULT if limit is None else limit
    if not 1 <= limit <= _MOST:
        message = f"limit must be between 1 and {_MOST}"
        raise refuse(message)
    if offset < 0:
        message = "offset must not be negative"
        raise refuse(message)
    return offset, offset + min(limit, call.page_cap or _MOST)
