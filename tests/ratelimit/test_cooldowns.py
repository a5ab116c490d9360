"""Whom a 429 holds back: the endpoint that was refused, until a second one is, too, and none other passes."""

import random

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limiter_calls import BULK, GOOD, INTERACTIVE, answer, rejected

from fusedesk_async import Request
from fusedesk_async._ratelimit.queues import Slots
from fusedesk_async._ratelimit.rules import AdmissionRules
from fusedesk_async._wire.headers import Usage

HOUR = 3_600.0
PLENTY = Usage(1_800, 1_700)
ENDPOINTS = ("GET v1/cases", "GET v1/reps", "POST v1/cases")
CASES, REPS, CREATE = ENDPOINTS


@pytest.fixture
def rules():
    rules = AdmissionRules(reserve=0.1, window=HOUR, assumed_limit=1_800, source=random.Random(1))
    accept(rules, CASES, 0.0)
    return rules


def accept(rules, endpoint, now):
    rules.on_accepted(rules.on_granted(now, bulk=False, endpoint=endpoint), PLENTY, now)


def reject(rules, endpoint, now, hint=None):
    rules.on_rejected(rules.on_granted(now, bulk=False, endpoint=endpoint), PLENTY, now, hint=hint)


def delays(rules, now):
    return [rules.delay(now, bulk=False, endpoint=endpoint).seconds for endpoint in ENDPOINTS]


def test_an_endpoint_that_is_refused_holds_up_no_other(rules):
    reject(rules, CASES, 1.0, hint=30.0)
    accept(rules, REPS, 2.0)
    held, *others = delays(rules, 2.0)
    assert (held >= 29.0, others) == (True, [0.0, 0.0])
    assert not rules.is_unrestricted(2.0)
    assert rules.seconds_for(10, 2.0) == 0.0


def test_the_same_path_with_another_method_is_another_endpoint(rules):
    reject(rules, CREATE, 1.0, hint=30.0)
    assert delays(rules, 2.0)[:2] == [0.0, 0.0]


def test_when_a_second_endpoint_is_refused_all_are_held_up(rules):
    reject(rules, CASES, 1.0, hint=30.0)
    reject(rules, REPS, 2.0, hint=20.0)
    assert all(delay >= 20.0 for delay in delays(rules, 2.0))
    assert delays(rules, 2.0)[0] >= 29.0
    accept(rules, CREATE, 25.0)
    assert delays(rules, 25.0)[1:] == [0.0, 0.0]
    assert delays(rules, 25.0)[0] > 0.0
    accept(rules, CASES, 40.0)
    assert delays(rules, 40.0) == [0.0, 0.0, 0.0]
    assert rules.is_unrestricted(40.0)


def test_an_endpoint_that_goes_on_being_refused_does_not_prolong_the_pause_of_the_others(rules):
    reject(rules, CASES, 1.0, hint=10.0)
    reject(rules, REPS, 2.0, hint=10.0)
    reject(rules, CASES, 20.0, hint=500.0)
    assert delays(rules, 20.0)[1:] == [0.0, 0.0]
    accept(rules, REPS, 20.0)
    assert delays(rules, 20.0)[1:] == [0.0, 0.0]
    assert delays(rules, 20.0)[0] >= 500.0
    reject(rules, CREATE, 30.0, hint=5.0)
    assert all(delay >= 5.0 for delay in delays(rules, 30.0))


def test_after_a_pause_of_all_an_endpoint_that_was_not_refused_probes_first_and_others_a_little_later(rules):
    reject(rules, CASES, 1.0, hint=10.0)
    reject(rules, REPS, 2.0, hint=10.0)
    until = rules.cooldowns.newest.until
    assert delays(rules, until) == pytest.approx([1.0, 1.0, 0.0])
    assert delays(rules, until + 1.0) == [0.0, 0.0, 0.0]


def test_endpoints_that_are_refused_while_another_passes_hold_up_only_themselves_from_then_on(rules):
    reject(rules, CASES, 1.0, hint=10.0)
    reject(rules, REPS, 2.0, hint=10.0)
    accept(rules, CREATE, 20.0)
    reject(rules, REPS, 21.0, hint=500.0)
    reject(rules, CASES, 22.0, hint=500.0)
    assert delays(rules, 23.0)[2] == 0.0
    assert min(delays(rules, 23.0)[:2]) > 400.0
    accept(rules, REPS, 600.0)
    accept(rules, CASES, 600.0)
    assert not rules.cooldowns.active
    reject(rules, REPS, 700.0, hint=30.0)
    assert delays(rules, 701.0)[::2] == [0.0, 0.0]


@given(st.lists(st.sampled_from(ENDPOINTS), min_size=1, unique=True, max_size=2), st.integers(0))
def test_endpoints_that_are_always_refused_starve_no_other_however_often_they_are_called(refused, seed):
    source = random.Random(seed)
    rules = AdmissionRules(reserve=0.1, window=HOUR, assumed_limit=1_800, source=source)
    now, last_good, longest = 0.0, 0.0, 0.0
    while now < 3 * HOUR:
        now += 5.0
        for endpoint in source.sample(ENDPOINTS, 3):
            if rules.delay(now, bulk=False, endpoint=endpoint).seconds:
                continue
            if endpoint in refused:
                reject(rules, endpoint, now)
            else:
                accept(rules, endpoint, now)
                longest, last_good = max(longest, now - last_good), now
    assert longest <= 60.0 + 6.0 + 10.0


def test_a_lost_probe_of_one_endpoint_lets_another_call_probe(rules):
    reject(rules, CASES, 1.0, hint=10.0)
    reject(rules, REPS, 2.0, hint=10.0)
    rules.on_lost(rules.on_granted(20.0, bulk=False, endpoint=CASES), 21.0, sent=True)
    assert delays(rules, 21.0) == [0.0, 0.0, 0.0]


def test_a_limit_of_one_endpoint_slows_no_other_down(rules):
    now = 1.0
    for _ in range(12):
        reject(rules, CASES, now)
        accept(rules, REPS, now + 0.1)
        slots, rate = rules._burst.slots, rules._burst.rate
        now += max(1.0, delays(rules, now)[0])
    accept(rules, CASES, now)
    assert (rules._burst.slots >= slots, rules._burst.rate >= rate) == (True, True)
    assert rules.is_unrestricted(now)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["grant", "grant", "accept", "reject", "lose"]),
            st.sampled_from(ENDPOINTS),
            st.floats(0.1, 100.0),
        ),
        max_size=60,
    )
)
def test_whatever_happens_everything_goes_again_in_the_end(steps):
    rules = AdmissionRules(reserve=0.1, window=HOUR, assumed_limit=1_800, source=random.Random(1))
    now, in_flight = 0.0, []
    for what, endpoint, pause in steps:
        now += pause
        if what == "grant":
            if rules.delay(now, bulk=False, endpoint=endpoint).seconds == 0.0:
                in_flight.append(rules.on_granted(now, bulk=False, endpoint=endpoint))
        elif in_flight and what == "accept":
            rules.on_accepted(in_flight.pop(), PLENTY, now)
        elif in_flight and what == "reject":
            rules.on_rejected(in_flight.pop(), PLENTY, now, hint=None)
        elif in_flight:
            rules.on_lost(in_flight.pop(), now, sent=True)
    for number in in_flight:
        rules.on_accepted(number, PLENTY, now)
    for endpoint in ENDPOINTS:
        now += 2 * HOUR
        assert rules.delay(now, bulk=False, endpoint=endpoint).seconds == 0.0
        accept(rules, endpoint, now)
    assert not rules.cooldowns.active


@pytest.mark.anyio
async def test_callers_of_a_refused_endpoint_stand_in_nobodys_way(limiter, clock):
    slots, order = Slots(2), []
    bad, good = Request("GET", "v2/contacts"), Request("GET", "v1/cases/7")
    limiter.finish(await limiter.acquire(slots, INTERACTIVE, bad), rejected(limit=1_800, left=1_700, retry_after="60"))

    async def call(request, policy):
        permit = await limiter.acquire(slots, policy, request)
        order.append((request, clock.waited < 1))
        limiter.finish(permit, GOOD)

    async with anyio.create_task_group() as group:
        for request, policy in [(bad, INTERACTIVE), (bad, BULK), (good, BULK), (good, INTERACTIVE)]:
            group.start_soon(call, request, policy)
    assert order[:2] == [(good, True)] * 2
    assert order[2:] == [(bad, False)] * 2
    limiter.finish(await limiter.acquire(slots, BULK, good), answer(limit=1_800, left=1_600))
