"""The past of a desk, drawn column by column from one seed, since a hundred thousand cases must not take a second."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from itertools import chain, cycle, repeat
from random import Random

from ._calendar import DAY, MISSING, midnight, working_time
from ._cases import Columns
from ._contacts import Contacts, company_of
from ._directory import Department, Rep, Tag

_WEEK = (100, 92, 88, 85, 70, 22, 18)  # how much mail comes on which weekday
_HOURS = (2, 1, 1, 1, 1, 2, 5, 12, 30, 44, 46, 42, 36, 40, 44, 42, 36, 26, 16, 12, 11, 9, 6, 4)
_RECENT = 30 * DAY


def make_columns(
    random: Random,
    count: int,
    *,
    ends: int,
    contacts: Contacts,
    reps: dict[int, Rep],
    departments: dict[int, Department],
    tags: dict[int, Tag],
) -> Columns:
    """Columns of `count` cases in the order they were opened, none after the instant `ends`."""
    opened = _opened(random, count, ends)
    status = _status(random, opened, ends)
    assigned = [(desk["departmentid"], desk["repid"]) for desk in random.choices(_desks(departments, reps), k=count)]
    customers = random.choices([*contacts.ids, *repeat(None, len(contacts) // 12)], k=count)
    companies = {customer: customer and company_of(customer) for customer in {*customers}}
    plain: Columns = {
        "status": [None, *status],
        "departmentid": [None, *(department for department, _ in assigned)],
        "repid": [None, *(rep for _, rep in assigned)],
        "contactid": [None, *customers],
        "companyid": [None, *(companies[customer] for customer in customers)],
        "tags": [None, *random.choices(_tag_sets(random, tags), k=count)],
    }
    dates = _dates(random, opened, status, ends)
    return plain | {name: array("q", chain((MISSING,), column)) for name, column in dates.items()}


def _desks(departments: dict[int, Department], reps: dict[int, Rep]) -> list[dict[str, int]]:
    """Who sits where; a department is drawn as often as it has people."""
    return [
        {"departmentid": department.id, "repid": user}
        for department in departments.values()
        if department.archived is None
        for user in department.reps
        if reps[user].active
    ]


def _tag_sets(random: Random, tags: dict[int, Tag]) -> list[tuple[int, ...]]:
    """Half of the cases carry no tag, a third one, the rest two or three."""
    visible = [tag.id for tag in tags.values() if not tag.hidden]
    sizes = random.choices((1, 2, 3), (6, 3, 1), k=60)
    return [()] * 60 + [tuple(sorted(random.sample(visible, size))) for size in sizes]


def _opened(random: Random, count: int, ends: int) -> list[int]:
    """Instants over three months to three years, denser on weekdays and in office hours."""
    days = range(min(1095, max(90, count // 90)))
    today = midnight(ends)
    starts = [today - day * DAY for day in days]
    weights = [_WEEK[(start // DAY + 3) % 7] for start in starts]
    hours = random.choices(range(24), _HOURS, k=count)
    drawn = zip(random.choices(starts, weights, k=count), hours, random.choices(range(3600), k=count), strict=True)
    return sorted(_before(ends, start + hour * 3600 + second) for start, hour, second in drawn)


def _before(ends: int, instant: int) -> int:
    """What would lie in tonight moves to this morning, or to yesterday."""
    if instant <= ends:
        return instant
    return instant - 10 * 3600 if instant - 10 * 3600 <= ends else instant - DAY


def _status(random: Random, opened: list[int], ends: int) -> list[str]:
    old = bisect_left(opened, ends - _RECENT)
    kinds: list[str] = ["closed", "open", "new"]
    return random.choices(kinds, (94, 4, 2), k=old) + random.choices(kinds, (55, 25, 20), k=len(opened) - old)


def _later(random: Random, since: Iterable[int], hours: float, ends: int) -> list[int]:
    """For each instant one that follows it by so many hours on average, while the desk is staffed."""
    # A ring of delays whose length is prime: as good as a draw for each case, and faster.
    delays = [60 + int(random.expovariate(1 / (hours * 3600))) for _ in range(997)]
    return [min(ends, working_time(instant + delay)) for instant, delay in zip(since, cycle(delays), strict=False)]


def _dates(random: Random, opened: list[int], status: list[str], ends: int) -> dict[str, Iterable[int]]:
    """New: nobody answered yet. Open: answered. Closed: answered and done. One new case in four waits for a rep."""
    assigned = [min(ends, instant + 5 + instant * 7 % 895) for instant in opened]
    first = _later(random, assigned, 3, ends)
    last = _later(random, first, 20, ends)
    closed = _later(random, last, 9, ends)
    last_change = {"new": opened, "open": last, "closed": closed}
    return {
        "date_opened": opened,
        "date_assigned": [
            MISSING if kind == "new" and instant % 4 == 0 else instant
            for kind, instant in zip(status, assigned, strict=True)
        ],
        "date_firstresponse": _unless(status, {"new"}, first),
        "date_lastresponse": _unless(status, {"new"}, last),
        "date_closed": _unless(status, {"new", "open"}, closed),
        "date_updated": [last_change[kind][index] for index, kind in enumerate(status)],
    }


def _unless(status: list[str], without: set[str], column: list[int]) -> list[int]:
    return [MISSING if kind in without else instant for kind, instant in zip(status, column, strict=True)]
