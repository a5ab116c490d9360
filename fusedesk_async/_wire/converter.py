"""The converter: JSON values to records and back.

What no hook of `php_values.py` allows is refused with the path of the field. `page_reader.py` is a shortcut for whole
pages that gives the same results; this is the definition.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar, cast
from uuid import UUID

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from fusedesk_async import _json
from fusedesk_async._json import JSONText
from fusedesk_async._wire import php_values
from fusedesk_async._wire.call import Report
from fusedesk_async._wire.field_names import answer_names, request_name, request_names
from fusedesk_async._wire.name_refs import KINDS, by_name
from fusedesk_async.errors import UnexpectedResponseError
from fusedesk_async.filters import encode_day, encode_json
from fusedesk_async.models import CaseDetail, Email, HistoryItem, NewCase, Note, Record
from fusedesk_async.models._record import Written

R = TypeVar("R", bound=Record)

HISTORY_NAMES = ("history", "case_history", "notes", "calls", "emails")
"""Where a case's history may stand in an answer; no public source shows it. All lists found are read, in this order."""
LONGEST_SAMPLE = 80
"""Characters of a text which is not JSON that an error shows."""
LONGEST_ID = 80
"""Characters of a record's id that an error shows."""

_TYPE_OF_LIST = {"calls": "call", "emails": "email"}
_KINDS: Mapping[str, type[HistoryItem]] = {"note": Note, "call": Note, "email": Email}

_FILLED_BY_HAND = frozenset({"source", "history"})


def structure(record: type[R], source: JSONText, report: Report) -> R:
    """A record from its JSON.

    An item of a case's history that cannot be read goes to `report` and is kept as a plain `HistoryItem`; what is no
    object is no item, and stays in the case's `raw` only.

    Raises:
        UnexpectedResponseError: It is no object, or a field holds what no hook allows; `path` says which.
    """
    try:
        value = source.value
    except ValueError as error:
        message = f"a record is not JSON: {error}"
        sample = source.text[:LONGEST_SAMPLE].decode(errors="replace")
        raise UnexpectedResponseError(message, None, "$", None, sample) from None
    result = _structure_value(record, value, source.text)
    if isinstance(result, CaseDetail):
        return cast("R", attrs.evolve(result, history=tuple(_history(source, report))))
    return result


def within(error: UnexpectedResponseError, parent: str) -> UnexpectedResponseError:
    """The same error in a larger answer, where the record stands at the path `parent`."""
    path = parent + error.path.removeprefix("$")
    return UnexpectedResponseError(error.message, error.request, path, error.record_id, error.sample)


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


def _structure_value(record: type[R], value: Any, source: bytes) -> R:
    if not _json.is_object(value):
        message = f"expected an object, got {_json.shown(value)}"
        raise UnexpectedResponseError(message, None, "$")
    try:
        result = _converter.structure(_under_first_names(record, value), record)
    except cattrs.BaseValidationError as error:
        problems = cattrs.transform_error(error, path="$", format_exception=_reason)
        reason, _, path = problems[0].rpartition(" @ $.")
        member = f"$.{answer_names(record, path)[0]}"
        raise UnexpectedResponseError(reason, None, member, _id_of(record, value)) from None
    return attrs.evolve(result, source=source)


def _history(source: JSONText, report: Report) -> Iterator[HistoryItem]:
    """The items of a case's history. The text is cut, not read again: each item keeps its own part of it."""
    if source.value.keys().isdisjoint(HISTORY_NAMES):
        return
    texts = _json.members(source.text)
    for name in HISTORY_NAMES:
        try:
            items = _items(JSONText(texts.get(name, b"null"), source.value.get(name)))
        except ValueError as error:
            report(UnexpectedResponseError(str(error), None, f"$.{name}"))
            continue
        for position, item in enumerate(items):
            yield from _history_item(item, _TYPE_OF_LIST.get(name, "note"), f"$.{name}[{position}]", report)


def _items(source: JSONText) -> Sequence[JSONText]:
    """The elements of a list, or of an object keyed by numbers: PHP's way to send a list with gaps."""
    if source.text in _json.NOTHING:
        return ()
    if _json.is_object(source.value) and all(name.isdecimal() for name in source.value):
        return _paired(_json.members(source.text).values(), source.value.values())
    return _paired(_json.elements(source.text), source.value)


def _paired(texts: Iterable[bytes], values: Iterable[Any]) -> list[JSONText]:
    return [JSONText(text, value) for text, value in zip(texts, values, strict=True)]


def _history_item(source: JSONText, usual_type: str, path: str, report: Report) -> Iterator[HistoryItem]:
    value = source.value
    if _json.is_object(value) and not value.get("type"):
        value = {**value, "type": usual_type}
    kind = str(value["type"]) if _json.is_object(value) else usual_type
    try:
        yield _structure_value(_KINDS.get(kind, HistoryItem), value, source.text)
    except UnexpectedResponseError as error:
        report(within(error, path))
        if _json.is_object(value):
            yield HistoryItem(type=kind, source=source.text)


def _under_first_names(record: type[Record], members: Mapping[str, Any]) -> Mapping[str, Any]:
    """The members with a duplicate taking the place of its original where only the duplicate came."""
    for field in attrs.fields(record):
        first, *others = answer_names(record, field.name)
        present = [name for name in others if name in members]
        if present and first not in members:
            members = {**members, first: members[present[0]]}
    return members


def _id_of(record: type[Record], members: Mapping[str, Any]) -> int | str | None:
    for value in map(members.get, answer_names(record, "id")):
        if isinstance(value, str) and value:
            return value[:LONGEST_ID]
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def _reason(error: BaseException, _: type[Any] | None) -> str:
    return "is missing" if isinstance(error, KeyError) else str(error)


def _reading_hook(record: type[Record]) -> Callable[[Mapping[str, Any], Any], Any]:
    names = {
        field.name: override(omit=True)
        if field.name in _FILLED_BY_HAND
        else override(rename=answer_names(record, field.name)[0])
        for field in attrs.fields(record)
    }
    return make_dict_structure_fn(record, _converter, **names)  # type: ignore[arg-type] # overrides are keyed by field


def _writing_hook(record: type[Any]) -> Callable[[Any], dict[str, Any]]:
    names = {field.name: override(rename=request_name(field.name, record.__name__)) for field in attrs.fields(record)}
    return make_dict_unstructure_fn(record, _converter, _cattrs_include_init_false=True, **names)  # type: ignore[arg-type] # overrides are keyed by field


def _make_converter() -> cattrs.Converter:
    converter = cattrs.Converter()
    for kind, hook in php_values.HOOKS.items():
        _accept(converter, kind, hook)
    converter.register_structure_hook_factory(_is_record, _reading_hook)
    converter.register_unstructure_hook_factory(_is_written, _writing_hook)
    converter.register_unstructure_hook(date, encode_day)
    converter.register_unstructure_hook(datetime, encode_day)
    converter.register_unstructure_hook(UUID, str)
    return converter


def _accept(converter: cattrs.Converter, wanted: Any, hook: Callable[[Any], Any]) -> None:
    if isinstance(wanted, type):  # cattrs' own hooks, `int(…)` and `str(…)`, would win over a predicate
        converter.register_structure_hook(wanted, lambda value, _: hook(value))
    else:
        converter.register_structure_hook_func(lambda kind: kind == wanted, lambda value, _: hook(value))


def _is_written(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Written)


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Record)


_converter = _make_converter()
