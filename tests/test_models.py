import copy
import enum
import pickle
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from fusedesk_async.errors import ConfigurationError, UnexpectedResponseError
from fusedesk_async.models import (
    Access,
    Acknowledgement,
    Case,
    CaseDetail,
    Contact,
    ContactFields,
    Created,
    CreatedCase,
    Email,
    HistoryItem,
    NewCase,
    NewContact,
    NewEmail,
    NewNote,
    Note,
    Record,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOTE = NewNote(title="Called", note="He was out", type="call", date_added=NOON)
EMAIL = NewEmail(to="a@x.example", sender="b@x.example", subject="Hi", body="Text")
READ: list[Any] = [
    Case(id=7),
    CaseDetail(id=7, history=(Note(type="note"), Email(type="email", id="e1"), HistoryItem(type="fax"))),
    CreatedCase(case_number="AB12"),
    Acknowledgement(raw={"a": 1}),
    Created(raw={"id": 7}, id=7),
    Access(base_url="https://acme.fusedesk.com", scopes=frozenset({"cases"})),
]
WRITTEN: list[Any] = [
    NOTE,
    EMAIL,
    NewContact(first_name="Jo"),
    NewCase(department_id=3, summary="s", details="d", opened_by="o", history=[NOTE, EMAIL], tags=[1, "vip"]),
]


@pytest.mark.parametrize("record", READ + WRITTEN, ids=lambda record: type(record).__name__)
def test_records_are_frozen_and_travel(record: Any) -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(record, attrs.fields(type(record))[0].name, 1)
    for twin in (copy.deepcopy(record), copy.copy(record), pickle.loads(pickle.dumps(record))):
        assert twin == record
        assert type(twin) is type(record)


def test_every_field_but_the_id_may_be_missing() -> None:
    case = attrs.asdict(Case(id=7))
    assert {name for name, value in case.items() if value is not None} == {"id", "source", "odd", "tags"}


def test_the_source_is_kept_for_unknown_members_and_takes_no_part_in_comparisons() -> None:
    case = Case(id=7, source=b'{"caseid": 7, "brandnew": [1]}')
    assert case == Case(id=7)
    assert hash(case) == hash(Case(id=7))
    assert case.raw == {"caseid": 7, "brandnew": [1]}
    assert "brandnew" not in repr(case)
    case.raw["caseid"] = 8
    assert case.raw["caseid"] == 7
    assert Record().raw == {}


def test_an_unread_number_beyond_a_float_is_an_error_of_ours() -> None:
    with pytest.raises(UnexpectedResponseError, match="out of range"):
        _ = Case(id=7, source=b'{"caseid": 7, "n": 1e400}').raw


@pytest.mark.parametrize("bad", ["", " \n", None, 7])
@pytest.mark.parametrize(
    ("kind", "fields"), [(NewNote, ["title", "note"]), (NewEmail, ["to", "sender", "subject", "body"])]
)
def test_texts_that_the_server_wants_must_be_there(kind: type, fields: list[str], bad: Any) -> None:
    good = dict.fromkeys(fields, "x")
    for field in fields:
        with pytest.raises(ConfigurationError, match=f"{field} must be a text"):
            kind(**{**good, field: bad})


def test_dates_without_zone_are_refused_by_name() -> None:
    naive = datetime(2026, 3, 1)  # noqa: DTZ001 - what is tested
    with pytest.raises(ConfigurationError, match=r"date_added: .*no time zone"):
        NewNote(title="t", note="n", date_added=naive)
    with pytest.raises(ConfigurationError, match="date_sent: "):
        NewEmail(to="t", sender="s", subject="s", body="b", date_sent="")
    with pytest.raises(ConfigurationError, match="date_assigned: "):
        new_case(date_assigned=7)


def new_case(**more: Any) -> NewCase:
    return NewCase(department_id=3, summary="s", details="d", opened_by="o", **more)


@pytest.mark.parametrize("bad", ["email", "", None, ["note"]])
def test_a_note_is_a_note_or_a_call(bad: Any) -> None:
    with pytest.raises(ConfigurationError, match="type is 'note' or 'call', not"):
        NewNote(title="t", note="n", type=bad)


def test_a_case_enters_its_history_in_one_of_three_ways() -> None:
    assert new_case(type="import").type == "import"
    with pytest.raises(ConfigurationError, match="type is 'call' or 'note' or 'import' or None"):
        new_case(type="email")


class Tag(str, enum.Enum):  # noqa: UP042 - its text differs from a StrEnum's
    VIP = "vip"


def test_history_and_tags_are_copied() -> None:
    tags, history = [1, 2], [NOTE]
    case = new_case(tags=tags, history=iter(history))
    tags.append(3)
    assert (case.tags, case.history) == ((1, 2), (NOTE,))
    assert new_case(tags="vip").tags == ("vip",)
    assert new_case(tags=[Tag.VIP]).tags == ("vip",)


@pytest.mark.parametrize("bad", ["a,b", ["a,b"], [True], [None], [1.0]])
def test_tags_that_would_be_others_on_the_wire_are_refused(bad: Any) -> None:
    with pytest.raises(ConfigurationError, match="a tag is an id or a name"):
        new_case(tags=bad)


@pytest.mark.parametrize("bad", [[{"title": "t"}], ["note"], [Note(type="note")], "text"])
def test_a_history_is_made_of_what_can_be_written(bad: Any) -> None:
    with pytest.raises(ConfigurationError, match="a history is made of NewNote and NewEmail"):
        new_case(history=bad)


def test_a_record_on_one_line_loses_line_breaks_between_tokens_only() -> None:
    assert Case(id=1, source=b'{"a":\r\n\t 1,\r"b": "  x"}').json_line == b'{"a":1,"b": "  x"}'
    assert Case(id=1, source=b'{"a": 1}').json_line == b'{"a": 1}'


def test_what_can_be_changed_of_a_contact_is_what_a_new_one_can_have() -> None:
    fields = {field.name for field in attrs.fields(NewContact)}
    assert fields == ContactFields.__optional_keys__
    assert fields < {field.name for field in attrs.fields(Contact)}
