"""Reps, departments, case tags and contacts: small records, each with the ids that are easy to confuse kept apart."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple

from ._texts import Dice, mix
from ._vocabulary import COMPANIES, DEPARTMENTS, FIRST_NAMES, HIDDEN_TAGS, LAST_NAMES, REPS, TAGS, TIME_ZONES


@dataclass
class Rep:
    """Somebody who answers. `user` is the id every `repid` parameter wants (S2); `rep` is v2's second id (MC)."""

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


class Contact(NamedTuple):
    """Somebody who asks. `crm_id` is a case's `contactid`, `uuid` its `contactUuid` (assumed, 7.8)."""

    crm_id: int
    uuid: str
    first_name: str
    last_name: str
    email: str
    company: str
    company_id: int | None
    phone: str
    time_zone: str

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"


def company_of(crm_id: int) -> int | None:
    """The CRM id of the company a contact belongs to, or None."""
    place = crm_id // 2 % len(COMPANIES)
    return 700 + place if COMPANIES[place][0] else None


_PLAIN_LETTERS = str.maketrans({"ö": "oe", "ü": "ue", "ä": "ae", "é": "e", "í": "i", "ë": "e", "ń": "n", "'": ""})
# Each name beside its form in mail addresses.
_FIRST = tuple((name, name.lower().translate(_PLAIN_LETTERS)) for name in FIRST_NAMES)
_LAST = tuple((name, name.lower().translate(_PLAIN_LETTERS)) for name in LAST_NAMES)


def _uuid(number: int, crm_id: int) -> str:
    """A version 4 UUID; it holds the CRM id in disguise, so that no two are equal."""
    node = crm_id * 0x5DEECE66D & (1 << 48) - 1
    return (
        f"{number >> 32:08x}-{number >> 16 & 0xFFFF:04x}-4{number >> 4 & 0xFFF:03x}-a{number & 0xFFF:03x}-{node:012x}"
    )


@dataclass
class Contacts:
    """All contacts, made when they are asked for.

    Args:
        seed: the sandbox's.
        total: how many there are.
    """

    seed: int
    total: int

    def __post_init__(self) -> None:
        # Rendering asks for the same contact several times in a row.
        self.get = lru_cache(maxsize=4096)(self._make)

    @property
    def ids(self) -> range:
        """The CRM ids: odd, so that no contact's place in the list passes for its id."""
        return range(301, 301 + 2 * self.total, 2)

    def __len__(self) -> int:
        return self.total

    def __iter__(self) -> Iterator[Contact]:
        return map(self._make, self.ids)

    def __contains__(self, crm_id: object) -> bool:
        # A range searches one by one for what is no number.
        return isinstance(crm_id, int) and crm_id in self.ids

    def _make(self, crm_id: int) -> Contact:
        number = mix(self.seed, crm_id, 6)
        dice = Dice(number)
        (first, plain_first), (last, plain_last) = dice.choice(_FIRST), dice.choice(_LAST)
        company, domain = COMPANIES[crm_id // 2 % len(COMPANIES)]
        return Contact(
            crm_id=crm_id,
            uuid=_uuid(number, crm_id),
            first_name=first,
            last_name=last,
            email=f"{plain_first}.{plain_last}{dice.choice(('', '', '1', '74', '.office'))}@{domain}",
            company=company,
            company_id=company_of(crm_id),
            phone=f"+1 555 01{dice.below(100):02}",
            time_zone=dice.choice(TIME_ZONES),
        )

    @cached_property
    def _by_uuid(self) -> dict[str, int]:
        return {contact.uuid: contact.crm_id for contact in self}

    @cached_property
    def _by_email(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for contact in self:
            found.setdefault(contact.email, []).append(contact.crm_id)
        return found

    def with_uuid(self, uuid: str) -> int | None:
        """The CRM id of the contact with that UUID, or None."""
        return self._by_uuid.get(uuid.lower())

    def with_email(self, email: str) -> list[int]:
        """The CRM ids of all contacts with that address, capitals or not."""
        return self._by_email.get(email.strip().lower(), [])


def make_departments() -> dict[int, Department]:
    """The departments by id, with ids like the v1 page's (268, 272, 273)."""
    ids = [268 + 4 * place for place in range(len(DEPARTMENTS))]
    reps = make_reps().values()
    return {
        id_: Department(
            id_,
            name,
            [rep.user for rep, plan in zip(reps, REPS, strict=True) if place in plan[2]],
            None if active else 1_672_531_200,
        )
        for place, (id_, (name, active)) in enumerate(zip(ids, DEPARTMENTS, strict=True))
    }


def make_reps() -> dict[int, Rep]:
    """The reps by user id."""
    return {
        user: Rep(user, 9000 + place, first, last, active, 268 + 4 * departments[0])
        for place, (first, last, departments, active) in enumerate(REPS)
        for user in [11 + 3 * place]
    }


def make_tags() -> dict[int, Tag]:
    """The case tags by id."""
    names = [*TAGS, *HIDDEN_TAGS]
    return {5 + 2 * place: Tag(5 + 2 * place, name, name in HIDDEN_TAGS) for place, name in enumerate(names)}
