"""Contacts that are changed, mails in no case, chats, webhooks."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from fusedesk_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio
Connect = Callable[..., httpx.AsyncClient]


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(60)


async def test_a_changed_contact_shows_wherever_it_is_looked_for(connect: Connect, sandbox: Sandbox) -> None:
    case = next(case for case in sandbox.state.cases.ids() if sandbox.state.cases.value(case, "contactid"))
    number = sandbox.state.cases.value(case, "contactid")
    before = sandbox.state.contacts.get(number)
    async with connect(sandbox) as http:

        async def found(words: str) -> list[int]:
            return [each["crmId"] for each in (await http.get("/api/v2/contacts", params={"search": words})).json()]

        async def cases_of(email: str) -> list[int]:
            return [each["id"] for each in (await http.get("/api/v1/cases", params={"email": email})).json()]

        shown = (await http.get(f"/api/v1/cases/{case}")).json()
        mine = await cases_of(before.email)
        changes = {"firstName": "Zaphod", "emailAddress": "Z@new.example", "website": "", "phone2": "5"}
        changed = (await http.post(f"/api/v2/contacts/{before.uuid}", data=changes)).json()
        assert changed == (await http.get(f"/api/v2/contacts/{number}")).json()
        assert {name: changed[name] for name in changes} == changes
        assert changed["lastName"] == before.last_name
        assert changed["dateUpdated"] > changed["dateCreated"]
        assert await found("zaphod") == [number]
        assert await cases_of("z@NEW.example") == [
            each for each in mine if sandbox.state.cases.value(each, "contactid") == number
        ]
        assert case not in await cases_of(before.email)
        assert (await http.get(f"/api/v1/cases/{case}")).json() == shown, "what was said stays said"
        assert (await http.post(f"/api/v2/contacts/{number}", data={"id": "5"})).status_code == 405
        assert (await http.post("/api/v2/contacts/302", data=changes)).status_code == 404


async def test_a_new_contact_is_found_by_all_its_ids(connect: Connect, sandbox: Sandbox) -> None:
    async with connect(sandbox) as http:
        made = (
            await http.post("/api/v2/contacts", data={"lastName": "Beeblebrox", "emailAddress": "b@x.example"})
        ).json()
        other = (await http.post("/api/v2/contacts", data={"lastName": "Beeblebrox"})).json()
        assert made["id"] != other["id"]
        assert made["crmId"] + 2 == other["crmId"]
        for number in (made["id"], made["crmId"]):
            assert (await http.get(f"/api/v2/contacts/{number}")).json() == made
        assert (await http.get("/api/v2/contacts", params={"search": "beeblebrox"})).json() == [made, other]
        fields = {"depid": "268", "summary": "s", "details": "d", "openedby": "o", "email": "B@x.example"}
        case = (await http.post("/api/v1/cases", data=fields)).json()
        assert (case["contactid"], case["contactUuid"]) == (made["crmId"], made["id"])
        linked = (await http.post("/api/v1/cases/1", data={"contactUuid": other["id"]})).json()
        assert linked["contactid"] == other["crmId"]
        assert sandbox.state.cases.letter(linked["id"]).name == " Beeblebrox"
        assert (await http.post("/api/v2/contacts", data={})).status_code == 405


async def test_mails_in_no_case_are_searched_sorted_cut_and_paged(connect: Connect, sandbox: Sandbox) -> None:
    async with connect(sandbox) as http:

        async def get(**parameters: Any) -> Any:
            return (await http.get("/api/v1/emails/unassigned", params=parameters)).json()

        every = await get()
        assert [mail["date_recvd"] for mail in every] == sorted((mail["date_recvd"] for mail in every), reverse=True)
        assert all(isinstance(mail["id"], str) for mail in every)
        assert await get(orderby="date_recvd") == every[::-1]
        assert await get(limit=5, offset=30) == every[30:35]
        word = every[3]["subject"].split()[-1]
        assert every[3] in await get(subject=word.upper())
        assert await get(subject="no such words") == []
        assert {len(mail["body"]) for mail in await get(bodylimit=4)} == {4}
        assert await get(**{"from": every[0]["from"]}) == [mail for mail in every if every[0]["from"] in mail["from"]]
        for bad in ({"orderby": "body"}, {"orderby": "subject up"}, {"limit": "0"}, {"bodylimit": "x"}):
            assert "error" in await get(**bad)


async def test_any_mail_is_had_by_its_id(connect: Connect, sandbox: Sandbox) -> None:
    async with connect(sandbox) as http:
        (first, *_) = (await http.get("/api/v1/emails/unassigned")).json()
        assert (await http.get(f"/api/v1/emails/{first['id']}")).json() == first
        await http.post("/api/v1/cases/5/reply", data={"body": "Done."})
        for mail in sandbox.state.history(5):
            status = (await http.get(f"/api/v1/emails/{mail['id']}")).status_code
            assert status == (200 if mail["type"] == "email" else 404)
        for missing in ("0", "9" * 5000, "x", "\u0663"):
            assert (await http.get(f"/api/v1/emails/{missing}")).status_code == 404


async def test_closing_a_chat_makes_its_note_in_the_case(connect: Connect, sandbox: Sandbox) -> None:
    async with connect(sandbox) as http:
        chats = (await http.get("/api/v1/chats")).json()
        chat = next(chat for chat in chats if chat["caseId"])
        assert "messages" not in chat
        detail = (await http.get(f"/api/v1/chats/{chat['id']}")).json()
        data = {"status": "closed", "depid": "268"}
        closed = (await http.post(f"/api/v1/chats/{chat['id']}/close", data=data)).json()
        case = (await http.get(f"/api/v1/cases/{chat['caseId']}")).json()
        assert (case["status"], case["departmentid"]) == ("closed", 268)
        last = case["history"][-1]
        assert (last["type"], last["id"]) == ("note", closed["noteId"])
        assert all(message["message"] in last["note"] for message in detail["messages"])
        left = (await http.get("/api/v1/chats")).json()
        assert [each["id"] for each in left] == [each["id"] for each in chats if each["id"] != chat["id"]]
        after = (await http.get(f"/api/v1/chats/{chat['id']}")).json()
        assert (after["isArchived"], after["noteId"]) == (True, last["id"])
        for path in ("", "/close"):
            assert (await http.post(f"/api/v1/chats/{chat['id']}{path}", data={"title": "a"})).status_code == 405


async def test_a_chat_without_a_case_gets_one_when_it_is_closed(connect: Connect, sandbox: Sandbox) -> None:
    async with connect(sandbox) as http:
        chats = (await http.get("/api/v1/chats")).json()
        chat = next(chat for chat in chats if not chat["caseId"])
        closed = (await http.post(f"/api/v1/chats/{chat['id']}/close", data={"repid": "11"})).json()
        case = (await http.get(f"/api/v1/cases/{closed['caseId']}")).json()
        assert (case["summary"], case["openedby"]) == (chat["title"], chat["clientName"])
        assert str(case["contactid"]) == chat["contactId"]
        assert case["history"][-1]["title"] == f"Chat with {chat['clientName']}"


async def test_a_chat_is_changed(connect: Connect, sandbox: Sandbox) -> None:
    async with connect(sandbox) as http:
        (chat, *_) = (await http.get("/api/v1/chats")).json()

        async def change(**fields: str) -> Any:
            return (await http.post(f"/api/v1/chats/{chat['id']}", data=fields)).json()

        assert await change(title="A", unseen="0", caseId="7") == chat | {"title": "A", "unseen": 0, "caseId": 7}
        assert "error" in await change()
        assert (await change(caseId="9999"))["error"] == "Unknown case: 9999"
        for path in ("/api/v1/chats/c1", "/api/v1/chats/c1/close"):
            assert (await http.post(path, data={"title": "a"})).status_code == 404


async def test_a_desk_without_cases_has_chats_too() -> None:
    chats = Sandbox(0).state.chats
    assert {chat["caseId"] for chat in chats.values()} == {None}


async def test_webhooks_come_and_go(connect: Connect, sandbox: Sandbox) -> None:
    async with connect(sandbox) as http:
        before = (await http.get("/api/v2/webhooks")).json()
        fields = {"url": "https://x.example/a", "objectType": "case", "action": "closed"}
        made = (await http.post("/api/v2/webhooks", data=fields)).json()
        assert (await http.get("/api/v2/webhooks")).json() == [*before, made]
        assert (await http.post("/api/v2/webhooks", data=fields | {"url": "ftp://x"})).status_code == 405
        assert (await http.post("/api/v2/webhooks", data={"url": fields["url"]})).status_code == 405
        assert (await http.delete(f"/api/v2/webhooks/{made['id']}")).json() is True
        assert (await http.delete(f"/api/v2/webhooks/{made['id']}")).status_code == 404
        assert (await http.get("/api/v2/webhooks")).json() == before
