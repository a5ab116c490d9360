"""Reads the rows of an import as cases to open."""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from hashlib import sha256
from typing import Any, TypeGuard, cast

import attrs

from fusedesk_async import _json
from fusedesk_async._reconcile.lost import form_of
from fusedesk_async._wire import php_values
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.importing._records import RecordError, case_of_record, is_record
from fusedesk_async.models import Directory, NewCase, NewEmail, NewHistoryItem, NewNote


class RowError(Exception):
    """A row that cannot be imported; the text says why."""


class DirectoryNeededError(Exception):
    """A row gives names in place of ids, and the directory has not been fetched yet."""


@attrs.frozen
class Row:
    """A row that can be imported.

    Attributes:
        number: Its number among the rows, from 1.
        source_id: Its id in the system it comes from, if it has one.
        case: What to open.
        content: A fingerprint of it.
        original: The row as it was given.
    """

    number: int
    source_id: str | None
    case: NewCase
    content: str
    original: Any


def read_row(number: int, given: Any, *, skip_infusionsoft: bool, directory: Directory | None = None) -> Row:
    """A row from whatever was given.

    Args:
        number: Its number, from 1.
        given: A `NewCase`, a mapping, or the JSON text of one.
        skip_infusionsoft: Keep its history out of the CRM, whatever the row says.
        directory: What has which name, once a row has needed it.

    Raises:
        DirectoryNeededError: A department or a rep is given by name, and there is no directory yet.
        RowError: It cannot be imported.
    """
    try:
        source_id, case = _case(given)
        if case.has_names:
            case = _with_ids(case, directory)
        if isinstance(case.date_opened, str):
            datetime.fromisoformat(case.date_opened.strip())
        form = json.dumps(form_of(case), sort_keys=True)
    except (ConfigurationError, RecordError) as error:
        raise RowError(str(error)) from None
    except (ValueError, TypeError) as error:
        message = f"date_opened: {error}" if "isoformat" in str(error) else str(error)
        raise RowError(message) from None
    case = attrs.evolve(case, skip_infusionsoft=case.skip_infusionsoft or skip_infusionsoft)
    return Row(number, source_id, case, sha256(form.encode()).hexdigest(), given)


def _with_ids(case: NewCase, directory: Directory | None) -> NewCase:
    """A row is known by its content, and a case is looked up by ids, so names give way to them first."""
    if directory is None:
        raise DirectoryNeededError
    return directory.new_case(case)


def _case(given: Any) -> tuple[str | None, NewCase]:
    if isinstance(given, NewCase):
        return None, given
    value = _json.loads(given if isinstance(given, bytes) else given.encode()) if _is_text(given) else given
    members = _members(value)
    if members is None:
        message = f"a row is a NewCase, a mapping or the JSON text of an object, not {type(given).__name__}"
        raise RowError(message)
    if is_record(members):
        source = given if isinstance(given, bytes) else _json.dumps(members).encode()
        return case_of_record(source)
    return _text_or_none(members.pop("source_id", None)), _case_of_names(members)


def _members(value: Any) -> dict[str, Any] | None:
    """The members of a mapping, in a dict of our own."""
    return {str(name): member for name, member in value.items()} if _is_mapping(value) else None


def _is_mapping(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_text(given: Any) -> bool:
    return isinstance(given, str | bytes)


def _case_of_names(members: Mapping[str, Any]) -> NewCase:
    """A case under our own names."""
    department = "department" if "department" in members else "department_id"
    fields = _read_members("", members, _CASE_READERS, required=(department, "summary", "details", "opened_by"))
    return NewCase(**fields)


def _read_members(
    prefix: str, members: Mapping[str, Any], readers: Mapping[str, Callable[[Any], Any]], required: tuple[str, ...]
) -> dict[str, Any]:
    unknown = [name for name in members if name not in readers]
    if unknown:
        message = f"unknown members: {', '.join(prefix + name for name in unknown)}; known are {', '.join(readers)}"
        raise RowError(message)
    fields: dict[str, Any] = {}
    for name, value in members.items():
        try:
            fields[name] = readers[name](value)
        except (ValueError, TypeError) as error:
            message = f"{prefix}{name}: {getattr(error, 'message', error)}"
            raise RowError(message) from None
    missing = [name for name in required if fields.get(name) is None]
    if missing:
        message = f"missing: {', '.join(prefix + name for name in missing)}"
        raise RowError(message)
    return {name: value for name, value in fields.items() if value is not None}


def _day(value: Any) -> Any:
    return value if isinstance(value, date) else php_values.text(value) or None


def _nonempty(value: Any) -> str | None:
    return php_values.text(value) or None


def _text_or_none(value: Any) -> str | None:
    found = php_values.identifier(value)
    return None if found is None else str(found)


def _uuid(value: Any) -> str | None:
    return _nonempty(None if value is None else str(value))


def _tags(value: Any) -> tuple[int | str, ...] | None:
    """Ids or names, as a list or as one text with commas; numbers as text are ids."""
    if not value:
        return None
    tags = value.split(",") if isinstance(value, str) else list(value)
    return tuple(int(tag) if isinstance(tag, str) and tag.strip().isdecimal() else _trimmed(tag) for tag in tags)


def _trimmed(tag: Any) -> Any:
    return tag.strip() if isinstance(tag, str) else tag


def _items(value: Any) -> tuple[NewHistoryItem, ...] | None:
    if not value:
        return None
    if not isinstance(value, list | tuple):
        message = "expected a list"
        raise TypeError(message)
    return tuple(_item(position, item) for position, item in enumerate(cast("list[Any]", value)))


def _item(position: int, item: Any) -> NewHistoryItem:
    if isinstance(item, NewNote | NewEmail):
        return item
    members = _members(item)
    if members is None:
        message = f"element {position} is not a note, call or email"
        raise TypeError(message)
    try:
        if members.get("type") == "email":
            del members["type"]
            return NewEmail(
                **_read_members(f"[{position}].", members, _EMAIL_READERS, ("to", "sender", "subject", "body"))
            )
        return NewNote(**_read_members(f"[{position}].", members, _NOTE_READERS, ("title", "note")))
    except RowError as error:
        raise ValueError(str(error)) from None


_CASE_READERS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("department_id", "rep_id", "contact_id", "company_id"), php_values.whole_number),
    **dict.fromkeys(("department", "rep", "summary", "details", "opened_by", "status", "email", "type"), _nonempty),
    **dict.fromkeys(("date_opened", "date_assigned", "date_updated"), _day),
    "contact_uuid": _uuid,
    "history": _items,
    "tags": _tags,
    "skip_infusionsoft": php_values.flag,
}
_NOTE_READERS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("title", "note", "type"), _nonempty),
    "date_added": _day,
}
_EMAIL_READERS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("to", "sender", "cc", "bcc", "subject", "body"), _nonempty),
    **dict.fromkeys(("date_sent", "date_received"), _day),
    "rep_id": php_values.whole_number,
}
