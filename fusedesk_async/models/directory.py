"""What has a name: departments, reps and case tags."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Generic, TypeVar, Unpack, cast

import attrs

from fusedesk_async._checks import not_both
from fusedesk_async._exports import public
from fusedesk_async.errors import NameLookupError, PermissionDeniedError
from fusedesk_async.filters import CaseFilters
from fusedesk_async.models._record import Record
from fusedesk_async.models.case_tag import CaseTag
from fusedesk_async.models.department import Department
from fusedesk_async.models.new import NewCase
from fusedesk_async.models.rep import Rep

R = TypeVar("R", bound=Record)

MOST_SIMILAR_NAMES = 5
"""How many similar names an error shows."""


@public
@attrs.frozen(kw_only=True)
class Directory:
    """Departments, reps and case tags, to be found by their names. Got by `await desk.directory()`.

    Case and the number of blanks make no difference. What is in use goes before what is archived, disabled or hidden
    but has the same name.

    Attributes:
        departments: All departments, archived ones too.
        reps: All reps, disabled ones too.
        tags: All tags that are not deleted, hidden ones too.
        denied: Which of these the key may not read, each with the server's refusal.
    """

    departments: tuple[Department, ...] = ()
    reps: tuple[Rep, ...] = ()
    tags: tuple[CaseTag, ...] = ()
    denied: Mapping[str, PermissionDeniedError] = attrs.field(factory=dict[str, PermissionDeniedError])

    def department(self, name: str) -> Department:
        """The department of this name.

        Raises:
            NameLookupError: None or several have it.
            PermissionDeniedError: The key may not read departments.
        """
        return self._only("department", name, map(_department, self.departments))

    def rep(self, name: str) -> Rep:
        """The rep of this name: first and last name, address, or user name.

        Raises:
            NameLookupError: None or several have it.
            PermissionDeniedError: The key may not read reps.
        """
        return self._only("rep", name, map(_rep, self.reps))

    def tag(self, name: str) -> CaseTag:
        """The tag of this name.

        Raises:
            NameLookupError: None or several have it.
            PermissionDeniedError: The key may not read tags.
        """
        return self._only("tag", name, map(_tag, self.tags))

    def filters(self, **filters: Unpack[CaseFilters]) -> CaseFilters:
        """The filters with ids in place of the names, for what is to be kept or compared.

        Raises:
            NameLookupError: None or several have such a name.
            PermissionDeniedError: The key may not read what has it.
            ConfigurationError: Both a name and an id are given.
        """
        found: dict[str, Any] = {**filters}
        finds: Mapping[str, Callable[[str], int]] = {
            "department": lambda name: self.department(name).id,
            "rep": lambda name: self.rep(name).user_id,
            "tag": lambda name: self.tag(name).id,
        }
        for kind, find in finds.items():
            name = found.pop(kind, None)
            not_both(kind, name, found.get(f"{kind}_id"))
            if name is not None:
                found[f"{kind}_id"] = find(name)
        return cast("CaseFilters", found)

    def new_case(self, case: NewCase) -> NewCase:
        """The case with ids in place of its department's and its rep's names.

        Raises:
            NameLookupError: None or several have such a name.
            PermissionDeniedError: The key may not read what has it.
        """
        if case.department is not None:
            case = attrs.evolve(case, department=None, department_id=self.department(case.department).id)
        if case.rep is not None:
            case = attrs.evolve(case, rep=None, rep_id=self.rep(case.rep).user_id)
        return case

    def _only(self, kind: str, name: str, entries: "Iterable[_Entry[R]]") -> R:
        if denied := self.denied.get(kind):
            raise type(denied)(*denied.args)
        known = list(entries)
        same = [entry for entry in known if _folded(name) in entry.keys]
        chosen = [entry for entry in same if not entry.mark] or same
        if len(chosen) != 1:
            raise _ambiguous(kind, name, chosen) if chosen else _unknown(kind, name, known)
        return chosen[0].record


@attrs.frozen
class _Entry(Generic[R]):
    """A record, what it is called, and how people see it: `mark` says why it is not in use."""

    record: R
    id: str
    names: Sequence[str | None]
    mark: str

    @property
    def keys(self) -> list[str]:
        return [_folded(name) for name in self.names if name]

    @property
    def shown(self) -> str:
        name = next((name for name in self.names if name), "") + (f" ({self.mark})" if self.mark else "")
        return " ".join(name.split())


def _department(department: Department) -> _Entry[Department]:
    mark = "" if department.date_archived is None else "archived"
    return _Entry(department, f"id {department.id}", [department.name], mark)


def _rep(rep: Rep) -> _Entry[Rep]:
    name = " ".join(part for part in (rep.first_name, rep.last_name) if part)
    mark = "archived" if rep.is_archived else "disabled" if rep.active is False else ""
    return _Entry(rep, f"user id {rep.user_id}", [name, rep.email_address, rep.username], mark)


def _tag(tag: CaseTag) -> _Entry[CaseTag]:
    return _Entry(tag, f"id {tag.id}", [tag.name], "hidden" if tag.hidden else "")


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def _ambiguous(kind: str, name: str, chosen: "Sequence[_Entry[Any]]") -> NameLookupError:
    near = tuple(" ".join([entry.shown, f"[{', '.join([entry.id, *_others(entry)])}]"]) for entry in chosen)
    message = f"{len(near)} {kind}s are called {name!r}, so give an id: {'; '.join(near)}"
    return NameLookupError(message, None, kind, name, near)


def _others(entry: "_Entry[Any]") -> list[str]:
    return [name for name in entry.names[1:] if name]


def _unknown(kind: str, name: str, known: "Sequence[_Entry[Any]]") -> NameLookupError:
    near = _near(_folded(name), sorted(known, key=lambda entry: bool(entry.mark)))
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else f"; there are {len(known)} with other names"
    return NameLookupError(f"no {kind} is called {name!r}{hint}", None, kind, name, near)


def _near(wanted: str, known: "Sequence[_Entry[Any]]") -> tuple[str, ...]:
    """What is shown of those that have the wanted text in a name, or a similar name; those in use first."""
    names = [key for entry in known for key in entry.keys]
    containing = (key for key in names if wanted and wanted in key)
    similar = {*get_close_matches(wanted, names, n=MOST_SIMILAR_NAMES), *containing}
    shown = dict.fromkeys(entry.shown for entry in known if similar.intersection(entry.keys))
    return tuple(shown)[:MOST_SIMILAR_NAMES]
