"""Departments in both versions (6.6); v1 calls itself deprecated (DEP). What writes answer is assumed throughout."""

from collections.abc import Callable

from fusedesk_async.sandbox._call import Call, whole_number
from fusedesk_async.sandbox._directory import Department
from fusedesk_async.sandbox._refusals import not_found, refuse
from fusedesk_async.sandbox._render import Json, render_department_v1, render_department_v2
from fusedesk_async.sandbox._state import State

from ._registry import endpoint

_SCOPE = "departments"
_NUMBERS = (
    "replyTemplateId",
    "stale",
    "staleWarning",
    "feedbackTemplateId",
    "feedbackDelay",
    "feedbackFrequency",
    "feedbackSample",
)


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
        return render(_known(state, call))

    @endpoint("POST", f"{version}/departments", "departments", _SCOPE)
    def create(state: State, call: Call) -> object:  # pyright: ignore[reportUnusedFunction]
        reps = [whole_number("reps", word) for word in call.words("reps")]
        made = Department(max(state.departments) + 4, call.required("name"), _staff(state, reps), None, call.now)
        state.departments[made.id] = made
        return render(made)


_offer("v1", render_department_v1)
_offer("v2", render_department_v2)


@endpoint("POST", "v2/departments/{department}", "departments", _SCOPE)
def update_department(state: State, call: Call) -> object:
    """Change members (MC); `allReps` puts everybody there."""
    department = _known(state, call)
    reps = call.integers("repUserIds")
    settings: dict[str, object] = {name: number for name in _NUMBERS if (number := call.integer(name)) is not None}
    if (category := call.text("templateCategory")) is not None:
        settings["templateCategory"] = category
    if call.text("allReps") is not None:
        settings["allReps"] = call.flag("allReps")
    if not settings and reps is None:
        message = "Nothing to update"
        raise refuse(message)
    if settings.get("allReps"):
        reps = [rep.user for rep in state.reps.values()]
    if reps is not None:
        department.reps = _staff(state, reps)
    department.settings |= settings
    return render_department_v2(department)


@endpoint("DELETE", "v2/departments/{department}", "departments", _SCOPE)
def archive_department(state: State, call: Call) -> object:
    """Take it out of use; one that is archived is refused."""
    department = _known(state, call)
    if department.archived is not None:
        message = f"Department is archived: {department.id}"
        raise refuse(message)
    department.archived = call.now
    return {"success": True, "id": department.id}


@endpoint("POST", "v2/departments/{department}/restore", "departments", _SCOPE)
def restore_department(state: State, call: Call) -> object:
    """Take it back into use; one that is in use is refused."""
    department = _known(state, call)
    if department.archived is None:
        message = f"Department is not archived: {department.id}"
        raise refuse(message)
    department.archived = None
    return render_department_v2(department)


def _known(state: State, call: Call) -> Department:
    """The department in the path (else 404, PM)."""
    found = state.departments.get(call.id("department"))
    if found is None:
        what = "Department"
        raise not_found(what)
    return found


def _staff(state: State, reps: list[int]) -> list[int]:
    for rep in reps:
        if rep not in state.reps:
            message = f"Unknown rep: {rep}"
            raise refuse(message)
    return sorted({*reps})
