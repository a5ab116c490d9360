"""What a search asks for, as values that can be compared and kept: conditions and an order."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ._calendar import MISSING
from ._profile import USUAL, SandboxProfile
from ._refusals import refuse


@dataclass(frozen=True)
class Among:
    """The member is one of these."""

    column: str
    values: frozenset[object]

    def test(self) -> Callable[[Any], bool]:
        """A test of one value."""
        return self.values.__contains__


@dataclass(frozen=True)
class Within:
    """The date lies from `start` (in it) to `end` (not in it); cases without the date are out."""

    column: str
    start: int | None
    end: int | None

    def test(self) -> Callable[[Any], bool]:
        """A test of one value."""
        start = MISSING + 1 if self.start is None else self.start
        end = -MISSING if self.end is None else self.end
        return lambda value: start <= value < end


@dataclass(frozen=True)
class Holds:
    """The text contains these words, capitals or not; that it need not be equal is assumed."""

    column: str
    words: str

    def test(self) -> Callable[[Any], bool]:
        """A test of one value."""
        words = self.words.lower()
        return lambda value: words in value.lower()


@dataclass(frozen=True)
class Tagged:
    """The case carries this tag."""

    tag: int
    column: str = "tags"

    def test(self) -> Callable[[Any], bool]:
        """A test of one value."""
        return lambda tags: self.tag in tags


Condition = Among | Within | Holds | Tagged
#: Columns to sort by, most important first, each with true for descending.
Order = tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Query:
    """All conditions must hold; cases that compare equal come in the order of their ids."""

    conditions: tuple[Condition, ...] = ()
    order: Order = (("caseid", False),)


#: What `orderby` knows (S2 and WP54) and the member it means; date_resolved and date_created have none of their own.
SORT_COLUMNS = {
    "caseid": "caseid",
    "contactid": "contactid",
    "status": "status",
    "date_opened": "date_opened",
    "date_assigned": "date_assigned",
    "date_firstresponse": "date_firstresponse",
    "date_lastresponse": "date_lastresponse",
    "date_updated": "date_updated",
    "date_created": "date_opened",
    "date_closed": "date_closed",
    "date_resolved": "date_closed",
}
#: S2 names the column; that the newest come first is assumed.
DEFAULT_ORDER: Order = (("date_updated", True),)


def read_order(text: str | None, profile: SandboxProfile = USUAL) -> Order:
    """`column [asc|desc], …` (8.2); a bare column ascends (WP54). An unknown one is refused, which is assumed."""
    if text is None or not _is_honoured(text, profile):
        return DEFAULT_ORDER if profile.default_order is None else _order(profile.default_order)
    return _order(text)


def _is_honoured(text: str, profile: SandboxProfile) -> bool:
    asked = " ".join(text.lower().split())
    return profile.orders is None or asked.partition(" ")[0] != "caseid" or asked in profile.orders


def _order(text: str) -> Order:
    order: list[tuple[str, bool]] = []
    for part in text.split(","):
        name, _, direction = part.strip().partition(" ")
        direction = direction.strip().lower() or "asc"
        if name.lower() not in SORT_COLUMNS or direction not in {"asc", "desc"}:
            message = f"Unknown orderby: {part.strip()}"
            raise refuse(message)
        order.append((SORT_COLUMNS[name.lower()], direction == "desc"))
    return tuple(order)
