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
    OddField,
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
    ("members", "record_id", "reason"),
    [
        ({"caseid": "x9", "casenum": "A"}, "x9", "expected a whole number, got 'x9'"),
        ({"caseid": None}, None, "is missing"),
        ({"caseid": True}, None, "expected a whole number, got True"),
        ({"caseid": [1], "id": "x8"}, "x8", "expected a whole number, got a list"),
        ({"caseid": "n" * 999}, "n" * 80, "expected a whole number, got '" + "n" * 79),
        ({}, None, "is missing"),
        ({"casenum": 7}, None, "is missing"),
    ],
)
def test_without_a_readable_id_there_is_no_record(members: Any, record_id: Any, reason: str) -> None:
    with pytest.raises(UnexpectedResponseError) as caught:
        read(Case, members)
    assert (caught.value.path, caught.value.record_id, caught.value.message) == ("$.caseid", record_id, reason)
    assert caught.value.field == ""


@pytest.mark.parametrize(
    ("member", "value", "field", "reason"),
    [
        ("contactid", "x", "contact_id", "expected a whole number, got 'x'"),
        ("contactid", "1,000", "contact_id", "expected a whole number, got '1,000'"),
        ("summary", ["x"], "summary", "expected text, got a list"),
        ("date_opened", "soon", "date_opened", "Invalid isoformat string: 'soon'"),
        ("date_opened", True, "date_opened", "expected a date, got True"),
        ("tags", [1, {}], "tags", "is missing"),
        ("tags", {"odd": 1}, "tags", "expected a list of ids, got an object"),
        ("isArchived", "yes", "is_archived", "expected true or false, got 'yes'"),
    ],
)
def test_a_field_that_cannot_be_read_is_empty_and_reported(member: str, value: Any, field: str, reason: str) -> None:
    heard = Heard()
    members = {"caseid": 5, member: value, "status": "open"}
    case = structure(Case, JSONText(json.dumps(members).encode()), heard)
    assert case == Case(id=5, status="open")
    assert case.raw == members
    (error,) = heard
    assert (error.message, error.path, error.record_id, error.field) == (reason, f"$.{member}", 5, field)
    assert case.odd == (OddField(5, field, f"$.{member}", json.dumps(value)),)


def test_what_the_report_gives_back_is_kept_of_an_odd_field() -> None:
    done = UnexpectedResponseError("m", None, "$[7].x", "the id", "the text", "the field")
    case = structure(Case, JSONText(b'{"caseid":5,"contactid":"x"}'), lambda _: done)
    assert case.odd == (OddField("the id", "the field", "$[7].x", "the text"),)


@pytest.mark.parametrize(
    ("members", "expected", "odd"),
    [
        ({"caseid": [1], "id": 8}, Case(id=8), "$.caseid"),
        ({"caseid": 1, "casenum": [], "casenumber": "B"}, Case(id=1, case_number="B"), "$.casenum"),
        ({"caseid": None, "id": 8}, Case(id=8), None),
    ],
)
def test_a_duplicate_that_can_be_read_stands_in(members: Any, expected: Case, odd: str | None) -> None:
    case = structure(Case, JSONText(json.dumps(members).encode()), Heard())
    assert case == expected
    assert [each.path for each in case.odd] == ([odd] if odd else [])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b'"caf\xe9"', '"caf\ufffd"'),
        (b"1e999", "1e999"),
        (b"9" * 5000, "9" * 1000),
    ],
)
def test_a_member_that_is_no_json_is_a_field_that_cannot_be_read(text: bytes, shown: str) -> None:
    source = b'{"caseid":5,"summary":"\\ud800","rating":%b}' % text
    case = structure(Case, JSONText(source), Heard())
    assert (case.id, case.rating) == (5, None)
    assert case.summary == "\ud800"
    assert [(odd.field, odd.text) for odd in case.odd] == [("rating", shown)]
    assert case.source == source


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
        (Note, "call"),
        (HistoryItem, "{'a': 1}"),
        (Email, "email"),
    ]
    assert detail.history[1] == Note(type="call", id=8)
    assert detail.history[1].raw == items[1]
    assert detail.history[1].odd == (OddField(8, "date_added", "$.history[1].date_added", '"soon"'),)
    assert detail.odd == ()
    assert [(error.path, error.record_id) for error in heard] == [
        ("$.history[1].date_added", 8),
        ("$.history[2]", None),
        ("$.history[3].type", None),
    ]
    assert detail.raw["history"] == items


def test_of_a_history_that_is_no_json_every_item_that_can_be_read_is() -> None:
    heard = Heard()
    items = b'[{"note":"a"},{"note":"caf\xe9","id":2},7,{"note":1e999}]'
    text = b'{"caseid":5,"history":%b,"notes":{"4":{"note":1e999}},"calls":1e999}' % items
    detail = structure(CaseDetail, JSONText(text), heard)
    assert [(item.type, item.note) for item in detail.history if isinstance(item, Note)] == [
        ("note", "a"),
        ("note", None),
        ("note", None),
        ("note", None),
    ]
    assert [error.path for error in heard] == [
        "$.history[1].note",
        "$.history[2]",
        "$.history[3].note",
        "$.notes[0].note",
        "$.calls",
    ]


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
    error = within(UnexpectedResponseError("odd", None, "$.a", 7, "{", "f"), "$[3]")
    assert error.args == ("odd", None, "$[3].a", 7, "{", "f")
