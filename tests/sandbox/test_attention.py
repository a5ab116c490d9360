"""Replies, snoozes, feedback, and many cases at once."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from fusedesk_async.sandbox import Sandbox, VirtualClock

pytestmark = pytest.mark.anyio
Connect = Callable[..., httpx.AsyncClient]


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(60, clock=VirtualClock())


def with_status(sandbox: Sandbox, status: str) -> int:
    return next(case for case in sandbox.state.cases.ids() if sandbox.state.cases.value(case, "status") == status)


@pytest.mark.parametrize("status", ["new", "open", "closed"])
async def test_a_reply_is_in_the_history_and_in_the_dates(connect: Connect, sandbox: Sandbox, status: str) -> None:
    case = with_status(sandbox, status)
    async with connect(sandbox) as http:
        before = (await http.get(f"/api/v1/cases/{case}")).json()
        answer = (await http.post(f"/api/v1/cases/{case}/reply", data={"body": "Done.", "cc": "a@x, b@x"})).json()
        after = (await http.get(f"/api/v1/cases/{case}")).json()
        assert after["history"][:-1] == before["history"]
        mail = after["history"][-1]
        assert (mail["id"], mail["to"], mail["body"]) == (answer["emailid"], before["openedby"], "Done.")
        assert (mail["cc"], mail["subject"]) == ("a@x,b@x", f"Re: {before['summary']}")
        assert after["status"] == "open"
        assert after["date_lastresponse"] == after["date_updated"] == mail["date_sent"]
        assert after["date_firstresponse"] == (before["date_firstresponse"] or mail["date_sent"])
        for bad in ({}, {"body": "a", "templateid": "x"}):
            assert (await http.post(f"/api/v1/cases/{case}/reply", data=bad)).status_code == 405
        assert (await http.post("/api/v1/cases/999/reply", data={"body": "a"})).status_code == 404


async def test_a_snoozed_case_shows_until_when(connect: Connect, sandbox: Sandbox) -> None:
    async with connect(sandbox) as http:
        before = (await http.get("/api/v1/cases/3")).json()
        await http.post("/api/v1/cases/3/snooze", data={"until": "2026-08-01T12:00:00Z"})
        after = (await http.get("/api/v1/cases/3")).json()
        assert after["snoozedUntil"] == "2026-08-01T07:00:00-05:00"
        assert after["status"] == before["status"]
        for bad in ({}, {"until": "soon"}):
            assert (await http.post("/api/v1/cases/3/snooze", data=bad)).status_code == 405


async def test_feedback_is_asked_for_unless_it_is_off(connect: Connect, sandbox: Sandbox) -> None:
    async with connect(sandbox) as http:

        async def post(what: str) -> int:
            return (await http.post(f"/api/v1/cases/3/feedback/{what}")).status_code

        async def get() -> Any:
            return (await http.get("/api/v1/cases/3/feedback")).json()

        before = await get()
        assert before["ask"] is True
        for _ in range(2):
            assert await post("dontask") == 200
        assert (await get())["ask"] is False
        assert await post("request") == 405
        assert (await get())["date_requestedfeedback"] == before["date_requestedfeedback"]
        for _ in range(2):
            assert await post("doask") == 200
        assert await post("request") == 200
        asked = (await get())["date_requestedfeedback"]
        assert asked
        assert (await http.get("/api/v1/cases/3")).json()["date_requestedfeedback"] == asked
        assert (await http.get("/api/v1/cases/999/feedback")).status_code == 404


async def update(http: httpx.AsyncClient, **fields: Any) -> Any:
    return (await http.post("/api/v1/cases/update", params=fields)).json()


async def test_many_cases_are_changed_alike(connect: Connect, sandbox: Sandbox) -> None:
    value = sandbox.state.cases.value
    async with connect(sandbox) as http:
        tags = {case: value(case, "tags") for case in (1, 2, 3)}
        assert await update(http, caseids="1,2,3", depid=268, status="closed", tagid=9) == {
            "success": True,
            "updated": 3,
        }
        for case in (1, 2, 3):
            assert (value(case, "departmentid"), value(case, "status")) == (268, "closed")
            assert set(value(case, "tags")) == {*tags[case], 9}
            assert value(case, "repid") in sandbox.state.reps_of(268)
        rep = sandbox.state.reps_of(268)[0]
        await update(http, caseids="1,2", repid=rep, snooze="2026-08-01")
        assert {value(case, "repid") for case in (1, 2)} == {rep}
        found = (await http.get("/api/v1/cases/2")).json()
        assert found["snoozedUntil"].startswith("2026-08-01")
        assert (await update(http, caseids="1", crmTagId=5))["updated"] == 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "Missing required field: caseids"),
        ({"caseids": "1"}, "Nothing to update"),
        ({"caseids": "1,x", "depid": 268}, "caseids must be an integer"),
        ({"caseids": "1,999", "depid": 268}, "Unknown case: 999"),
        ({"caseids": "1", "depid": 5}, "Unknown department: 5"),
        ({"caseids": "1", "repid": 5}, "Unknown rep: 5"),
        ({"caseids": "1", "status": "shut"}, "Unknown status: shut"),
        ({"caseids": "1", "tagid": 4}, "Unknown case tag: 4"),
        ({"caseids": "1,1", "merge": "true"}, "Nothing to merge"),
    ],
)
async def test_if_anything_is_wrong_no_case_is_changed(
    connect: Connect, sandbox: Sandbox, fields: dict[str, Any], reason: str
) -> None:
    version = len(sandbox.state.cases.journal)
    async with connect(sandbox) as http:
        assert (await update(http, **fields))["error"] == reason
    assert len(sandbox.state.cases.journal) == version


async def test_merged_cases_are_one(connect: Connect, sandbox: Sandbox) -> None:
    state = sandbox.state
    items = [item["id"] for case in (4, 5, 6) for item in state.history(case)]
    tags = {tag for case in (4, 5, 6) for tag in state.cases.value(case, "tags")}
    async with connect(sandbox) as http:
        assert (await update(http, caseids="4,5,6", merge="true"))["merged"] == [5, 6]
        kept = (await http.get("/api/v1/cases/4")).json()
        assert len(kept["history"]) == len(items)
        assert len({item["id"] for item in kept["history"]}) == len(items)
        assert {*kept["tags"]} == tags
        for gone in (5, 6):
            assert (await http.get(f"/api/v1/cases/{gone}")).status_code == 404
