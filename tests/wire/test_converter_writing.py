"""Records on their way to the server, and back."""

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async._json import JSONText
from fusedesk_async._wire.converter import case_form, structure, unstructure
from fusedesk_async.errors import ConfigurationError, UnexpectedResponseError
from fusedesk_async.models import (
    Case,
    CaseDetail,
    Email,
    NewCase,
    NewEmail,
    NewNote,
    Note,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def refuse(error: UnexpectedResponseError) -> UnexpectedResponseError:
    raise error


def test_a_note_is_written_under_the_apis_names() -> None:
    note = NewNote(title="t", note="n", date_added=date(2026, 3, 1))
    assert unstructure(note) == {"title": "t", "note": "n", "type": "note", "date_added": "2026-03-01"}


def test_an_email_is_written_under_the_apis_names() -> None:
    email = NewEmail(to="a", sender="b", subject="s", body="x", rep_id=5, date_received=NOON, date_sent="yesterday")
    assert unstructure(email) == {
        "to": "a",
        "from": "b",
        "subject": "s",
        "body": "x",
        "repid": 5,
        "date_recvd": "2026-03-01T12:00:00+00:00",
        "date_sent": "yesterday",
        "type": "email",
    }


def new_case(**more: Any) -> NewCase:
    return NewCase(department_id=3, summary="s", details="d", opened_by="o", **more)


def test_a_case_is_written_without_what_is_not_set() -> None:
    assert case_form(new_case()) == {"depid": 3, "summary": "s", "details": "d", "openedby": "o"}


def test_all_fields_of_a_new_case() -> None:
    uuid = UUID(int=7)
    form = case_form(
        new_case(
            date_opened=NOON,
            date_assigned="yesterday",
            date_updated=date(2026, 3, 1),
            status="closed",
            rep_id=1,
            contact_id=2,
            contact_uuid=uuid,
            email="e@x.example",
            company_id=4,
            type="import",
            history=[NewNote(title="t", note="é"), NewEmail(to="a", sender="b", subject="s", body="x")],
            skip_infusionsoft=True,
            tags=[1, "vip"],
        )
    )
    assert json.loads(form.pop("history")) == [
        {"title": "t", "note": "é", "type": "note"},
        {"to": "a", "from": "b", "subject": "s", "body": "x", "type": "email"},
    ]
    assert form == {
        "depid": 3,
        "summary": "s",
        "details": "d",
        "openedby": "o",
        "date_opened": "2026-03-01T12:00:00+00:00",
        "date_assigned": "yesterday",
        "date_updated": "2026-03-01",
        "status": "closed",
        "repid": 1,
        "contactid": 2,
        "contactUuid": str(uuid),
        "email": "e@x.example",
        "companyid": 4,
        "type": "import",
        "skipinfusionsoft": True,
        "casetags": "1,vip",
    }


def test_a_history_that_cannot_be_sent_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="lone surrogate"):
        case_form(new_case(history=[NewNote(title="t", note="\ud800")]))


filled = st.text(min_size=1).filter(str.strip)
moments = st.none() | st.datetimes(timezones=st.just(UTC))
ids = st.none() | st.integers(1, 2**70)


def fields_of(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in type(record).__slots__ if name != "__weakref__"}


@given(
    st.one_of(
        st.builds(NewNote, title=filled, note=filled, type=st.sampled_from(["note", "call"]), date_added=moments),
        st.builds(
            NewEmail,
            to=filled,
            sender=filled,
            subject=filled,
            body=filled,
            cc=st.none() | filled,
            bcc=st.none() | filled,
            date_sent=moments,
            date_received=moments,
            rep_id=ids,
        ),
    )
)
def test_what_is_written_is_read_back_as_it_was(new: NewNote | NewEmail) -> None:
    form = case_form(new_case(history=[new]))
    source = b'{"caseid": 5, "history": %b}' % form["history"].encode()
    (item,) = structure(CaseDetail, JSONText(source), refuse).history
    assert type(item) is (Email if isinstance(new, NewEmail) else Note)
    written = fields_of(new)
    assert {name: getattr(item, name) for name in written} == written


@given(
    st.builds(
        new_case,
        status=st.none() | filled,
        rep_id=ids,
        contact_id=ids,
        date_opened=moments,
        tags=st.lists(st.integers(1, 99)),
    )
)
def test_a_case_is_read_back_as_it_was_written(new: NewCase) -> None:
    form = case_form(new)
    answer = {**form, "departmentid": form["depid"], "tags": form.get("casetags", "").split(",") if new.tags else []}
    case = structure(Case, JSONText(json.dumps({"caseid": 5, **answer}).encode()), refuse)
    for name in (
        "department_id",
        "summary",
        "details",
        "opened_by",
        "status",
        "rep_id",
        "contact_id",
        "date_opened",
        "tags",
    ):
        assert getattr(case, name) == getattr(new, name)
