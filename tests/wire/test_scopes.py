"""Which scope a call most likely needs, and which a refusal names."""

import pickle

import httpx
import pytest
from clients import client, new_case
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async import ConfigurationError, FuseDesk, NewNote, PermissionDeniedError
from fusedesk_async._wire.scopes import likely_scope, named_scope
from fusedesk_async.sandbox import Sandbox, VirtualClock

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "v1/cases", "cases"),
        ("GET", "v1/cases/", "cases"),
        ("GET", "v1/cases/42/feedback", "cases"),
        ("POST", "v1/cases", "cases_create"),
        ("POST", "v1/cases/", "cases_create"),
        ("POST", "v1/cases/42", "cases_update"),
        ("POST", "v1/cases/update", "cases_update"),
        ("POST", "v1/cases/42/history", "cases_update"),
        ("GET", "v2/departments/archived", "departments"),
        ("GET", "v1/departments", "departments"),
        ("GET", "v2/reps/5", "reps"),
        ("GET", "v1/integrations", "integrations"),
        ("POST", "v2/departments", None),
        ("GET", "v1/casetags", None),
        ("DELETE", "v2/webhooks/7", None),
        ("GET", "v1/session/permissions", None),
        ("GET", "v1", None),
    ],
)
def test_the_likely_scope_follows_from_the_call(method, path, scope):
    assert likely_scope(method, path) == scope


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("Missing scope: emails", "emails"),
        ("needs scopes=webhooks_create", "webhooks_create"),
        ("Your key lacks the 'chats' scope", "chats"),
        ('Permission "reps" missing', "reps"),
        ("cases_update not granted", "cases_update"),
        ("Not Authorized", None),
        ("Permission: denied", None),
        ("You may not read cases", None),
        ("No permission for the case 'Login fails'", None),
        ("api_error_noscope", None),
    ],
)
def test_a_scope_that_the_server_names_is_found(text, scope):
    assert named_scope(text) == scope


@given(st.text())
def test_any_text_at_all_is_looked_through(text):
    name = named_scope(text)
    assert name is None or name in text


@pytest.fixture
async def desk(clock):
    sandbox = Sandbox(5, keys={"nothing": set()}, clock=clock)
    async with client(sandbox, clock) as desk:
        yield desk


REFUSED = {
    "cases": lambda desk: desk.cases.search().collect(),
    "cases_create": lambda desk: desk.cases.create(new_case(Sandbox(1))),
    "cases_update": lambda desk: desk.cases.add_note(3, NewNote(title="a", note="b")),
    "departments": lambda desk: desk.call("GET", "v2/departments"),
    "reps": lambda desk: desk.call("GET", "v2/reps"),
}


@pytest.mark.parametrize("scope", REFUSED)
async def test_the_error_names_the_scope_that_the_sandbox_wanted(desk, scope):
    with pytest.raises(PermissionDeniedError) as caught:
        await REFUSED[scope](desk)
    assert caught.value.scope == scope
    assert caught.value.missing == ()
    assert f"the key most likely lacks the scope {scope} [" in str(caught.value)
    twin = pickle.loads(pickle.dumps(caught.value))
    assert (twin.scope, str(twin)) == (scope, str(caught.value))


async def test_a_scope_whose_name_is_not_public_is_said_to_be_so(desk):
    with pytest.raises(PermissionDeniedError) as caught:
        await desk.call("GET", "v2/contacts", query={"search": "jo"})
    assert caught.value.scope is None
    assert "the name of the scope that this call needs is not public" in str(caught.value)


@pytest.mark.parametrize("status", [200, 403, 405])
async def test_what_the_server_says_goes_before_what_the_call_makes_likely(status):
    body = {"error": "Missing scope: cases_read", "errorcode": "api_error_noscope"}
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=body))
    async with FuseDesk("acme", api_key="4f2a9c", transport=transport, clock=VirtualClock()) as desk:
        with pytest.raises(PermissionDeniedError) as caught:
            await desk.cases.get(7)
    assert caught.value.scope == "cases_read"


@pytest.fixture
def sandbox(clock):
    return Sandbox(keys={"reader": {"cases", "reps"}}, clock=clock)


async def test_a_check_of_what_is_there_passes(sandbox, clock):
    async with client(sandbox, clock) as desk:
        assert (await desk.check(needs={"cases"})).scopes == {"cases", "reps"}
        assert (await desk.check(needs=["cases", "reps"])).scopes == {"cases", "reps"}


@pytest.mark.parametrize(
    ("needs", "missing", "scope", "text"),
    [
        ({"cases", "cases_update"}, ("cases_update",), "cases_update", "the key lacks the scope cases_update"),
        (
            ("webhooks", "cases_create", "reps"),
            ("cases_create", "webhooks"),
            None,
            "the key lacks the scopes cases_create, webhooks",
        ),
    ],
)
async def test_a_check_names_everything_that_is_missing_after_one_call(sandbox, clock, needs, missing, scope, text):
    async with client(sandbox, clock) as desk:
        with pytest.raises(PermissionDeniedError) as caught:
            await desk.check(needs=needs)
    assert (caught.value.missing, caught.value.scope) == (missing, scope)
    assert str(caught.value) == f"{text}. {PermissionDeniedError.advice}"
    assert len(sandbox.received) == 1


@pytest.mark.parametrize("needs", ["cases", {"cases update"}, {""}, [7]])
async def test_a_check_for_what_is_no_set_of_names_sends_nothing(sandbox, clock, needs):
    async with client(sandbox, clock) as desk:
        with pytest.raises(ConfigurationError, match="needs is a set of scopes"):
            await desk.check(needs=needs)
    assert len(sandbox.received) == 0
