"""Several processes on one key in virtual time: each with a limiter of its own, or all with one shared quota."""

import asyncio
import random
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, TypeVar

import attrs
from _oracle import bound
from _run import Bench, Outcome, Trial, latencies_of, make_server
from _virtual import LoopClock, NeverEndsError, run_virtual

from fusedesk_async import RateLimiter
from fusedesk_async._ratelimit.quota_store import Change
from fusedesk_async._ratelimit.shared_limiter import SharedRateLimiter
from fusedesk_async._ratelimit.store_access import StoreAccess

T = TypeVar("T")

STORE_LATENCY = 0.003
"""Seconds that the store takes."""


@attrs.define
class MemoryQuota:
    """A store in the memory of the one real process.

    Attributes:
        clock: Its clock.
        state: What it holds.
        changes: How often that was changed.
        largest: The size of the largest state, in bytes.
    """

    clock: LoopClock
    state: bytes | None = None
    changes: int = 0
    largest: int = 0

    def change(self, _: str, change: Change[T]) -> T:
        """Change the state."""
        self.state, result = change(self.state, self.clock.time())
        self.changes += 1
        self.largest = max(self.largest, len(self.state))
        return result

    def close(self) -> None:
        """There is nothing to close."""


class _VirtualAccess(StoreAccess):
    async def in_thread(self, work: Callable[[], T]) -> T:
        """Take virtual time, in which there are no threads."""
        await asyncio.sleep(STORE_LATENCY / 2)
        result = work()
        await asyncio.sleep(STORE_LATENCY / 2)
        return result


class VirtualSharedLimiter(SharedRateLimiter):
    """One that waits for its store in virtual time."""

    _access_type = _VirtualAccess


@attrs.frozen(kw_only=True)
class FleetTrial(Trial):
    """What is tried with several processes.

    Attributes:
        processes: How many do bulk work, each with its own slots. People are served by one more.
        shared: Whether they share the quota; else each has a limiter of its own.
    """

    processes: int
    shared: bool = True


class _Process(Bench):
    """One of them: the server and what comes of its calls are those of all."""

    def __init__(self, fleet: "Fleet", number: int) -> None:
        super().__init__(fleet.trial)
        self.outcome, self._server, self._luck = fleet.outcome, fleet.server, fleet.luck
        self._latencies = fleet.all_latencies
        source = random.Random(f"{fleet.trial.seed} {number}")
        settings: dict[str, Any] = {"reserve": fleet.trial.reserve, "source": source}
        self._sender = VirtualSharedLimiter(shared=fleet.store, **settings) if fleet.store else RateLimiter(**settings)


class Fleet:
    """All of them.

    Attributes:
        trial: What is tried.
        outcome: What came of it.
        store: What they share; None if nothing.
    """

    def __init__(self, trial: FleetTrial) -> None:
        self.trial, self.outcome = trial, Outcome()
        self.server, self.luck = make_server(trial), random.Random(f"{trial.seed} headers")
        self.all_latencies: dict[str, Iterator[float]] = {}
        self.store: MemoryQuota | None = None

    async def work(self, clock: LoopClock) -> None:
        """All the bulk calls, and people's until these are done."""
        if self.trial.shared:
            self.store = MemoryQuota(clock)
        processes = [_Process(self, number) for number in range(self.trial.processes + 1)]
        for process in processes:
            process.open(clock)
        people = asyncio.create_task(processes[-1].serve_people())
        left = count(self.trial.calls - 1, -1)
        await asyncio.gather(*(process.work_off(left) for process in processes[:-1]))
        self.outcome.elapsed = clock.monotonic()
        await people


def run_fleet(trial: FleetTrial) -> Outcome:
    """Try something."""
    fleet = Fleet(trial)
    try:
        run_virtual(fleet.work)
    except NeverEndsError as error:
        fleet.outcome.trouble = str(error)
    slots = trial.slots * trial.processes
    server = make_server(trial, people_count=True)
    fleet.outcome.bound = bound(server, trial.calls, latencies_of(trial, "bulk"), slots=slots, reserve=trial.reserve)
    if fleet.store:
        fleet.outcome.store_changes, fleet.outcome.largest_state = fleet.store.changes, fleet.store.largest
    return fleet.outcome
