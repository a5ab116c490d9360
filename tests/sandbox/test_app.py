"""The sandbox over HTTP: keys, scopes, formats, limits, disconnects."""

from collections.abc import Callable
from typing import Any

import anyio
import httpx
import orjson
import pytest

from fusedesk_async.sandbox import ALL_SCOPES, FixedHour, Received, Sandbox, SandboxProfile, SlidingHour, VirtualClock

pytestmark = pytest.mark.anyio
Connect = Callable[..., httpx.AsyncClient]
CASES = "/api/v1/cases"


def refused(answer: httpx.Response, status: int, code: str | None = None) -> bool:
    body = answer.json()
    return (
        answer.status_code == status
        and body["error"] == answer.headers["X-FuseDesk-Error"]
        and body["errorcode"] == answer.headers["X-FuseDesk-Error-Code"]
        and code in {None, body["errorcode"]}
    )


async def test_the_key_comes_by_header_query_field_or_json(connect: Connect) -> None:
    sandbox = Sandbox(5, keys={"k ey": ALL_SCOPES})
    async with connect(sandbox, headers={}) as http:
        by_header = await http.get(CASES, headers={"x-fusedesk-api-key": "k ey"})
        by_query = await http.get(CASES, params={"apikey": "k ey"})
        by_field = await http.post("/api/v1/usage", data={"apikey": "k ey"})
        by_file = await http.post("/api/v1/usage", files={"apikey": (None, "k ey")})
        by_json = await http.request("GET", CASES, json={"apikey": "k ey"})
        curl = await http.request(
            "GET", CASES, content=b'{"apikey": "k ey"}', headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
    answers = (by_header, by_query, by_field, by_file, by_json, curl)
    assert [answer.status_code for answer in answers] == [200] * 6


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"headers": {"X-FuseDesk-API-Key": "wrong"}},
        {"params": {"apikey": ""}},
        {"params": {"apikey[]": "sandbox-key"}},
        {"params": {"APIKEY": "sandbox-key"}},
        {"headers": {"X-FuseDesk-API-Key": "wrong"}, "params": {"apikey": "sandbox-key"}},
        {"headers": {"Authorization": "Bearer sandbox-key"}},
    ],
)
async def test_without_a_good_key_nothing_is_reported(connect: Connect, request_: dict[str, Any]) -> None:
    async with connect(Sandbox(5), headers={}) as http:
        assert refused(await http.get(CASES, **request_), 401)
        assert refused(await http.get("/api/v1/nothing", **request_), 401)


async def test_a_missing_scope_is_refused_as_the_plugin_expects(connect: Connect) -> None:
    sandbox = Sandbox(5, keys={"reader": ["cases"], "writer": {"cases_update"}})
    async with connect(sandbox) as http:
        assert (await http.get(CASES)).status_code == 200
        answer = await http.post(f"{CASES}/1/tag/7")
        assert refused(answer, 403, "api_error_noscope")
        assert answer.json()["error"] == "Not Authorized"
        assert (await http.get("/api/v1/session/permissions")).json() == ["cases"]
        assert (await http.post(f"{CASES}/1/tag/7", params={"apikey": "writer"})).status_code == 403
        assert (await http.post(f"{CASES}/1/tag/7", headers={"X-FuseDesk-API-Key": "writer"})).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/api/v1/"),
        ("GET", "/api/v2/cases"),
        ("PUT", "/api/v1/cases/1"),
        ("DELETE", "/api/v1/cases/1"),
        ("GET", "/api/v1/cases//"),
        ("GET", "/api/v1/cases/ABCD1234"),
        ("GET", "/api/v1/cases/6"),
        ("GET", "/api/v1/cases/1%2Ftag"),
        ("POST", "/api/v1/cases/6/tag/7"),
    ],
)
async def test_unknown_paths_methods_and_cases_are_not_found(connect: Connect, method: str, path: str) -> None:
    async with connect(Sandbox(5)) as http:
        assert refused(await http.request(method, path), 404)


async def test_a_slash_at_the_end_changes_nothing(connect: Connect) -> None:
    async with connect(Sandbox(5)) as http:
        assert (await http.get(f"{CASES}/")).content == (await http.get(CASES)).content
        assert (await http.get(f"{CASES}/3/")).content == (await http.get(f"{CASES}/3")).content


async def test_pages_are_150_cases_unless_asked_and_500_at_most(connect: Connect) -> None:
    async with connect(Sandbox(700)) as http:
        everything = [case["id"] for case in (await http.get(CASES, params={"limit": 500, "orderby": "caseid"})).json()]
        assert everything == [*range(1, 501)]
        assert len((await http.get(CASES)).json()) == 150
        params = {"limit": "500", "offset": "500", "orderby": "caseid asc"}
        assert [case["id"] for case in (await http.get(CASES, params=params)).json()] == [*range(501, 701)]
        assert (await http.get(CASES, params={"offset": 10**18})).json() == []


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "501"},
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "many"},
        {"offset": "-1"},
        {"orderby": "colour"},
        {"status": "\u00fcbel\r\n"},
        {"date_opened": '{"after:"2024-03-01"}'},
    ],
)
async def test_what_cannot_be_done_is_405(connect: Connect, params: dict[str, str]) -> None:
    async with connect(Sandbox(5)) as http:
        answer = await http.get(CASES, params=params)
    assert answer.status_code == 405
    assert answer.headers["X-FuseDesk-Error"].isascii()
    assert answer.json()["errorcode"] == answer.headers["X-FuseDesk-Error-Code"]


async def test_php_arrays_and_json_filters_arrive(connect: Connect) -> None:
    sandbox = Sandbox(300)
    async with connect(sandbox) as http:
        answer = await http.get(f"{CASES}?contactid[0]=303&contactid[1]=305&limit=500")
        assert {case["contactid"] for case in answer.json()} == {303, 305}
        twice = await http.get(f"{CASES}?status=new&status=closed")
        assert {case["status"] for case in twice.json()} == {"closed"}
        dated = await http.get(CASES, params={"date_opened": '{\r\n  "after": "2026-06-01"\r\n}'})
        assert all(case["date_opened"] >= "2026-06-01T00:00:00-05:00" for case in dated.json())


async def test_a_server_may_cap_its_pages_silently(connect: Connect) -> None:
    async with connect(Sandbox(50, profile=SandboxProfile(largest_limit=20, over_limit="cut"))) as http:
        assert len((await http.get(CASES, params={"limit": 500})).json()) == 20
        assert len((await http.get(CASES, params={"limit": 5})).json()) == 5


async def test_requests_are_remembered_as_they_came(connect: Connect) -> None:
    sandbox = Sandbox(5, clock=VirtualClock())
    async with connect(sandbox, headers={}) as http:
        await http.get(f"{CASES}/?apikey=sandbox-key&contactid[]=1&status=")
        await http.post(f"{CASES}/1%30/addnote", data={"apikey": "sandbox-key", "note": "ü"})
        await http.post("/nowhere", json={"apikey": "sandbox-key"}, headers={"X-Other": "1"})
    search, note, nothing = sandbox.received
    assert search == Received(
        method="GET",
        path="/api/v1/cases/",
        query=[("apikey", "sandbox-key"), ("contactid[]", "1"), ("status", "")],
        form=[],
        headers=search.headers,
        body=b"",
        at=0.0,
        operation="search",
        status=200,
    )
    assert (note.operation, note.path, note.status) == ("addnote", "/api/v1/cases/1%30/addnote", 404)
    assert note.form == [("apikey", "sandbox-key"), ("note", "ü")]
    assert note.body == b"apikey=sandbox-key&note=%C3%BC"
    assert (nothing.operation, nothing.status) == ("any", 404)
    assert orjson.loads(nothing.body) == {"apikey": "sandbox-key"}
    assert ("x-other", "1") in nothing.headers


async def test_a_form_that_cannot_be_read_counts_as_empty(connect: Connect) -> None:
    sandbox = Sandbox(5)
    async with connect(sandbox) as http:
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        assert refused(await http.post(CASES, content=b"nonsense", headers=headers), 405)
        assert refused(await http.post(CASES, content=b'{"depid', headers={"Content-Type": "application/json"}), 405)


async def test_an_uploaded_file_is_no_field(connect: Connect) -> None:
    sandbox = Sandbox(5)
    async with connect(sandbox) as http:
        await http.post("/api/v1/usage", files={"apikey": ("name.txt", b"x"), "other": (None, "y")})
    assert sandbox.received[0].form == [("other", "y")]


async def test_who_leaves_while_sending_is_not_answered() -> None:
    sandbox, sent = Sandbox(5), []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": CASES, "query_string": b"", "headers": []}
    await sandbox.app(scope, receive, send)
    assert sent == []
    assert not sandbox.received


async def test_usage_is_reported_and_the_hour_enforced(connect: Connect) -> None:
    clock = VirtualClock()
    sandbox = Sandbox(5, limit=FixedHour(3, window=60, used=1), clock=clock)
    async with connect(sandbox) as http:
        seen = [await http.get(CASES) for _ in range(3)]
        assert [answer.headers["X-FuseDesk-Usage-Limit"] for answer in seen] == ["3"] * 3
        assert [answer.headers["X-FuseDesk-Usage-Remaining"] for answer in seen] == ["1", "0", "0"]
        assert [answer.headers["X-Simulated-Window"] for answer in seen] == ["60"] * 3
        assert [answer.status_code for answer in seen] == [200, 200, 429]
        assert refused(seen[2], 429)
        assert "Retry-After" not in seen[2].headers
        clock.advance(60)
        assert (await http.get(f"{CASES}/99")).headers["X-FuseDesk-Usage-Remaining"] == "2"
        assert (await http.post("/api/v1/usage")).json() == {"limit": 3, "used": 2, "remaining": 1}
    assert [received.status for received in sandbox.received] == [200, 200, 429, 404, 200]


async def test_each_key_has_its_own_hour(connect: Connect) -> None:
    sandbox = Sandbox(5, keys={"a": ALL_SCOPES, "b": ALL_SCOPES}, limit=SlidingHour(1))
    async with connect(sandbox, headers={}) as http:
        statuses = [(await http.get(CASES, params={"apikey": key})).status_code for key in "aabb"]
    assert statuses == [200, 429, 200, 429]


@pytest.mark.parametrize(
    ("options", "headers"),
    [
        ({}, {"x-fusedesk-usage-limit": "0", "x-fusedesk-usage-remaining": "0"}),
        ({"limit_header": "", "usage_header": "X-Left"}, {"x-left": "0"}),
        ({"limit_header": "", "usage_header": "", "retry_after": "seconds"}, {"retry-after": "3600"}),
        (
            {"limit_header": "", "usage_header": "", "retry_after": "date"},
            {"retry-after": "Tue, 30 Jun 2026 23:00:00 GMT"},
        ),
    ],
)
async def test_what_a_429_tells_is_a_choice(connect: Connect, options: dict[str, Any], headers: dict[str, str]) -> None:
    sandbox = Sandbox(5, limit=FixedHour(0), clock=VirtualClock(), profile=SandboxProfile(**options))
    async with connect(sandbox) as http:
        answer = await http.get(CASES)
    usual = {"x-fusedesk-error", "x-fusedesk-error-code", "content-type", "content-length", "date"}
    assert {name: value for name, value in answer.headers.items() if name not in usual} == headers
    assert answer.headers["date"] == "Tue, 30 Jun 2026 22:00:00 GMT"


async def test_latency_passes_on_the_clock(connect: Connect) -> None:
    clock = VirtualClock()
    async with connect(Sandbox(5, latency=0.3, clock=clock)) as http:
        await http.get(CASES)
    assert clock.waited == pytest.approx(0.3)


async def test_latency_may_be_drawn_for_each_call(connect: Connect) -> None:
    clock, draws = VirtualClock(), iter([0.5, 2.0])
    async with connect(Sandbox(5, latency=lambda: next(draws), clock=clock)) as http:
        await http.get(CASES)
        await http.get(CASES)
    assert clock.waited == pytest.approx(2.5)


async def test_calls_in_parallel_wait_together(connect: Connect) -> None:
    clock = VirtualClock()
    sandbox = Sandbox(50, latency=0.3, clock=clock)

    async def ask(http: httpx.AsyncClient, pause: float) -> None:
        await clock.sleep(pause)
        assert (await http.get(CASES)).status_code == 200

    async with connect(sandbox) as http, anyio.create_task_group() as tasks:
        for place in range(50):
            tasks.start_soon(ask, http, place % 5)
    assert clock.waited == pytest.approx(4.3)
    assert sorted(received.at for received in sandbox.received) == sorted(place % 5 for place in range(50))


async def test_churn_happens_before_each_call_that_is_carried_out(connect: Connect) -> None:
    sandbox = Sandbox(100)
    sandbox.churn("search", lambda desk: desk.delete_cases(5))
    sandbox.churn("any", lambda desk: desk.open_cases(1))
    async with connect(sandbox) as http:
        for expected in (96, 92):
            assert len((await http.get(CASES, params={"limit": 500})).json()) == expected
        await http.get("/api/v1/session/poweredby")
        assert len(sandbox.state.cases) == 93
        sandbox.fault(status=500)
        await http.get(CASES)
        assert len(sandbox.state.cases) == 93
