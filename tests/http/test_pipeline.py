"""One way to send a call: what happens when the server says later, fails, or answers oddly."""

import logging
import re

import httpx
import pytest
from clients import client, new_case
from tenacity import wait_fixed

from fusedesk_async import (
    AuthenticationError,
    FuseDesk,
    FuseDeskWarning,
    NewCase,
    NotFoundError,
    OddField,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitError,
    RequestRejectedError,
    RetryPolicy,
    ServerError,
    UnexpectedResponseError,
)
from fusedesk_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio

CASE = NewCase(department_id=1, summary="Login fails", details="since yesterday", opened_by="jo@example.com")


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
async def test_a_read_survives_a_server_that_stumbles(sandbox, desk, status):
    sandbox.fault("get", times=3, status=status)
    assert (await desk.cases.get(7)).id == 7
    assert len(sandbox.received) == 4


async def test_a_server_that_stays_down_is_reported_with_the_number_of_attempts(sandbox, desk):
    sandbox.fault("get", times=99, status=503)
    with pytest.raises(ServerError, match="tried 4 times") as caught:
        await desk.cases.get(7)
    assert caught.value.status == 503


async def test_bulk_work_outlasts_a_maintenance(sandbox, desk, clock):
    sandbox.fault("get", status=503, retry_after="300")
    await desk.with_options(priority="bulk").cases.get(7)
    assert clock.waited == 300


async def test_errors_say_how_often_something_was_sent(sandbox, desk):
    sandbox.fault("get", times=2, status=429, retry_after="1")
    with pytest.raises(NotFoundError, match="tried 3 times"):
        await desk.cases.get(999_999)
    sandbox.fault("get", status=429)
    worker = desk.with_options(on_rate_limit="raise")
    with pytest.raises(RateLimitError, match="tried once"):
        await worker.cases.get(1)
    with pytest.raises(RateLimitError, match="not sent"):
        await worker.cases.get(1)


async def test_a_server_may_say_when_it_will_be_back(sandbox, desk, clock):
    sandbox.fault("get", status=503, retry_after="20")
    await desk.cases.get(7)
    assert clock.waited == 20


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"drop": True}, {"body": "<html>Login"}, {"body": "[1,"}, {"body": "{}"}]
)
@pytest.mark.parametrize("after", [True, False])
async def test_a_write_whose_outcome_is_unknown_is_sent_once(sandbox, desk, fault, after):
    sandbox.fault("create", after=after, **fault)
    before = len(sandbox.state.cases)
    with pytest.raises(OutcomeUnknownError, match="Look whether it happened") as caught:
        await desk.cases.create(new_case(sandbox))
    assert len(sandbox.received) == 1
    assert len(sandbox.state.cases) == before + after
    assert caught.value.request.method == "POST"
    assert caught.value.request.path == "v1/cases"


async def test_a_write_that_is_rejected_has_a_known_outcome(sandbox, desk):
    with pytest.raises(RequestRejectedError):
        await desk.cases.create(CASE)


async def test_a_tag_is_sent_again_since_it_is_idempotent(sandbox, desk):
    tag = next(iter(sandbox.state.tags))
    sandbox.fault("tag", status=500, after=True)
    await desk.cases.tag(1, tag)
    assert tag in (await desk.cases.get(1)).tags
    assert [request.operation for request in sandbox.received] == ["tag", "tag", "get"]


async def test_the_outcome_of_a_retried_tag_that_is_rejected_is_unknown(sandbox, desk):
    sandbox.fault("tag", status=500, after=True)
    sandbox.fault("tag", nth=2, status=405)
    tag = next(iter(sandbox.state.tags))
    with pytest.raises(OutcomeUnknownError) as caught:
        await desk.cases.tag(1, tag)
    assert isinstance(caught.value.__cause__, RequestRejectedError)


async def test_refusals_are_typed_and_not_repeated(clock):
    sandbox = Sandbox(keys={"reader": {"cases"}}, clock=clock)
    async with client(sandbox, clock) as desk:
        with pytest.raises(PermissionDeniedError) as denied:
            await desk.cases.create(new_case(sandbox))
        assert (denied.value.status, denied.value.code) == (403, "api_error_noscope")
        with pytest.raises(NotFoundError):
            await desk.cases.get(999_999)
        with pytest.raises(RequestRejectedError) as rejected:
            await desk.call("GET", "cases", query={"limit": 501})
        assert rejected.value.status == 405
    async with FuseDesk("acme", api_key="wrong", transport=httpx.ASGITransport(sandbox.app)) as stranger:
        with pytest.raises(AuthenticationError, match="API key"):
            await stranger.check()
    assert [request.status for request in sandbox.received] == [403, 404, 405, 401]


async def test_an_error_object_under_200_is_an_error(sandbox, desk):
    sandbox.fault("search", times=9, body={"error": "Something is odd", "errorcode": "api_error_odd"})
    with pytest.raises(RequestRejectedError, match="Something is odd") as caught:
        await desk.cases.search().collect()
    assert (caught.value.status, caught.value.code) == (200, "api_error_odd")


async def test_noise_in_front_of_an_answer_is_cut_off_with_a_warning(sandbox, desk):
    sandbox.fault(
        "search", prefix="<br />\n<b>Warning</b>: Undefined index [x] in <b>api.php</b> on line <b>3</b><br />\n"
    )
    with pytest.warns(FuseDeskWarning, match="noise"):
        assert len(await desk.cases.search().collect()) == 700


async def test_strict_mode_takes_no_noise(sandbox, clock):
    sandbox.fault("search", times=9, prefix="<br />")
    async with client(sandbox, clock, strict=True) as desk:
        with pytest.raises(UnexpectedResponseError, match="noise"):
            await desk.cases.search().collect()


async def test_a_cut_page_is_fetched_again_whole(sandbox, desk):
    sandbox.fault("search", nth=2, truncate=1000)
    assert [case.id for case in await desk.cases.search().collect()] == list(range(1, 701))


async def test_a_bad_record_does_not_lose_its_page(sandbox, desk, clock):
    page = [{"caseid": 1}, {"caseid": 2, "repid": "nobody"}, {"id": "3"}, {"caseid": "x"}]
    sandbox.fault("search", times=2, body=page)
    with pytest.warns(FuseDeskWarning, match=r"repid of record 2"), pytest.warns(FuseDeskWarning, match="of record x"):
        pages = [page async for page in desk.cases.search().pages()]
    assert [case.id for case in pages[0].items] == [1, 2, 3]
    assert pages[0].odd == pages[0].items[1].odd == (OddField(2, "rep_id", "$[1].repid", '"nobody"'),)
    assert [error.record_id for error in pages[0].rejected] == ["x"]
    assert pages[0].received == 4
    async with client(sandbox, clock, strict=True) as strict:
        sandbox.fault("search", times=9, body=page)
        with pytest.raises(UnexpectedResponseError, match="expected a whole number, got 'nobody'"):
            await strict.cases.search().collect()


@pytest.mark.parametrize("body", ["", "null", "false", "[]", '""'])
async def test_nothing_found_is_an_empty_list(sandbox, desk, body):
    sandbox.fault("search", times=9, body=body)
    assert await desk.cases.search().collect() == []


async def test_each_retry_is_logged_with_its_reason_and_its_pause(sandbox, desk, caplog):
    sandbox.fault("get", status=503, body="down\nfor maintenance")
    sandbox.fault("get", nth=2, drop=True)
    dropped = "no complete response (ConnectionDroppedError)"
    caplog.set_level(logging.INFO, "fusedesk_async")
    await desk.with_options(retry=RetryPolicy(wait=wait_fixed(5))).cases.get(7)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "GET v1/cases/7 failed (ServerError 503: down for maintenance); retrying in 5.0 s"),
        ("INFO", f"GET v1/cases/7 failed (AnswerLostError: {dropped}); retrying in 5.0 s"),
    ]
    assert sandbox.api_key not in caplog.text


async def test_a_failure_that_is_final_is_not_logged_as_a_retry(desk, caplog):
    caplog.set_level(logging.INFO, "fusedesk_async")
    with pytest.raises(NotFoundError):
        await desk.cases.get(999_999)
    assert caplog.records == []


async def test_each_decision_about_a_call_is_a_line_at_debug(sandbox, desk, caplog):
    sandbox.fault("get", status=429, retry_after="1")
    sandbox.fault("create", drop=True)
    caplog.set_level(logging.DEBUG, "fusedesk_async")
    await desk.cases.get(7)
    with pytest.raises(OutcomeUnknownError):
        await desk.cases.create(new_case(sandbox))
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.DEBUG] == [
        "GET v1/cases/7, not sent: permit 0 after 0.0 s",
        "GET v1/cases/7, tried once: status 429 after 0.0 s",
        "GET v1/cases/7, tried once: rejected, sent again after the cooldown",
        approx_permit := caplog.records[4].getMessage(),
        "GET v1/cases/7, tried 2 times: status 200 after 0.0 s",
        "POST v1/cases, not sent: permit 2 after 0.0 s",
        "POST v1/cases, tried once: outcome unknown",
    ]
    assert re.fullmatch(r"GET v1/cases/7, tried once: permit 1 after 1\.\d s", approx_permit)
