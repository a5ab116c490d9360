"""Records from JSON: every quirk has a hook, everything else is refused with its path."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import json_values

from fusedesk_async._json import JSONText
from fusedesk_async._wire.converter import HISTORY_NAMES, structure, within
from fusedesk_async.errors import UnexpectedResponseError
from fusedesk_async.models import (
    Case,
    CaseDetail,
    CreatedCase,
    Email,
    HistoryItem,
    Note,
    Record,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FULL = {
    "caseid": 42,
    "id": 42,
    "casenum": "AB12",
    "casenumber": "AB12",
    "contactid": "7",
    "contactUuid": "0b0e-uuid",
    "companyid": None,
    "repid": "",
    "departmentid": 3,
    "summary": "s",
    "details": "a\tb\r\n",
    "openedby": "jo@example.com",
    "status": "snoozed?",
    "date_opened": "2026-03-01T12:00:00+00:00",
    "date_assigned": "",
    "date_firstresponse": None,
    "date_lastresponse": False,
    "date_updated": "2026-03-01T12:00:00Z",
    "date_closed": "0000-00-00 00:00:00",
    "date_rated": False,
    "date_requestedfeedback": False,
    "rating": "5",
    "feedback": False,
    "tags": [1, "2"],
    "isArchived": 0,
    "brandnew": {"x": [1]},
}


class Heard(list[UnexpectedResponseError]):
    """Keeps what is reported."""

    def __call__(self, error: UnexpectedResponseError) -> UnexpectedResponseError:
        self.append(error)
        return error


def read(record: type[Record], value: Any) -> Any:
    heard = Heard()
    result = structure(record, JSONText(json.dumps(value).encode()), heard)
    assert not heard
    return result


def test_every_member_of_a_case_and_its_quirks() -> None:
    case = read(Case, FULL)
    assert case == Case(
        id=42,
        case_number="AB12",
        contact_id=7,
        contact_uuid="0b0e-uuid",
        department_id=3,
        summary="s",
        details="a\tb\r\n",
        opened_by="jo@example.com",
        status="snoozed?",
        date_opened=NOON,
        date_updated=NOON,
        rating="5",
        tags=(1, 2),
        is_archived=False,
    )
    assert case.raw == FULL


def test_the_source_is_kept_to_the_byte() -> None:
    text = b' {"caseid" : 7.0,\n"x":1.10, "x": "\\u00e9" } '
    assert structure(Case, JSONText(text), Heard()).source == text


@pytest.mark.parametrize(
    "members", [{"caseid": 5}, {"id": 5}, {"caseid": "5"}, {"caseid": 5, "id": 6}, {"caseid": 5.0}]
)
def test_only_the_id_is_needed_under_either_name(members: dict[str, Any]) -> None:
    assert read(Case, members) == Case(id=5)


def test_the_second_name_stands_in_for_the_first() -> None:
    assert read(Case, {"id": 5, "casenumber": "B"}).case_number == "B"
    assert read(Case, {"id": 5, "casenum": "A", "casenumber": "B"}).case_number == "A"


@pytest.mark.parametrize(
    ("members", "path", "record_id", "reason"),
    [
        ({"caseid": 5, "contactid": "x"}, "$.contactid", 5, "expected a whole number, got 'x'"),
        ({"caseid": 5, "summary": ["x"]}, "$.summary", 5, "expected text, got a list"),
        ({"caseid": 5, "date_opened": "soon"}, "$.date_opened", 5, "Invalid isoformat string: 'soon'"),
        ({"caseid": 5, "date_opened": True}, "$.date_opened", 5, "expected a date, got True"),
        ({"caseid": 5, "tags": [1, {}]}, "$.tags", 5, "is missing"),
        ({"caseid": 5, "tags": "1 @ 2"}, "$.tags", 5, "expected a list of ids, got '1 @ 2'"),
        ({"caseid": 5, "isArchived": "maybe"}, "$.isArchived", 5, "expected true or false, got 'maybe'"),
        ({"caseid": "x9", "casenum": "A"}, "$.caseid", "x9", "expected a whole number, got 'x9'"),
        ({"caseid": None}, "$.caseid", None, "is missing"),
        ({"caseid": True}, "$.caseid", None, "expected a whole number, got True"),
        ({"caseid": [1], "id": 8}, "$.caseid", 8, "expected a whole number, got a list"),
        ({"caseid": "n" * 999}, "$.caseid", "n" * 80, "expected a whole number, got '" + "n" * 79),
        ({}, "$.caseid", None, "is missing"),
    ],
)
def test_what_no_hook_allows_is_refused_with_path_and_id(members: Any, path: str, record_id: Any, reason: str) -> None:
    with pytest.raises(UnexpectedResponseError) as caught:
        read(Case, members)
    assert (caught.value.path, caught.value.record_id, caught.value.message) == (path, record_id, reason)


@pytest.mark.parametrize("value", [None, 7, "x", [], [{"caseid": 1}]])
def test_what_is_no_object_is_no_record(value: Any) -> None:
    with pytest.raises(UnexpectedResponseError, match="expected an object"):
        read(Case, value)


def test_what_is_no_json_is_no_record() -> None:
    with pytest.raises(UnexpectedResponseError, match=r"not JSON.*it begins '{nonsense'"):
        structure(Case, JSONText(b"{nonsense"), Heard())


def test_a_created_case_needs_its_number_only() -> None:
    assert read(CreatedCase, {"casenum": "AB12"}) == CreatedCase(case_number="AB12")
    assert read(CreatedCase, {"casenumber": 12, "caseid": "5"}) == CreatedCase(case_number="12", id=5)
    with pytest.raises(UnexpectedResponseError, match=r"is missing at \$\.casenum"):
        read(CreatedCase, {"caseid": 5})


NOTE = {"type": "note", "title": "t", "note": "n", "date_added": "2026-03-01T12:00:00Z", "repid": "9", "author": "x"}
MAIL = {
    "type": "email",
    "to": "a",
    "from": "b",
    "subject": "s",
    "body": "x",
    "date_recvd": "2026-03-01T12:00:00Z",
    "id": "e1",
}


@pytest.mark.parametrize("name", HISTORY_NAMES)
def test_a_history_is_found_under_every_likely_name(name: str) -> None:
    detail = read(CaseDetail, {"caseid": 5, name: [NOTE, MAIL, {"type": "fax", "id": 3}]})
    assert detail.history == (
        Note(type="note", title="t", note="n", date_added=NOON, rep_id=9),
        Email(type="email", id="e1", to="a", sender="b", subject="s", body="x", date_received=NOON),
        HistoryItem(type="fax", id=3),
    )
    assert detail.history[0].raw == NOTE


def test_items_without_a_type_have_the_type_of_their_list() -> None:
    lists = {"notes": [{"note": "n"}], "calls": [{"note": "c", "type": ""}], "emails": [{"body": "e", "type": None}]}
    history = read(CaseDetail, {"caseid": 5, **lists}).history
    assert history == (Note(type="note", note="n"), Note(type="call", note="c"), Email(type="email", body="e"))


@pytest.mark.parametrize("nothing", [None, False, "", [], {}])
def test_no_history_is_no_trouble(nothing: Any) -> None:
    assert read(CaseDetail, {"caseid": 5, "history": nothing}).history == ()
    assert read(CaseDetail, {"caseid": 5}).history == ()


def test_a_list_with_gaps_comes_as_an_object_keyed_by_numbers() -> None:
    history = read(CaseDetail, {"caseid": 5, "history": {"0": {"note": "a"}, "2": {"note": "b"}}}).history
    assert [item.note for item in history] == ["a", "b"]


def test_an_item_keeps_its_exact_source() -> None:
    text = b'{"caseid":5,"notes":[ {"note" : "\\u00e9\\ud800", "n":1.10} ]}'
    (item,) = structure(CaseDetail, JSONText(text), Heard()).history
    assert item.source == b'{"note" : "\\u00e9\\ud800", "n":1.10}'


@given(
    st.lists(st.dictionaries(st.text(max_size=4), json_values, max_size=3), max_size=4), st.booleans(), st.booleans()
)
def test_whatever_items_hold_each_keeps_its_own_part_of_the_text(items, ascii_only, keyed):
    history = {str(7 * number): item for number, item in enumerate(items)} if keyed else items
    text = json.dumps({"caseid": 5, "history": history}, ensure_ascii=ascii_only, indent=1).encode(errors="replace")
    kept = structure(CaseDetail, JSONText(text), Heard()).history
    assert [item.raw for item in kept] == json.loads(
        json.dumps(items, ensure_ascii=ascii_only).encode(errors="replace")
    )


def test_a_bad_item_is_reported_and_kept_and_loses_nothing() -> None:
    heard = Heard()
    items: list[Any] = [NOTE, {"type": "call", "date_added": "soon", "id": 8}, "text", {"type": {"a": 1}}, MAIL]
    detail = structure(CaseDetail, JSONText(json.dumps({"caseid": 5, "history": items}).encode()), heard)
    assert [(type(item), item.type) for item in detail.history] == [
        (Note, "note"),
        (HistoryItem, "call"),
        (HistoryItem, "{'a': 1}"),
        (Email, "email"),
    ]
    assert detail.history[1].raw == items[1]
    assert [(error.path, error.record_id) for error in heard] == [
        ("$.history[1].date_added", 8),
        ("$.history[2]", None),
        ("$.history[3].type", None),
    ]
    assert detail.raw["history"] == items


@pytest.mark.parametrize("odd", [7, "text", True, {"first": {}}])
def test_a_history_that_is_no_list_is_reported(odd: Any) -> None:
    heard = Heard()
    detail = structure(CaseDetail, JSONText(json.dumps({"caseid": 5, "history": odd, "notes": [NOTE]}).encode()), heard)
    assert [error.path for error in heard] == ["$.history"]
    assert len(detail.history) == 1


def refuse(error: UnexpectedResponseError) -> UnexpectedResponseError:
    raise error


@pytest.mark.parametrize("odd", [[7], [{"date_added": "soon"}], 7])
def test_a_report_that_raises_passes_through(odd: Any) -> None:
    with pytest.raises(UnexpectedResponseError):
        structure(CaseDetail, JSONText(json.dumps({"caseid": 5, "history": odd}).encode()), refuse)


def test_within_puts_a_path_below_its_place() -> None:
    error = within(UnexpectedResponseError("odd", None, "$.a", 7, "{"), "$[3]")
    assert error.args == ("odd", None, "$[3].a", 7, "{")
