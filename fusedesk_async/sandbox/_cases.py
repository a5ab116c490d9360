"""All cases as columns, named as the API names them in answers; a case's id is its place in each column.

A generated case costs about a hundred bytes: its words are made when they are read and kept only once somebody
changes what they are made from.
"""

from collections.abc import Callable, MutableSequence, Sequence
from typing import Any

from ._calendar import DAY, MISSING
from ._contacts import Contacts
from ._directory import Rep
from ._texts import Letter, feedback, rating

PLAIN = ("status", "repid", "departmentid", "contactid", "companyid", "tags")
DATES = (
    "date_opened",
    "date_assigned",
    "date_firstresponse",
    "date_lastresponse",
    "date_updated",
    "date_closed",
)
_NOT_ASKED = {"rating": None, "feedback": None, "date_rated": MISSING, "date_requestedfeedback": MISSING}
_NOTHING: dict[str, Any] = {}
Columns = dict[str, MutableSequence[Any]]


class Cases:
    """The table of cases.

    Args:
        seed: the sandbox's; words follow from it.
        columns: PLAIN and DATES, with place 0 unused.
        contacts: who writes.
        reps: who answers, by user id.
        ends: the instant up to which the generated past reaches.
    """

    def __init__(self, seed: int, columns: Columns, contacts: Contacts, reps: dict[int, Rep], ends: int) -> None:
        self.journal: list[int] = []  # ids in the order they were touched; its length is the table's version
        self._seed = seed
        self._columns = columns
        self._contacts = contacts
        self._reps = reps
        self._ends = ends
        self._alive = bytearray(b"\1") * len(columns["status"])
        self._alive[0] = 0
        self._deleted = 0
        self._own: dict[int, dict[str, Any]] = {}

    def __len__(self) -> int:
        return len(self._alive) - 1 - self._deleted

    def __contains__(self, case: object) -> bool:
        return isinstance(case, int) and 0 < case < len(self._alive) and bool(self._alive[case])

    @property
    def newest(self) -> int:
        """The highest id ever given."""
        return len(self._alive) - 1

    def ids(self) -> Sequence[int]:
        """All ids, ascending."""
        if not self._deleted:
            return range(1, len(self._alive))
        return [case for case, alive in enumerate(self._alive) if alive]

    def column(self, name: str) -> Callable[[int], Any]:
        """A function from id to value for one member of a case."""
        if name in self._columns:
            return self._columns[name].__getitem__
        return lambda case: self._word(case, name)

    def value(self, case: int, name: str) -> Any:
        """One member of a case."""
        return self.column(name)(case)

    def values(self, case: int) -> dict[str, Any]:
        """All members of a case."""
        found: dict[str, Any] = {name: column[case] for name, column in self._columns.items()}
        letter = self.letter(case)
        found["summary"], found["details"] = letter.subject, letter.mail
        found["openedby"] = self._opened_by(case, letter)
        return found | self._judgement(case) | self._own.get(case, _NOTHING)

    def add(self, **fields: Any) -> int:
        """Append a case, known members as given and the rest missing; the new id."""
        case = len(self._alive)
        self._alive.append(1)
        for name, column in self._columns.items():
            column.append(MISSING if name in DATES else None)
        self._set(case, fields)
        return case

    def change(self, case: int, **fields: Any) -> None:
        """Set members of a case."""
        if not fields.keys().isdisjoint({"contactid", "repid"}):
            self._keep_words(case)
        self._set(case, fields)

    def _set(self, case: int, fields: dict[str, Any]) -> None:
        for name, value in fields.items():
            if name in self._columns:
                self._columns[name][case] = value
            else:
                self._own.setdefault(case, {})[name] = value
        self.journal.append(case)

    def remove(self, case: int) -> None:
        """Delete a case."""
        self._alive[case] = 0
        self._deleted += 1
        self._own.pop(case, None)
        self.journal.append(case)

    def letter(self, case: int) -> Letter:
        """What the case is about, in words."""
        contact = self._columns["contactid"][case]
        if contact not in self._contacts:
            return Letter(self._seed, case, "A visitor", "", "website form")
        person = self._contacts.at_first(contact)
        return Letter(self._seed, case, person.name, person.company, person.email)

    def _keep_words(self, case: int) -> None:
        words = {name: self._word(case, name) for name in ("summary", "details", "openedby")}
        self._own[case] = words | self._own.get(case, _NOTHING)

    def _word(self, case: int, name: str) -> Any:
        own = self._own.get(case, _NOTHING)
        if name in own:
            return own[name]
        if name not in {"summary", "details", "openedby"}:
            return self._judgement(case)[name]
        letter = self.letter(case)
        if name == "openedby":
            return self._opened_by(case, letter)
        return letter.subject if name == "summary" else letter.mail

    def _opened_by(self, case: int, letter: Letter) -> str:
        """One case in twelve came by phone; the rep who took the call opened it."""
        rep = self._columns["repid"][case]
        return letter.sender if case % 12 or rep not in self._reps else self._reps[rep].name

    def _judgement(self, case: int) -> dict[str, Any]:
        """One closed case in three was asked for feedback the day after, one in nine answered a day later."""
        closed = self._columns["date_closed"][case]
        if closed == MISSING or case % 3 or closed + DAY > self._ends:
            return _NOT_ASKED
        if case % 9 or closed + 2 * DAY > self._ends:
            return _NOT_ASKED | {"date_requestedfeedback": closed + DAY}
        return {
            "rating": rating(self._seed, case),
            "feedback": feedback(self._seed, case),
            "date_rated": closed + 2 * DAY,
            "date_requestedfeedback": closed + DAY,
        }
