"""Whether the usage header counts calls remaining or calls used: it follows the calls, down or up."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async._ratelimit.count_direction import CountDirection

LIMIT = 1_800


class Server:
    """Calls of which so many are in flight at once, each counted at some moment before its response."""

    def __init__(self, *, slots=1, used=0, seed=1, gap=0.1):
        self.direction, self.source = CountDirection(3_600.0), random.Random(seed)
        self.slots, self.used, self.gap = slots, used, gap
        self.number, self.now, self.newest = 0, 0.0, -1

    def calls(self, count, *, counts_used, returned=0):
        """So many calls; how often the direction changed."""
        in_flight, changes = [], 0
        for _ in range(count):
            while len(in_flight) < self.slots:
                in_flight.append(self.number)
                self.number += 1
            number = in_flight.pop(self.source.randrange(len(in_flight)))
            self.used += 1
            self.now += self.gap
            if number > self.newest:
                self.newest = number
                said = self.used if counts_used else LIMIT - self.used
                changes += self.direction.on_accepted(
                    number, said, now=self.now, limit=LIMIT, in_flight=len(in_flight), returned=returned
                )
        return changes


@given(st.integers(1, 16), st.integers(0, 600), st.integers(0, 10**6), st.booleans())
def test_it_is_found_out_soon_and_never_wrongly(slots, used, seed, counts_used):
    server = Server(slots=slots, used=used, seed=seed)
    assert server.calls(30 + 20 * slots, counts_used=counts_used) == counts_used
    assert server.direction.counts_used == counts_used


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_wrong_guess_is_taken_back(confirmed):
    server = Server()
    server.calls(5, counts_used=True)
    assert server.direction.counts_used
    if confirmed:
        server.calls(20, counts_used=True)
    assert server.calls(20, counts_used=False) == 1
    assert not server.direction.counts_used


def test_what_was_confirmed_is_not_given_up_for_one_look():
    server = Server()
    server.calls(30, counts_used=False)
    server.used -= 8  # calls of others come back, as many as would look like a count of used ones
    server.calls(4, counts_used=False)
    assert not server.direction.counts_used


def test_while_our_own_calls_come_back_nothing_is_concluded():
    server = Server()
    for returned in range(50):
        assert server.calls(1, counts_used=True, returned=returned) == 0


def test_when_calls_are_rare_nothing_is_concluded_as_others_may_have_come_back():
    assert Server(gap=4.0).calls(50, counts_used=True) == 0


def test_a_count_that_does_not_follow_the_calls_proves_nothing():
    direction = CountDirection(3_600.0)
    for number in range(50):
        assert not direction.on_accepted(number, 500, now=0.0, limit=LIMIT, in_flight=0, returned=0)


def test_a_count_that_goes_down_in_bursts_and_up_between_them_is_of_calls_remaining():
    direction, number = CountDirection(3_600.0), 0
    for burst in range(20):
        for place, left in enumerate((8, 7, 6, 5, 4, 3)):
            changed = direction.on_accepted(
                number, left + burst, now=burst + place / 100, limit=LIMIT, in_flight=0, returned=0
            )
            assert not changed
            number += 1


def test_slower_calls_than_those_that_confirmed_a_count_or_kept_it_level_prove_nothing_against_it():
    for step in (-1, 0):
        direction = CountDirection(3_600.0)
        for number in range(12):
            direction.on_accepted(number, 500 + step * number, now=number / 10, limit=LIMIT, in_flight=0, returned=0)
        for number in range(12, 60):
            changed = direction.on_accepted(
                number, 500 + number, now=1.1 + number / 4, limit=LIMIT, in_flight=0, returned=0
            )
            assert not changed


def test_calls_that_take_no_time_and_keep_a_count_level_prove_nothing():
    direction = CountDirection(3_600.0)
    for number in range(12):
        assert not direction.on_accepted(number, 500, now=0.0, limit=LIMIT, in_flight=0, returned=0)
    changes = [
        direction.on_accepted(number, 500 + number, now=number / 10, limit=LIMIT, in_flight=0, returned=0)
        for number in range(12, 60)
    ]
    assert sum(changes) == 1


def test_a_rejected_call_begins_the_look_anew():
    server = Server()
    for _ in range(20):
        assert server.calls(4, counts_used=True) == 0
        server.direction.on_rejected()


def test_what_is_used_is_turned_into_what_remains_if_the_limit_is_known():
    direction = CountDirection(3_600.0)
    assert (direction.remaining(7, 10), direction.remaining(7, None), direction.remaining(None, 10)) == (7, 7, None)
    direction.counts_used = True
    assert (direction.remaining(7, 10), direction.remaining(10, 10), direction.remaining(11, 10)) == (3, 0, None)
    assert (direction.remaining(7, None), direction.remaining(None, 10)) == (None, None)
