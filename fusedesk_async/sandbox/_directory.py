"""Reps, departments and case tags: small records, each with the ids that are easy to confuse kept apart."""

from dataclasses import dataclass, field

from ._vocabulary import DEPARTMENTS, HIDDEN_TAGS, REPS, TAGS


@dataclass
class Rep:
    """A person who answers cases. `user` is the id every `repid` parameter wants (S2); `rep` is v2's second id (MC)."""

    user: int
    rep: int
    first_name: str
    last_name: str
    active: bool
    department: int

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"


@dataclass
class Department:
    """Who may answer what; `archived` is an instant or None, `settings` are members of v2 that were changed."""

    id: int
    name: str
    reps: list[int]
    archived: int | None = None
    created: int = 1_554_127_200
    settings: dict[str, object] = field(default_factory=dict[str, object])


@dataclass
class Tag:
    """A case tag; deleting one archives it (7.7)."""

    id: int
    name: str
    hidden: bool = False
    archived: bool = False


def make_departments() -> dict[int, Department]:
    """The departments by id, with ids like the v1 page's (268, 272, 273)."""
    ids = [268 + 4 * index for index in range(len(DEPARTMENTS))]
    reps = make_reps().values()
    return {
        id_: Department(
            id_,
            name,
            [rep.user for rep, plan in zip(reps, REPS, strict=True) if index in plan[2]],
            None if active else 1_672_531_200,
        )
        for index, (id_, (name, active)) in enumerate(zip(ids, DEPARTMENTS, strict=True))
    }


def make_reps() -> dict[int, Rep]:
    """The reps by user id."""
    return {
        user: Rep(user, 9000 + index, first, last, active, 268 + 4 * departments[0])
        for index, (first, last, departments, active) in enumerate(REPS)
        for user in [11 + 3 * index]
    }


def make_tags() -> dict[int, Tag]:
    """The case tags by id."""
    names = [*TAGS, *HIDDEN_TAGS]
    return {5 + 2 * index: Tag(5 + 2 * index, name, name in HIDDEN_TAGS) for index, name in enumerate(names)}
