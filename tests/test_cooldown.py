import math
import random

from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async._cooldown import JITTER, Cooldown


def refuse(cooldown, number, now, hint=None, *, next_number=None, calls_left=False):
    following = number + 1 if next_number is None else next_number
    cooldown.refused(number, now, next_number=following, hint=hint, calls_left=calls_left)


def test_nothing_is_held_back_before_a_refusal():
    assert Cooldown().delay(5.0) == 0.0


def test_a_refusal_without_a_hint_holds_all_back_for_a_minute():
    cooldown = Cooldown()
    refuse(cooldown, 0, 100.0)
    assert 60.0 <= cooldown.delay(100.0) <= 60.0 * (1 + JITTER)


def test_a_hint_is_waited_for_at_least():
    cooldown = Cooldown()
    refuse(cooldown, 0, 100.0, hint=7.0)
    assert 7.0 <= cooldown.delay(100.0) <= 7.0 * (1 + JITTER)


def test_a_hint_beyond_the_hour_is_checked_after_an_hour():
    cooldown = Cooldown(window=10.0)
    refuse(cooldown, 0, 0.0, hint=1e9)
    assert cooldown.delay(0.0) <= 10.0 * (1 + JITTER)


def test_after_the_deadline_one_call_probes_and_the_others_wait_for_its_answer():
    cooldown = Cooldown()
    refuse(cooldown, 0, 0.0, hint=1.0)
    now = cooldown.until
    assert cooldown.delay(now) == 0.0
    cooldown.granted(1)
    assert cooldown.delay(now) == math.inf
    cooldown.answered(1, now)
    assert cooldown.delay(now) == 0.0
    assert not cooldown.active


def test_a_probe_that_gets_lost_lets_another_one_probe():
    cooldown = Cooldown()
    refuse(cooldown, 0, 0.0, hint=1.0)
    cooldown.granted(1)
    cooldown.lost(1)
    assert cooldown.delay(cooldown.until) == 0.0
    assert cooldown.active


def test_the_answer_to_an_older_call_ends_nothing():
    cooldown = Cooldown()
    refuse(cooldown, 3, 0.0, hint=1.0, next_number=5)
    cooldown.answered(4, 9.0)
    cooldown.lost(4)
    assert cooldown.active


def test_pauses_double_to_a_quarter_of_the_hour_while_probes_fail():
    cooldown, now, pauses = Cooldown(source=random.Random(1)), 0.0, []
    for number in range(7):
        if cooldown.active:
            cooldown.granted(number)
        refuse(cooldown, number, now)
        pauses.append(cooldown.delay(now))
        now = cooldown.until
    for pause, least in zip(pauses, [60, 120, 240, 480, 900, 900, 900], strict=True):
        assert least <= pause <= least * (1 + JITTER)


def test_a_success_brings_the_first_pause_back():
    cooldown = Cooldown()
    refuse(cooldown, 0, 0.0)
    cooldown.granted(1)
    refuse(cooldown, 1, 100.0)
    cooldown.granted(2)
    cooldown.answered(2, 900.0)
    refuse(cooldown, 3, 1000.0)
    assert cooldown.delay(1000.0) <= 60.0 * (1 + JITTER)


def test_a_burst_that_was_refused_while_calls_are_left_pauses_briefly():
    cooldown = Cooldown()
    refuse(cooldown, 0, 0.0, calls_left=True)
    assert 1.0 <= cooldown.delay(0.0) <= 1.0 + JITTER


def test_pauses_scale_with_the_hour():
    cooldown = Cooldown(window=6.0)
    refuse(cooldown, 0, 0.0)
    assert 0.1 <= cooldown.delay(0.0) <= 0.1 * (1 + JITTER)


def test_refusals_of_one_burst_count_once():
    cooldown = Cooldown()
    for number in range(10):
        refuse(cooldown, number, 0.0, next_number=10)
    assert cooldown.delay(0.0) <= 60.0 * (1 + JITTER)


def test_a_later_refusal_of_the_burst_with_a_longer_hint_moves_the_deadline():
    cooldown = Cooldown()
    refuse(cooldown, 0, 0.0, hint=1.0, next_number=10)
    refuse(cooldown, 1, 0.0, hint=50.0, next_number=10)
    assert cooldown.delay(0.0) >= 50.0


def test_a_deadline_that_moves_while_a_probe_is_out_is_kept():
    cooldown = Cooldown()
    refuse(cooldown, 0, 0.0, hint=1.0, next_number=2)
    cooldown.granted(2)
    refuse(cooldown, 1, 10.0, hint=50.0, next_number=3)
    cooldown.answered(2, 11.0)
    assert cooldown.delay(11.0) == 49.0


@given(
    st.lists(st.tuples(st.sampled_from(["refuse", "answer", "lose", "grant", "wait"]), st.floats(0, 5000)), max_size=60)
)
def test_the_deadline_only_moves_later_and_no_two_calls_probe_at_once(steps):
    cooldown, now, number, probes = Cooldown(), 0.0, 0, set()
    for what, amount in steps:
        deadline = cooldown.until
        if what == "wait":
            now += amount
        elif what == "grant" and cooldown.delay(now) == 0.0:
            assert now >= cooldown.until
            if cooldown.active:
                assert not probes
                probes.add(number)
            cooldown.granted(number)
            number += 1
        elif what != "grant" and number:
            settled = min(probes, default=number - 1)
            probes.discard(settled)
            if what == "refuse":
                refuse(cooldown, settled, now, hint=amount or None, next_number=number)
            elif what == "answer":
                cooldown.answered(settled, now)
            else:
                cooldown.lost(settled)
        assert cooldown.until >= deadline
