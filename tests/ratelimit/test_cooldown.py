"""The pause after a 429: how long it is, who probes, and when it is over."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async._ratelimit.cooldown import JITTER, Cooldown


def reject(
    cooldown, number, now, hint=None, *, next_number=None, burst=False, min_pause=0.0, max_pause=math.inf, **more
):
    following = number + 1 if next_number is None else next_number
    return cooldown.on_rejected(
        number, now, next_number=following, hint=hint, burst=burst, min_pause=min_pause, max_pause=max_pause, **more
    )


def pauses(window=3_600.0, *, burst, count, **bounds):
    """How long each pause was while every probe was rejected as soon as it was sent."""
    cooldown, now, lengths = Cooldown(window, random.Random(1)), 0.0, []
    for number in range(count):
        cooldown.on_granted(number)
        assert reject(cooldown, number, now, burst=burst, **bounds)
        lengths.append(cooldown.delay(now))
        now = cooldown.until
    return lengths


def assert_at_least(lengths, least):
    """Each may be longer by the jitter, but no more."""
    for length, shortest in zip(lengths, least, strict=True):
        assert shortest * (1 - 1e-9) <= length <= shortest * (1 + JITTER + 1e-9)


def test_nothing_is_held_back_before_a_rejection():
    assert Cooldown().delay(5.0) == 0.0


def test_a_rejection_without_a_hint_holds_all_back_for_a_minute():
    cooldown = Cooldown()
    reject(cooldown, 0, 100.0)
    assert 60.0 <= cooldown.delay(100.0) <= 60.0 * (1 + JITTER)


def test_a_hint_is_waited_for_at_least():
    cooldown = Cooldown()
    reject(cooldown, 0, 100.0, hint=7.0)
    assert 7.0 <= cooldown.delay(100.0) <= 7.0 * (1 + JITTER)


def test_a_hint_beyond_the_hour_is_checked_after_an_hour():
    cooldown = Cooldown(window=10.0)
    reject(cooldown, 0, 0.0, hint=1e9)
    assert cooldown.delay(0.0) <= 10.0 * (1 + JITTER)


def test_after_the_deadline_one_call_probes_and_the_others_wait_for_its_answer():
    cooldown = Cooldown()
    reject(cooldown, 0, 0.0, hint=1.0)
    now = cooldown.until
    assert cooldown.delay(now) == 0.0
    cooldown.on_granted(1)
    assert cooldown.delay(now) == math.inf
    cooldown.on_accepted(1, now)
    assert cooldown.delay(now) == 0.0
    assert not cooldown.active


def test_a_probe_that_gets_lost_lets_another_one_probe():
    cooldown = Cooldown()
    reject(cooldown, 0, 0.0, hint=1.0)
    cooldown.on_granted(1)
    cooldown.on_lost(1)
    assert cooldown.delay(cooldown.until) == 0.0
    assert cooldown.active


def test_the_answer_to_an_older_call_ends_nothing():
    cooldown = Cooldown()
    reject(cooldown, 3, 0.0, hint=1.0, next_number=5)
    cooldown.on_accepted(4, 9.0)
    cooldown.on_lost(4)
    assert cooldown.active


@given(st.floats(1.0, 1e5))
def test_pauses_double_to_a_quarter_of_the_hour_while_probes_fail(window):
    expected = [window * seconds / 3_600 for seconds in (60, 120, 240, 480, 900, 900, 900)]
    assert_at_least(pauses(window, burst=False, count=7), expected)


@given(st.floats(1.0, 1e5))
def test_pauses_for_a_burst_are_brief_but_what_lasts_longer_is_no_burst(window):
    doubled = (0.25, 0.5, 1, 2, 4, 8, 16, 32, 60, 120)
    expected = [window * seconds / 3_600 for seconds in doubled]
    assert_at_least(pauses(window, burst=True, count=10), expected)


@given(st.floats(1.0, 1e5))
def test_pauses_for_a_burst_double_to_a_minute_while_calls_certainly_remain(window):
    doubled = (0.25, 0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60)
    expected = [window * seconds / 3_600 for seconds in doubled]
    assert_at_least(pauses(window, burst=True, certain=True, count=11), expected)


@pytest.mark.parametrize(("most", "longest"), [(0.0, 60), (10.0, 60), (100.0, 100), (1e6, 900)])
def test_a_pause_need_not_be_longer_than_calls_take_to_come_back_but_is_never_below_a_minute(most, longest):
    assert_at_least(
        pauses(burst=False, count=6, max_pause=most),
        [min(usual, longest) for usual in (60, 120, 240, 480, 900, 900)],
    )


def test_a_pause_is_at_least_what_calls_are_known_to_take_to_come_back():
    assert_at_least(pauses(burst=True, count=6, min_pause=0.7), [0.7, 0.7, 1, 2, 4, 8])
    assert_at_least(pauses(burst=False, count=2, min_pause=90.0, max_pause=70.0), [90, 90])


def test_a_hint_that_did_not_help_is_the_least_that_is_waited():
    cooldown, now, pauses = Cooldown(), 0.0, []
    for number in range(7):
        cooldown.on_granted(number)
        reject(cooldown, number, now, hint=1.0)
        pauses.append(cooldown.delay(now))
        now += pauses[-1]
    assert all(1.0 <= pause <= 1.1 for pause in pauses[:4])
    assert all(pause >= 900.0 for pause in pauses[4:])


def test_a_hint_comes_before_all_that_we_know():
    assert_at_least(pauses(burst=True, count=1), [0.25])
    cooldown = Cooldown()
    reject(cooldown, 0, 0.0, hint=7.0, burst=True, min_pause=50.0, max_pause=1.0)
    assert_at_least([cooldown.delay(0.0)], [7.0])


def test_hints_that_did_not_help_are_the_least_that_is_waited_from_then_on():
    assert_at_least(pauses(burst=True, count=8, hint=1.0), [1, 1, 1, 1, 4, 8, 16, 32])
    assert_at_least(pauses(burst=False, count=6, hint=1.0), [1, 1, 1, 1, 900, 900])
    assert_at_least(pauses(burst=False, count=6, hint=1_000.0), [1_000] * 6)


def test_a_success_brings_the_first_pause_back():
    cooldown = Cooldown()
    reject(cooldown, 0, 0.0)
    cooldown.on_granted(1)
    reject(cooldown, 1, 100.0)
    cooldown.on_granted(2)
    cooldown.on_accepted(2, 900.0)
    reject(cooldown, 3, 1000.0)
    assert cooldown.delay(1000.0) <= 60.0 * (1 + JITTER)


def test_it_says_whether_a_pause_begins_and_whether_it_ended():
    cooldown = Cooldown()
    assert reject(cooldown, 0, 0.0, hint=1.0, next_number=2)
    assert not reject(cooldown, 1, 0.0, next_number=2)
    cooldown.on_granted(2)
    assert not cooldown.on_accepted(1, 5.0)
    assert cooldown.on_accepted(2, 5.0)
    assert not cooldown.on_accepted(2, 6.0)


def test_it_remembers_when_it_began_and_what_the_last_rejection_seemed_to_be():
    cooldown = Cooldown()
    reject(cooldown, 0, 10.0, hint=1.0, burst=True)
    cooldown.on_granted(1)
    reject(cooldown, 1, 20.0, hint=1.0, burst=False)
    assert (cooldown.began, cooldown.seemed_burst) == (10.0, False)
    cooldown.on_granted(2)
    cooldown.on_accepted(2, 30.0)
    reject(cooldown, 3, 40.0, burst=True)
    assert (cooldown.began, cooldown.seemed_burst) == (40.0, True)


def test_an_old_rejection_without_a_hint_is_no_news_after_a_call_that_went_through():
    cooldown = Cooldown()
    reject(cooldown, 0, 0.0, hint=1.0, next_number=2)
    cooldown.on_granted(2)
    cooldown.on_accepted(2, 5.0)
    assert not reject(cooldown, 1, 6.0, next_number=3)
    assert reject(cooldown, 1, 6.0, hint=9.0, next_number=3)


def test_no_error_asks_to_come_back_sooner_than_after_a_moment():
    assert (Cooldown().shortest_retry_after, Cooldown(7_200.0).shortest_retry_after) == (1.0, 2.0)


def test_rejections_of_one_burst_count_once():
    cooldown = Cooldown()
    for number in range(10):
        reject(cooldown, number, 0.0, next_number=10)
    assert cooldown.delay(0.0) <= 60.0 * (1 + JITTER)


def test_a_later_rejection_of_the_burst_with_a_longer_hint_moves_the_deadline():
    cooldown = Cooldown()
    reject(cooldown, 0, 0.0, hint=1.0, next_number=10)
    reject(cooldown, 1, 0.0, hint=50.0, next_number=10)
    assert cooldown.delay(0.0) >= 50.0


def test_a_deadline_that_moves_while_a_probe_is_out_is_kept():
    cooldown = Cooldown()
    reject(cooldown, 0, 0.0, hint=1.0, next_number=2)
    cooldown.on_granted(2)
    reject(cooldown, 1, 10.0, hint=50.0, next_number=3)
    assert not cooldown.on_accepted(2, 11.0)
    assert cooldown.delay(11.0) == 49.0


@given(
    st.lists(
        st.tuples(st.sampled_from(["reject", "answer", "lose", "permit", "wait"]), st.floats(0, 5000)), max_size=60
    ),
    st.randoms(),
)
def test_the_deadline_only_moves_later_and_no_two_calls_probe_at_once(steps, source):
    cooldown, now, number, probes = Cooldown(), 0.0, 0, set()
    for what, amount in steps:
        deadline = cooldown.until
        if what == "wait":
            now += amount
        elif what == "permit" and cooldown.delay(now) == 0.0:
            assert now >= cooldown.until
            if cooldown.active:
                assert not probes
                probes.add(number)
            cooldown.on_granted(number)
            number += 1
        elif what != "permit" and number:
            settled = min(probes, default=number - 1)
            probes.discard(settled)
            if what == "reject":
                hint = amount if source.random() < 0.5 else None
                reject(cooldown, settled, now, hint=hint, next_number=number, burst=source.random() < 0.5)
            elif what == "answer":
                cooldown.on_accepted(settled, now)
            else:
                cooldown.on_lost(settled)
        assert cooldown.until >= deadline
