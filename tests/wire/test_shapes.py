"""The shapes of answers, through real transports that respx stands in for."""

import httpx
import pytest
import respx
from tenacity import stop_after_attempt

from fusedesk_async import (
    AuthenticationError,
    FuseDesk,
    NewNote,
    PermissionDeniedError,
    RetryPolicy,
    UnexpectedResponseError,
)

pytestmark = pytest.mark.anyio

API = "https://acme.fusedesk.com/api/v1/"


@pytest.fixture
def server():
    with respx.mock(base_url=API) as router:
        yield router


@pytest.fixture
async def desk(server):
    async with FuseDesk("acme", api_key="4f2a9c", retry=RetryPolicy(stop=stop_after_attempt(1))) as desk:
        yield desk


async def test_a_case_as_an_object_or_as_the_only_element_of_a_list(server, desk):
    case = {"caseid": "42", "casenum": "ABCD1234", "history": [{"type": "sms", "text": "hi"}]}
    for answer in (case, [case]):
        server.get("cases/42").respond(json=answer)
        found = await desk.cases.get(42)
        assert (found.id, found.case_number) == (42, "ABCD1234")
        assert (found.history[0].type, found.history[0].raw) == ("sms", {"type": "sms", "text": "hi"})
    for answer in ([], [case, case], "null", "false", '""', "7"):
        server.get("cases/42").respond(json=answer) if isinstance(answer, list) else server.get("cases/42").respond(
            text=answer
        )
        with pytest.raises(UnexpectedResponseError):
            await desk.cases.get(42)


@pytest.mark.parametrize("name", ["history", "case_history", "notes", "calls", "emails"])
async def test_a_history_under_whichever_name(server, desk, name):
    server.get("cases/42").respond(json={"id": 42, name: [{"title": "Called", "body": "Hello"}]})
    (item,) = (await desk.cases.get(42)).history
    assert item.type == {"calls": "call", "emails": "email"}.get(name, "note")


@pytest.mark.parametrize("answer", ["", "null", "true", '"ok"', "OK", "[]", '{"success": true}', '{"error": ""}'])
async def test_a_write_is_content_with_any_answer(server, desk, answer):
    server.post("cases/42/addnote").respond(text=answer)
    await desk.cases.add_note(42, NewNote(title="a", note="b"))


async def test_permissions_come_as_a_list_or_an_error(server, desk):
    server.get("session/permissions").respond(json=["cases", "reps", "something_new"])
    assert await desk.session.permissions() == {"cases", "reps", "something_new"}
    server.get("session/permissions").respond(json={"error": "Not Authorized", "errorcode": "api_error_noscope"})
    with pytest.raises(PermissionDeniedError):
        await desk.session.permissions()
    server.get("session/permissions").respond(status_code=401, json={"error": "Invalid key"})
    with pytest.raises(AuthenticationError, match="Invalid key"):
        await desk.check()
    server.get("session/permissions").mock(return_value=httpx.Response(200, json={"cases": True}))
    with pytest.raises(UnexpectedResponseError):
        await desk.check()
