"""The desk at work behind the API's back: cases are opened, closed, reopened, retagged and deleted."""

from collections.abc import Callable, Sequence
from typing import Any

from ._calendar import MISSING
from ._state import State


def pick(state: State, count: int, wanted: Callable[[int], bool]) -> list[int]:
    """Up to `count` different cases of a kind, a seeded random choice."""
    found: dict[int, None] = {}
    # Guessing first: a walk over all cases for each churned page would be slow.
    for _ in range(20 * count if len(state.cases) else 0):
        case = state.random.randint(1, state.cases.newest)
        if case in state.cases and wanted(case):
            found[case] = None
            if len(found) == count:
                return list(found)
    others = [case for case in state.cases.ids() if case not in found and wanted(case)]
    return [*found, *state.random.sample(others, min(len(others), count - len(found)))]


def open_cases(state: State, now: int, count: int, fields: dict[str, Any]) -> list[int]:
    """Open `count` new cases; members given in `fields`, as an answer names them, are the same for all."""
    departments = [department.id for department in state.departments.values() if department.archived is None]
    made: list[int] = []
    for _ in range(count):
        department = fields.get("departmentid") or state.random.choice(departments)
        defaults = {
            "status": "new",
            "departmentid": department,
            "repid": state.random.choice(state.reps_of(department) or [None]),
            "contactid": state.random.choice(state.contacts.ids),
            "tags": (),
            "date_opened": now,
            "date_assigned": now,
            "date_updated": now,
        }
        made.append(state.cases.add(**defaults | fields))
    return made


def close_case(state: State, now: int, case: int) -> None:
    """Close a case, whatever it was."""
    state.change(case, now, status="closed", date_closed=now)


def reopen_case(state: State, now: int, case: int) -> None:
    """Open a case again; that its date_closed goes is assumed."""
    state.change(case, now, status="open", date_closed=MISSING)


def retag_case(state: State, now: int, case: int) -> None:
    """Take one tag off a case, or put one on."""
    tags: Sequence[int] = state.cases.value(case, "tags")
    chosen = state.random.choice([tag.id for tag in state.tags.values() if not tag.archived])
    kept = {*tags} ^ {chosen}
    state.change(case, now, tags=tuple(sorted(kept)))
