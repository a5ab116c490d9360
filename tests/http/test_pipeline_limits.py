"""What a client makes of the limits of its server: it waits, or says when to come back, and tells of it."""

import logging

import anyio
import httpx
import pytest
from clients import client, new_case

from fusedesk_async import (
    CallAnswered,
    FuseDesk,
    NotSentError,
    QuotaWait,
    QuotaWaitOver,
    RateLimiter,
    RateLimitError,
    RetryPolicy,
)
from fusedesk_async.sandbox import FixedHour, Sandbox

pytestmark = pytest.mark.anyio


async def repeat(call, argument):
    while True:
        await call(argument)


async def walked(desk):
    async with desk.cases.walk() as walk:
        assert len([case.id async for case in walk]) == 200


async def test_a_429_is_waited_for_and_uses_no_attempt(sandbox, desk, clock):
    sandbox.fault("search", nth=2, times=4, status=429, retry_after="10")
    cases = await desk.with_options(priority="bulk").cases.search().collect()
    assert len(cases) == 700
    assert 40 <= clock.waited <= 44


async def test_of_fifty_tasks_none_is_sent_before_the_cooldown_ends_then_one_then_the_rest(clock):
    sandbox = Sandbox(clock=clock, latency=2.0)
    sandbox.fault("get", status=429, retry_after="30")
    async with client(sandbox, clock, concurrency=10) as desk:
        await desk.check()  # the first call goes alone
        async with anyio.create_task_group() as group:
            for number in range(1, 51):
                group.start_soon(desk.cases.get, number)
    times = [request.at for request in sandbox.received][1:]
    assert len(times) == 51
    assert times[:10] == [2.0] * 10
    probe, rest = times[10], times[11:]
    assert 34 <= probe <= 37
    assert rest[0] == probe + 2
    assert rest.count(rest[0]) < 10  # it was a burst that was rejected, so fewer are in flight
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


async def test_a_hint_beyond_the_patience_is_raised_at_once_with_what_the_server_said(desk, sandbox, clock):
    sandbox.fault("get", status=429, retry_after="1000")
    with pytest.raises(RateLimitError, match="API call limit exceeded") as caught:
        await desk.cases.get(1)
    assert (caught.value.status, caught.value.code, caught.value.request.attempts) == (429, "api_error_ratelimit", 1)
    assert 1_000 <= caught.value.retry_after <= 1_101
    assert clock.waited == 0


async def test_a_hint_of_several_hours_is_passed_on(sandbox, desk, clock):
    sandbox.fault("get", status=429, retry_after="20000")
    with pytest.raises(RateLimitError) as caught:
        await desk.cases.get(1)
    assert 20_000 <= caught.value.retry_after <= 20_001
    assert caught.value.retry_at.timestamp() == pytest.approx(clock.time() + caught.value.retry_after)


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


async def test_two_clients_with_the_real_clock_may_share_a_busy_limiter():
    sandbox, limiter = Sandbox(latency=0.05), RateLimiter()
    settings = {"api_key": sandbox.api_key, "transport": httpx.ASGITransport(sandbox.app), "limiter": limiter}
    async with FuseDesk("acme", **settings) as one, anyio.create_task_group() as group:
        group.start_soon(one.cases.get, 1)
        await anyio.sleep(0.01)
        async with FuseDesk("acme", **settings) as other:
            assert (await other.cases.get(2)).id == 2


async def test_calls_and_refusals_are_logged_once(sandbox, desk, caplog):
    sandbox.fault("get", status=429, retry_after="30")
    with caplog.at_level(logging.DEBUG, "fusedesk_async"):
        async with anyio.create_task_group() as group:
            for number in range(1, 11):
                group.start_soon(desk.cases.get, number)
    messages = [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]
    assert len(messages) == 1
    assert "429" in messages[0]


async def test_interactive_calls_go_before_bulk_work(clock):
    sandbox = Sandbox(clock=clock, latency=1.0)
    async with client(sandbox, clock, concurrency=1) as desk, anyio.create_task_group() as group:
        bulk = desk.with_options(priority="bulk")
        for number in range(1, 6):
            group.start_soon(bulk.cases.get, number)
        group.start_soon(desk.cases.get, 100)
    assert "v1/cases/100" in [request.path.removeprefix("/api/") for request in sandbox.received][:2]


async def test_clients_that_share_a_limiter_observe_each_others_waits_but_not_each_others_calls(sandbox, clock):
    limiter, events = RateLimiter(), []
    sandbox.fault("get", status=429, retry_after="30")
    async with client(sandbox, clock, limiter=limiter) as one, client(sandbox, clock, limiter=limiter) as other:
        with other.observe(events.append):
            await one.cases.get(1)
    assert [type(event) for event in events] == [QuotaWait, QuotaWaitOver]


async def test_the_wait_of_fifty_bulk_tasks_is_one_line_in_the_log_and_one_event_each_time_its_end_moves(clock, caplog):
    sandbox, events = Sandbox(clock=clock, limit=FixedHour(100, used=70), latency=0.2), []
    caplog.set_level(logging.INFO, "fusedesk_async")
    async with client(sandbox, clock) as desk:
        bulk = desk.with_options(priority="bulk")
        await bulk.check()
        with desk.observe(events.append):
            async with anyio.create_task_group() as group:
                for number in range(1, 51):
                    group.start_soon(bulk.cases.get, number)
    assert [record.levelname for record in caplog.records] == ["INFO"]
    waits = [event for event in events if isinstance(event, QuotaWait)]
    assert {event.reason for event in waits} == {"reserve"}
    assert len({event.until for event in waits}) == len(waits)
    assert sum(isinstance(event, QuotaWaitOver) for event in events) == 1
    assert [event.status for event in events if isinstance(event, CallAnswered)] == [200] * 50


async def test_in_raise_mode_bulk_work_stops_at_the_reserve_and_interactive_calls_do_not(clock):
    sandbox = Sandbox(clock=clock, limit=FixedHour(100, used=70), latency=0.2)
    async with client(sandbox, clock) as desk:
        worker = desk.with_options(priority="bulk", on_rate_limit="raise")
        with pytest.raises(RateLimitError, match="reserved for interactive work") as caught:
            await repeat(worker.cases.get, 1)
        assert caught.value.retry_at.timestamp() > clock.time()
        assert 14 <= len(sandbox.received) <= 20
        await desk.cases.get(1)
    assert all(request.status == 200 for request in sandbox.received)


async def test_walks_are_bulk_work_unless_an_option_says_otherwise(clock):
    sandbox = Sandbox(clock=clock, limit=FixedHour(100, used=70), latency=0.2)
    async with client(sandbox, clock, on_rate_limit="raise") as desk:
        with pytest.raises(RateLimitError, match="reserved for interactive work"):
            await repeat(walked, desk)
        await walked(desk.with_options(priority="interactive"))
        with pytest.raises(RateLimitError, match="reserved for interactive work"):
            await walked(desk.with_options(priority="bulk"))


async def test_calls_that_were_not_sent_do_not_count_against_the_hour(clock):
    def offline(request):
        raise httpx.ConnectError("no route", request=request)

    transport = httpx.MockTransport(offline)
    settings = {"limiter": RateLimiter(assumed_limit=3), "clock": clock, "on_rate_limit": "raise"}
    async with FuseDesk("acme", api_key="key", transport=transport, **settings) as desk:
        for _ in range(5):
            with pytest.raises(NotSentError):
                await desk.cases.get(1)


async def test_a_call_that_is_stopped_right_before_it_is_sent_uses_no_slot_and_none_of_the_hour(sandbox, clock):
    async def stop():
        raise OSError("the disk is full")

    settings = {"limiter": RateLimiter(assumed_limit=3), "concurrency": 1, "on_rate_limit": "raise"}
    async with client(sandbox, clock, **settings) as desk:
        for _ in range(5):
            with pytest.raises(OSError, match="the disk is full"):
                await desk.cases.create(new_case(sandbox), before_sending=stop)
        assert not sandbox.received
        await desk.cases.create(new_case(sandbox))
