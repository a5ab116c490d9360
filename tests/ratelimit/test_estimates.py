"""How long bulk calls will take: a range in which the real time lies, whatever kind of hour the server keeps."""

import math
from itertools import pairwise

import anyio
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from limiter_calls import BULK, REQUEST, CountingServer, answer, rejected, respond
from virtual_loops import LoopClock, backend

from fusedesk_async import Estimate, RateLimiter
from fusedesk_async._ratelimit.estimates import ResponseTimes, cooldown_wait
from fusedesk_async._ratelimit.queues import Slots
from fusedesk_async.sandbox import FixedHour, SlidingHour, TokenBucket, VirtualClock

HOUR = 3_600.0
KINDS = st.sampled_from(["fixed", "sliding", "bucket"])


def make_hour(kind, limit, used, phase):
    if kind == "fixed":
        return FixedHour(limit, phase=phase, used=used)
    return SlidingHour(limit, used=used) if kind == "sliding" else TokenBucket(limit, used=used)


def run_bulk(name, kind, limit, *, used=0, phase=0.0, before=2, pause=0.0, calls=5, slots=4):
    """What is told after a few calls of how long others will take, and how long they really take."""

    async def main():
        clock, limiter = LoopClock(), RateLimiter()
        limiter.attach(clock)
        server, places = CountingServer(limiter, clock, make_hour(kind, limit, used, phase)), Slots(slots)

        async def work(number):
            left = list(range(number))
            async with anyio.create_task_group() as group:
                for _ in range(slots):
                    group.start_soon(server.work, places, left, BULK)

        await work(before)
        await clock.sleep(pause)
        told, began = limiter.estimate(calls, concurrency=slots), clock.waited
        await work(calls)
        return told, clock.waited - began

    name, options = backend(name)
    return anyio.run(main, backend=name, backend_options=options)


@pytest.mark.parametrize("name", ["asyncio", "trio"])
@settings(max_examples=40)
@given(
    KINDS,
    st.integers(1, 120),
    st.floats(0, 1),
    st.floats(0, HOUR),
    st.integers(1, 60),
    st.floats(0, HOUR),
    st.integers(1, 250),
    st.integers(1, 40),
)
@example("fixed", 60, 1.0, HOUR - 1, 1, 0.0, 121, 40)
@example("sliding", 10, 0.5, 0.0, 10, 1_000.0, 31, 4)
def test_the_time_that_bulk_calls_take_lies_in_the_range_that_was_told(
    name, kind, limit, part_used, phase, before, pause, calls, slots
):
    used = int(part_used * limit)
    told, took = run_bulk(
        name, kind, limit, used=used, phase=phase, before=before, pause=pause, calls=calls, slots=slots
    )
    assert told.at_least <= took <= told.at_most


@given(st.integers(1, 3_000), st.data())
def test_more_calls_never_take_less(limit, data):
    limiter = RateLimiter()

    async def hear():
        limiter.attach(VirtualClock())
        await respond(limiter, answer(limit=limit, left=data.draw(st.integers(0, limit))))
        return [limiter.estimate(calls, concurrency=4) for calls in (0, *sorted(data.draw(COUNTS)))]

    told = anyio.run(hear)
    assert told[0] == Estimate(0.0, 0.0)
    assert all(a.at_least <= b.at_least and a.at_most <= b.at_most for a, b in pairwise(told))
    assert all(each.at_least <= each.at_most for each in told)


COUNTS = st.lists(st.integers(1, 10_000), min_size=1, max_size=5)


@pytest.mark.parametrize("seen", [1, 4, 64, 200])
def test_the_more_responses_were_seen_the_narrower_is_the_range(seen):
    times = ResponseTimes()
    for number in range(seen):
        times.on_granted(number, 10.0 * number)
        times.on_ended(number, 10.0 * number + 0.5, accepted=True)
    told, spread = times.estimate(400, 4), 1.6 + 4 / math.sqrt(min(seen, 64))
    assert (told.at_least, told.at_most) == (pytest.approx(50 / spread), pytest.approx(50.5 * spread))


def test_calls_that_were_refused_or_lost_say_nothing_of_how_long_a_response_takes():
    times = ResponseTimes()
    times.on_granted(1, 0.0)
    times.on_ended(1, 9.0, accepted=False)
    assert times.estimate(10, 1) == Estimate(0.0, 0.0)


def test_a_pause_after_a_refusal_is_waited_for_and_perhaps_another():
    assert cooldown_wait(0.0, HOUR) == Estimate(0.0, 0.0)
    assert cooldown_wait(30.0, HOUR) == Estimate(30.0, pytest.approx(30.0 + 990.0))


@pytest.mark.anyio
async def test_in_a_cooldown_no_call_is_estimated_to_be_back_before_its_end(limiter):
    await respond(limiter, rejected(retry_after="30"))
    assert limiter.estimate(1, concurrency=1).at_least >= 30
    assert limiter.estimate(0, concurrency=1) == Estimate(0.0, 0.0)


@pytest.mark.anyio
async def test_other_programs_that_use_up_the_hour_leave_no_end(clock):
    limiter = RateLimiter()
    limiter.attach(clock)
    for number in range(12):
        clock.advance(100)
        await respond(limiter, answer(limit=1_800, left=1_799 - 70 * number))
    assert limiter.estimate(5_000, concurrency=4).at_most == math.inf
    assert limiter.estimate(5_000, concurrency=4).at_least >= HOUR
    assert limiter.seconds_for(1) < HOUR


@pytest.mark.anyio
@pytest.mark.parametrize("text", ["6", "6.0", " 6 "])
async def test_a_sandbox_says_how_long_its_hour_lasts_and_all_pauses_scale_with_it(clock, text):
    limiter = RateLimiter()
    limiter.attach(clock)
    await respond(limiter, answer(limit=24, left=2, x_simulated_window=text))
    assert limiter.estimate(30, concurrency=4).at_most < 60
    for _ in range(3):
        await respond(limiter, answer(limit=24, left=1, x_simulated_window=text), BULK)
    assert clock.waited < 20
    await respond(limiter, rejected(limit=24, left=0, x_simulated_window=text))
    await limiter.acquire(Slots(1), BULK, REQUEST)
    assert clock.waited < 30


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("window", "text"), [(3_600.0, "6"), (None, "0"), (None, "-6"), (None, "6 s"), (None, "1e1"), (None, "999999")]
)
async def test_what_the_user_said_counts_more_and_junk_counts_nothing(clock, window, text):
    limiter = RateLimiter(window=window)
    limiter.attach(clock)
    await respond(limiter, answer(limit=24, left=2, x_simulated_window=text))
    assert limiter.estimate(30, concurrency=4).at_most > HOUR
