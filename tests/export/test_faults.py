"""What goes wrong at the server while an export is at work."""

import json
from io import BytesIO

import httpx
import pytest
from clients import client
from exports import ids_in
from tenacity import stop_after_attempt

from fusedesk_async import FuseDesk, PermissionDeniedError, RetryPolicy, ServerError, UnexpectedResponseError
from fusedesk_async.export import export_cases
from fusedesk_async.export._output import _storable_id
from fusedesk_async.sandbox import Sandbox, SystemClock

pytestmark = pytest.mark.anyio

ONCE = RetryPolicy(stop=stop_after_attempt(1))


class Server:
    """A desk some of whose histories never come."""

    def __init__(self, cases, broken, status=500):
        self.cases, self.broken, self.status = cases, broken, status

    def __call__(self, request):
        last = request.url.path.rsplit("/", 1)[-1]
        if last == "cases":
            offset = int(request.url.params["offset"])
            return httpx.Response(200, json=[{"caseid": each} for each in self.cases[offset : offset + 5]])
        if int(last) in self.broken:
            return httpx.Response(self.status, json={"error": "no"})
        return httpx.Response(200, json={"caseid": int(last), "history": []})


def desk_of(server, clock):
    return FuseDesk("acme", api_key="k", transport=httpx.MockTransport(server), clock=clock, retry=ONCE)


@pytest.mark.parametrize("concurrency", [1, 2, 4, 8])
@pytest.mark.parametrize("status", [500, 403, 405])
@pytest.mark.parametrize("broken", [{4}, {12}, {4, 5}, {1, 2, 3}, {10, 11, 12}, {5, 6, 7, 8}])
async def test_cases_that_can_never_be_had_do_not_stop_the_others(broken, status, concurrency, clock):
    out = BytesIO()
    async with desk_of(Server(range(1, 13), broken, status), clock) as desk:
        report = await export_cases(desk, out, history=True, concurrency=concurrency)
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [each["caseid"] for each in found] == [*range(1, 13)]
    assert {each["caseid"] for each in found if "history_error" in each} == broken
    assert (report.history_errors, report.is_whole) == (len(broken), False)


FATAL = "<br />\n<b>Fatal error</b>: Uncaught TypeError in /var/www/case.php:7"


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize(("cases", "broken"), [(12, {4}), (12, {12}), (12, {1}), (12, {4, 5, 11}), (2, {2}), (1, {1})])
async def test_a_case_that_is_an_error_page_does_not_stop_the_others(cases, broken, concurrency, clock):
    out, server = BytesIO(), Server(range(1, cases + 1), [])

    def answer(request):
        last = request.url.path.rsplit("/", 1)[-1]
        return httpx.Response(200, html=FATAL) if last != "cases" and int(last) in broken else server(request)

    async with desk_of(answer, clock) as desk:
        report = await export_cases(desk, out, history=True, concurrency=concurrency)
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [each["caseid"] for each in found] == [*range(1, cases + 1)]
    errors = {each["caseid"]: each["history_error"] for each in found if "history_error" in each}
    assert set(errors) == broken
    assert all("an HTML page came where JSON was due" in error and "Fatal error" in error for error in errors.values())
    assert report.history_errors == len(broken)
    assert clock.waited < 60


async def test_pages_in_place_of_all_histories_end_an_export_that_can_go_on(tmp_path, clock):
    server, is_down = Server(range(1, 13), []), True

    def answer(request):
        is_case = not request.url.path.endswith("/cases")
        return httpx.Response(200, html="<title>Welcome</title>") if is_down and is_case else server(request)

    async with desk_of(answer, clock) as desk:
        with pytest.raises(UnexpectedResponseError, match="HTML page 'Welcome'"):
            await export_cases(desk, tmp_path / "out.jsonl", history=True)
        is_down = False
        report = await export_cases(desk, tmp_path / "out.jsonl", history=True)
    assert (report.cases, report.is_whole) == (12, True)


async def test_a_key_that_may_see_no_history_is_reported_at_once(clock):
    async with desk_of(Server(range(1, 13), range(1, 13), 403), clock) as desk:
        with pytest.raises(PermissionDeniedError):
            await export_cases(desk, BytesIO(), history=True)
    assert clock.waited < 60


@pytest.mark.parametrize("seconds", [900, 3500])
@pytest.mark.parametrize("history", [False, True])
async def test_an_outage_of_almost_an_hour_is_waited_for(seconds, history, clock):
    server, outages = Server(range(1, 13), []), []

    def answer(request):
        if len(outages) > 5 and clock.monotonic() < 10_000 + seconds:
            return httpx.Response(503)
        return server(request)

    def noted(progress):
        outages.append(progress.outage)
        if len(outages) == 6 - 3 * (not history):
            outages.extend([""] * 3)
            clock.advance(10_000 - clock.monotonic())

    out = BytesIO()
    async with desk_of(answer, clock) as desk:
        report = await export_cases(desk, out, history=history, on_progress=noted)
    assert len(out.getvalue().splitlines()) == report.cases == 12
    assert any(outages)


@pytest.mark.parametrize("gone", ["cases", "histories"])
async def test_an_outage_without_end_ends_the_export_when_it_was_said(gone, clock):
    server, calls = Server(range(1, 13), []), []

    def answer(request):
        calls.append(request)
        is_gone = gone == "cases" or not request.url.path.endswith("/cases")
        return httpx.Response(503) if is_gone and len(calls) > 8 else server(request)

    async with desk_of(answer, clock) as desk:
        with pytest.raises(ServerError):
            await export_cases(desk, BytesIO(), history=True, outage=600)
    assert 600 <= clock.waited < 700


async def test_a_case_deleted_after_it_was_listed_is_a_tombstone(tmp_path):
    sandbox = Sandbox(8)
    sandbox.churn("get", lambda desk: 7 in desk.state.cases and desk.delete_cases(ids=[7]))
    async with client(sandbox, SystemClock()) as desk:
        report = await export_cases(desk, tmp_path / "out.jsonl", status="all", history=True)
    assert (report.tombstones, report.cases, report.is_whole) == (1, 8, True)
    last = json.loads((tmp_path / "out.jsonl").read_bytes().splitlines()[6])
    assert (last["caseid"], last["tombstone"]) == (7, True)


@pytest.mark.parametrize("history", [False, True])
async def test_records_that_cannot_be_read_are_counted_and_named(history, tmp_path):
    sandbox = Sandbox(3)
    strange = [{"caseid": "\ud800"}, {"casenum": "N7", "tags": 1}, {}]
    sandbox.fault("search", body=json.dumps(strange))
    async with client(sandbox, SystemClock()) as desk:
        with pytest.warns(UserWarning, match="."):
            report = await export_cases(desk, tmp_path / "out.jsonl", status="all", history=history)
    assert report.rejected == 3
    assert None in report.rejected_ids
    assert json.loads(json.dumps(report.as_dict()))["rejected_ids"] == [*report.rejected_ids]
    assert ids_in(tmp_path / "out.jsonl") == [1, 2, 3]


async def test_another_case_in_place_of_the_one_asked_for_is_no_history_of_it(clock):
    server, out = Server([1, 2], []), BytesIO()

    def answer(request):
        return httpx.Response(200, json={"caseid": 99}) if request.url.path.endswith("/2") else server(request)

    async with desk_of(answer, clock) as desk:
        await export_cases(desk, out, history=True)
    assert json.loads(out.getvalue().splitlines()[1])["history_error"] == "the server sent case 99 instead"


def test_ids_of_cases_that_cannot_be_read_are_kept_as_json_can_hold_them():
    assert [*map(_storable_id, [None, 5, 2**80, "a\ud800\nb"])] == [None, 5, str(2**80), "a b"]
