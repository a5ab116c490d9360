"""One run of the experiment: a sender at work against a server, in virtual time, beside its bound."""

import asyncio
import random
from collections.abc import Iterator
from heapq import merge
from itertools import count
from typing import Any

import attrs
from _oracle import bound
from _people import People, poisson
from _senders import Sender, make_sender
from _servers import FINE, HOUR, KINDS, SMALL, TOO_MANY, Change, Headers, Kind, Server, headers
from _virtual import LoopClock, NeverEndsError, run_virtual

from fusedesk_async import Request
from fusedesk_async._ratelimit.queues import Slots, WaitPolicy
from fusedesk_async._wire.answer import Answer

FASTEST, SLOWEST = 0.1, 0.6
"""Seconds a call takes from its start to its answer."""

_REQUEST = Request("GET", "v1/cases")


@attrs.frozen(kw_only=True)
class Trial:
    """What is tried.

    Attributes:
        server: The name of its kind, or a kind.
        calls: How many bulk calls are to be done.
        headers: What the answers tell.
        seed: Decides on phases, latencies, others and jitter.
        stranger: Calls a second of another program with the same key.
        people: Who asks for something beside the bulk work.
        reserve: The part of the hour's calls left untouched, here and by the bound.
        slots: Calls in flight at once.
        fastest: Seconds that the fastest call takes from its start to its answer.
        slowest: Seconds that the slowest takes.
        sender: `library`, or the name of a peer.
    """

    server: str | Kind
    calls: int = 5_000
    headers: Headers = "both"
    seed: int = 1
    stranger: float = 0.0
    people: People | None = None
    reserve: float = 0.1
    slots: int = 4
    fastest: float = FASTEST
    slowest: float = SLOWEST
    sender: str = "library"


@attrs.define(kw_only=True)
class Outcome:
    """What came of it; seconds throughout.

    Attributes:
        elapsed: Until the last bulk call was answered; infinite if that never happened.
        bound: What the oracle needs.
        refusals: When a call left that was refused with 429, bulk or not, and when that was known.
        waits: How long each call of people took, from asking to answer.
        trouble: Why it did not end.
        store_changes: How often the store of a shared quota was changed.
        largest_state: The size of the largest state in it, in bytes.
    """

    elapsed: float = float("inf")
    bound: float = 0.0
    refusals: list[tuple[float, float]] = attrs.field(factory=list[tuple[float, float]])
    waits: list[float] = attrs.field(factory=list[float])
    trouble: str = ""
    store_changes: int = 0
    largest_state: int = 0

    @property
    def ratio(self) -> float:
        """How many times the bound it took."""
        return self.elapsed / self.bound

    @property
    def refused(self) -> int:
        """How many calls were refused."""
        return len(self.refusals)

    @property
    def burst(self) -> int:
        """The most calls refused that had left before one of them was known to be."""
        largest, size, known = 0, 0, 0.0
        for sent_at, known_at in sorted(self.refusals):
            size, known = (size + 1, min(known, known_at)) if sent_at < known else (1, known_at)
            largest = max(largest, size)
        return largest


def run(server: str | Kind, **settings: Any) -> Outcome:
    """Try something; see `Trial` for what there is to set."""
    return run_trial(Trial(server=server, **settings))


def run_trial(trial: Trial) -> Outcome:
    """Try something."""
    bench = Bench(trial)
    try:
        run_virtual(bench.work)
    except NeverEndsError as error:
        bench.outcome.trouble = str(error)
    server = make_server(trial, people_count=True)
    bench.outcome.bound = bound(
        server, trial.calls, latencies_of(trial, "bulk"), slots=trial.slots, reserve=trial.reserve
    )
    return bench.outcome


class Bench:
    """The client's side of a run."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.outcome = Outcome()
        self._server = make_server(trial)
        self._luck = self.source("headers")
        self._slots = Slots(trial.slots)
        self._sender: Sender = make_sender(trial.sender, trial.reserve, trial.seed)
        self._latencies: dict[str, Iterator[float]] = {}

    def open(self, clock: LoopClock) -> None:
        """Take the clock."""
        self.clock = clock
        self._sender.attach(clock)

    def source(self, use: str) -> random.Random:
        """Luck, the same for the same trial and use."""
        return _source(self.trial, use)

    def latencies(self, use: str) -> Iterator[float]:
        """How long calls take, one after the other."""
        return self._latencies.setdefault(use, latencies_of(self.trial, use))

    async def work(self, clock: LoopClock) -> None:
        """All the bulk calls, and people's until these are done."""
        self.open(clock)
        people = asyncio.create_task(self.serve_people())
        await self.work_off(count(self.trial.calls - 1, -1))
        self.outcome.elapsed = clock.monotonic()
        await people

    async def work_off(self, left: Iterator[int]) -> None:
        """Bulk calls in all slots, as long as some are left."""
        await asyncio.gather(*(self._bulk(left) for _ in range(self.trial.slots)))

    async def _bulk(self, left: Iterator[int]) -> None:
        while next(left) >= 0:
            await self.call(WaitPolicy(bulk=True), self.latencies("bulk"))

    async def serve_people(self) -> None:
        """People's calls, until the bulk calls are done."""
        if self.trial.people is None:
            return
        async with asyncio.TaskGroup() as group:
            for moment in self.trial.people.moments(self.source("people")):
                await asyncio.sleep(moment - self.clock.monotonic())
                if self.outcome.elapsed < float("inf"):
                    return
                group.create_task(self._person())

    async def _person(self) -> None:
        asked_at = self.clock.monotonic()
        await self.call(WaitPolicy(), self.latencies("people"))
        self.outcome.waits.append(self.clock.monotonic() - asked_at)

    async def call(self, policy: WaitPolicy, latencies: Iterator[float]) -> None:
        """One call, sent again as often as it is refused."""
        answer = None
        while answer is None or answer.status == TOO_MANY:
            permit = await self._sender.acquire(self._slots, policy, _REQUEST)
            answer = await self._exchange(next(latencies))
            self._sender.finish(permit, answer)

    async def _exchange(self, latency: float) -> Answer:
        await asyncio.sleep(latency / 2)
        now = self.clock.monotonic()
        model = self._server.at(now)
        status = FINE if model.admit(now) else TOO_MANY
        if status == TOO_MANY:
            self.outcome.refusals.append((now - latency / 2, now + latency / 2))
        told = headers(model, now, self.trial.headers, self._luck)
        await asyncio.sleep(latency / 2)
        return Answer(status, told, b"[]", self.clock.time())


def _source(trial: Trial, use: str) -> random.Random:
    return random.Random(f"{trial.seed} {use}")


def latencies_of(trial: Trial, use: str) -> Iterator[float]:
    """How long calls take, the same for the same trial and use."""
    source = _source(trial, f"latencies {use}")
    while True:
        yield source.uniform(trial.fastest, trial.slowest)


def make_server(trial: Trial, *, people_count: bool = False) -> Server:
    """A fresh one; the same for the same trial. For the oracle people's calls are some of those of others."""
    kind = (KINDS | SMALL)[trial.server] if isinstance(trial.server, str) else trial.server
    source = _source(trial, "server")
    model = kind.make(source)
    change: Change | None = None
    if kind.changed_limit is not None:
        change = source.uniform(0.1, 1.5) * HOUR, kind.changed_limit
    others = poisson(trial.stranger, _source(trial, "stranger"))
    if trial.people and people_count:
        others = merge(others, trial.people.moments(_source(trial, "people")))
    return Server(model, others, change)
