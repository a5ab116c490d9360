"""Calls that change cases."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from fusedesk_async.sandbox import Sandbox, VirtualClock

pytestmark = pytest.mark.anyio
Connect = Callable[..., httpx.AsyncClient]
CASES = "/api/v1/cases"
NEW = {"depid": "268", "summary": "Lamp broken", "details": "It does\n\tnot shine 💡", "openedby": "jo@mail.example"}
NOW = "2026-06-30T17:00:00-05:00"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(50, clock=VirtualClock())


def encodings(fields: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"data": fields},
        {"files": {name: (None, value) for name, value in fields.items()}},
        {"json": fields},
        {"params": fields},
    ]


@pytest.mark.parametrize("encoding", range(4))
async def test_a_case_is_created_whatever_the_encoding(connect: Connect, sandbox: Sandbox, encoding: int) -> None:
    async with connect(sandbox) as http:
        made = (await http.post(f"{CASES}/", **encodings(NEW)[encoding])).json()
        detail = (await http.get(f"{CASES}/51")).json()
    history = detail.pop("history")
    assert made == detail
    assert made["id"] == made["caseid"] == 51
    assert {name: made[name] for name in ("summary", "details", "openedby")} == {
        name: NEW[name] for name in ("summary", "details", "openedby")
    }
    assert (made["status"], made["departmentid"], made["date_opened"], made["date_updated"]) == ("new", 268, NOW, NOW)
    assert made["repid"] in sandbox.state.reps_of(268)
    assert made["tags"] == []
    assert [(item["type"], item["title"], item["note"]) for item in history] == [
        ("note", NEW["summary"], NEW["details"])
    ]


async def test_all_fields_of_a_new_case_are_kept(connect: Connect, sandbox: Sandbox) -> None:
    history = [
        {"type": "call", "title": "T", "note": "N", "date_added": "2020-01-02"},
        {"type": "email", "to": "a@x", "from": "b@x", "subject": "S", "body": "B", "cc": "c@x", "repid": 11,
         "date_sent": "2020-01-03T10:00:00Z", "date_recvd": "2020-01-03T10:00:05Z"},
    ]  # fmt: skip
    fields = {
        "status": "closed",
        "repid": "11",
        "contactid": "303",
        "companyid": "701",
        "date_opened": "2020-01-01 09:00",
        "date_assigned": "2020-01-02",
        "date_updated": "2020-01-04",
        "type": "import",
        "skipinfusionsoft": "true",
        "casetags": "Refund, 5",
        "history": json.dumps(history),
    }
    async with connect(sandbox) as http:
        made = (await http.post(CASES, data=NEW | fields)).json()
        detail = (await http.get(f"{CASES}/{made['id']}")).json()
    assert made["contactUuid"] == sandbox.state.contacts.get(303).uuid
    expected = {
        "status": "closed",
        "repid": 11,
        "contactid": 303,
        "companyid": 701,
        "date_opened": "2020-01-01T09:00:00-05:00",
        "date_assigned": "2020-01-02T00:00:00-05:00",
        "date_updated": "2020-01-04T00:00:00-05:00",
        "date_closed": "2020-01-04T00:00:00-05:00",
        "tags": [5, 7],
    }
    assert {name: made[name] for name in expected} == expected
    call, email = detail["history"]
    assert (call["type"], call["date_added"]) == ("call", "2020-01-02T00:00:00-05:00")
    assert (email["cc"], email["bcc"], email["repid"]) == ("c@x", "", 11)
    assert email["date_recvd"] == "2020-01-03T05:00:05-05:00"
    assert isinstance(email["id"], str)


async def test_a_rep_who_does_not_work_there_is_replaced(connect: Connect, sandbox: Sandbox) -> None:
    """S2: the stored rep can differ from the one asked for."""
    async with connect(sandbox) as http:
        for rep in ("23", "4711", "nobody", ""):
            made = (await http.post(CASES, data=NEW | {"repid": rep})).json()
            assert made["repid"] in sandbox.state.reps_of(268)
        assert (await http.post(CASES, data=NEW | {"repid": "20", "depid": "276"})).json()["repid"] == 20


async def test_a_mail_address_links_the_contact_unless_one_is_given(connect: Connect, sandbox: Sandbox) -> None:
    contact = sandbox.state.contacts.get(305)
    async with connect(sandbox) as http:
        by_mail = (await http.post(CASES, data=NEW | {"email": contact.email})).json()
        assert by_mail["contactid"] == sandbox.state.contacts.with_email(contact.email)[0]
        both = (await http.post(CASES, data=NEW | {"email": contact.email, "contactid": "999999"})).json()
        assert (both["contactid"], both["contactUuid"]) == (999_999, None)
        assert (await http.post(CASES, data=NEW | {"email": "no@x"})).json()["contactid"] is None
        assert (await http.post(CASES, data=NEW | {"contactUuid": contact.uuid})).json()["contactid"] == 305


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: ""} for name in NEW),
        {"depid": "x"},
        {"depid": "1"},
        {"depid": "288"},
        {"status": "lost"},
        {"type": "email"},
        {"casetags": "7,unheard of"},
        {"contactid": "x"},
        {"contactUuid": "x"},
        {"date_opened": "soon"},
        {"history": "["},
        {"history": "{}"},
        {"history": "[1]"},
        {"history": '[{"type": ["call"]}]'},
        {"history": '[{"type": "fax"}]'},
        {"history": '[{"type": "note", "title": "T"}]'},
        {"history": '[{"type": "note", "title": "T", "note": 5}]'},
        {"history": '[{"type": "note", "title": "T", "note": "N", "date_added": "soon"}]'},
        {"history": '[{"type": "email", "to": "a", "from": "b", "subject": "S", "body": "B", "repid": "x"}]'},
    ],
)
async def test_a_case_that_cannot_be_created_is_not(connect: Connect, sandbox: Sandbox, wrong: dict[str, str]) -> None:
    async with connect(sandbox) as http:
        answer = await http.post(CASES, data=NEW | wrong)
    assert answer.status_code == 405
    assert answer.json()["errorcode"] == "api_error_invalid"
    assert len(sandbox.state.cases) == 50


async def test_a_note_is_added(connect: Connect, sandbox: Sandbox) -> None:
    before = len(sandbox.state.history(1))
    fields = {"title": "T", "type": "call", "note": "N"}
    async with connect(sandbox) as http:
        plain = (await http.post(f"{CASES}/1/addnote", data=fields)).json()
        rich = fields | {"type": "note", "date_added": "2020-01-01", "repid": "11", "status": "closed"}
        dated = (await http.post(f"{CASES}/1/addnote", data=rich)).json()
        detail = (await http.get(f"{CASES}/1")).json()
    assert (plain["caseid"], plain["date_added"]) == (1, NOW)
    assert dated["date_added"] == "2020-01-01T00:00:00-05:00"
    assert detail["history"][before:] == [
        {name: value for name, value in item.items() if name != "caseid"} for item in (plain, dated)
    ]
    assert (detail["status"], detail["date_closed"], detail["date_updated"]) == ("closed", NOW, NOW)


@pytest.mark.parametrize(
    "wrong", [{"title": ""}, {"type": ""}, {"type": "email"}, {"note": ""}, {"status": "x"}, {"repid": "x"}]
)
async def test_a_note_with_a_field_wrong_is_refused(connect: Connect, sandbox: Sandbox, wrong: dict[str, str]) -> None:
    async with connect(sandbox) as http:
        answer = await http.post(f"{CASES}/1/addnote", data={"title": "T", "type": "call", "note": "N"} | wrong)
    assert answer.status_code == 405


async def test_tags_go_on_and_off_and_twice_is_fine(connect: Connect, sandbox: Sandbox) -> None:
    sandbox.state.cases.change(1, tags=(5,))
    async with connect(sandbox) as http:
        for path, tags in (("tag/7", [5, 7]), ("tag/7", [5, 7]), ("untag/5", [7]), ("untag/5", [7])):
            answer = (await http.post(f"{CASES}/1/{path}")).json()
            assert answer == {"success": True, "caseid": 1, "tags": tags}
        detail = (await http.get(f"{CASES}/1")).json()
        assert (detail["tags"], detail["date_updated"]) == ([7], NOW)
        for path, status in (("tag/8", 405), ("untag/8", 405), ("tag/x", 404)):
            assert (await http.post(f"{CASES}/1/{path}")).status_code == status


async def test_a_case_is_transferred_linked_and_closed(connect: Connect, sandbox: Sandbox) -> None:
    sandbox.state.cases.change(1, repid=11, departmentid=268)
    async with connect(sandbox) as http:

        async def update(**fields: str) -> Any:
            return (await http.post(f"{CASES}/1", data=fields)).json()

        moved = await update(depid="280")
        assert moved["departmentid"] == 280
        assert moved["repid"] in sandbox.state.reps_of(280)
        assert moved["date_assigned"] == moved["date_updated"] == NOW
        assert (await update(repid="26"))["repid"] == 26
        assert (await update(repid="23", depid="272"))["repid"] == 23
        assert (await update(repid="20"))["repid"] in sandbox.state.reps_of(272)
        assert (await update(contactid="303"))["contactUuid"] == sandbox.state.contacts.get(303).uuid
        assert (await update(contactUuid=sandbox.state.contacts.get(305).uuid))["contactid"] == 305
        assert (await update(companyid="5", summary="S", details="D"))["companyid"] == 5
        closed = await update(status="closed")
        assert (closed["status"], closed["date_closed"], closed["summary"]) == ("closed", NOW, "S")
        assert (await update(status="open"))["date_closed"] == ""


@pytest.mark.parametrize(
    "fields",
    [{}, {"depid": "1"}, {"depid": "0"}, {"repid": "1"}, {"repid": "x"}, {"status": "x"}, {"contactUuid": "x"}],
)
async def test_an_update_that_makes_no_sense_is_refused(
    connect: Connect, sandbox: Sandbox, fields: dict[str, str]
) -> None:
    async with connect(sandbox) as http:
        assert (await http.post(f"{CASES}/1", data=fields)).status_code == 405


async def test_a_case_outside_all_departments_can_be_transferred(connect: Connect, sandbox: Sandbox) -> None:
    loose, archived = sandbox.open_cases(departmentid=None, repid=None) + sandbox.open_cases(departmentid=288)
    async with connect(sandbox) as http:
        assert (await http.post(f"{CASES}/{loose}", data={"repid": "11"})).json()["repid"] == 11
        assert (await http.get(f"{CASES}/{archived}")).json()["repid"] is None
        assert (await http.post(f"{CASES}/{archived}", data={"depid": "268"})).json()["repid"] in sandbox.state.reps


async def test_history_is_imported(connect: Connect, sandbox: Sandbox) -> None:
    before = sandbox.state.history(1)
    items = [
        {"type": "note", "title": "T", "note": "N"},
        {"type": "email", "to": "a@x", "from": "b@x", "subject": "S", "body": "B", "repid": ""},
    ]
    async with connect(sandbox) as http:
        for request in (
            {"data": {"history": json.dumps(items)}},
            {"json": {"history": items, "skipinfusionsoft": True}},
        ):
            answer = await http.post(f"{CASES}/1/history", **request)
            assert answer.json() == {"success": True, "caseid": 1, "imported": 2}
        assert (await http.post(f"{CASES}/1/history")).status_code == 405
        detail = (await http.get(f"{CASES}/1")).json()
    history = detail["history"]
    assert history[: len(before)] == before
    assert [item["type"] for item in history[len(before) :]] == ["note", "email"] * 2
    assert len({str(item["id"]) for item in history}) == len(history)
    assert detail["date_updated"] == NOW
