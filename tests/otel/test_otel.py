"""Spans and metrics, as OpenTelemetry's own SDK gets them."""

import anyio
import httpx
import pytest
from clients import client, new_case
from opentelemetry.trace import SpanKind, StatusCode
from telemetry import Telemetry
from tenacity import wait_fixed

from fusedesk_async import (
    FuseDesk,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    QuotaStoreBack,
    QuotaStoreLost,
    RateLimiter,
    RetryPolicy,
)
from fusedesk_async.fleet import StoreUnreachable
from fusedesk_async.otel import instrumented
from fusedesk_async.sandbox import FixedHour, Sandbox

pytestmark = pytest.mark.anyio

SERVER = {"server.address": "acme.fusedesk.com", "server.port": 443}
GET = SERVER | {"http.request.method": "GET", "url.template": "/api/v1/cases/{id}"}


@pytest.fixture
def telemetry():
    return Telemetry()


@pytest.fixture
def sandbox(clock):
    return Sandbox(50, clock=clock, latency=2.0)


@pytest.fixture
async def desk(sandbox, clock, telemetry):
    async with client(sandbox, clock, timeout=10.0, retry=RetryPolicy(wait=wait_fixed(5))) as desk:
        with instrumented(desk, **telemetry.providers):
            yield desk


def events(span):
    return [(event.name, dict(event.attributes)) for event in span.events]


def numbers(points):
    """Of each data point what it counts, and of histograms how much they have seen; without the server."""
    return {
        tuple(value for name, value in sorted(point.attributes.items()) if name not in SERVER): getattr(
            point, "value", None
        )
        or (point.count, point.sum)
        for point in points
    }


async def test_a_call_is_a_span(desk, telemetry):
    await desk.cases.get(7)
    (span,) = telemetry.spans
    assert (span.name, span.kind, span.status.status_code) == (
        "GET /api/v1/cases/{id}",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    assert span.attributes == GET | {"http.response.status_code": 200, "fusedesk.attempts": 1, "fusedesk.waited": 0.0}
    attempt = {"fusedesk.attempts": 1, "fusedesk.seconds": 2.0, "http.response.status_code": 200}
    assert events(span) == [("fusedesk.attempt", attempt)]
    assert span.instrumentation_scope.name == "fusedesk_async"


async def test_views_of_a_client_are_instrumented_with_it(desk, telemetry):
    await desk.with_options(priority="bulk").cases.get(7)
    assert len(telemetry.spans) == 1


async def test_what_happens_on_the_way_is_in_the_span(sandbox, desk, telemetry):
    sandbox.fault("get", drop=True)
    sandbox.fault("get", nth=2, status=503)
    sandbox.fault("get", nth=3, status=429, retry_after="30")
    await desk.cases.get(7)
    (span,) = telemetry.spans
    names = [name for name, _ in events(span)]
    attempt, retry, wait = "fusedesk.attempt", "fusedesk.retry", "fusedesk.wait"
    assert names == [attempt, retry, attempt, retry, attempt, wait, attempt]
    found = [attributes for _, attributes in events(span)]
    assert found[0] == {"fusedesk.attempts": 1, "fusedesk.seconds": 2.0, "error.type": "AnswerLostError"}
    assert found[1] == {"fusedesk.pause": 5.0, "error.type": "AnswerLostError"}
    assert [found[place].get("http.response.status_code") for place in (2, 4, 6)] == [503, 429, 200]
    assert found[3]["error.type"] == "ServerError"
    assert 30 <= found[5]["fusedesk.seconds"] == span.attributes["fusedesk.waited"] <= 33
    assert (span.attributes["fusedesk.attempts"], span.attributes["http.request.resend_count"]) == (4, 3)
    assert (span.attributes["http.response.status_code"], span.status.status_code) == (200, StatusCode.UNSET)


async def test_a_failure_is_in_the_span_but_not_its_text(desk, telemetry):
    with pytest.raises(NotFoundError):
        await desk.cases.get(999_999)
    (span,) = telemetry.spans
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert (span.attributes["error.type"], span.attributes["http.response.status_code"]) == ("NotFoundError", 404)
    assert "999999" not in telemetry.everything


async def test_a_missing_scope_is_named(clock, telemetry):
    sandbox = Sandbox(5, keys={"nothing": set()}, clock=clock)
    async with client(sandbox, clock) as desk:
        with instrumented(desk, **telemetry.providers):
            for call in (desk.cases.get(1), desk.call("GET", "v2/contacts/7")):
                with pytest.raises(PermissionDeniedError):
                    await call
    assert [span.attributes.get("fusedesk.scope") for span in telemetry.spans] == ["cases", None]


async def test_the_parent_is_the_callers_span(desk, telemetry):
    tracer = telemetry.tracers.get_tracer("test")

    async def ask(number):
        with tracer.start_as_current_span(f"caller {number}"):
            await desk.cases.get(number)
            await desk.cases.get(number)

    async with anyio.create_task_group() as group:
        for number in range(1, 6):
            group.start_soon(ask, number)
    callers = {span.context.span_id: span for span in telemetry.spans if span.name.startswith("caller")}
    calls = [span for span in telemetry.spans if span.kind is SpanKind.CLIENT]
    assert len(callers) == 5
    assert sorted(list(callers).index(span.parent.span_id) for span in calls) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert all(span.context.trace_id == callers[span.parent.span_id].context.trace_id for span in calls)


async def test_calls_are_counted_and_measured(sandbox, desk, telemetry):
    sandbox.fault("get", nth=2, status=503)
    sandbox.fault("create", drop=True, after=True)
    for number in (1, 2):
        await desk.cases.get(number)
    with pytest.raises(NotFoundError):
        await desk.cases.get(999_999)
    with pytest.raises(OutcomeUnknownError):
        await desk.cases.create(new_case(sandbox))
    case, cases = "/api/v1/cases/{id}", "/api/v1/cases"
    assert numbers(telemetry.points("fusedesk.client.calls")) == {
        ("GET", 200, case): 2,
        ("NotFoundError", "GET", 404, case): 1,
        ("OutcomeUnknownError", "POST", cases): 1,
    }
    assert numbers(telemetry.points("http.client.request.duration")) == {
        ("GET", 200, case): (2, 4.0),
        ("503", "GET", 503, case): (1, 2.0),
        ("404", "GET", 404, case): (1, 2.0),
        ("AnswerLostError", "POST", cases): (1, 2.0),
    }
    assert numbers(telemetry.points("fusedesk.client.call.duration"))["GET", 200, case] == (2, 2 + 2 + 5 + 2)
    assert numbers(telemetry.points("fusedesk.client.call.wait"))["GET", case] == (3, 0.0)
    assert numbers(telemetry.points("fusedesk.client.retries")) == {("ServerError", "GET", case): 1}
    assert telemetry.points("fusedesk.client.refusals") == []
    assert all(point.attributes.items() >= SERVER.items() for point in telemetry.points("fusedesk.client.calls"))


async def test_refusals_and_waits_are_counted_and_measured(sandbox, desk, telemetry):
    sandbox.fault("get", status=429, retry_after="30")
    async with anyio.create_task_group() as group:
        for number in range(1, 4):
            group.start_soon(desk.cases.get, number)
    assert numbers(telemetry.points("fusedesk.client.refusals")) == {("GET", "/api/v1/cases/{id}"): 1}
    assert numbers(telemetry.points("fusedesk.client.quota.waits")) == {("refused",): 1}
    ((reason,), (times, seconds)), *others = numbers(telemetry.points("fusedesk.client.quota.wait")).items()
    assert (reason, times, others) == ("refused", 1, [])
    assert 30 <= seconds <= 36
    times, seconds = numbers(telemetry.points("fusedesk.client.call.wait"))["GET", "/api/v1/cases/{id}"]
    assert times == 3
    assert 30 <= seconds <= 36  # the other two were on their way by then


async def test_a_wait_whose_end_moves_is_one_wait(sandbox, desk, telemetry):
    sandbox.fault("get", times=2, status=429, retry_after="30")
    await desk.cases.get(1)
    assert numbers(telemetry.points("fusedesk.client.refusals")) == {("GET", "/api/v1/cases/{id}"): 2}
    assert numbers(telemetry.points("fusedesk.client.quota.waits")) == {("refused",): 1}
    ((times, seconds),) = numbers(telemetry.points("fusedesk.client.quota.wait")).values()
    assert times == 1
    assert seconds >= 60


async def test_the_end_of_a_wait_that_began_unobserved_has_no_reason(sandbox, desk, telemetry, clock):
    other = Telemetry()
    sandbox.fault("get", status=429, retry_after="30")
    async with anyio.create_task_group() as group:
        group.start_soon(desk.cases.get, 1)
        await clock.sleep(10.0)
        with instrumented(desk, **other.providers):
            await clock.sleep(40.0)
    assert list(numbers(other.points("fusedesk.client.quota.wait"))) == [()]
    assert other.points("fusedesk.client.quota.waits") == []
    assert len(telemetry.spans) == 1
    assert other.spans == ()


async def test_a_call_that_is_still_on_its_way_when_the_block_ends_is_marked(desk, telemetry, clock):
    other = Telemetry()
    async with anyio.create_task_group() as group:
        with instrumented(desk, **other.providers):
            group.start_soon(desk.cases.get, 1)
            await clock.sleep(1.0)
    (unfinished,), (whole,) = other.spans, telemetry.spans
    assert unfinished.attributes == GET | {"fusedesk.unfinished": True}
    assert whole.attributes["fusedesk.attempts"] == 1
    assert other.points("fusedesk.client.calls") == []


async def test_a_caller_that_leaves_is_no_error(telemetry):
    sandbox = Sandbox(5, latency=0.05)
    transport = httpx.ASGITransport(sandbox.app)
    async with FuseDesk("acme", api_key=sandbox.api_key, transport=transport) as desk:
        with instrumented(desk, **telemetry.providers):
            with anyio.move_on_after(0.02):
                await desk.cases.get(1)
            await anyio.sleep(0.1)  # on asyncio the answer comes all the same, after the end of the span
    (span,) = telemetry.spans
    assert (span.attributes["fusedesk.cancelled"], span.status.status_code) == (True, StatusCode.UNSET)
    assert numbers(telemetry.points("fusedesk.client.calls")) == {("cancelled", "GET", "/api/v1/cases/{id}"): 1}


async def test_gauges_show_what_is_left(clock, telemetry):
    sandbox = Sandbox(5, clock=clock, limit=FixedHour(100))
    async with client(sandbox, clock) as desk:
        with instrumented(desk, **telemetry.providers):
            assert telemetry.points("fusedesk.client.quota.left") == []
            await desk.cases.get(1)
            assert [(point.value, point.attributes) for point in telemetry.points("fusedesk.client.quota.left")] == [
                (99, SERVER)
            ]
            assert [point.value for point in telemetry.points("fusedesk.client.quota.limit")] == [100]
        assert telemetry.points("fusedesk.client.quota.left") == []


async def test_clients_of_one_provider_are_all_in_its_gauge_one_after_the_other_or_at_once(clock, telemetry, caplog):
    async def use(base_url, limit):
        sandbox = Sandbox(5, clock=clock, limit=FixedHour(limit))
        async with client(sandbox, clock, base_url=base_url) as desk:
            with instrumented(desk, **telemetry.providers):
                await desk.cases.get(1)
                yield
                yield

    for _ in range(2):
        one, other = use("https://one.example:8443", 100), use("http://127.0.0.1", 200)
        await anext(one)
        await anext(other)
        found = {
            point.attributes["server.port"]: point.value for point in telemetry.points("fusedesk.client.quota.limit")
        }
        assert found == {8443: 100, 80: 200}
        await one.aclose()
        await other.aclose()
        assert telemetry.points("fusedesk.client.quota.limit") == []
    assert caplog.text == ""


async def test_without_providers_it_is_the_global_ones_that_are_used(clock, monkeypatch):
    telemetry = Telemetry()
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", telemetry.tracers)
    monkeypatch.setattr("opentelemetry.metrics._internal._METER_PROVIDER", telemetry.meters)
    monkeypatch.setattr("fusedesk_async.otel._meters._GLOBAL_INSTRUMENTS", [])
    sandbox = Sandbox(5, clock=clock, limit=FixedHour(100))
    async with client(sandbox, clock) as desk:
        for providers in ({}, telemetry.providers, {}):
            with instrumented(desk, **providers):
                await desk.cases.get(1)
                assert [point.value for point in telemetry.points("fusedesk.client.quota.limit")] == [100]
    assert len(telemetry.spans) == 3
    assert [point.value for point in telemetry.points("fusedesk.client.calls")] == [3]


async def test_it_costs_nothing_to_have_no_provider_at_all(desk):
    with instrumented(desk):
        assert (await desk.cases.get(1)).id == 1


async def test_a_store_that_is_lost_and_comes_back_is_no_measurement(sandbox, clock, telemetry):
    limiter = RateLimiter()
    async with client(sandbox, clock, limiter=limiter) as desk:
        with instrumented(desk, **telemetry.providers):
            limiter.observers.notify(QuotaStoreLost(error=StoreUnreachable("away")))
            limiter.observers.notify(QuotaStoreBack(seconds=3.0))
    assert not telemetry.spans
    assert not telemetry.points("fusedesk.client.calls")
