"""The memory of the rules as plain values: rules that are made anew from it decide as those that went on."""

import hashlib
import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async._ratelimit import rules_memory, shared_quota
from fusedesk_async._ratelimit.rules import AdmissionRules
from fusedesk_async._ratelimit.rules_memory import load, save
from fusedesk_async._wire.headers import Usage

HOUR, BEGIN = 3_600.0, 1_790_000_000.0
SLOT = HOUR / 240
ENDPOINTS = st.sampled_from(["GET v1/cases", "GET v1/reps", "POST v1/cases"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("grant"), st.booleans(), ENDPOINTS),
        st.tuples(st.just("accept"), st.integers(0, 50), st.none() | st.integers(0, 1_800)),
        st.tuples(st.just("reject"), st.integers(0, 50), st.none() | st.sampled_from([0.0, 60.0])),
        st.tuples(st.just("lose"), st.integers(0, 50), st.booleans()),
        st.tuples(st.just("tell"), st.booleans(), ENDPOINTS),
        st.tuples(st.just("wait"), st.sampled_from([0.0, 0.3, 7.0, 100.0, 3_700.0]), st.none()),
    ),
    max_size=60,
)


def fresh(seed=1):
    return AdmissionRules(reserve=0.1, window=HOUR, assumed_limit=1_800, source=random.Random(seed))


def renewed(rules, seed=1):
    """Other rules that remember the same."""
    found = fresh(seed)
    load(msgspec.msgpack.decode(msgspec.msgpack.encode(save(rules))), found, random.Random(seed))
    return found


class Driver:
    """Rules to which things happen."""

    def __init__(self, rules, in_flight=(), now=BEGIN):
        self.rules, self.in_flight, self.now = rules, list(in_flight), now

    def take(self, step):
        what, value, more = step
        if what == "wait":
            self.now += value
        elif what == "grant":
            self.in_flight.append(self.rules.on_granted(self.now, bulk=value, endpoint=more))
        elif what == "tell":
            self.rules.on_asked(self.now, bulk=value, endpoint=more)
            self.rules.retry_after(self.now, bulk=value, endpoint=more)
        elif self.in_flight:
            number = self.in_flight.pop(value % len(self.in_flight))
            if what == "accept":
                self.rules.on_accepted(number, Usage(1_800, more), self.now)
            elif what == "reject":
                self.rules.on_rejected(number, Usage(1_800, 0), self.now, hint=more)
            else:
                self.rules.on_lost(number, self.now, sent=more)


@given(STEPS, STEPS, st.integers(0, 3))
def test_rules_decide_the_same_but_for_the_slots_of_the_hour(before, after, seed):
    first = Driver(fresh())
    for step in before:
        first.take(step)
    second = Driver(renewed(first.rules), first.in_flight, first.now)
    assert save(second.rules) == save(first.rules)
    for rules in (first.rules, second.rules):
        for part in (rules.cooldowns.newest, *rules.cooldowns.all):
            part.source.seed(seed)
    for step in after:
        for driver in (first, second):
            driver.take(step)
        assert second.rules.ledger.certainly_remaining == first.rules.ledger.certainly_remaining
        assert second.rules.in_flight == first.rules.in_flight
        assert second.rules.cooldowns.stops_all <= first.rules.cooldowns.stops_all + SLOT + 1


def test_a_call_counts_until_the_end_of_its_slot_and_no_longer():
    rules = fresh()
    rules.on_accepted(rules.on_granted(BEGIN, bulk=True), Usage(), BEGIN + 1)
    log = vars(renewed(renewed(renewed(rules))))["_call_log"]
    assert log.count(BEGIN + 1 + HOUR - 0.01) == 1
    assert log.count(BEGIN + 1 + HOUR + SLOT) == 0


def test_a_whole_hour_with_64_calls_in_flight_fits_into_four_kilobytes():
    driver, chance = Driver(fresh()), random.Random(1)
    for number in range(3_600):
        driver.now += chance.uniform(0, 2)
        driver.take(("grant", chance.random() < 0.9, "GET v1/cases"))
        if len(driver.in_flight) > 64:
            driver.take(("accept", chance.randrange(16), max(0, 3_700 - number)))
    state = msgspec.msgpack.encode(save(driver.rules))
    assert len(state) < 3_000  # leases and processes have the rest
    for _ in range(2_000):
        driver.take(("lose", 0, False))
        driver.take(("grant", True, "GET v1/cases"))
    assert len(msgspec.msgpack.encode(save(driver.rules))) < len(state) + 500


def test_endpoints_that_are_refused_for_reasons_of_their_own_stay_so():
    driver = Driver(fresh())
    for endpoint in ("GET v1/cases", "GET v1/reps"):
        driver.take(("grant", True, endpoint))
        driver.take(("reject", 0, 60.0))
    driver.now += 100
    driver.take(("grant", True, "GET v1/chats"))
    driver.take(("accept", 0, 900))
    rules = renewed(driver.rules, seed=7)
    assert [rules.cooldowns.is_own(endpoint) for endpoint in ("GET v1/cases", "GET v1/reps", "GET v1/chats")] == [
        driver.rules.cooldowns.is_own(endpoint) for endpoint in ("GET v1/cases", "GET v1/reps", "GET v1/chats")
    ]
    assert rules.cooldowns.is_own("GET v1/cases")
    assert save(rules) == save(driver.rules)


def test_a_shorter_hour_is_not_found_out_from_moments_that_were_rounded():
    driver = Driver(fresh())
    for _ in range(90):
        driver.take(("grant", True, "GET v1/cases"))
        driver.rules.on_accepted(driver.in_flight.pop(), Usage(40, 30), driver.now)
    assert vars(driver.rules)["_pacer"].longest_window == 0.0
    later = renewed(driver.rules)
    later.on_accepted(later.on_granted(driver.now, bulk=True), Usage(20, 10), driver.now)
    later.on_accepted(later.on_granted(driver.now, bulk=True), Usage(20, 10), driver.now)
    assert 0 < vars(later)["_pacer"].longest_window <= SLOT


def test_moments_that_callers_were_told_are_kept_the_earliest_of_very_many():
    rules = fresh()
    rules.on_accepted(rules.on_granted(BEGIN, bulk=True), Usage(1_800, 0), BEGIN)
    told = [rules.retry_after(BEGIN, bulk=True) for _ in range(2_000)]
    times = vars(renewed(rules))["_retry_times"][True]
    assert times.earliest <= BEGIN + min(told)
    assert times.next_turn(BEGIN) == 1_501


def test_all_that_rules_remember_is_kept():
    kept = {*rules_memory.NUMBERS, *rules_memory.PARTS}
    own = {rules_memory.WINDOW, rules_memory.RETRY_TIMES, rules_memory.ENDPOINTS, rules_memory.OWN}
    assert set(vars(fresh())) == kept | own


def test_another_layout_is_another_version():
    """If this fails, raise `shared_quota.VERSION`, and put the new digest here."""
    layout = "\n".join(rules_memory.layout())
    assert (shared_quota.VERSION, hashlib.sha256(layout.encode()).hexdigest()[:16]) == (1, "70aadd2a1add1274")
