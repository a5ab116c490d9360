"""What a search can ask for: dates, order, and the names and types of all filters.

Every value here has exactly one spelling on the wire.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal, TypeAlias, TypedDict
from uuid import UUID

import attrs

from fusedesk_async import _json
from fusedesk_async._exports import public
from fusedesk_async.errors import ConfigurationError

__all__ = [
    "CaseFilters",
    "DateFilter",
    "Day",
    "KnownStatus",
    "Order",
    "OrderBy",
    "after",
    "asc",
    "before",
    "between",
    "desc",
    "on",
]

Day: TypeAlias = date | datetime | str
"""A date, a datetime that knows its offset, or text that the server understands (`2026-03-01`, `-30 days`)."""

KnownStatus: TypeAlias = Literal["all", "active", "new", "open", "closed"]
"""The statuses a search knows (seed page). `new` waits for the team, `open` for the customer, `active` is both."""


def encode_day(value: Day) -> str:
    """The one spelling of a date or a moment on the wire: ISO 8601; text goes as it is.

    Raises:
        ConfigurationError: A datetime without offset (it is unknown in which zone the server would read it), or
            empty text.
    """
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            message = f"{value!r} has no time zone, and the server's is unknown; give it one, e.g. tzinfo=UTC"
            raise ConfigurationError(message)
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and value.strip():
        return value
    message = f"a date is a date, a datetime with a time zone or text such as '2026-03-01', not {value!r}"
    raise ConfigurationError(message)


def encode_json(value: Any) -> str:
    """The one spelling of nested data on the wire: JSON without blanks.

    Raises:
        ConfigurationError: A text holds a lone surrogate. Escaped, it would get through, but PHP would not read it.
    """
    try:
        return _json.dumps(value)
    except UnicodeEncodeError as error:
        raise ConfigurationError(lone_surrogate(error)) from None


def lone_surrogate(error: UnicodeEncodeError) -> str:
    """What to say of a text that has no UTF-8."""
    return f"a text holds a lone surrogate, which cannot be sent: {error.object[error.start]!r}"


def _encoded_or_none(value: Day | None) -> str | None:
    return None if value is None else encode_day(value)


@public
@attrs.frozen
class DateFilter:
    """A condition on a date: on a day, before, after, or between. Made by `on`, `before`, `after` and `between`.

    Whether the bounds belong to the range, and in which zone a bare date is read, no public source tells.
    """

    on: str | None = attrs.field(default=None, converter=_encoded_or_none)
    after: str | None = attrs.field(default=None, converter=_encoded_or_none)
    before: str | None = attrs.field(default=None, converter=_encoded_or_none)

    def __attrs_post_init__(self) -> None:
        """Refuse a filter that says nothing, or two things at once."""
        if (self.on is None) == (self.after is None and self.before is None):
            message = "a date filter is either on a day, or after and/or before one"
            raise ConfigurationError(message)

    def encode(self) -> str:
        """The value of the query parameter: a date text, or a JSON object with quoted keys and values."""
        if self.on is not None:
            return self.on
        bounds = {"after": self.after, "before": self.before}
        return encode_json({name: text for name, text in bounds.items() if text is not None})


@public
def on(day: Day) -> DateFilter:
    """Dates on this day."""
    return DateFilter(on=day)


@public
def before(day: Day) -> DateFilter:
    """Dates before this one."""
    return DateFilter(before=day)


@public
def after(day: Day) -> DateFilter:
    """Dates after this one."""
    return DateFilter(after=day)


@public
def between(start: Day, end: Day) -> DateFilter:
    """Dates after `start` and before `end`."""
    return DateFilter(after=start, before=end)


@public
@attrs.frozen
class Order:
    """One column of a sort order. Made by `asc` and `desc`.

    Attributes:
        column: A field of `Case` (`date_first_response`) or a column in the API's own spelling (`date_firstresponse`).
        direction: `asc` or `desc`.
    """

    column: str
    direction: Literal["asc", "desc"]

    def __attrs_post_init__(self) -> None:
        """Refuse what would read as another column or direction on the wire."""
        if not (isinstance(self.column, str) and self.column.isidentifier()):
            message = f"a column to order by is one name, not {self.column!r}"
            raise ConfigurationError(message)
        if self.direction not in ("asc", "desc"):
            message = f"an order is asc or desc, not {self.direction!r}"
            raise ConfigurationError(message)


OrderBy: TypeAlias = str | Order | Sequence[str | Order]
"""A column, several, or the API's own text such as `"date_lastresponse desc, caseid"`."""


@public
def asc(column: str) -> Order:
    """Smallest first."""
    return Order(column, "asc")


@public
def desc(column: str) -> Order:
    """Largest first."""
    return Order(column, "desc")


@public
class CaseFilters(TypedDict, total=False):
    """What cases can be searched by; all of it together, and each may be left out.

    Keys, with the API's own name where it differs:

    - `email`: all cases of the contacts with this address. The server asks the CRM for it, which takes longer.
    - `contact_id` (`contactid`): a CRM contact id, or several. `contact_uuid` (`contactUuid`): FuseDesk's own.
    - `company_id` (`companyid`): a CRM company id.
    - `rep_id` (`repid`): the user id of a rep, that is `Rep.user_id`. `department_id` (`depid`).
    - `status`: `all` (the server's default), `active`, `new`, `open`, `closed`, or any text it may learn.
    - `tag_id` (`casetag`): the id of one case tag.
    - `rep`, `department`, `tag`: the name in place of the id, a rep's address will do too; not both. It is looked up
      by the client's directory when the first case is asked for, which costs one call more the first time (see
      `FuseDesk.directory`), and raises `NameLookupError` then.
    - `created_by_rep` (`createdByRep`), `sender` (`from`), `subject`: named by one source only, not explained.
    - `date_opened`, `date_assigned`, `date_first_response` (`date_firstresponse`), `date_updated`, `date_closed`:
      `on(…)`, `before(…)`, `after(…)`, `between(…)`; a plain date or text means `on`.
    """

    email: str
    contact_id: int | Sequence[int]
    contact_uuid: UUID | str
    company_id: int
    rep_id: int
    department_id: int
    rep: str
    department: str
    status: KnownStatus | str
    tag_id: int
    tag: str
    created_by_rep: int | str
    sender: str
    subject: str
    date_opened: DateFilter | Day
    date_assigned: DateFilter | Day
    date_first_response: DateFilter | Day
    date_updated: DateFilter | Day
    date_closed: DateFilter | Day
