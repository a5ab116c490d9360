"""The rules as one: which of them delays a call, and what each event changes."""

import math
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fusedesk_async._ratelimit.rules import NO_DELAY, AdmissionRules, Delay
from fusedesk_async._wire.headers import Usage

HOUR = 3_600.0
INTERACTIVE, BULK = False, True
BRIEF, LONG = ("free", "first_call", "kept_slot", "burst"), ("reserve", "quota", "refused")
SILENCE = Usage()
STEPS = st.lists(
    st.tuples(st.sampled_from(["grant", "grant", "count", "count", "answer", "lose", "not sent"]), st.integers(0, 3)),
    max_size=60,
)
NOT_SENT = [
    *[("grant", 0)] * 3,
    *[("count", 0)] * 2,
    *[("answer", 0), ("not sent", 0), ("answer", 0)],
    *[("grant", 0), ("count", 0), ("answer", 0)],
]
OVERTAKEN = [("grant", 0), ("grant", 0), ("count", 1), ("count", 0), ("answer", 0), ("answer", 0)]


def make_rules(*, reserve=0.1, window=3_600.0, limit=100):
    return AdmissionRules(reserve=reserve, window=window, assumed_limit=limit, source=random.Random(1))


def ready(usage=SILENCE, **settings):
    """One whose first call was answered with this."""
    rules = make_rules(**settings)
    rules.on_accepted(rules.on_granted(0.0, bulk=False), usage, 0.0)
    return rules


@pytest.fixture
def rules():
    return ready()


def reject(rules, now, usage=SILENCE, hint=None):
    rules.on_rejected(rules.on_granted(now, bulk=True), usage, now, hint=hint)


def test_the_first_call_goes_alone_and_one_more_for_each_moment_it_takes():
    rules = make_rules()
    assert rules.delay(0.0, bulk=True) == NO_DELAY
    number = rules.on_granted(0.0, bulk=True)
    assert rules.delay(0.1, bulk=False) == Delay(pytest.approx(0.2), "first_call")
    assert rules.delay(0.3, bulk=False) == NO_DELAY
    rules.on_granted(0.3, bulk=True)
    assert rules.delay(0.3, bulk=False) == Delay(pytest.approx(0.3), "first_call")
    rules.on_accepted(number, SILENCE, 0.4)
    assert rules.delay(0.4, bulk=False) == NO_DELAY


def test_a_first_call_that_is_lost_is_followed_by_another_at_once():
    rules = make_rules()
    rules.on_lost(rules.on_granted(0.0, bulk=True), 0.1, sent=True)
    assert rules.delay(0.1, bulk=True) == NO_DELAY


@given(STEPS)
@example(OVERTAKEN)
@example(NOT_SENT)
def test_on_a_quiet_server_nothing_seems_to_come_back_in_whatever_order_calls_are_served(steps):
    rules, left, in_flight, served = ready(Usage(1_000, 1_000)), 1_000, [], {}
    for now, (step, choice) in enumerate(steps, 1):
        waiting = [number for number in in_flight if number not in served]
        answered = [number for number in in_flight if number in served]
        if step == "grant":
            in_flight.append(rules.on_granted(float(now), bulk=True))
        elif step == "count" and waiting:
            left -= 1
            served[waiting[choice % len(waiting)]] = left
        elif step == "answer" and answered:
            number = answered[choice % len(answered)]
            in_flight.remove(number)
            rules.on_accepted(number, Usage(1_000, served[number]), float(now))
        elif step == "lose" and answered:
            number = answered[choice % len(answered)]
            in_flight.remove(number)
            rules.on_lost(number, float(now), sent=True)
        elif step == "not sent" and waiting:
            number = waiting[choice % len(waiting)]
            in_flight.remove(number)
            rules.on_lost(number, float(now), sent=False)
        assert rules.ledger.refill.seconds_per_call == 0


@given(STEPS)
def test_calls_that_are_answered_in_the_order_they_were_served_never_seem_to_leave_more_than_there_are(steps):
    rules, left, in_flight, served = ready(Usage(1_000, 1_000)), 1_000, [], {}
    for now, (step, choice) in enumerate(steps, 1):
        if step == "grant":
            in_flight.append(rules.on_granted(float(now), bulk=True))
        elif step == "count" and len(in_flight) > len(served):
            waiting = [number for number in in_flight if number not in served]
            left -= 1
            served[waiting[choice % len(waiting)]] = left
        elif step == "answer" and served:
            number = next(iter(served))
            in_flight.remove(number)
            rules.on_accepted(number, Usage(1_000, served.pop(number)), float(now))
        assert rules.ledger.certainly_remaining <= left - len(set(in_flight) - set(served))


def test_a_call_goes_freely_and_in_a_cooldown_none_does(rules):
    assert rules.delay(1.0, bulk=True) == NO_DELAY
    assert rules.is_unrestricted(1.0)
    reject(rules, 1.0, hint=30.0)
    assert rules.delay(1.0, bulk=True).reason == "refused"
    assert rules.delay(1.0, bulk=False).seconds == pytest.approx(31.5, abs=1.5)
    assert not rules.is_unrestricted(1.0)


@pytest.mark.parametrize(
    ("left", "bulk", "reason", "freely"),
    [
        (50, BULK, "free", True),
        (10, BULK, "reserve", False),
        (10, INTERACTIVE, "free", False),
        (0, BULK, "quota", False),
        (0, INTERACTIVE, "quota", False),
    ],
)
def test_it_says_which_rule_delays_a_call(left, bulk, reason, freely):
    rules = ready(Usage(100, 100))
    rules.on_accepted(rules.on_granted(1.0, bulk=True), Usage(100, left), 1.0)
    assert rules.delay(1.0, bulk=bulk).reason == reason
    assert rules.delay(1.0, bulk=bulk).is_for_quota == (reason != "free")
    assert rules.is_unrestricted(1.0) == freely


def test_a_delay_by_a_burst_limit_or_the_first_call_is_no_wait_for_quota():
    assert [Delay(1.0, reason).is_for_quota for reason in BRIEF + LONG] == [False] * 4 + [True] * 3


def test_less_than_the_time_epsilon_is_not_waited_for():
    rules = ready(limit=1, reserve=0.0)
    assert rules.delay(3_599.0, bulk=False).reason == "quota"
    assert rules.delay(3_600.0 - 1e-7, bulk=False) == NO_DELAY


@pytest.mark.parametrize("usage", [Usage(100, 50), Usage(100)])
def test_a_rejection_while_calls_were_taken_a_moment_ago_is_about_a_burst(usage):
    rules = ready(usage)
    reject(rules, 1.0, usage)
    assert rules.delay(1.0, bulk=True).seconds <= 0.3
    assert rules.cooldowns.newest.seemed_burst


def test_a_rejection_of_the_very_first_call_is_about_the_hour():
    rules = make_rules()
    reject(rules, 1.0)
    assert 60 <= rules.delay(1.0, bulk=True).seconds <= 66


def test_a_rejection_with_nothing_left_and_nothing_coming_back_is_about_the_hour():
    rules = ready(Usage(100, 0))
    reject(rules, 100.0, Usage(100, 0))
    assert 60 <= rules.delay(100.0, bulk=True).seconds <= 66


def test_a_rejection_after_we_used_up_the_hour_ourselves_is_about_the_hour_though_calls_were_taken_a_moment_ago():
    rules = ready(Usage(2, 1))
    rules.on_accepted(rules.on_granted(0.5, bulk=True), Usage(2, 0), 0.5)
    reject(rules, 1.0, Usage(2, 0))
    assert not rules.cooldowns.newest.seemed_burst
    assert HOUR / 2 <= rules.delay(1.0, bulk=False).seconds <= 0.55 * HOUR


def test_a_rejection_with_nothing_left_is_about_a_burst_if_calls_came_back_a_moment_ago():
    rules = ready(Usage(100, 5))
    rules.on_accepted(rules.on_granted(50.0, bulk=True), Usage(100, 10), 50.0)
    rules.on_accepted(rules.on_granted(50.0, bulk=True), Usage(100, 0), 50.0)
    reject(rules, 60.0, Usage(100, 0))
    assert rules.delay(60.0, bulk=True).seconds <= 10.0


def test_more_rejections_of_one_burst_begin_no_new_pause_and_measure_nothing(rules):
    numbers = [rules.on_granted(1.0, bulk=True) for _ in range(4)]
    pauses = set()
    for number in numbers:
        rules.on_rejected(number, SILENCE, 1.0, hint=None)
        pauses.add(rules.delay(1.0, bulk=True).seconds)
    assert len(pauses) == 1
    assert rules.in_flight == 0


def test_after_a_burst_was_rejected_fewer_calls_may_be_in_flight(rules):
    numbers = [rules.on_granted(1.0, bulk=True) for _ in range(5)]
    rejected, *others = numbers
    rules.on_rejected(rejected, SILENCE, 1.0, hint=None)
    probe = rules.on_granted(2.0, bulk=True)
    for number in [*others, probe]:
        rules.on_accepted(number, SILENCE, 2.0)
    for _ in range(2):
        assert rules.delay(2.0, bulk=True) == NO_DELAY
        rules.on_granted(2.0, bulk=True)
    assert rules.delay(2.0, bulk=True) == Delay(math.inf, "burst")


def test_what_seemed_a_burst_but_lasts_is_the_hour_which_is_used_evenly_from_then_on(rules):
    now = 1.0
    reject(rules, now)
    while now < 100:
        now += rules.delay(now, bulk=True).seconds
        reject(rules, now)
    now += rules.delay(now, bulk=True).seconds
    rules.on_accepted(rules.on_granted(now, bulk=True), SILENCE, now)
    rules.on_accepted(rules.on_granted(now, bulk=True), SILENCE, now)
    assert rules.delay(now, bulk=True) == Delay(pytest.approx(36.0), "refused")  # 100 calls an hour
    assert not rules.is_unrestricted(now)


def rejected_evenly(rules, seconds):
    """Let it be rejected twice, with four calls between that take so many seconds; when that ends."""
    reject(rules, 1.0)
    now = 1.0
    for _ in range(4):
        now += rules.delay(now, bulk=True).seconds + seconds / 4
        rules.on_accepted(rules.on_granted(now, bulk=True), SILENCE, now)
    reject(rules, now)
    now += rules.delay(now, bulk=True).seconds
    rules.on_accepted(rules.on_granted(now, bulk=True), SILENCE, now)
    return now


def test_short_even_steps_are_no_wait_that_is_reported():
    rules = ready(limit=1_800)
    now = rejected_evenly(rules, 1.0)
    assert rules.delay(now, bulk=True).reason == "burst"
    assert rules.is_unrestricted(now)


def test_even_steps_are_never_slower_than_the_hour_allows():
    rules = ready(limit=1_800)
    now = rejected_evenly(rules, 14.0)
    assert 1.5 <= rules.delay(now, bulk=True).seconds <= 2.0


def test_long_even_steps_are():
    rules = ready(limit=1_800)
    now = rejected_evenly(rules, 6.0)
    assert rules.delay(now, bulk=True).reason == "refused"
    assert 1.0 <= rules.delay(now, bulk=True).seconds <= 2.0
    assert not rules.is_unrestricted(now)


def test_what_was_rejected_only_briefly_says_nothing_of_the_hour(rules):
    reject(rules, 1.0)
    now = 1.0 + rules.delay(1.0, bulk=True).seconds
    rules.on_accepted(rules.on_granted(now, bulk=True), SILENCE, now)
    for _ in range(20):
        rules.on_accepted(rules.on_granted(now, bulk=True), SILENCE, now)
        assert rules.delay(now, bulk=True) == NO_DELAY


def test_a_call_that_was_not_sent_uses_nothing_and_one_that_was_lost_may_have():
    rules = ready(limit=2, reserve=0.0)
    rules.on_lost(rules.on_granted(1.0, bulk=True), 1.0, sent=False)
    assert rules.delay(1.0, bulk=True) == NO_DELAY
    rules.on_lost(rules.on_granted(1.0, bulk=True), 1.0, sent=True)
    assert rules.delay(1.0, bulk=True).reason == "quota"


def test_a_probe_that_is_lost_lets_another_one_probe(rules):
    reject(rules, 1.0, hint=1.0)
    probe = rules.on_granted(5.0, bulk=True)
    assert rules.delay(5.0, bulk=True) == Delay(math.inf, "refused")
    rules.on_lost(probe, 5.0, sent=True)
    assert rules.delay(5.0, bulk=True) == NO_DELAY


def test_more_interactive_calls_than_the_reserve_beside_bulk_calls_are_reported(rules):
    rules.on_granted(1.0, bulk=True)
    for _ in range(9):
        rules.on_granted(1.0, bulk=False)
    assert rules.interactive_over_reserve(1.0) == 0
    rules.on_granted(1.0, bulk=False)
    assert rules.interactive_over_reserve(1.0) == 11
