"""One way to send a call: what happens when the server says later, fails, or answers oddly."""

import logging

import anyio
import httpx
import pytest

from fusedesk_async import (
    AuthenticationError,
    FuseDesk,
    FuseDeskWarning,
    NewCase,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimiter,
    RateLimitError,
    RequestRejectedError,
    RetryPolicy,
    ServerError,
    UnexpectedResponseError,
)
from fusedesk_async.sandbox import FixedHour, Sandbox, VirtualClock

pytestmark = pytest.mark.anyio

CASE = NewCase(department_id=1, summary="Login fails", details="since yesterday", opened_by="jo@example.com")


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def sandbox(clock):
    return Sandbox(700, clock=clock)


@pytest.fixture
async def desk(sandbox, clock):
    async with client(sandbox, clock) as desk:
        yield desk


def client(sandbox, clock, **settings):
    transport = httpx.ASGITransport(sandbox.app)
    return FuseDesk("acme", api_key=sandbox.api_key, transport=transport, clock=clock, **settings)


def new_case(sandbox):
    department = next(iter(sandbox.state.departments))
    return NewCase(department_id=department, summary="Login fails", details="since yesterday", opened_by="jo")


async def test_a_429_is_waited_for_and_uses_no_attempt(sandbox, desk, clock):
    sandbox.fault("search", nth=2, times=5, status=429, retry_after="10")
    cases = await desk.with_options(priority="bulk").cases.search().collect()
    assert len(cases) == 700
    assert 50 <= clock.waited <= 56


async def test_of_fifty_tasks_none_leaves_before_the_cooldown_ends_then_one_then_the_rest(clock):
    sandbox = Sandbox(clock=clock, latency=2.0)
    sandbox.fault("get", status=429, retry_after="30")
    async with client(sandbox, clock, concurrency=10) as desk, anyio.create_task_group() as group:
        for number in range(1, 51):
            group.start_soon(desk.cases.get, number)
    times = [request.at for request in sandbox.received]
    assert len(times) == 51
    assert times[:10] == [0] * 10
    assert times[10] >= 30
    assert times[11] == times[10] + 2
    assert sum(request.status == 429 for request in sandbox.received) == 1


async def test_a_429_to_a_write_is_waited_for_too(sandbox, desk, clock):
    sandbox.fault("create", status=429, retry_after="10")
    created = await desk.cases.create(new_case(sandbox))
    assert (await desk.cases.get(created.id)).summary == "Login fails"
    assert [request.status for request in sandbox.received] == [429, 200, 200]
    assert clock.waited >= 10


async def test_a_refused_write_is_not_sent_again_if_one_does_not_want_it(sandbox, desk):
    sandbox.fault("create", status=429)
    careful = desk.with_options(retry=RetryPolicy(resend_refused_writes=False))
    with pytest.raises(RateLimitError) as caught:
        await careful.cases.create(new_case(sandbox))
    assert caught.value.status == 429
    assert len(sandbox.received) == 1


async def test_in_raise_mode_nothing_waits(sandbox, desk, clock):
    worker = desk.with_options(on_rate_limit="raise")
    sandbox.fault("get", status=429, retry_after="40")
    with pytest.raises(RateLimitError, match="Ask again") as caught:
        await worker.cases.get(1)
    assert 40 <= caught.value.retry_after <= 44
    assert caught.value.status == 429
    with pytest.raises(RateLimitError) as caught:
        await worker.cases.get(1)
    assert caught.value.status is None
    assert caught.value.retry_at.timestamp() == pytest.approx(clock.time() + caught.value.retry_after)
    assert len(sandbox.received) == 1
    assert clock.waited == 0


async def test_a_hint_beyond_ones_patience_is_raised_at_once(sandbox, desk, clock):
    sandbox.fault("get", status=429, retry_after="1000")
    with pytest.raises(RateLimitError):
        await desk.cases.get(1)
    assert clock.waited == 0


async def test_patience_counts_all_that_was_waited_for(sandbox, desk, clock):
    sandbox.fault("get", times=9, status=429, retry_after="50")
    with pytest.raises(RateLimitError):
        await desk.cases.get(1)
    assert 100 <= clock.waited <= 110


async def test_an_hour_that_is_used_up_ends_a_bulk_search_late_but_whole(clock):
    sandbox = Sandbox(2_000, clock=clock, limit=FixedHour(3, phase=600))
    async with client(sandbox, clock) as desk:
        cases = await desk.with_options(priority="bulk").cases.search().collect()
    assert [case.id for case in cases] == list(range(1, 2_001))
    assert clock.waited >= 600


async def test_a_shorter_hour_shortens_all_pauses(clock):
    sandbox = Sandbox(2_000, clock=clock, limit=FixedHour(3, window=6.0))
    async with client(sandbox, clock, limiter=RateLimiter(window=6.0)) as desk:
        assert len(await desk.with_options(priority="bulk").cases.search().collect()) == 2_000
    assert clock.waited < 12


async def test_the_allowance_follows_the_headers(clock):
    sandbox = Sandbox(clock=clock, limit=FixedHour(1800))
    async with client(sandbox, clock) as desk:
        await desk.check()
        assert (desk.allowance.limit, desk.allowance.remaining) == (1800, 1799)
        assert desk.allowance.blocked_until is None


async def test_two_clients_may_share_a_limiter(sandbox, clock):
    limiter = RateLimiter()
    async with client(sandbox, clock, limiter=limiter) as one, client(sandbox, clock, limiter=limiter) as other:
        sandbox.fault("get", status=429, retry_after="30")
        with pytest.raises(RateLimitError):
            await one.with_options(on_rate_limit="raise").cases.get(1)
        await other.cases.get(1)
    assert clock.waited >= 30


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


async def test_two_clients_with_the_real_clock_may_share_a_busy_limiter():
    sandbox, limiter = Sandbox(latency=0.05), RateLimiter()
    settings = {"api_key": sandbox.api_key, "transport": httpx.ASGITransport(sandbox.app), "limiter": limiter}
    async with FuseDesk("acme", **settings) as one, anyio.create_task_group() as group:
        group.start_soon(one.cases.get, 1)
        await anyio.sleep(0.01)
        async with FuseDesk("acme", **settings) as other:
            assert (await other.cases.get(2)).id == 2


async def test_a_server_may_say_when_it_will_be_back(sandbox, desk, clock):
    sandbox.fault("get", status=503, retry_after="20")
    await desk.cases.get(7)
    assert clock.waited == 20


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"drop": True}, {"body": "<html>Login"}, {"body": "[1,"}, {"body": "{}"}]
)
@pytest.mark.parametrize("after", [True, False])
async def test_a_write_with_a_doubtful_answer_is_sent_once(sandbox, desk, fault, after):
    sandbox.fault("create", after=after, **fault)
    before = len(sandbox.state.cases)
    with pytest.raises(OutcomeUnknownError, match="Look whether it happened") as caught:
        await desk.cases.create(new_case(sandbox))
    assert len(sandbox.received) == 1
    assert len(sandbox.state.cases) == before + after
    assert caught.value.request.method == "POST"
    assert caught.value.request.path == "v1/cases"


async def test_a_refused_write_is_no_doubt(sandbox, desk):
    with pytest.raises(RequestRejectedError):
        await desk.cases.create(CASE)


async def test_a_tag_is_sent_again_since_that_does_no_harm(sandbox, desk):
    tag = next(iter(sandbox.state.tags))
    sandbox.fault("tag", status=500, after=True)
    await desk.cases.tag(1, tag)
    assert tag in (await desk.cases.get(1)).tags
    assert [request.operation for request in sandbox.received] == ["tag", "tag", "get"]


async def test_a_refusal_of_a_repeated_tag_leaves_a_doubt(sandbox, desk):
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
    sandbox.fault("search", body={"error": "Something is odd", "errorcode": "api_error_odd"})
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
    sandbox.fault("search", times=2, prefix="<br />")
    async with client(sandbox, clock, strict=True) as desk:
        with pytest.raises(UnexpectedResponseError, match="noise"):
            await desk.cases.search().collect()


async def test_a_cut_page_is_fetched_again_whole(sandbox, desk):
    sandbox.fault("search", nth=2, truncate=1000)
    assert [case.id for case in await desk.cases.search().collect()] == list(range(1, 701))


async def test_a_bad_record_does_not_lose_its_page(sandbox, desk, clock):
    page = [{"caseid": 1}, {"caseid": 2, "repid": "nobody"}, {"id": "3"}]
    sandbox.fault("search", times=2, body=page)
    with pytest.warns(FuseDeskWarning, match=r"repid of record 2"):
        pages = [page async for page in desk.cases.search().pages()]
    assert [case.id for case in pages[0].items] == [1, 3]
    assert [error.record_id for error in pages[0].rejected] == [2]
    assert pages[0].received == 3
    async with client(sandbox, clock, strict=True) as strict:
        sandbox.fault("search", times=2, body=page)
        with pytest.raises(UnexpectedResponseError, match="expected a whole number, got 'nobody'"):
            await strict.cases.search().collect()


@pytest.mark.parametrize("body", ["", "null", "false", "[]", '""'])
async def test_nothing_found_is_an_empty_list(sandbox, desk, body):
    sandbox.fault("search", body=body)
    assert await desk.cases.search().collect() == []


async def test_calls_and_refusals_are_logged_once(sandbox, desk, caplog):
    sandbox.fault("get", status=429, retry_after="30")
    with caplog.at_level(logging.DEBUG, "fusedesk_async"):
        async with anyio.create_task_group() as group:
            for number in range(1, 11):
                group.start_soon(desk.cases.get, number)
    messages = [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]
    assert len(messages) == 1
    assert "429" in messages[0]


async def test_people_go_before_bulk_work(clock):
    sandbox = Sandbox(clock=clock, latency=1.0)
    async with client(sandbox, clock, concurrency=1) as desk, anyio.create_task_group() as group:
        bulk = desk.with_options(priority="bulk")
        for number in range(1, 6):
            group.start_soon(bulk.cases.get, number)
        group.start_soon(desk.cases.get, 100)
    assert "v1/cases/100" in [request.path.removeprefix("/api/") for request in sandbox.received][:2]
