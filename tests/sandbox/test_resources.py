"""The session, departments, reps, case tags and contacts."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from fusedesk_async.sandbox import ALL_SCOPES, Sandbox

pytestmark = pytest.mark.anyio
Connect = Callable[..., httpx.AsyncClient]


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(100)


async def test_session_calls(connect: Connect, sandbox: Sandbox) -> None:
    async with connect(sandbox) as http:
        assert (await http.get("/api/v1/session/permissions")).json() == sorted(ALL_SCOPES)
        assert {*(await http.get("/api/v1/session/poweredby")).json()} == {"plan", "footerlink", "partnercode"}
        assert (await http.post("/api/v1/usage")).json() == {"limit": None, "used": None, "remaining": None}


@pytest.mark.parametrize(("version", "name", "reps"), [("v1", "departmentid", "repids"), ("v2", "id", "repUserIds")])
async def test_departments_in_both_shapes(
    connect: Connect, sandbox: Sandbox, version: str, name: str, reps: str
) -> None:
    async with connect(sandbox) as http:

        async def get(path: str) -> Any:
            return (await http.get(f"/api/{version}/departments{path}")).json()

        active, archived, every = await get(""), await get("/archived/"), await get("/all")
        assert every == active + archived
        assert (len(active), len(archived)) == (5, 1)
        assert await get(f"/{active[0][name]}") == active[0]
        assert active[0][reps] == sandbox.state.departments[268].reps
        assert (await get("/5"))["error"] == "Department not found"


async def test_reps_in_both_shapes(connect: Connect, sandbox: Sandbox) -> None:
    async with connect(sandbox) as http:
        old, new = (await http.get("/api/v1/reps")).json(), (await http.get("/api/v2/reps")).json()
        assert [int(rep["userid"]) for rep in old] == [rep["userId"] for rep in new] == [*sandbox.state.reps]
        assert [rep["active"] == "1" for rep in old] == [rep["active"] for rep in new]
        assert {rep["active"] for rep in new} == {True, False}
        assert (await http.get("/api/v2/reps/11")).json() == new[0]
        assert (await http.get("/api/v2/reps/9000")).status_code == 404


async def test_case_tags_are_listed_created_and_archived(connect: Connect, sandbox: Sandbox) -> None:
    async with connect(sandbox) as http:
        before = (await http.get("/api/v1/casetags")).json()
        made = (await http.post("/api/v1/casetags", data={"tagname": "printer"})).json()
        assert made == {"id": made["id"], "tagname": "printer", "hidden": False, "totalcases": 0}
        assert (await http.post("/api/v1/casetags", data={"tagname": "printer"})).status_code == 405
        await http.post(f"/api/v1/cases/1/tag/{made['id']}")
        tags = (await http.get("/api/v1/casetags")).json()
        assert tags == [*before, made | {"totalcases": 1}]
        assert any(tag["hidden"] for tag in tags)
        assert (await http.delete(f"/api/v1/casetags/{made['id']}")).json() is True
        assert (await http.delete(f"/api/v1/casetags/{made['id']}")).status_code == 404
        assert (await http.delete("/api/v1/casetags/1")).status_code == 404
        assert (await http.get("/api/v1/casetags")).json() == before
        assert (await http.post(f"/api/v1/cases/2/tag/{made['id']}")).status_code == 405
        assert (await http.post("/api/v1/casetags", data={"tagname": "printer"})).json()["id"] != made["id"]


async def test_contacts_are_searched_and_found(connect: Connect, sandbox: Sandbox) -> None:
    contact = sandbox.state.contacts.get(309)
    async with connect(sandbox) as http:
        by_id = (await http.get("/api/v2/contacts/309")).json()
        assert by_id == (await http.get(f"/api/v2/contacts/{contact.uuid}")).json()
        assert (by_id["id"], by_id["crmId"]) == (contact.uuid, 309)
        found = (await http.get("/api/v2/contacts", params={"search": contact.email})).json()
        assert by_id in found
        everybody = (await http.get("/api/v2/contacts", params={"search": "."})).json()
        assert len(everybody) == len(sandbox.state.contacts)
        part = (await http.get("/api/v2/contacts", params={"search": ".", "limit": 3, "offset": 2})).json()
        assert part == everybody[2:5]
        assert (await http.get("/api/v2/contacts")).status_code == 405
        for missing in ("302", "0", "not-a-uuid"):
            assert (await http.get(f"/api/v2/contacts/{missing}")).status_code == 404
