"""Everything a desk knows, as plain data: cases, their histories, tags, reps, departments, contacts, mails, chats."""

from functools import cached_property
from random import Random

from ._calendar import DATA_ENDS
from ._cases import Cases
from ._contacts import Contacts
from ._directory import Department, Rep, Tag, make_departments, make_reps, make_tags
from ._history import Item, make_history
from ._inbox import Json, make_chats, make_mails, make_webhooks
from ._profile import USUAL, SandboxProfile
from ._search import Searcher
from ._seeding import make_columns

_LONGEST_NUMBER = 18  # digits of a number that is looked for


class State:
    """One help desk.

    Args:
        seed: decides every word and date.
        count: how many cases its past holds; their ids are 1 to `count`.
        ends: the instant up to which its past reaches.
        profile: which server it is.
    """

    def __init__(self, seed: int, count: int, *, ends: int = DATA_ENDS, profile: SandboxProfile = USUAL) -> None:
        self.seed = seed
        self.ends = ends
        self.profile: SandboxProfile = profile
        self.random: Random = Random(seed)
        self.reps: dict[int, Rep] = make_reps()
        self.departments: dict[int, Department] = make_departments()
        self.tags: dict[int, Tag] = make_tags()
        self.contacts: Contacts = Contacts(seed, 24 + count // 4)
        columns = make_columns(
            self.random,
            count,
            ends=ends,
            contacts=self.contacts,
            reps=self.reps,
            departments=self.departments,
            tags=self.tags,
        )
        self.cases: Cases = Cases(seed, columns, self.contacts, self.reps, ends)
        self.searcher: Searcher = Searcher(self.cases)
        self.notes: dict[int, list[Item]] = {}  # histories that differ from the generated ones
        self.webhooks: dict[str, Json] = make_webhooks()
        self._generated = count
        self._next_item = (count + 1) * 10

    @cached_property
    def mails(self) -> dict[str, Item]:
        """Mails that belong to no case, by id."""
        return make_mails(self.seed, self.contacts, self.ends)

    @cached_property
    def chats(self) -> dict[str, Json]:
        """Chats by id, closed ones too, as the API writes them."""
        return make_chats(self.seed, self.contacts, self.reps, self.departments, cases=self._generated, ends=self.ends)

    def history(self, case: int) -> list[Item]:
        """Notes, calls and mails of a case, oldest first."""
        if case in self.notes:
            return self.notes[case]
        return make_history(self.cases, case, self.reps) if case <= self._generated else []

    def add_history(self, case: int, items: list[Item]) -> None:
        """Append to the history of a case; the items get their ids here."""
        kept = self.notes.setdefault(case, self.history(case))
        for item in [*items]:
            number = self.next_number()
            kept.append(item | {"id": str(number) if item["type"] == "email" else number})

    def next_number(self) -> int:
        """A number that no item of a history has."""
        number, self._next_item = self._next_item, self._next_item + 1
        return number

    def mail_in_a_case(self, number: str) -> Item | None:
        """The mail with that id from any history, or None."""
        short = number.isascii() and number.isdigit() and len(number) <= _LONGEST_NUMBER
        case = int(number) // 10 if short else 0  # as generated histories are numbered
        histories = [self.history(case) if case in self.cases else [], *self.notes.values()]
        return next((item for items in histories for item in items if item["id"] == number), None)

    def may_ask(self, case: int) -> bool:
        """Whether the customer of a case may be asked what he or she thinks of it."""
        allowed: bool = self.cases.values(case).get("askFeedback", True)
        return allowed

    def change(self, case: int, now: int, **fields: object) -> None:
        """Set members of a case as an API call does: `date_updated` moves to now, unless it is given."""
        if "repid" in fields or "contactid" in fields:
            self.notes.setdefault(case, self.history(case))
        self.cases.change(case, **{"date_updated": now} | fields)

    def remove(self, case: int) -> None:
        """Delete a case and its history."""
        self.cases.remove(case)
        self.notes.pop(case, None)

    def reps_of(self, department: int | None) -> list[int]:
        """User ids of the active reps of a department; none for a department that does not exist."""
        found = self.departments.get(department) if department is not None else None
        return [user for user in found.reps if self.reps[user].active] if found else []
