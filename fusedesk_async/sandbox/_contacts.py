"""Contacts: those who ask."""

from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import NamedTuple

from ._texts import Dice, mix
from ._vocabulary import COMPANIES, FIRST_NAMES, LAST_NAMES, TIME_ZONES


class Contact(NamedTuple):
    """Somebody who asks. `crm_id` is a case's `contactid`, `uuid` its `contactUuid` (assumed, 7.8).

    `more` are members of v2 that only the API gave; `created` and `updated` are instants.
    """

    crm_id: int
    uuid: str
    first_name: str
    last_name: str
    email: str
    company: str
    company_id: int | None
    phone: str
    time_zone: str
    more: Mapping[str, str] = MappingProxyType({})
    created: int = 1_644_850_800
    updated: int = 1_764_624_600

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"


def company_of(crm_id: int) -> int | None:
    """The CRM id of the company a contact belongs to, or None."""
    index = crm_id // 2 % len(COMPANIES)
    return 700 + index if COMPANIES[index][0] else None


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


class Contacts:
    """All contacts, made when they are asked for; only those that were changed are kept.

    Args:
        seed: the sandbox's.
        total: how many there are at first.
    """

    def __init__(self, seed: int, total: int) -> None:
        self._seed = seed
        self._own: dict[int, Contact] = {}
        self._made = self._ids(total)
        self.ids: range = self._made
        # Rendering asks for the same contact several times in a row.
        self._make = lru_cache(maxsize=4096)(self._new)

    @staticmethod
    def _ids(total: int) -> range:
        """The CRM ids: odd, so that no contact's place in the list passes for its id."""
        return range(301, 301 + 2 * total, 2)

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Contact]:
        return (self._own.get(crm_id) or self._new(crm_id) for crm_id in self.ids)

    def __contains__(self, crm_id: object) -> bool:
        # A range searches one by one for what is no number.
        return isinstance(crm_id, int) and crm_id in self.ids

    def get(self, crm_id: int) -> Contact:
        """A contact as it is now."""
        return self._own.get(crm_id) or self._make(crm_id)

    def at_first(self, crm_id: int) -> Contact:
        """A contact as it was when the generated cases were written, whose words stay as they are."""
        return self._make(crm_id) if crm_id in self._made else self._own[crm_id]

    def add(self, now: int) -> Contact:
        """A new contact, of whom nothing is known yet."""
        self.ids = self._ids(len(self) + 1)
        crm_id = self.ids[-1]
        uuid = _uuid(mix(self._seed, crm_id, 6), crm_id)
        self._by_uuid[uuid] = crm_id
        self._own[crm_id] = Contact(crm_id, uuid, "", "", "", "", None, "", "", created=now, updated=now)
        return self._own[crm_id]

    def change(self, contact: Contact) -> None:
        """Keep a contact as it is given."""
        before = self.get(contact.crm_id)
        if contact.email != before.email:
            if before.email:
                self._by_email[before.email.lower()].remove(contact.crm_id)
            self._by_email.setdefault(contact.email.lower(), []).append(contact.crm_id)
        self._own[contact.crm_id] = contact

    def _new(self, crm_id: int) -> Contact:
        number = mix(self._seed, crm_id, 6)
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
            found.setdefault(contact.email.lower(), []).append(contact.crm_id)
        return found

    def with_uuid(self, uuid: str) -> int | None:
        """The CRM id of the contact with that UUID, or None."""
        return self._by_uuid.get(uuid.lower())

    def with_email(self, email: str) -> list[int]:
        """The CRM ids of all contacts with that address, capitals or not."""
        return self._by_email.get(email.strip().lower(), [])
