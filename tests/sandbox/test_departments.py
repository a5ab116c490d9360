"""Departments that are made, changed, archived and restored."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from fusedesk_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio
Connect = Callable[..., httpx.AsyncClient]
CASE = {"summary": "s", "details": "d", "openedby": "o"}


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(20)


async def test_an_archived_department_leaves_the_lists_and_takes_no_new_cases_until_it_is_restored(
    connect: Connect, sandbox: Sandbox
) -> None:
    async with connect(sandbox) as http:

        async def ids(path: str) -> set[int]:
            found = (await http.get(f"/api/{path}")).json()
            return {each.get("id") or each["departmentid"] for each in found}

        async def lists() -> list[set[int]]:
            paths = ("departments", "departments/all", "departments/archived")
            old, new = [[await ids(f"{version}/{path}") for path in paths] for version in ("v1", "v2")]
            assert old == new
            return new

        async def opens_a_case() -> bool:
            return (await http.post("/api/v1/cases", data=CASE | {"depid": "268"})).status_code == 200

        active, every, archived = await lists()
        assert await opens_a_case()
        assert (await http.delete("/api/v2/departments/268")).json() == {"success": True, "id": 268}
        assert await lists() == [active - {268}, every, archived | {268}]
        assert (await http.get("/api/v2/departments/268")).json()["dateArchived"]
        assert not await opens_a_case()
        assert (await http.post("/api/v1/cases/1", data={"depid": "268"})).status_code == 405
        assert (await http.delete("/api/v2/departments/268")).status_code == 405
        assert (await http.post("/api/v2/departments/268/restore")).json()["dateArchived"] is None
        assert (await http.post("/api/v2/departments/268/restore")).status_code == 405
        assert await lists() == [active, every, archived]
        assert await opens_a_case()


@pytest.mark.parametrize(("version", "name", "reps"), [("v1", "departmentid", "repids"), ("v2", "id", "repUserIds")])
async def test_a_new_department_takes_cases(
    connect: Connect, sandbox: Sandbox, version: str, name: str, reps: str
) -> None:
    async with connect(sandbox) as http:
        made = (await http.post(f"/api/{version}/departments", data={"name": "Repairs", "reps": "14,11"})).json()
        assert (made["name"], made[reps]) == ("Repairs", [11, 14])
        case = (await http.post("/api/v1/cases", data=CASE | {"depid": made[name], "repid": "14"})).json()
        assert (case["departmentid"], case["repid"]) == (made[name], 14)
        for bad in ({}, {"name": "a", "reps": "1"}, {"name": "a", "reps": "x"}):
            assert (await http.post(f"/api/{version}/departments", data=bad)).status_code == 405


async def test_a_department_is_changed(connect: Connect, sandbox: Sandbox) -> None:
    async with connect(sandbox) as http:

        async def change(**fields: Any) -> Any:
            return (await http.post("/api/v2/departments/268", data=fields)).json()

        assert (await change(**{"repUserIds[]": ["17", "11", "11"]}))["repUserIds"] == [11, 17]
        changed = await change(stale="3", templateCategory="Sales", allReps="0")
        assert (changed["stale"], changed["templateCategory"], changed["allReps"]) == (3, "Sales", False)
        assert (await change(allReps="true"))["repUserIds"] == [*sandbox.state.reps]
        assert (await http.get("/api/v2/departments/268")).json()["stale"] == 3
        assert (await change())["error"] == "Nothing to update"
        assert (await change(stale="soon"))["error"] == "stale must be an integer"
        assert (await http.post("/api/v2/departments/5", data={"stale": "1"})).status_code == 404
