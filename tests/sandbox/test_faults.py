"""Scripted faults: spoiled, late, lost and repeated answers."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from fusedesk_async.sandbox import FixedHour, Sandbox, VirtualClock, serve_in_thread

pytestmark = pytest.mark.anyio
Connect = Callable[..., httpx.AsyncClient]
CASES = "/api/v1/cases"


@pytest.mark.parametrize(("name", "text"), [("serach", "did you mean 'search'"), ("xyzzy", "which are addnote, any,")])
def test_an_operation_that_does_not_exist_is_refused(name: str, text: str) -> None:
    for script in (Sandbox(1).fault, lambda name: Sandbox(1).churn(name, repr)):
        with pytest.raises(ValueError, match=text):
            script(name)


async def test_the_third_search_answers_429(connect: Connect) -> None:
    sandbox = Sandbox(5)
    sandbox.fault("search", nth=3, times=2, status=429, retry_after="30")
    async with connect(sandbox) as http:
        await http.get(f"{CASES}/1")
        answers = [await http.get(CASES) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429, 200]
    assert answers[2].headers["Retry-After"] == "30"
    assert answers[2].json()["error"] == answers[2].headers["X-FuseDesk-Error"]


async def test_of_two_faults_the_first_added_happens(connect: Connect) -> None:
    sandbox = Sandbox(5)
    sandbox.fault(status=500)
    sandbox.fault("search", times=2, status=502)
    async with connect(sandbox) as http:
        assert [(await http.get(CASES)).status_code for _ in range(3)] == [500, 502, 200]


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ({"body": b"\xff"}, 200, b"\xff"),
        ({"body": "<html>"}, 200, b"<html>"),
        ({"body": {"error": "no"}}, 200, b'{"error":"no"}'),
        ({"body": b"null"}, 200, b"null"),
        ({"status": 204}, 204, b""),
        ({"status": 503}, 503, b"<html><body><h1>503 Server Error</h1></body></html>"),
        ({"status": 401}, 401, b'{"error":"Invalid API Key","errorcode":"api_error_badkey"}'),
        ({"status": 418, "body": []}, 418, b"[]"),
        ({"truncate": 1}, 200, b"["),
        ({"truncate": 10**6}, 200, b"[]"),
        ({"prefix": "<div>Warning</div>"}, 200, b"<div>Warning</div>[]"),
    ],
)
async def test_answers_can_be_anything(connect: Connect, fault: dict[str, Any], status: int, body: bytes) -> None:
    sandbox = Sandbox(0)
    sandbox.fault(**fault)
    async with connect(sandbox) as http:
        answer = await http.get(CASES)
    assert (answer.status_code, answer.content) == (status, body)


async def test_a_405_by_script_looks_like_any_other(connect: Connect) -> None:
    sandbox = Sandbox(0)
    sandbox.fault(status=405)
    async with connect(sandbox) as http:
        assert (await http.get(CASES)).json()["errorcode"] == "api_error_invalid"


async def test_the_length_of_a_truncated_body_is_the_wholes(connect: Connect) -> None:
    sandbox = Sandbox(0)
    sandbox.fault(truncate=0)
    async with connect(sandbox) as http:
        assert (await http.get(CASES)).headers["Content-Length"] == "2"


async def test_headers_of_a_fault_replace_the_usual_ones(connect: Connect) -> None:
    sandbox = Sandbox(0)
    sandbox.fault(headers={"Content-Type": "text/html", "Location": "/login"}, status=302)
    async with connect(sandbox) as http:
        answer = await http.get(CASES)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login")
    assert answer.headers.get_list("Content-Type") == ["text/html"]


async def test_a_fault_stands_in_for_the_call_or_follows_it(connect: Connect) -> None:
    sandbox = Sandbox(5)
    async with connect(sandbox) as http:
        for after in (False, True):
            sandbox.state.cases.change(1, tags=())
            sandbox.fault("tag", status=500, after=after)
            assert (await http.post(f"{CASES}/1/tag/7")).status_code == 500
            assert (sandbox.state.cases.value(1, "tags") == (7,)) == after


async def test_a_dropped_connection_raises_in_process(connect: Connect) -> None:
    sandbox = Sandbox(5)
    sandbox.fault("tag", drop=True, after=True)
    async with connect(sandbox) as http:
        with pytest.raises(ConnectionError):
            await http.post(f"{CASES}/1/tag/7")
    assert 7 in sandbox.state.cases.value(1, "tags")
    assert sandbox.received[0].status == 0


async def test_a_delay_passes_on_the_clock(connect: Connect) -> None:
    clock = VirtualClock()
    sandbox = Sandbox(5, clock=clock)
    sandbox.fault(delay=7.5)
    async with connect(sandbox) as http:
        assert (await http.get(CASES)).status_code == 200
    assert clock.waited == 7.5


async def test_faulted_calls_count_and_refused_ones_use_no_fault(connect: Connect) -> None:
    clock = VirtualClock()
    sandbox = Sandbox(5, limit=FixedHour(1), clock=clock)
    sandbox.fault(nth=2, status=500)
    sandbox.fault(status=503)
    async with connect(sandbox) as http:
        first: httpx.Response = await http.get(CASES)
        assert (first.status_code, first.headers["X-FuseDesk-Usage-Remaining"]) == (503, "0")
        assert (await http.get(CASES)).status_code == 429
        assert (await http.get(CASES, headers={"X-FuseDesk-API-Key": "wrong"})).status_code == 401
        clock.advance(3600)
        assert (await http.get(CASES)).status_code == 500


async def test_faults_that_never_happened_are_named(connect: Connect) -> None:
    sandbox = Sandbox(5)
    sandbox.fault("search", times=3, status=500)
    sandbox.fault("search", nth=2, status=502)
    sandbox.fault("get", nth=2, status=503)
    sandbox.fault(nth=3, status=503)
    async with connect(sandbox) as http:
        assert [(await http.get(CASES)).status_code for _ in range(2)] == [500, 500]
    unused = ("search, call 2 (2 came)", "get, call 2 (0 came)", "any, call 3 (2 came)")
    assert sandbox.unused_faults == unused, "the second was in the shadow of the first"
    with pytest.raises(AssertionError, match=r"get, call 2 \(0 came\); any, call 3"):
        sandbox.assert_all_faults_happened()
    sandbox.clear_faults()
    sandbox.assert_all_faults_happened()
    async with connect(sandbox) as http:
        assert (await http.get(CASES)).status_code == 200


def test_a_server_that_ends_with_unused_faults_warns() -> None:
    sandbox = Sandbox(1)
    with serve_in_thread(sandbox):
        pass
    sandbox.fault("get", status=500)
    with (
        pytest.warns(UserWarning, match=r"some faults of the sandbox never happened: get, call 1 \(0 came\)") as caught,
        serve_in_thread(sandbox),
    ):
        pass
    assert caught[0].filename == __file__
    with pytest.raises(KeyError), serve_in_thread(sandbox):  # what went wrong is enough
        raise KeyError
