"""How a limiter uses the hour: bulk calls down to the reserve, interactive ones at once, never more than allowed."""

import logging
from itertools import pairwise

import anyio
import pytest
from anyio.lowlevel import checkpoint
from limiter_calls import (
    BULK,
    GOOD,
    INTERACTIVE,
    NO_WAIT,
    NO_WAIT_BULK,
    REQUEST,
    CountingServer,
    answer,
    rejected,
    respond,
)

from fusedesk_async import QuotaWait, QuotaWaitOver, RateLimiter, RateLimitError
from fusedesk_async._ratelimit.queues import Slots, WaitPolicy
from fusedesk_async.sandbox import FixedHour, SlidingHour, VirtualClock

pytestmark = pytest.mark.anyio

HOUR = 3_600.0


@pytest.fixture
def clock():
    return VirtualClock(quiet=20)


@pytest.fixture
def server(limiter, clock):
    return CountingServer(limiter, clock, FixedHour(100))


async def work(server, calls, *, workers=4, slots=None, policy=BULK):
    slots, left = slots or Slots(workers), list(range(calls))
    async with anyio.create_task_group() as group:
        for _ in range(workers):
            group.start_soon(server.work, slots, left, policy)


async def test_bulk_calls_run_freely_down_to_the_reserve_and_trickle_from_there_on(server):
    await work(server, 95)
    assert sum(moment < 60 for moment in server.moments) in range(84, 91)
    trickle = [moment for moment in server.moments if moment > 60]
    assert all(after - before > 30 for before, after in pairwise(trickle))
    assert server.limit.remaining(3_599.0) >= 1
    assert server.rejections == []


async def test_in_the_next_hour_bulk_calls_run_freely_again(server, clock):
    await work(server, 130)
    assert HOUR < clock.waited < HOUR + 400
    assert server.rejections == []


async def test_interactive_calls_go_at_once_while_bulk_calls_trickle(limiter, clock):
    server, waits = CountingServer(limiter, clock, FixedHour(1_800, used=1_500)), []

    async def people():
        for _ in range(8):
            await clock.sleep(200)
            waits.append(await server.call(Slots(1), INTERACTIVE))

    async with anyio.create_task_group() as group:
        group.start_soon(work, server, 180)
        group.start_soon(people)
    assert clock.waited > 1_000
    assert max(waits) <= server.slowest
    assert server.rejections == []


async def test_without_a_reserve_bulk_calls_use_all_but_a_few(clock):
    limiter = RateLimiter(reserve=0)
    limiter.attach(clock)
    server = CountingServer(limiter, clock, FixedHour(100))
    await work(server, 92)
    assert clock.waited < 60
    assert server.rejections == []


async def test_a_call_that_does_not_wait_for_the_reserve_says_when_to_come_back(limiter, clock):
    await respond(limiter, answer(limit=100, left=100))
    await respond(limiter, answer(limit=100, left=10), BULK)
    clock.advance(20)
    await respond(limiter, answer(limit=100, left=9), BULK)
    with pytest.raises(
        RateLimitError, match="the remaining calls of this hour are reserved for interactive work"
    ) as caught:
        await limiter.acquire(Slots(1), NO_WAIT_BULK, REQUEST)
    assert (caught.value.status, caught.value.request) == (None, REQUEST)
    assert caught.value.retry_after > 1
    assert caught.value.retry_at.timestamp() == pytest.approx(clock.time() + caught.value.retry_after)
    await limiter.acquire(Slots(1), NO_WAIT, REQUEST)


@pytest.mark.parametrize("policy", [NO_WAIT, NO_WAIT_BULK])
async def test_a_call_that_does_not_wait_for_an_hour_that_is_used_up_says_so(limiter, clock, policy):
    await respond(limiter, answer(limit=100, left=0))
    clock.advance(30)
    with pytest.raises(RateLimitError, match="no calls remain this hour") as caught:
        await limiter.acquire(Slots(1), policy, REQUEST)
    assert caught.value.retry_after == pytest.approx(6, abs=0.01)
    assert clock.waited == 30


async def test_a_call_that_does_not_wait_for_a_cooldown_says_so(limiter, clock):
    await respond(limiter, rejected(retry_after="40"))
    with pytest.raises(RateLimitError, match=r"the server refused a call \(429\)") as caught:
        await limiter.acquire(Slots(1), NO_WAIT_BULK, REQUEST)
    assert 40 <= caught.value.retry_after <= 44
    assert clock.waited == 0


async def test_what_depends_on_an_answer_is_asked_for_again_when_that_call_may_be_an_hour_old(clock):
    limiter = RateLimiter(assumed_limit=1)
    limiter.attach(clock)
    await limiter.acquire(Slots(1), INTERACTIVE, REQUEST)
    clock.advance(1)
    with pytest.raises(RateLimitError, match="no calls remain") as caught:
        await limiter.acquire(Slots(1), NO_WAIT, REQUEST)
    assert caught.value.retry_after == pytest.approx(HOUR, abs=0.01)


async def test_an_interactive_call_whose_wait_is_beyond_its_patience_fails_at_once(limiter, clock):
    await respond(limiter, answer(limit=100, left=0))
    clock.advance(200)
    await respond(limiter, answer(limit=100, left=0))
    with pytest.raises(RateLimitError):
        await limiter.acquire(Slots(1), WaitPolicy(max_wait=120), REQUEST)
    assert clock.waited == 200
    await limiter.acquire(Slots(1), WaitPolicy(max_wait=220), REQUEST)
    assert clock.waited == 400


async def test_it_says_when_the_next_of_those_who_wait_may_go(limiter, clock):
    await respond(limiter, answer(limit=100, left=100))
    clock.advance(50)
    await respond(limiter, answer(limit=100, left=10), BULK)
    assert limiter.allowance.blocked_until is None  # nobody waits
    async with anyio.create_task_group() as group:
        group.start_soon(limiter.acquire, Slots(1), BULK, REQUEST)
        for _ in range(5):
            await checkpoint()
        blocked_until = limiter.allowance.blocked_until.timestamp()
        assert clock.time() < blocked_until
    assert clock.time() == pytest.approx(blocked_until)
    assert limiter.allowance.blocked_until is None


async def test_in_a_cooldown_it_says_when_that_ends(limiter, clock):
    await respond(limiter, rejected(retry_after="30"))
    assert 30 <= limiter.allowance.blocked_until.timestamp() - clock.time() <= 33
    probe = await limiter.acquire(Slots(1), INTERACTIVE, REQUEST)
    assert limiter.allowance.blocked_until is None
    limiter.finish(probe, GOOD)
    assert limiter.allowance.blocked_until is None


async def test_a_cooldown_that_is_over_but_for_rounding_blocks_nothing(limiter, clock):
    await respond(limiter, rejected(retry_after="30"))
    clock.advance(limiter._rules.cooldowns.newest.until - 1e-7)
    assert limiter._rules.cooldowns.newest.until > clock.monotonic()
    assert limiter.allowance.blocked_until is None


async def test_the_allowance_is_what_the_newest_response_said(limiter, clock):
    assert limiter.allowance.limit is None
    clock.advance(10)
    await respond(limiter, answer(limit=1800, left=1700))
    clock.advance(10)
    allowance = limiter.allowance
    assert (allowance.limit, allowance.remaining, allowance.blocked_until) == (1800, 1700, None)
    assert allowance.observed_at.timestamp() == clock.time() - 10
    assert allowance.observed_at.utcoffset().total_seconds() == 0


async def test_fifty_that_wait_are_one_line_in_the_log_and_one_event_each_time_the_end_moves(limiter, clock, caplog):
    caplog.set_level(logging.INFO, "fusedesk_async")
    events, server = [], CountingServer(limiter, clock, FixedHour(100, used=70))
    await server.call(Slots(1))
    with limiter.observers.subscribed(events.append):
        await work(server, 50, workers=50, slots=Slots(4))
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert "the remaining calls of this hour are reserved for interactive work" in caplog.text
    waits, over = events[:-1], events[-1]
    assert isinstance(over, QuotaWaitOver)
    assert HOUR - 60 < over.seconds < HOUR + 300
    assert all(isinstance(event, QuotaWait) and event.reason == "reserve" for event in waits)
    ends = [event.until for event in waits]
    assert all((after - before).total_seconds() >= 1 for before, after in pairwise(ends))
    assert [event.waiting for event in waits] == sorted((event.waiting for event in waits), reverse=True)
    assert len(waits) <= 30


async def test_more_interactive_calls_than_the_reserve_beside_bulk_work_are_a_warning_once_an_hour(
    limiter, clock, caplog
):
    server = CountingServer(limiter, clock, SlidingHour(100))
    for _ in range(3):
        await work(server, 12, policy=INTERACTIVE)
    assert caplog.records == []
    for _ in range(2):
        await server.call(Slots(1), BULK)
        await work(server, 12, policy=INTERACTIVE)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "interactive calls in the last hour exceed the reserve" in caplog.text
    clock.advance(HOUR)
    await server.call(Slots(1), BULK)
    await work(server, 12, policy=INTERACTIVE)
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2


async def test_the_name_of_the_header_with_the_calls_remaining_may_be_given(clock):
    limiter = RateLimiter(usage_header="X-Calls-Left")
    limiter.attach(clock)
    await respond(limiter, answer(limit=100, left=70, x_calls_left=50))
    assert (limiter.allowance.limit, limiter.allowance.remaining) == (100, 50)


async def test_a_header_that_counts_calls_used_is_turned_round_and_logged_once(limiter, clock, caplog):
    caplog.set_level(logging.INFO, "fusedesk_async")
    server = CountingServer(limiter, clock, FixedHour(300), counts_used=True)
    await work(server, 200)
    assert clock.waited < 60
    assert limiter.allowance.remaining == 100
    await work(server, 250)
    assert HOUR < clock.waited < HOUR + 400
    assert server.rejections == []
    assert sum("counts calls used" in record.getMessage() for record in caplog.records) == 1


async def test_one_limit_that_is_misread_as_lower_delays_nothing(limiter, clock):
    slots = Slots(1)
    for number in range(200):
        permit = await limiter.acquire(slots, BULK, REQUEST)
        limiter.finish(permit, answer(limit=18 if number == 50 else 1_800))
    assert clock.waited < 1


async def test_a_limit_that_is_cut_in_mid_run_is_kept_from_the_next_answer_on(server, clock):
    async def cut():
        await clock.sleep(3.0)
        server.limit.limit = 60

    async with anyio.create_task_group() as group:
        group.start_soon(work, server, 100)
        group.start_soon(cut)
    assert server.rejections == []
    assert sum(moment < HOUR for moment in server.moments) <= 60


async def test_a_limit_that_is_raised_in_mid_run_is_made_use_of(server, clock):
    async def lift():
        await clock.sleep(60.0)
        server.limit.limit = 200

    async with anyio.create_task_group() as group:
        group.start_soon(work, server, 160)
        group.start_soon(lift)
    assert clock.waited < HOUR
    assert server.rejections == []


@pytest.mark.parametrize("says", [("limit",), ()])
async def test_headers_that_go_missing_are_replaced_by_our_own_count(limiter, server, clock, says):
    await work(server, 50)
    server.says = says
    await work(server, 200)
    assert len(server.rejections) <= 15
    assert [moment for moment in server.rejections if moment > HOUR] == []
    server.says = ("limit", "left")
    await work(server, 100)
    assert [moment for moment in server.rejections if moment > HOUR] == []


@pytest.mark.parametrize("junk", ["", "n/a", "-3", "1e3", "9" * 20, "12, 13", "\u0667", "101"])
async def test_junk_in_the_headers_is_as_if_there_were_none(limiter, clock, junk):
    await respond(limiter, answer(limit=100, left=50))
    clock.advance(5)
    await respond(limiter, answer(limit=junk if junk != "101" else 100, left=junk))
    assert (limiter.allowance.limit, limiter.allowance.remaining) == (100, 50)


async def test_the_slot_kept_free_is_used_after_a_while_though_nothing_else_ends(limiter, clock):
    slots = Slots(2)
    await respond(limiter)  # somebody asks
    await limiter.acquire(slots, BULK, REQUEST)  # and never ends
    await limiter.acquire(slots, BULK, REQUEST)
    assert clock.waited == pytest.approx(HOUR / 12)


async def test_beside_another_program_bulk_calls_leave_to_people_what_they_need(fresh_limiter, clock):
    hour = FixedHour(600)
    server, slots, waits = CountingServer(fresh_limiter, clock, hour), Slots(1), []

    async def another_program():
        while clock.waited < HOUR:
            await clock.sleep(20.0)
            hour.admit(clock.waited)

    async def people(group):
        while clock.waited < HOUR:
            await clock.sleep(120.0)
            waits.append(await server.call(Slots(1), WaitPolicy(max_wait=120.0)))
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for work in (another_program, lambda: people(group), lambda: server.work(slots, list(range(1_000)))):
            group.start_soon(work)
    assert len(waits) == 30
    assert max(waits) <= server.slowest
    assert server.rejections == []
