import math
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fusedesk_async._ratelimit.rules import FREE, Hold, Quota
from fusedesk_async._wire.headers import Usage

PEOPLE, BULK = False, True
SILENCE = Usage()
STEPS = st.lists(
    st.tuples(st.sampled_from(["leave", "leave", "serve", "serve", "answer", "lose", "stay"]), st.integers(0, 3)),
    max_size=60,
)
NOT_SENT = [
    *[("leave", 0)] * 3,
    *[("serve", 0)] * 2,
    *[("answer", 0), ("stay", 0), ("answer", 0)],
    *[("leave", 0), ("serve", 0), ("answer", 0)],
]
OVERTAKEN = [("leave", 0), ("leave", 0), ("serve", 1), ("serve", 0), ("answer", 0), ("answer", 0)]


def quota(*, reserve=0.1, window=3_600.0, limit=100):
    return Quota(reserve=reserve, window=window, assumed_limit=limit, source=random.Random(1))


def ready(usage=SILENCE, **settings):
    """One whose first call was answered with this."""
    rules = quota(**settings)
    rules.answered(rules.granted(0.0, bulk=False), usage, 0.0)
    return rules


@pytest.fixture
def rules():
    return ready()


def refuse(rules, now, usage=SILENCE, hint=None):
    rules.refused(rules.granted(now, bulk=True), usage, now, hint=hint)


def test_the_first_call_goes_alone_and_one_more_for_each_moment_it_takes():
    rules = quota()
    assert rules.hold(0.0, bulk=True) == FREE
    number = rules.granted(0.0, bulk=True)
    assert rules.hold(0.1, bulk=False) == Hold(pytest.approx(0.2), "first")
    assert rules.hold(0.3, bulk=False) == FREE
    rules.granted(0.3, bulk=True)
    assert rules.hold(0.3, bulk=False) == Hold(pytest.approx(0.3), "first")
    rules.answered(number, SILENCE, 0.4)
    assert rules.hold(0.4, bulk=False) == FREE


def test_a_first_call_that_is_lost_is_followed_by_another_at_once():
    rules = quota()
    rules.lost(rules.granted(0.0, bulk=True), 0.1, sent=True)
    assert rules.hold(0.1, bulk=True) == FREE


@settings(deadline=None)
@given(STEPS)
@example(OVERTAKEN)
@example(NOT_SENT)
def test_on_a_quiet_server_nothing_seems_to_come_back_in_whatever_order_calls_are_served(steps):
    rules, left, flying, served = ready(Usage(1_000, 1_000)), 1_000, [], {}
    for now, (step, choice) in enumerate(steps, 1):
        waiting = [number for number in flying if number not in served]
        told = [number for number in flying if number in served]
        if step == "leave":
            flying.append(rules.granted(float(now), bulk=True))
        elif step == "serve" and waiting:
            left -= 1
            served[waiting[choice % len(waiting)]] = left
        elif step == "answer" and told:
            number = told[choice % len(told)]
            flying.remove(number)
            rules.answered(number, Usage(1_000, served[number]), float(now))
        elif step == "lose" and told:
            number = told[choice % len(told)]
            flying.remove(number)
            rules.lost(number, float(now), sent=True)
        elif step == "stay" and waiting:
            number = waiting[choice % len(waiting)]
            flying.remove(number)
            rules.lost(number, float(now), sent=False)
        assert rules.ledger.refill.seconds_each == 0


@settings(deadline=None)
@given(STEPS)
def test_calls_that_are_answered_in_the_order_they_were_served_never_seem_to_leave_more_than_there_are(steps):
    rules, left, flying, served = ready(Usage(1_000, 1_000)), 1_000, [], {}
    for now, (step, choice) in enumerate(steps, 1):
        if step == "leave":
            flying.append(rules.granted(float(now), bulk=True))
        elif step == "serve" and len(flying) > len(served):
            waiting = [number for number in flying if number not in served]
            left -= 1
            served[waiting[choice % len(waiting)]] = left
        elif step == "answer" and served:
            number = next(iter(served))
            flying.remove(number)
            rules.answered(number, Usage(1_000, served.pop(number)), float(now))
        assert rules.ledger.left <= left - len(set(flying) - set(served))


def test_a_call_goes_freely_and_in_a_cooldown_none_does(rules):
    assert rules.hold(1.0, bulk=True) == FREE
    assert rules.goes_freely(1.0)
    refuse(rules, 1.0, hint=30.0)
    assert rules.hold(1.0, bulk=True).why == "refused"
    assert rules.hold(1.0, bulk=False).seconds == pytest.approx(31.5, abs=1.5)
    assert not rules.goes_freely(1.0)


@pytest.mark.parametrize(
    ("left", "bulk", "why", "freely"),
    [
        (50, BULK, "free", True),
        (10, BULK, "reserve", False),
        (10, PEOPLE, "free", False),
        (0, BULK, "quota", False),
        (0, PEOPLE, "quota", False),
    ],
)
def test_it_says_which_rule_holds_a_call_back(left, bulk, why, freely):
    rules = ready(Usage(100, 100))
    rules.answered(rules.granted(1.0, bulk=True), Usage(100, left), 1.0)
    assert rules.hold(1.0, bulk=bulk).why == why
    assert rules.hold(1.0, bulk=bulk).is_wait == (why != "free")
    assert rules.goes_freely(1.0) == freely


def test_what_a_burst_limit_or_the_first_call_holds_back_is_no_wait_for_quota():
    assert [Hold(1.0, why).is_wait for why in ("free", "first", "burst", "reserve", "quota", "refused")] == [
        *[False] * 3,
        *[True] * 3,
    ]


def test_less_than_a_grain_of_time_is_not_waited_for():
    rules = ready(limit=1, reserve=0.0)
    assert rules.hold(3_599.0, bulk=False).why == "quota"
    assert rules.hold(3_600.0 - 1e-7, bulk=False) == FREE


@pytest.mark.parametrize("usage", [Usage(100, 50), Usage(100)])
def test_a_refusal_while_calls_were_taken_a_moment_ago_is_about_a_burst(usage):
    rules = ready(usage)
    refuse(rules, 1.0, usage)
    assert rules.hold(1.0, bulk=True).seconds <= 0.3
    assert rules.cooldown.seemed_burst


def test_a_refusal_of_the_very_first_call_is_about_the_hour():
    rules = quota()
    refuse(rules, 1.0)
    assert 60 <= rules.hold(1.0, bulk=True).seconds <= 66


def test_a_refusal_with_nothing_left_and_nothing_coming_back_is_about_the_hour():
    rules = ready(Usage(100, 0))
    refuse(rules, 100.0, Usage(100, 0))
    assert 60 <= rules.hold(100.0, bulk=True).seconds <= 66


def test_a_refusal_with_nothing_left_is_about_a_burst_if_calls_came_back_a_moment_ago():
    rules = ready(Usage(100, 5))
    rules.answered(rules.granted(50.0, bulk=True), Usage(100, 10), 50.0)
    rules.answered(rules.granted(50.0, bulk=True), Usage(100, 0), 50.0)
    refuse(rules, 60.0, Usage(100, 0))
    assert rules.hold(60.0, bulk=True).seconds <= 10.0


def test_more_refusals_of_one_burst_begin_no_new_pause_and_measure_nothing(rules):
    numbers = [rules.granted(1.0, bulk=True) for _ in range(4)]
    pauses = set()
    for number in numbers:
        rules.refused(number, SILENCE, 1.0, hint=None)
        pauses.add(rules.hold(1.0, bulk=True).seconds)
    assert len(pauses) == 1
    assert rules.in_flight == 0


def test_after_a_burst_was_refused_fewer_calls_may_be_on_their_way(rules):
    numbers = [rules.granted(1.0, bulk=True) for _ in range(5)]
    refused, *others = numbers
    rules.refused(refused, SILENCE, 1.0, hint=None)
    probe = rules.granted(2.0, bulk=True)
    for number in [*others, probe]:
        rules.answered(number, SILENCE, 2.0)
    for _ in range(2):
        assert rules.hold(2.0, bulk=True) == FREE
        rules.granted(2.0, bulk=True)
    assert rules.hold(2.0, bulk=True) == Hold(math.inf, "burst")


def test_what_seemed_a_burst_but_lasts_is_the_hour_which_is_used_evenly_from_then_on(rules):
    now = 1.0
    refuse(rules, now)
    while now < 100:
        now += rules.hold(now, bulk=True).seconds
        refuse(rules, now)
    now += rules.hold(now, bulk=True).seconds
    rules.answered(rules.granted(now, bulk=True), SILENCE, now)
    rules.answered(rules.granted(now, bulk=True), SILENCE, now)
    assert rules.hold(now, bulk=True) == Hold(pytest.approx(36.0), "refused")  # 100 calls an hour
    assert not rules.goes_freely(now)


def refused_evenly(rules, seconds):
    """Let it be refused twice, with four calls between that take so many seconds; when that ends."""
    refuse(rules, 1.0)
    now = 1.0
    for _ in range(4):
        now += rules.hold(now, bulk=True).seconds + seconds / 4
        rules.answered(rules.granted(now, bulk=True), SILENCE, now)
    refuse(rules, now)
    now += rules.hold(now, bulk=True).seconds
    rules.answered(rules.granted(now, bulk=True), SILENCE, now)
    return now


def test_quick_even_steps_are_no_wait_that_callers_hear_of():
    rules = ready(limit=1_800)
    now = refused_evenly(rules, 1.0)
    assert rules.hold(now, bulk=True).why == "burst"
    assert rules.goes_freely(now)


def test_even_steps_are_never_slower_than_the_hour_allows():
    rules = ready(limit=1_800)
    now = refused_evenly(rules, 14.0)
    assert 1.5 <= rules.hold(now, bulk=True).seconds <= 2.0


def test_slow_even_steps_are():
    rules = ready(limit=1_800)
    now = refused_evenly(rules, 6.0)
    assert rules.hold(now, bulk=True).why == "refused"
    assert 1.0 <= rules.hold(now, bulk=True).seconds <= 2.0
    assert not rules.goes_freely(now)


def test_what_was_refused_only_briefly_says_nothing_of_the_hour(rules):
    refuse(rules, 1.0)
    now = 1.0 + rules.hold(1.0, bulk=True).seconds
    rules.answered(rules.granted(now, bulk=True), SILENCE, now)
    for _ in range(20):
        rules.answered(rules.granted(now, bulk=True), SILENCE, now)
        assert rules.hold(now, bulk=True) == FREE


def test_a_call_that_was_not_sent_uses_nothing_and_one_that_was_lost_may_have():
    rules = ready(limit=2, reserve=0.0)
    rules.lost(rules.granted(1.0, bulk=True), 1.0, sent=False)
    assert rules.hold(1.0, bulk=True) == FREE
    rules.lost(rules.granted(1.0, bulk=True), 1.0, sent=True)
    assert rules.hold(1.0, bulk=True).why == "quota"


def test_a_probe_that_is_lost_lets_another_one_probe(rules):
    refuse(rules, 1.0, hint=1.0)
    probe = rules.granted(5.0, bulk=True)
    assert rules.hold(5.0, bulk=True) == Hold(math.inf, "refused")
    rules.lost(probe, 5.0, sent=True)
    assert rules.hold(5.0, bulk=True) == FREE


def test_people_who_ask_for_more_than_their_reserve_beside_bulk_work_are_told_of(rules):
    rules.granted(1.0, bulk=True)
    for _ in range(9):
        rules.granted(1.0, bulk=False)
    assert rules.people_exceed_reserve(1.0) == 0
    rules.granted(1.0, bulk=False)
    assert rules.people_exceed_reserve(1.0) == 11
