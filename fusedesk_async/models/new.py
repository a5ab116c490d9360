"""What one writes: new cases, notes and emails."""

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias
from uuid import UUID

import attrs

from fusedesk_async._checks import not_both
from fusedesk_async._exports import public
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.filters import Day, encode_day
from fusedesk_async.models._record import Written


def _moment(_: object, attribute: "attrs.Attribute[Day | None]", value: Day | None) -> None:
    if value is None:
        return
    try:
        encode_day(value)
    except ConfigurationError as error:
        message = f"{attribute.name}: {error.message}"
        raise ConfigurationError(message) from None


def _one_of(*known: str | None) -> Callable[[object, "attrs.Attribute[Any]", Any], None]:
    def check(_: object, attribute: "attrs.Attribute[Any]", value: Any) -> None:
        if value not in known:
            message = f"{attribute.name} is {' or '.join(repr(text) for text in known)}, not {value!r}"
            raise ConfigurationError(message)

    return check


def _filled(_: object, attribute: "attrs.Attribute[str]", value: str) -> None:
    if not (isinstance(value, str) and value.strip()):
        message = f"{attribute.name} must be a text with something in it, not {value!r}"
        raise ConfigurationError(message)


@public
@attrs.frozen(kw_only=True)
class NewNote(Written):
    """A note or a call to add to a case.

    Attributes:
        title: A headline.
        note: The text.
        type: `note` or `call`.
        date_added: When it was written: a date, a datetime with a time zone, or text. The server takes now if None.
    """

    title: str = attrs.field(validator=_filled)
    note: str = attrs.field(validator=_filled)
    type: Literal["note", "call"] = attrs.field(default="note", validator=_one_of("note", "call"))
    date_added: Day | None = attrs.field(default=None, validator=_moment)


@public
@attrs.frozen(kw_only=True)
class NewEmail(Written):
    """An email to add to a case's history. Nothing is sent to anyone.

    Attributes:
        to: The receivers, as one text. How several are separated no public source tells; a comma is the custom.
        sender: Who wrote it (`from`).
        subject: The subject.
        body: Plain text.
        cc: Further receivers.
        bcc: Hidden receivers.
        date_sent: When it was sent. The server takes now if None.
        date_received: When it arrived (`date_recvd`). The server takes now if None.
        rep_id: The user id of the rep who sent it (`repid`).
    """

    to: str = attrs.field(validator=_filled)
    sender: str = attrs.field(validator=_filled)
    subject: str = attrs.field(validator=_filled)
    body: str = attrs.field(validator=_filled)
    cc: str | None = None
    bcc: str | None = None
    date_sent: Day | None = attrs.field(default=None, validator=_moment)
    date_received: Day | None = attrs.field(default=None, validator=_moment)
    rep_id: int | None = None
    type: Literal["email"] = attrs.field(default="email", init=False)


NewHistoryItem: TypeAlias = NewNote | NewEmail


def _items(history: Iterable[NewHistoryItem]) -> tuple[NewHistoryItem, ...]:
    items = tuple(history)
    for item in items:
        if not isinstance(item, NewNote | NewEmail):
            message = f"a history is made of NewNote and NewEmail, not {item!r:.80}"
            raise ConfigurationError(message)
    return items


def _tags(tags: Iterable[int | str]) -> tuple[int | str, ...]:
    found = (tags,) if isinstance(tags, str) else tuple(tags)
    for tag in found:
        if isinstance(tag, bool) or not isinstance(tag, int | str) or (isinstance(tag, str) and "," in tag):
            message = f"a tag is an id or a name without a comma, not {tag!r:.80}"
            raise ConfigurationError(message)
    return found


@public
@attrs.frozen(kw_only=True)
class NewCase(Written):
    """A case to open. All of it is from the seed page unless said otherwise.

    Attributes:
        department_id: The department it goes to (`depid`). Either this or `department` is needed.
        department: The department's name in its place; see `FuseDesk.directory`.
        summary: The title.
        details: The text.
        opened_by: Who opened it: a name, an address, a number … (`openedby`).
        date_opened: May lie in the past. The server takes now if None.
        date_assigned: When the rep got it.
        date_updated: The server takes `date_opened` if None.
        status: `new` (the server's default), `open` or `closed`.
        rep_id: The user id of a rep of that department (`repid`). The server picks one at random if it is None,
            unknown or of another department, so the stored rep can differ from the one asked for.
        rep: The rep's name or address in its place, likewise.
        contact_id: The contact's id in the CRM (`contactid`).
        contact_uuid: The contact's id in FuseDesk (`contactUuid`; one third-party source).
        email: Used without `contact_id` only: the server looks the contact up in the CRM and links it.
        company_id: The company's id in the CRM (`companyid`).
        type: How the text enters the history: `note` (the server's default), `call`, or `import` for not at all.
        history: Notes, calls and emails that belong to it already.
        skip_infusionsoft: Keep the history out of the CRM.
        tags: Ids of tags, or their names (the plugin's help); they travel as one list with commas.
    """

    department_id: int | None = None
    department: str | None = None
    summary: str = attrs.field(validator=_filled)
    details: str = attrs.field(validator=_filled)
    opened_by: str = attrs.field(validator=_filled)
    date_opened: Day | None = attrs.field(default=None, validator=_moment)
    date_assigned: Day | None = attrs.field(default=None, validator=_moment)
    date_updated: Day | None = attrs.field(default=None, validator=_moment)
    status: str | None = None
    rep_id: int | None = None
    rep: str | None = None
    contact_id: int | None = None
    contact_uuid: UUID | str | None = None
    email: str | None = None
    company_id: int | None = None
    type: Literal["call", "note", "import"] | None = attrs.field(
        default=None, validator=_one_of("call", "note", "import", None)
    )
    history: tuple[NewHistoryItem, ...] = attrs.field(default=(), converter=_items)
    skip_infusionsoft: bool = False
    tags: tuple[int | str, ...] = attrs.field(default=(), converter=_tags)

    @property
    def has_names(self) -> bool:
        """Whether its department or its rep is given by name."""
        return not (self.department is None and self.rep is None)

    def __attrs_post_init__(self) -> None:
        """Refuse a case without a department, or one with two of a kind."""
        if (self.department_id is None) == (self.department is None):
            message = "a case goes to one department: give department_id or department"
            raise ConfigurationError(message)
        not_both("rep", self.rep, self.rep_id)
