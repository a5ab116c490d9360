"""A diagnosis beside other work: it leaves what little is left of the hour, and takes a 429 as it comes."""

from itertools import cycle

import httpx
import pytest
from clients import client

from fusedesk_async import FuseDesk
from fusedesk_async.diagnosis import diagnose
from fusedesk_async.sandbox import FixedHour, Sandbox

pytestmark = pytest.mark.anyio


def evidence(diagnosis):
    return {each.name: each.evidence for each in diagnosis.findings}


async def test_with_thirty_calls_left_it_stops_in_time(clock):
    sandbox = Sandbox(1_200, limit=FixedHour(1_800, used=1_770), clock=clock)
    async with client(sandbox, clock) as desk:
        began = clock.monotonic()
        diagnosis = await diagnose(desk)
        assert clock.monotonic() - began < 60
    assert diagnosis.calls == len(sandbox.received) == 12
    assert 429 not in {each.status for each in sandbox.received}
    assert "webhooks" in diagnosis.not_asked
    assert evidence(diagnosis)["webhooks"] == "not asked: the calls that are left this hour are kept for others"
    assert evidence(diagnosis)["usage_limit"] == "1 different numbers on 12 responses"


async def test_a_case_is_not_opened_where_few_calls_are_left_to_close_it(clock):
    sandbox = Sandbox(1_200, limit=FixedHour(40), clock=clock)
    async with client(sandbox, clock) as desk:
        diagnosis = await diagnose(desk, write_in=next(iter(sandbox.state.departments)))
    assert {each.method for each in sandbox.received} == {"GET"}
    assert evidence(diagnosis)["create_answer"].startswith("not asked")


async def test_an_hour_of_thirty_calls_is_enough(clock):
    sandbox = Sandbox(1_200, limit=FixedHour(30), clock=clock)
    async with client(sandbox, clock) as desk:
        diagnosis = await diagnose(desk)
    assert all(each.status != 429 for each in sandbox.received)
    assert diagnosis.calls == len(sandbox.received) <= 25


@pytest.mark.parametrize(
    ("steps", "verdict", "left", "cost"),
    [
        ((-1, 2), "cannot tell", None, None),
        ((-1, -1, 2, 2), "cannot tell", None, None),
        ((-1, -1, 5), "known", "left", 1),
        ((-2, -2, -2, 1), "known", "left", 2),
        ((3, 3, 3, -9), "differs", "used", 3),
    ],
)
async def test_a_count_that_goes_up_and_down_shows_no_direction(steps, verdict, left, cost, clock):
    step, count = cycle(steps), [1_000]

    def respond(_):
        count[0] += next(step)
        return httpx.Response(200, json=[], headers={"X-FuseDesk-Usage-Count": str(count[0])})

    async with FuseDesk("acme", api_key="key", transport=httpx.MockTransport(respond), clock=clock) as desk:
        diagnosis = await diagnose(desk)
    found = {each.name: each for each in diagnosis.findings}
    assert (found["usage_counts"].verdict, found["usage_counts"].value) == (verdict, left)
    assert found["call_cost"].value == cost
    assert diagnosis.profile.usage_counts == left


async def test_a_wait_in_words_is_told_as_neither_seconds_nor_date(sandbox, clock):
    sandbox.fault("reps", status=429, retry_after="soon")
    async with client(sandbox, clock) as desk:
        diagnosis = await diagnose(desk)
    found = {each.name: each for each in diagnosis.findings}
    assert (found["retry_after"].verdict, found["retry_after"].value) == ("differs", None)


@pytest.mark.parametrize(
    ("header", "value"), [(None, "none"), ("2", "seconds"), ("Wed, 01 Jul 2026 12:00:09 GMT", "date")]
)
async def test_a_429_tells_how_the_wait_is_told_and_the_call_is_made_again(header, value, sandbox, clock):
    sandbox.fault("reps", status=429, retry_after=header)
    async with client(sandbox, clock) as desk:
        diagnosis = await diagnose(desk)
    found = {each.name: each for each in diagnosis.findings}
    assert (found["retry_after"].verdict, found["retry_after"].value) == ("known", value)
    assert [each.status for each in sandbox.received if each.operation == "reps"] in ([429, 200], [429])
    assert diagnosis.calls == len(sandbox.received) <= 25


async def test_refusals_without_end_stop_it(sandbox, clock):
    sandbox.fault("any", nth=4, times=1_000, status=429)
    async with client(sandbox, clock) as desk:
        diagnosis = await diagnose(desk)
    assert len(sandbox.received) < 12
    assert len(diagnosis.not_asked) > 20


async def test_calls_that_are_made_again_take_from_those_that_were_planned(sandbox, clock):
    for operation in ("departments", "reps", "casetags", "contacts", "emails"):
        sandbox.fault(operation, status=429, retry_after="0")
    async with client(sandbox, clock) as desk:
        diagnosis = await diagnose(desk)
    assert diagnosis.calls == len(sandbox.received) <= 25
