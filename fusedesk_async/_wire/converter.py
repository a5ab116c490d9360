"""The converter: JSON values to records and back.

A record needs nothing but what its class requires, which is its id. What no hook of `php_values.py` allows in any other
field leaves that field empty and is reported with its path. `page_reader.py` is a shortcut for whole pages that gives
the same results; this is the definition.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

import attrs
import cattrs
from cattrs.gen import make_dict_unstructure_fn, override

from fusedesk_async import _json
from fusedesk_async._json import JSONText
from fusedesk_async._wire import php_values
from fusedesk_async._wire.answer import LONGEST_EXPLANATION
from fusedesk_async._wire.call import Report
from fusedesk_async._wire.field_names import answer_names, request_name, request_names
from fusedesk_async._wire.name_refs import KINDS, by_name
from fusedesk_async.errors import UnexpectedResponseError
from fusedesk_async.filters import encode_day, encode_json
from fusedesk_async.models import CaseDetail, Email, HistoryItem, NewCase, Note, OddField, Record
from fusedesk_async.models._record import Written, name_finders

R = TypeVar("R", bound=Record)

HISTORY_NAMES = ("history", "case_history", "notes", "calls", "emails")
"""Where a case's history may stand in an answer; no public source shows it. All lists found are read, in this order."""
LONGEST_SAMPLE = 80
"""Characters of a text which is not JSON that an error shows."""
LONGEST_ID = 80
"""Characters of a record's id that an error shows."""

_TYPE_OF_LIST = {"calls": "call", "emails": "email"}
_KINDS: Mapping[str, type[HistoryItem]] = {"note": Note, "call": Note, "email": Email}

_FILLED_BY_HAND = frozenset({"source", "odd", "history"})


def _names_in_answers(record: type[Record]) -> frozenset[str]:
    fields = [field.name for field in attrs.fields(record) if field.name not in _FILLED_BY_HAND]
    names = {name for field in fields for name in answer_names(record, field)}
    return frozenset(names.union(HISTORY_NAMES if issubclass(record, CaseDetail) else ()))


name_finders.append(_names_in_answers)


@attrs.frozen
class _Unreadable:
    """Stands for the value of a member that is not JSON, while those beside it are."""

    reason: ValueError


@attrs.frozen
class _Field:
    """A field of a record: its name, its members in answers, what reads their values, and whether it must be there."""

    name: str
    members: tuple[str, ...]
    hook: Callable[[Any], Any]
    required: bool

    def read(self, value: Any) -> Any:
        """The value of a member as the field's.

        Raises:
            ValueError, TypeError: No hook allows it.
        """
        if isinstance(value, _Unreadable):
            raise value.reason
        return self.hook(value)


@attrs.frozen
class Unreported(Generic[R]):
    """A record that was read, before it is reported what of it could not be."""

    _record: R
    _members: Mapping[str, Any]
    _odd: Sequence[tuple[_Field, str, str]]

    def reported(self, report: Report) -> R:
        """The whole record, once all that could not be read of it was reported."""
        changes: dict[str, Any] = {}
        if self._odd:
            changes["odd"] = tuple(self._report_fields(report))
        if isinstance(self._record, CaseDetail):
            changes["history"] = tuple(_history(self._record.source, self._members, report))
        return attrs.evolve(self._record, **changes) if changes else self._record

    def _report_fields(self, report: Report) -> Iterator[OddField]:
        texts, record_id = _json.members(self._record.source), _id_of(type(self._record), self._members)
        for field, member, reason in self._odd:
            text = texts[member][:LONGEST_EXPLANATION].decode(errors="replace")
            error = report(UnexpectedResponseError(reason, None, f"$.{member}", record_id, text, field.name))
            yield OddField(error.record_id, error.field, error.path, error.sample)


def structure(record: type[R], source: JSONText, report: Report) -> R:
    """A record from its JSON.

    A field that cannot be read is left empty, goes to `report` and is in the record's `odd`; likewise in the items of a
    case's history. Of these, what is no object is no item, and stays in the case's `raw` only.

    Raises:
        UnexpectedResponseError: It is no object, or a field that is required cannot be read; `path` says which.
    """
    return read_record(record, source).reported(report)


def read_record(record: type[R], source: JSONText) -> Unreported[R]:
    """A record from its JSON, before anything is reported.

    Raises:
        UnexpectedResponseError: As `structure`.
    """
    return _read_value(record, _value_of(source), source.text)


def within(error: UnexpectedResponseError, parent: str) -> UnexpectedResponseError:
    """The same error in a larger answer, where the record stands at the path `parent`."""
    path = parent + error.path.removeprefix("$")
    return UnexpectedResponseError(error.message, error.request, path, error.record_id, error.sample, error.field)


def below(parent: str, report: Report) -> Report:
    """The same report, for what stands at the path `parent`."""
    return lambda error: report(within(error, parent))


def unstructure(record: Written) -> dict[str, Any]:
    """A record to be written, under the API's names and without what is not set; nested values are still nested."""
    fields: dict[str, Any] = _converter.unstructure(record)
    return {name: value for name, value in fields.items() if _is_set(value)}


def case_form(case: NewCase) -> dict[str, Any]:
    """The form that opens a case: its history as JSON text, its tags as a comma-separated list."""
    fields = unstructure(case)
    names: dict[str, Any] = {kind: fields.pop(kind) for kind in KINDS if kind in fields}
    fields |= request_names(by_name(names))
    if case.history:
        fields["history"] = encode_json([unstructure(item) for item in case.history])
    if case.tags:
        fields["casetags"] = ",".join(str(tag) for tag in case.tags)
    return fields


def _is_set(value: Any) -> bool:
    return value is not None and value is not False and value not in ((), [])


def _value_of(source: JSONText) -> Any:
    """The value of a record; member by member, if it cannot be read as a whole."""
    try:
        return source.value
    except ValueError as error:
        try:
            return {name: _value_or_reason(text) for name, text in _json.members(source.text).items()}
        except ValueError:
            message = f"a record is not JSON: {error}"
            sample = source.text[:LONGEST_SAMPLE].decode(errors="replace")
            raise UnexpectedResponseError(message, None, "$", None, sample) from None


def _value_or_reason(text: bytes) -> Any:
    try:
        return _json.loads(text)
    except ValueError as error:
        return _Unreadable(error)


def _read_value(record: type[R], value: Any, source: bytes) -> Unreported[R]:
    if not _json.is_object(value):
        message = f"expected an object, got {_json.shown(value)}"
        raise UnexpectedResponseError(message, None, "$")
    found: dict[str, Any] = {"source": source}
    odd: list[tuple[_Field, str, str]] = []
    for field in _fields_of(cast("Hashable", record)):
        failures = list(_read_field(field, value, found))
        if field.required and field.name not in found:
            member, reason = failures[0] if failures else (field.members[0], "is missing")
            raise UnexpectedResponseError(reason, None, f"$.{member}", _id_of(record, value))
        odd += [(field, member, reason) for member, reason in failures if not _is_nothing(value[member])]
    return Unreported(record(**found), value, odd)


def _read_field(field: _Field, members: Mapping[str, Any], found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Read a field from the first of its members that can be read; those that cannot, and why."""
    for member in field.members:
        if member in members:
            try:
                found[field.name] = field.read(members[member])
            except (ValueError, TypeError) as error:
                yield member, str(error)
            else:
                return


def _is_nothing(value: Any) -> bool:
    return value is None or value is False or value == ""


def _history(text: bytes, members: Mapping[str, Any], report: Report) -> Iterator[HistoryItem]:
    """The items of a case's history. The text is cut, not read again: each item keeps its own part of it."""
    if members.keys().isdisjoint(HISTORY_NAMES):
        return
    texts = _json.members(text)
    for name in HISTORY_NAMES:
        try:
            items = _items(texts.get(name, b"null"), members.get(name))
        except ValueError as error:
            report(UnexpectedResponseError(str(error), None, f"$.{name}"))
            continue
        for position, item in enumerate(items):
            yield from _history_item(item, _TYPE_OF_LIST.get(name, "note"), below(f"$.{name}[{position}]", report))


def _items(text: bytes, value: Any) -> Sequence[JSONText]:
    """The elements of a list, or of an object keyed by numbers: PHP's way to send a list with gaps."""
    if text in _json.NOTHING:
        return ()
    members = _json.members(text) if text.startswith(b"{") else {"": b""}
    texts = list(members.values()) if all(map(str.isdecimal, members)) else _json.elements(text)
    if isinstance(value, _Unreadable):
        return [JSONText(each) for each in texts]
    values = value.values() if _json.is_object(value) else value
    return [JSONText(each, of_each) for each, of_each in zip(texts, values, strict=True)]


def _history_item(source: JSONText, usual_type: str, report: Report) -> Iterator[HistoryItem]:
    value: Any = None
    try:
        value = _value_of(source)
        if _json.is_object(value) and not value.get("type"):
            value = {**value, "type": usual_type}
        kind = str(value["type"]) if _json.is_object(value) else usual_type
        item = _read_value(_KINDS.get(kind, HistoryItem), value, source.text)
    except UnexpectedResponseError as error:
        report(error)
        if _json.is_object(value):  # only its type cannot be read
            yield HistoryItem(type=str(value["type"]), source=source.text)
    else:
        yield item.reported(report)


def _id_of(record: type[Record], members: Mapping[str, Any]) -> int | str | None:
    for value in map(members.get, answer_names(record, "id")):
        if isinstance(value, str) and value:
            return value[:LONGEST_ID]
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def _writing_hook(record: type[Any]) -> Callable[[Any], dict[str, Any]]:
    names = {field.name: override(rename=request_name(field.name, record.__name__)) for field in attrs.fields(record)}
    return make_dict_unstructure_fn(record, _converter, _cattrs_include_init_false=True, **names)  # type: ignore[arg-type] # overrides are keyed by field


@cache
def _fields_of(record: type[Record]) -> tuple[_Field, ...]:
    return tuple(
        _Field(
            field.name,
            answer_names(record, field.name),
            php_values.HOOKS[field.type],
            required=field.default is attrs.NOTHING,
        )
        for field in attrs.fields(attrs.resolve_types(record))
        if field.name not in _FILLED_BY_HAND
    )


def _make_converter() -> cattrs.Converter:
    converter = cattrs.Converter()
    converter.register_unstructure_hook_factory(_is_written, _writing_hook)
    converter.register_unstructure_hook(date, encode_day)
    converter.register_unstructure_hook(datetime, encode_day)
    converter.register_unstructure_hook(UUID, str)
    return converter


def _is_written(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Written)


_converter = _make_converter()
