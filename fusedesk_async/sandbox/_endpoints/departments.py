"""Departments in both versions (6.6); v1 calls itself deprecated (DEP)."""

from collections.abc import Callable

from fusedesk_async.sandbox._call import Call
from fusedesk_async.sandbox._people import Department
from fusedesk_async.sandbox._refusals import not_found
from fusedesk_async.sandbox._render import Json, render_department_v1, render_department_v2
from fusedesk_async.sandbox._state import State

from ._registry import endpoint

_SCOPE = "departments"


def _offer(version: str, render: Callable[[Department], Json]) -> None:
    """Both versions know the same calls and differ in what they show."""

    @endpoint("GET", f"{version}/departments", "departments", _SCOPE)
    def active(state: State, _: Call) -> object:  # pyright: ignore[reportUnusedFunction]
        return [render(each) for each in state.departments.values() if each.archived is None]

    @endpoint("GET", f"{version}/departments/all", "departments", _SCOPE)
    def every(state: State, _: Call) -> object:  # pyright: ignore[reportUnusedFunction]
        return [render(each) for each in state.departments.values()]

    @endpoint("GET", f"{version}/departments/archived", "departments", _SCOPE)
    def archived(state: State, _: Call) -> object:  # pyright: ignore[reportUnusedFunction]
        return [render(each) for each in state.departments.values() if each.archived is not None]

    @endpoint("GET", f"{version}/departments/{{department}}", "departments", _SCOPE)
    def one(state: State, call: Call) -> object:  # pyright: ignore[reportUnusedFunction]
        found = state.departments.get(call.id("department"))
        if found is None:
            what = "Department"
            raise not_found(what)
        return render(found)


_offer("v1", render_department_v1)
_offer("v2", render_department_v2)
