"""Limits on bursts that no header announces: so many calls in a window of 8 to 60 s, beside the hour.

    uv run python benchmarks/burst_windows.py [--seeds 5]

The library's `RateLimiter` in virtual time; 1,000 bulk calls, four slots, latency 0.1 to 0.3 s, an hour of 1,800 calls,
and 429s without a Retry-After. The bound is that of a sender who knows the window: all of the first window at once,
and then as many in each. Bar: 1.5 times the bound. Without headers no burst is taken to last longer than 90 s.
"""

import argparse
import asyncio
import random
from collections import deque
from collections.abc import Iterator
from multiprocessing.pool import Pool

import attrs
from _bench import judge, print_table
from _servers import FINE, HOUR, LIMIT, TOO_MANY, Fixed, Headers, headers
from _virtual import LoopClock, run_virtual

from fusedesk_async import RateLimiter, Request
from fusedesk_async._ratelimit.queues import Slots, WaitPolicy
from fusedesk_async._wire.answer import Answer

CALLS, PLACES, BAR = 1_000, 4, 1.5
FASTEST, SLOWEST = 0.1, 0.3
WINDOWS = ((80, 8.0), (100, 10.0), (60, 20.0), (60, 60.0))
MODES: tuple[Headers, ...] = ("both", "limit", "none")
BULK, REQUEST = WaitPolicy(bulk=True), Request("GET", "v1/cases")


@attrs.define
class _Run:
    """The bulk work, and a server that counts calls in a sliding window and in the hour."""

    most: int
    window: float
    mode: Headers
    source: random.Random
    limiter: RateLimiter
    hour: Fixed = attrs.field(factory=lambda: Fixed(LIMIT, phase=HOUR))
    slots: Slots = attrs.field(factory=lambda: Slots(PLACES))
    refused: int = 0
    _admitted: deque[float] = attrs.field(factory=deque[float])

    async def work(self, clock: LoopClock) -> float:
        """All the calls; when the last one is answered."""
        self.limiter.attach(clock)
        left = iter(range(CALLS))
        await asyncio.gather(*(self._bulk(clock, left) for _ in range(PLACES)))
        return clock.monotonic()

    async def _bulk(self, clock: LoopClock, left: Iterator[int]) -> None:
        for _ in left:
            while not await self._call(clock):
                self.refused += 1

    async def _call(self, clock: LoopClock) -> bool:
        permit = await self.limiter.acquire(self.slots, BULK, REQUEST)
        latency = self.source.uniform(FASTEST, SLOWEST)
        await asyncio.sleep(latency / 2)
        now = clock.monotonic()
        accepted = self._has_room(now) and self.hour.admit(now)
        if accepted:
            self._admitted.append(now)
        said = headers(self.hour, now, self.mode, self.source)
        await asyncio.sleep(latency / 2)
        self.limiter.finish(permit, Answer(FINE if accepted else TOO_MANY, said, b"[]", clock.time()))
        return accepted

    def _has_room(self, now: float) -> bool:
        while self._admitted and self._admitted[0] <= now - self.window:
            self._admitted.popleft()
        return len(self._admitted) < self.most


def run(trial: tuple[int, float, Headers, int]) -> tuple[float, int]:
    """How many times the bound the work took, and how many calls were refused."""
    most, window, mode, seed = trial
    work = _Run(most, window, mode, random.Random(seed), RateLimiter(source=random.Random(seed)))
    seconds = run_virtual(work.work)
    bound = max((CALLS / most - 1) * window, CALLS * (FASTEST + SLOWEST) / 2 / PLACES)
    return seconds / bound, work.refused


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5, help="runs of each trial")
    seeds = parser.parse_args().seeds
    rows: list[list[str]] = []
    bars: list[tuple[str, float, float]] = []
    with Pool() as pool:
        for most, window in WINDOWS:
            for mode in MODES:
                runs = pool.map(run, [(most, window, mode, seed) for seed in range(seeds)])
                worst, refused = (max(values) for values in zip(*runs, strict=True))
                rows.append([f"{most} in {window:.0f} s", mode, f"{worst:.2f} x", str(refused)])
                bars.append((f"{most} in {window:.0f} s, {mode}", worst, BAR))
    print_table(["limit on bursts", "headers", "÷ bound, worst", "refused, most"], rows)
    judge(bars)


if __name__ == "__main__":
    main()
