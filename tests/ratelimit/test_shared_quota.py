"""The shared quota as a pure transition: what is granted ends once, whatever dies, is late or loses its clock."""

import math
import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fusedesk_async import ConfigurationError
from fusedesk_async._ratelimit.rules import Delay
from fusedesk_async._ratelimit.shared_quota import (
    Inquiry,
    QuotaSettings,
    Report,
    Wanted,
    pack,
    transition,
    unpack,
)
from fusedesk_async._wire.headers import Usage
from fusedesk_async.sandbox import FixedHour, SlidingHour, TokenBucket

HOUR = 3_600.0
BEGIN = 1_790_000_000.0
SETTINGS = QuotaSettings(0.1, None, 1_800)
PROCESSES = st.sampled_from([1, 2, 3])


def ask(state, clock=BEGIN, shared=SETTINGS, process=1, source=None, **said):
    inquiry = Inquiry(process=process, **said)
    return transition(state, clock, inquiry=inquiry, settings=shared, source=source or random.Random(1))


def wants(count=1, **fields):
    return tuple(Wanted(**{"bulk": True, **fields}) for _ in range(count))


def accepted(number, generation, remaining=None, limit=None):
    return Report(number=number, generation=generation, ending="accepted", usage=Usage(limit, remaining))


class Fleet(RuleBasedStateMachine):
    """Processes that ask, report, report late, die, and whose store's clock jumps or which loses what it held."""

    def __init__(self):
        super().__init__()
        self.state, self.clock, self.reply = None, BEGIN, None
        self.calls, self.granted, self.source = [], set(), random.Random(1)

    def ask(self, process, **said):
        self.state, self.reply = ask(self.state, self.clock, process=process, source=self.source, **said)
        generation = self.reply.quota.generation
        numbers = [decision.number for decision in self.reply.decisions if decision.number is not None]
        new = [(generation, number) for number in numbers]
        assert len(set(new)) == len(new)
        assert not self.granted & set(new), "a number was given twice"
        self.granted |= set(new)
        self.calls += [(process, *one) for one in new]

    @rule(process=PROCESSES, count=st.integers(1, 4), bulk=st.booleans(), waits=st.booleans(), slot=st.booleans())
    def want(self, process, count, bulk, waits, slot):
        self.ask(process, wanted=wants(count, bulk=bulk, waits=waits, has_slot=slot))

    @precondition(lambda self: self.calls)
    @rule(
        choice=st.integers(0, 99),
        ending=st.sampled_from(["accepted", "accepted", "rejected", "lost", "not_sent"]),
        remaining=st.none() | st.integers(0, 1_800),
        keep=st.booleans(),
        someone=st.none() | PROCESSES,
    )
    def report(self, choice, ending, remaining, keep, someone):
        """What came of a call; perhaps once more later, or by a process that did not make it."""
        place = choice % len(self.calls)
        process, generation, number = self.calls[place]
        before = set(self.reply.quota.leases)
        usage = Usage(1_800, remaining) if ending in {"accepted", "rejected"} else Usage()
        report = Report(number=number, generation=generation, ending=ending, usage=usage)
        self.ask(someone or process, reports=(report,))
        if not keep:
            del self.calls[place]
        gone = before - set(self.reply.quota.leases)
        assert (
            number in gone
            or someone not in {None, process}
            or generation != self.reply.quota.generation
            or (number not in before)
        )

    @rule(process=PROCESSES)
    def die(self, process):
        """A process is killed: nobody hears of its calls."""
        self.calls = [call for call in self.calls if call[0] != process]

    @rule(seconds=st.sampled_from([0.0, 0.3, 5.0, 61.0, 400.0, 4_000.0]))
    def wait(self, seconds):
        self.clock += seconds

    @rule(seconds=st.sampled_from([-0.001, -7.0, -5_000.0, 5_000.0]))
    def jump(self, seconds):
        """The store's clock is set."""
        self.clock += seconds

    @rule(process=PROCESSES, count=st.integers(0, 3), leaves=st.booleans(), window=st.none() | st.just(600.0))
    def say(self, process, count, leaves, window):
        self.ask(process, unreported=count, leaves=leaves, told=((True, self.clock + 3.0),) * count, window=window)

    @rule()
    def forget(self):
        """The store loses what it held."""
        self.state, self.reply = None, None
        self.calls = []

    @invariant()
    def what_is_granted_and_has_not_ended_is_in_flight(self):
        if self.reply is None:
            return
        quota = self.reply.quota
        assert quota.rules.in_flight == len(quota.leases)
        assert all(until > quota.now for _, until in quota.leases.values())

    @invariant()
    def time_never_goes_back(self):
        if self.state is not None:
            now = unpack(self.state, random.Random(1)).now
            assert now >= self.reply.now

    @invariant()
    def what_is_kept_is_what_is_known(self):
        if self.state is not None:
            assert pack(unpack(self.state, random.Random(1))) == self.state


TestFleet = Fleet.TestCase


def test_other_settings_count_once_nobody_else_uses_the_quota():
    state, _ = ask(None, process=1)
    other = QuotaSettings(0.25, 60.0, 100)
    said = r"reserve=0.1, window=None, assumed_limit=1800.*reserve=0.25, window=60.0, assumed_limit=100"
    with pytest.raises(ConfigurationError, match=said):
        ask(state, BEGIN + 290, other, process=2)
    state, reply = ask(state, BEGIN + 310, other, process=2, reports=(accepted(0, 0),))
    assert (reply.quota.settings, reply.quota.rules.window, len(reply.quota.members)) == (other, 60.0, 1)
    state, reply = ask(state, BEGIN + 311, process=2)
    assert (reply.quota.settings, reply.quota.rules.window) == (SETTINGS, 60.0)


def test_a_damaged_state_is_refused():
    state, _ = ask(None, wanted=wants())
    for place in range(len(state)):
        damaged = bytearray(state)
        damaged[place] ^= 0x41
        with pytest.raises(ConfigurationError, match=r"no state|another version|damaged"):
            ask(bytes(damaged))
        with pytest.raises(ConfigurationError):
            ask(state[:place])


def test_bulk_calls_wait_while_interactive_calls_of_another_process_do():
    state, reply = ask(None, wanted=wants())
    report = Report(number=0, generation=reply.quota.generation, ending="accepted", usage=Usage(1_800, 0))
    state, _ = ask(state, reports=(report,))
    state, reply = ask(state, BEGIN + 0.1, process=2, wanted=wants(bulk=False))
    assert reply.decisions[0].delay.reason == "quota"
    state, reply = ask(state, BEGIN + 5, process=1, wanted=wants())
    assert (reply.decisions[0].number, reply.decisions[0].delay) == (None, Delay(10.0, "reserve"))
    _, reply = ask(state, BEGIN + 5, process=2, wanted=wants(bulk=False) + wants())
    assert [decision.number for decision in reply.decisions] == [1, None]
    _, reply = ask(state, BEGIN + 21, process=1, wanted=wants())
    assert reply.decisions[0].number == 1, "that process has said nothing for two polls"


def test_a_call_of_another_process_does_not_make_bulk_calls_wait_if_it_waits_for_an_endpoint():
    state, reply = ask(None, wanted=wants(endpoint="a"))
    report = Report(number=0, generation=reply.quota.generation, ending="rejected", usage=Usage(1_800, 900))
    state, _ = ask(state, reports=(report,))
    state, reply = ask(state, process=2, wanted=wants(bulk=False, endpoint="a"))
    assert reply.decisions[0].delay.reason == "refused"
    _, reply = ask(state, process=1, wanted=wants(endpoint="b"))
    assert reply.decisions[0].number == 1


def test_one_that_dies_with_the_probe_of_a_cooldown_stops_the_others_until_its_lease_ends():
    state, reply = ask(None, wanted=wants(bulk=False))
    report = Report(number=0, generation=reply.quota.generation, ending="rejected", usage=Usage(1_800, 900))
    state, _ = ask(state, reports=(report,))
    state, reply = ask(state, BEGIN + 60, wanted=wants(bulk=False))
    assert reply.decisions[0].number == 1
    state, reply = ask(state, BEGIN + 61, process=2, wanted=wants(bulk=False))
    assert math.isinf(reply.decisions[0].delay.seconds)
    state, reply = ask(state, BEGIN + 121, process=2, wanted=wants(bulk=False))
    assert reply.decisions[0].number == 2


class Served(RuleBasedStateMachine):
    """Processes that send what they are granted, to a server that counts; some of them die on the way.

    Calls are granted as long as some certainly remain, and where nothing says how many, as many as an hour has; so no
    call may be refused but one that looks whether any have come back.
    """

    limit, says = 20, ("limit", "left")

    def __init__(self):
        super().__init__()
        self.state, self.reply, self.now, self.source = None, None, 0.0, random.Random(1)
        self.server, self.settings = self.make_server(), QuotaSettings(0.1, None, self.limit)
        self.flights, self.looks, self.refused = [], 0, 0

    def make_server(self):
        return FixedHour(self.limit, phase=1_234.0)

    def ask(self, process, **said):
        self.state, self.reply = ask(self.state, self.now, self.settings, process, self.source, **said)
        return self.reply

    @rule(process=PROCESSES, bulk=st.booleans(), count=st.integers(1, 6))
    def send(self, process, bulk, count):
        for _ in range(count):
            certain = self.reply and self.reply.quota.rules.ledger.certainly_remaining
            reply = self.ask(process, wanted=wants(bulk=bulk, seconds=30.0))
            (decision,) = reply.decisions
            if decision.number is None:
                return
            self.looks += certain is not None and certain < 1
            self.flights.append((process, decision.number, reply.quota.generation))

    @precondition(lambda self: self.flights)
    @rule(
        choice=st.integers(0, 99), seconds=st.floats(0.01, 20.0), fate=st.sampled_from(["answered", "answered", "cut"])
    )
    def arrive(self, choice, seconds, fate):
        process, number, generation = self.flights.pop(choice % len(self.flights))
        self.now += seconds / 2
        admitted = self.server.admit(self.now)
        left = self.server.remaining(self.now) if "left" in self.says else None
        usage = Usage(self.limit if "limit" in self.says else None, left)
        self.refused += not admitted
        assert self.refused <= self.looks, "a call was refused that took the place of no look"
        self.now += seconds / 2
        ending = "lost" if fate == "cut" else "accepted" if admitted else "rejected"
        report = Report(number=number, generation=generation, ending=ending, usage=usage if fate != "cut" else Usage())
        self.ask(process, reports=(report,))
        self.drop_late()

    @precondition(lambda self: self.flights)
    @rule(process=PROCESSES)
    def die(self, process):
        """Its calls may have been counted, and nobody hears of it."""
        for flight in [flight for flight in self.flights if flight[0] == process]:
            self.flights.remove(flight)
            self.server.admit(self.now)

    @rule(seconds=st.sampled_from([1.0, 40.0, 600.0, 3_700.0]))
    def wait(self, seconds):
        self.now += seconds
        self.drop_late()

    def drop_late(self):
        """A process sends nothing on a lease that has ended."""
        leases = self.reply.quota.leases if self.reply else {}
        self.flights = [flight for flight in self.flights if leases.get(flight[1], (0, 0.0))[1] > self.now]


class ServedSliding(Served):
    def make_server(self):
        return SlidingHour(self.limit)


class ServedFromABucket(Served):
    says = ("limit", "left")

    def make_server(self):
        return TokenBucket(self.limit)


class ServedInSilence(Served):
    says = ()


class ServedInSilenceSliding(ServedSliding):
    says = ("limit",)


for machine in (Served, ServedSliding, ServedFromABucket, ServedInSilence, ServedInSilenceSliding):
    machine.TestCase.settings = settings(max_examples=30)
TestServed, TestServedSliding, TestServedFromABucket = (
    Served.TestCase,
    ServedSliding.TestCase,
    ServedFromABucket.TestCase,
)
TestServedInSilence, TestServedInSilenceSliding = ServedInSilence.TestCase, ServedInSilenceSliding.TestCase
