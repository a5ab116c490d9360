"""One or two endpoints that always answer 429, beside bulk work and people that call others: what it costs them.

    uv run python benchmarks/refused_endpoint.py [--seeds 10]

The library's `RateLimiter` in virtual time, with both headers and an hour of 1800 calls; 2,000 bulk calls to one
endpoint, a call of people to another every minute, and three callers that never give up on each of those refused. Each
run is compared with the same without these callers. Bars: 1.1 times the elapsed time of the bulk work and people's p95.
"""

import argparse
import asyncio
import random
from collections.abc import Iterator
from multiprocessing.pool import Pool
from statistics import quantiles

import attrs
from _bench import judge, print_table
from _servers import FINE, LIMIT, TOO_MANY, Bucket, Fixed, Model, Sliding, headers
from _virtual import LoopClock, run_virtual

from fusedesk_async import RateLimiter, RateLimitError, Request
from fusedesk_async._ratelimit.queues import Slots, WaitPolicy
from fusedesk_async._wire.answer import Answer

BULK_CALLS, CALLERS, PLACES, BAR = 2_000, 3, 4, 1.1
FASTEST, SLOWEST, PAUSE = 0.1, 0.6, 60.0
SERVERS = ("fixed hour", "sliding hour", "bucket")
BULK, PERSON = WaitPolicy(bulk=True), WaitPolicy(max_wait=120.0)
CASES, REPS = Request("GET", "v1/cases"), Request("GET", "v1/reps")
REFUSED = (Request("GET", "v2/contacts"), Request("GET", "v1/emails"))


@attrs.define
class _Run:
    """The callers, and the server that they call."""

    model: Model
    source: random.Random
    limiter: RateLimiter
    refused: int = 0
    waits: list[float] = attrs.field(factory=list[float])
    slots: Slots = attrs.field(factory=lambda: Slots(PLACES))

    async def work(self, clock: LoopClock, refused: int) -> float:
        """Everybody until the bulk work is done; how long that takes."""
        self.limiter.attach(clock)
        others = [asyncio.create_task(self._insist(clock, one)) for one in REFUSED[:refused] for _ in range(CALLERS)]
        others.append(asyncio.create_task(self._people(clock)))
        left = iter(range(BULK_CALLS))
        await asyncio.gather(*(self._bulk(clock, left) for _ in range(PLACES)))
        for task in others:
            task.cancel()
        return clock.monotonic()

    async def _bulk(self, clock: LoopClock, left: Iterator[int]) -> None:
        for _ in left:
            while not await self._call(clock, BULK, CASES):
                pass

    async def _people(self, clock: LoopClock) -> None:
        while True:
            await asyncio.sleep(PAUSE)
            asked_at = clock.monotonic()
            while not await self._call(clock, PERSON, REPS):
                pass
            self.waits.append(clock.monotonic() - asked_at)

    async def _insist(self, clock: LoopClock, request: Request) -> None:
        while True:
            try:
                await self._call(clock, PERSON, request)
            except RateLimitError:
                await asyncio.sleep(2.0)

    async def _call(self, clock: LoopClock, policy: WaitPolicy, request: Request) -> bool:
        permit = await self.limiter.acquire(self.slots, policy, request)
        latency = self.source.uniform(FASTEST, SLOWEST)
        await asyncio.sleep(latency / 2)
        now = clock.monotonic()
        accepted = request not in REFUSED and self.model.admit(now)
        self.refused += not accepted
        said = headers(self.model, now, "both", self.source)
        await asyncio.sleep(latency / 2)
        self.limiter.finish(permit, Answer(FINE if accepted else TOO_MANY, said, b"[]", clock.time()))
        return accepted


def run(trial: tuple[str, int, int]) -> tuple[float, list[float], int]:
    """Seconds that the bulk work took, what people waited, and how many calls were refused."""
    server, refused, seed = trial
    source = random.Random(f"{seed} {server}")
    models: dict[str, Model] = {"fixed hour": Fixed(LIMIT, phase=source.uniform(0, 3_600)), "sliding hour": Sliding()}
    bench = _Run(models.get(server) or Bucket(LIMIT), source, RateLimiter(source=random.Random(seed)))
    seconds = run_virtual(lambda clock: bench.work(clock, refused))
    return seconds, bench.waits, bench.refused


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=10, help="runs of each trial")
    seeds = parser.parse_args().seeds
    rows: list[list[str]] = []
    bars: list[tuple[str, float, float]] = []
    with Pool() as pool:
        for server in SERVERS:
            without, *each = (
                pool.map(run, [(server, refused, seed) for seed in range(seeds)]) for refused in range(len(REFUSED) + 1)
            )
            for number, beside in enumerate(each, 1):
                bulk = max(one[0] / other[0] for one, other in zip(beside, without, strict=True))
                p95 = [quantiles([wait for run in runs for wait in run[1]], n=20)[-1] for runs in (without, beside)]
                most = max(run[2] for run in beside)
                rows.append([server, str(number), f"{bulk:.2f} x", f"{p95[0]:.2f} s", f"{p95[1]:.2f} s", str(most)])
                what = f"{server}, {number} refused"
                bars += [(f"{what}: bulk work", bulk, BAR), (f"{what}: people's p95", p95[1] / p95[0], BAR)]
    head = ["server", "endpoints refused", "bulk work, worst", "people's p95 without", "beside them", "refused, most"]
    print_table(head, rows)
    judge(bars)


if __name__ == "__main__":
    main()
