"""From the parameters of a case search (6.3, 8.1, 8.2) to a query."""

from ._call import Call
from ._cases import DATES
from ._dates import Bounds, UnreadableError, bounds
from ._query import Among, Condition, Holds, Query, Tagged, Within, read_order
from ._refusals import refuse
from ._state import State

# Parameter and member; the names differ for the department (C#).
_NUMBERS = {"repid": "repid", "depid": "departmentid", "companyid": "companyid"}
#: What `status` may be and which cases it means (S2); another word is refused, which is assumed.
STATUS = {"new": ("new",), "open": ("open",), "closed": ("closed",), "active": ("new", "open")}


def read_query(state: State, call: Call) -> Query:
    """The query a search asks for."""
    conditions = [*_numbers(call), *_status(call), *_contacts(state, call), *_words(state, call), *_dates(call)]
    return Query(tuple(conditions), read_order(call.text("orderby"), call.profile))


def _numbers(call: Call) -> list[Condition]:
    found: list[Condition] = []
    for name, column in _NUMBERS.items():
        number = call.integer(name)
        if number is not None:
            found.append(Among(column, frozenset({number})))
    tag = call.integer("casetag")
    return found if tag is None else [*found, Tagged(tag)]


def _status(call: Call) -> list[Condition]:
    status = call.text("status") or "all"
    if status == "all":
        return []
    if status not in STATUS:
        message = f"Unknown status: {status}"
        raise refuse(message)
    return [Among("status", frozenset(STATUS[status]))]


def _contacts(state: State, call: Call) -> list[Condition]:
    """Whoever is not found has no cases: an empty answer, not an error (assumed)."""
    found: list[Condition] = []
    if (ids := call.integers("contactid")) is not None:
        found.append(Among("contactid", frozenset(ids)))
    if (uuid := call.text("contactUuid")) is not None:
        found.append(Among("contactid", frozenset({state.contacts.with_uuid(uuid)} - {None})))
    if (email := call.text("email")) is not None:
        found.append(Among("contactid", frozenset(state.contacts.with_email(email))))
    return found


def _words(state: State, call: Call) -> list[Condition]:
    """MC names these three without a meaning: the rep who opened, words in openedby, words in the summary (assumed)."""
    found: list[Condition] = []
    if (opener := call.integer("createdByRep")) is not None:
        names = {state.reps[opener].name} if opener in state.reps else set[str]()
        found.append(Among("openedby", frozenset(names)))
    for name, column in (("from", "openedby"), ("subject", "summary")):
        if (words := call.text(name)) is not None:
            found.append(Holds(column, words))
    return found


def _dates(call: Call) -> list[Condition]:
    """The five date filters of S2, and date_lastresponse since the plugin passes any `date_*`."""
    found: list[Condition] = []
    for name in DATES:
        if (text := call.text(name)) is None:
            continue
        try:
            found.append(Within(name, *_bounds(text, call)))
        except UnreadableError:
            message = f"{name} is not a date filter"
            raise refuse(message) from None
    return found


def _bounds(text: str, call: Call) -> Bounds:
    profile = call.profile
    return bounds(
        text,
        call.now,
        profile.timezone,
        after_inclusive=profile.after_inclusive is not False,
        before_inclusive=profile.before_inclusive is True,
    )
