"""What an observer gets to know of a call, from its beginning to its end."""

from contextvars import ContextVar

import anyio
import httpx
import pytest
from clients import client, new_case
from tenacity import stop_after_attempt, wait_fixed

from fusedesk_async import (
    AnswerLostError,
    CallAnswered,
    CallEnded,
    CallLost,
    CallRetried,
    CallStarted,
    ConfigurationError,
    FuseDesk,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    QuotaWait,
    QuotaWaitOver,
    Request,
    RetryPolicy,
    ServerError,
)
from fusedesk_async.sandbox import FixedHour, Sandbox

pytestmark = pytest.mark.anyio

CALLER = ContextVar("CALLER", default="nobody")
ONCE = RetryPolicy(stop=stop_after_attempt(1))


@pytest.fixture
def sandbox(clock):
    return Sandbox(700, clock=clock, latency=2.0)


@pytest.fixture
def events(desk):
    observed = []
    with desk.observe(observed.append):
        yield observed


def kinds(found):
    return [type(event) for event in found]


async def test_a_call_is_observed_from_its_beginning_to_its_end(desk, events):
    await desk.cases.get(1)
    never, once = (Request("GET", "v1/cases/1", times) for times in (0, 1))
    assert events == [
        CallStarted(call=1, request=never),
        CallAnswered(call=1, request=once, status=200, seconds=2.0),
        CallEnded(call=1, request=once, seconds=2.0, waited=0.0),
    ]


async def test_responses_retries_and_waits_are_observed(sandbox, desk, events):
    sandbox.fault("get", status=503)
    sandbox.fault("get", nth=2, status=429, retry_after="30")
    await desk.with_options(retry=RetryPolicy(wait=wait_fixed(5))).cases.get(7)
    _, first, retry, second, wait, third, over, end = sorted(events, key=lambda event: isinstance(event, CallEnded))
    assert [event.status for event in (first, second, third)] == [503, 429, 200]
    assert [event.request for event in (first, second, third)] == [Request("GET", "v1/cases/7", n) for n in (1, 2, 3)]
    assert isinstance(retry, CallRetried)
    assert (type(retry.error), retry.pause, retry.request.attempts) == (ServerError, 5.0, 1)
    assert isinstance(wait, QuotaWait)
    assert (wait.reason, wait.waiting) == ("refused", 1)
    assert isinstance(over, QuotaWaitOver)
    assert 30 <= over.seconds <= 36  # until the first call has gone freely
    assert (first.waited, second.waited) == (0.0, 0.0)
    assert 30 <= third.waited == end.waited <= 33
    assert end.seconds == pytest.approx(3 * 2 + 5 + third.waited)
    assert {event.call for event in events if not isinstance(event, QuotaWait | QuotaWaitOver)} == {1}


async def test_an_observer_that_raises_is_logged_and_harms_nobody(sandbox, desk, caplog):
    def fails(event):
        raise KeyError("oops")

    with desk.observe(fails):
        assert (await desk.cases.get(7)).id == 7
    assert "an observer failed at CallStarted(call=1, request=Request(method='GET', path='v1/cases/7'" in caplog.text
    assert "an observer failed at CallAnswered(" in caplog.text
    assert "an observer failed at CallEnded(" in caplog.text
    assert sandbox.api_key not in caplog.text


async def test_a_failure_that_is_final_is_no_retry(desk, events):
    with pytest.raises(NotFoundError) as caught:
        await desk.cases.get(999_999)
    assert kinds(events) == [CallStarted, CallAnswered, CallEnded]
    assert events[-1].error is caught.value


async def test_a_response_that_does_not_come_is_observed_as_lost(sandbox, desk, events):
    sandbox.fault("get", drop=True)
    await desk.with_options(retry=RetryPolicy(wait=wait_fixed(5))).cases.get(7)
    assert kinds(events) == [CallStarted, CallLost, CallRetried, CallAnswered, CallEnded]
    lost = events[1]
    assert (type(lost.error), lost.call, lost.request, lost.waited) == (AnswerLostError, 1, events[2].request, 0.0)
    assert lost.seconds == 2.0


async def test_the_end_of_a_write_whose_outcome_is_unknown_has_the_error_that_its_caller_gets(sandbox, desk, events):
    sandbox.fault("create", drop=True, after=True)
    with pytest.raises(OutcomeUnknownError) as caught:
        await desk.cases.create(new_case(sandbox))
    assert kinds(events) == [CallStarted, CallLost, CallEnded]
    assert events[-1].error is caught.value


async def test_what_was_not_sent_is_observed_as_lost(clock):
    def offline(request):
        raise httpx.ConnectError("no route", request=request)

    events, settings = [], {"transport": httpx.MockTransport(offline), "clock": clock, "retry": ONCE}
    async with FuseDesk("acme", api_key="4f2a9c", **settings) as desk:
        with desk.observe(events.append), pytest.raises(NotSentError):
            await desk.cases.get(1)
    assert kinds(events) == [CallStarted, CallLost, CallEnded]
    assert events[1].error is events[2].error


async def test_a_call_that_is_refused_before_anything_is_sent_is_not_observed(desk, events):
    with pytest.raises(ConfigurationError):
        await desk.call("GET", "../users")
    assert events == []


async def test_a_caller_that_is_cancelled_ends_its_call(sandbox, clock):
    events, real = [], {"api_key": sandbox.api_key, "transport": httpx.ASGITransport(Sandbox(5, latency=0.05).app)}
    async with FuseDesk("acme", **real) as desk:
        with desk.observe(events.append):
            with anyio.move_on_after(0.02):
                await desk.cases.get(1)
            await anyio.sleep(0.1)
    end = next(event for event in events if isinstance(event, CallEnded))
    assert (end.cancelled, end.error) == (True, None)
    assert kinds(event for event in events if event.call == 1)[0] is CallStarted


async def test_calls_at_the_same_time_are_distinguished(desk, events):
    async with anyio.create_task_group() as group:
        for number in range(1, 9):
            group.start_soon(desk.cases.get, number)
    numbers = {event.call: event.request.path for event in events if isinstance(event, CallStarted)}
    assert len(numbers) == len(set(numbers.values())) == 8
    for event in events:
        assert event.request.path == numbers[event.call]


async def test_beginning_and_end_are_observed_in_the_callers_context(clock):
    sandbox, events = Sandbox(5, clock=clock, latency=1.0), []

    def listen(event):
        if isinstance(event, CallStarted | CallEnded):
            events.append((event.request.path, CALLER.get()))

    async def ask(number):
        CALLER.set(f"v1/cases/{number}")
        await desk.cases.get(number)

    async with client(sandbox, clock) as desk:
        with desk.observe(listen):
            async with anyio.create_task_group() as group:
                for number in range(1, 6):
                    group.start_soon(ask, number)
    assert len(events) == 10
    assert all(path == caller for path, caller in events)


async def test_waiting_for_a_slot_counts_as_waiting(clock):
    events, sandbox = [], Sandbox(5, clock=clock, latency=2.0)
    async with client(sandbox, clock, concurrency=1) as desk:
        with desk.observe(events.append):
            async with anyio.create_task_group() as group:
                group.start_soon(desk.cases.get, 1)
                group.start_soon(desk.cases.get, 2)
    assert sorted(event.waited for event in events if isinstance(event, CallEnded)) == [0.0, 2.0]


async def test_the_end_of_a_call_that_began_unobserved_is_not_observed(clock):
    events, sandbox = [], Sandbox(5, clock=clock, latency=2.0, limit=FixedHour(100))
    async with client(sandbox, clock) as desk, anyio.create_task_group() as group:
        group.start_soon(desk.cases.get, 1)
        await clock.sleep(1.0)
        with desk.observe(events.append):
            await clock.sleep(2.0)
    assert kinds(events) == [CallAnswered]
