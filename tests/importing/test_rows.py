"""Rows of all kinds to the cases they stand for."""

import json
from contextlib import suppress
from datetime import UTC, date, datetime
from uuid import UUID

import anyio
import attrs
import pytest
from clients import client
from hypothesis import given
from hypothesis import strategies as st
from strategies import case_texts

from fusedesk_async import NewCase, NewEmail, NewNote
from fusedesk_async.importing._rows import RowError, read_row
from fusedesk_async.sandbox import Sandbox, VirtualClock

OURS = {"department_id": 3, "summary": "S", "details": "D", "opened_by": "jo"}
CASE = NewCase(department_id=3, summary="S", details="D", opened_by="jo")
RECORD = {
    "caseid": "41",
    "casenum": "ABCD1234",
    "departmentid": "3",
    "summary": "S",
    "details": "D",
    "openedby": "jo",
    "repid": "",
    "contactid": 0,
    "contactUuid": None,
    "companyid": "7",
    "status": "closed",
    "date_opened": "2024-03-01T10:00:00-05:00",
    "date_assigned": "0000-00-00 00:00:00",
    "date_updated": "2024-03-02 11:00:00",
    "date_closed": False,
    "tags": ["5", {"id": 7}],
    "rating": "5",
    "unheard_of": {"of": 1},
}


def read(given, **settings):
    return read_row(1, given, **{"skip_infusionsoft": False} | settings)


def reason(given):
    with pytest.raises(RowError) as caught:
        read(given)
    return str(caught.value)


def test_a_case_is_itself():
    row = read(CASE)
    assert (row.number, row.source_id, row.case, row.original) == (1, None, CASE, CASE)
    assert read(OURS).case == CASE
    assert read(OURS).content == row.content
    assert read(OURS | {"summary": "T"}).content != row.content


def test_all_that_a_case_can_have_may_stand_in_a_row():
    row = read(
        OURS
        | {
            "department_id": "3",
            "source_id": 17,
            "opened_by": 5551234,
            "date_opened": "2024-03-01 10:00",
            "date_assigned": date(2024, 3, 1),
            "date_updated": datetime(2024, 3, 2, tzinfo=UTC),
            "status": "open",
            "rep_id": 5.0,
            "contact_id": None,
            "contact_uuid": UUID(int=1),
            "company_id": "",
            "email": "jo@mail.example",
            "type": "import",
            "tags": "5, vip",
            "skip_infusionsoft": "1",
            "history": [
                {"title": "T", "note": "N"},
                {"type": "call", "title": "T", "note": "N", "date_added": "2024-03-01"},
                {"type": "email", "to": "a", "sender": "b", "subject": "S", "body": "B", "rep_id": "5"},
                NewNote(title="U", note="V"),
            ],
        }
    )
    assert row.source_id == "17"
    assert row.case == NewCase(
        department_id=3,
        summary="S",
        details="D",
        opened_by="5551234",
        date_opened="2024-03-01 10:00",
        date_assigned=date(2024, 3, 1),
        date_updated=datetime(2024, 3, 2, tzinfo=UTC),
        status="open",
        rep_id=5,
        contact_uuid=str(UUID(int=1)),
        email="jo@mail.example",
        type="import",
        tags=(5, "vip"),
        skip_infusionsoft=True,
        history=(
            NewNote(title="T", note="N"),
            NewNote(title="T", note="N", type="call", date_added="2024-03-01"),
            NewEmail(to="a", sender="b", subject="S", body="B", rep_id=5),
            NewNote(title="U", note="V"),
        ),
    )
    assert read(OURS | {"tags": [5, "6"], "history": None}).case.tags == (5, 6)
    assert read(OURS | {"tags": None}).case.tags == ()


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"openedby": "jo", "department_id": 3, "tpye": 1}, "unknown members: openedby, tpye; known are department_id"),
        ({"summary": "S"}, "missing: department_id, details, opened_by"),
        (OURS | {"department_id": "x"}, "department_id: expected a whole number, got 'x'"),
        (OURS | {"summary": " "}, "summary must be a text with something in it"),
        (OURS | {"date_opened": "-30 days"}, "date_opened: Invalid isoformat"),
        (OURS | {"date_opened": datetime(2024, 1, 1)}, "has no time zone"),  # noqa: DTZ001 - the slip
        (OURS | {"type": "fax"}, "type is 'call' or"),
        (OURS | {"tags": [True]}, "a tag is an id or a name"),
        (OURS | {"history": 7}, "history: expected a list"),
        (OURS | {"history": [7]}, "history: element 0 is not a note, call or email"),
        (OURS | {"history": [{"title": "T", "text": "N"}]}, "history: unknown members: [0].text"),
        (OURS | {"history": [{"title": "T"}]}, "history: missing: [0].note"),
        (OURS | {"history": [{"type": "fax", "title": "T", "note": "N"}]}, "type is 'note' or 'call'"),
        (OURS | {"summary": "\ud800"}, "lone surrogate"),
        (7, "a row is a NewCase, a mapping or the JSON text of an object, not int"),
        ("[1]", "the JSON text of an object"),
        (b"{", "truncated"),
        (RECORD | {"departmentid": None}, "no departmentid"),
        (RECORD | {"departmentid": "x"}, "expected a whole number"),
        (RECORD | {"history": [{"type": "fax"}]}, "of a kind that cannot be imported: 'fax'"),
        (RECORD | {"history": [{"type": "note", "title": []}]}, "expected text"),
        ({"casenum": "A"}, "is missing"),
    ],
)
def test_what_cannot_be_imported_is_reported(row, why):
    assert why.lower() in reason(row).lower()


def test_a_record_of_the_server_becomes_the_case_it_was():
    expected = NewCase(
        department_id=3,
        summary="S",
        details="D",
        opened_by="jo",
        company_id=7,
        status="closed",
        date_opened=datetime.fromisoformat("2024-03-01T10:00:00-05:00"),
        date_updated="2024-03-02 11:00:00",
        tags=(5, 7),
    )
    for given_row in (RECORD, json.dumps(RECORD), json.dumps(RECORD).encode()):
        row = read(given_row)
        assert (row.source_id, row.case) == ("41", expected)
    assert read(RECORD, skip_infusionsoft=True).case.skip_infusionsoft
    assert read(RECORD, skip_infusionsoft=True).content == read(RECORD).content


def test_what_a_record_lacks_is_filled_with_a_word_in_brackets():
    history = [
        {"type": "email", "from": "a", "to": None, "subject": "", "body": False, "date_sent": "", "repid": "5"},
        {"type": "call", "title": "", "note": ""},
        {"type": "note", "title": "T", "note": "N", "date_added": "2024-01-01 10:00:00"},
    ]
    row = read(RECORD | {"summary": "", "details": " ", "openedby": None, "history": history})
    assert (row.case.summary, row.case.details, row.case.opened_by) == ("(no subject)", "(no text)", "(unknown)")
    assert row.case.history == (
        NewEmail(to="(unknown)", sender="a", subject="(no subject)", body="(no text)", rep_id=5),
        NewNote(title="Call", note="Call", type="call"),
        NewNote(title="T", note="N", date_added="2024-01-01 10:00:00"),
    )


@pytest.mark.parametrize(("note", "kind"), [("D", "import"), ("<p>D\n", "import"), ("other", None)])
def test_the_text_of_the_case_is_not_noted_twice(note, kind):
    history = [{"type": "note", "title": "T", "note": note}]
    assert read(RECORD | {"history": history}).case.type == kind


@given(case_texts())
def test_whatever_a_server_may_send_is_read_or_refused(text):
    with suppress(RowError):
        assert read(text.encode(errors="surrogatepass")).case.department_id is not None


def test_a_case_of_the_sandbox_survives_the_way_there_and_back():
    async def records():
        clock = VirtualClock()
        async with client(Sandbox(120, clock=clock), clock) as desk:
            return [await desk.cases.get(case) for case in range(1, 121)]

    for detail in anyio.run(records):
        case = read(json.dumps(detail.raw)).case
        assert (case.summary, case.opened_by, case.status) == (detail.summary, detail.opened_by, detail.status)
        assert (case.date_opened, case.tags) == (detail.date_opened, detail.tags)
        assert len(case.history) == len(detail.history)


@given(st.dictionaries(st.sampled_from([*attrs.fields_dict(NewCase), "source_id", "other"]), st.integers() | st.text()))
def test_any_mapping_is_read_or_refused(row):
    with suppress(RowError):
        assert read(row).case.summary.strip()
