"""A job queue that obeys `retry_at`: how often its jobs are put off where calls raise instead of waiting.

    uv run python benchmarks/job_queue.py [--seeds 20]

The library's own `RateLimiter` in virtual time; 30 jobs of one call each begin at once, the server allows 20 calls an
hour, and a job that is put off comes back when it was told to, up to half a second late. Where no header says the
limit, the limiter is told it (`assumed_limit`). Bars: 90 put off in all, 2 refused with 429, all done within three
hours, none put off more than three times (so a queue that tries five times loses no job). Where the hour is used up
at the start nothing but a refusal can show it; this row is without a bar.
"""

import argparse
import asyncio
import random
from multiprocessing.pool import Pool
from statistics import median

import attrs
from _bench import judge, print_table
from _servers import FINE, HOUR, TOO_MANY, Bucket, Fixed, Headers, Model, Sliding, headers
from _virtual import LoopClock, run_virtual

from fusedesk_async import RateLimiter, RateLimitError, Request
from fusedesk_async._ratelimit.queues import Slots, WaitPolicy
from fusedesk_async._wire.answer import Answer
from fusedesk_async._wire.decode import error_for_status

JOBS, LIMIT, PLACES = 30, 20, 4
LATEST = 0.5
"""Seconds by which a job comes back late, at most."""
FASTEST, SLOWEST = 0.1, 0.6
PUT_OFF_BAR, REFUSED_BAR, HOURS_BAR, EACH_BAR = 90, 2, 3, 3
MODES: tuple[Headers, ...] = ("both", "limit", "none")
SERVERS = ("fixed hour", "sliding hour", "bucket", "fixed hour, all used")
BARRED = SERVERS[:3]
NO_WAIT = WaitPolicy(max_wait=0.0)
REQUEST = Request("GET", "v1/cases")


@attrs.frozen
class Outcome:
    """How often each job was put off, how many calls were refused, and the hours until all were done."""

    put_off: list[int]
    refused: int
    hours: float


def make_model(server: str, source: random.Random) -> Model:
    """A fresh server."""
    if server == "sliding hour":
        return Sliding(LIMIT, most=LIMIT)
    if server == "bucket":
        return Bucket(LIMIT)
    return Fixed(LIMIT, phase=source.uniform(0, HOUR), used=LIMIT if "used" in server else 0)


@attrs.define
class _Queue:
    """The jobs, and the server that they call."""

    model: Model
    mode: Headers
    source: random.Random
    limiter: RateLimiter
    slots: Slots = attrs.field(factory=lambda: Slots(PLACES))
    put_off: list[int] = attrs.field(factory=lambda: [0] * JOBS)
    refused: int = 0

    async def work(self, clock: LoopClock) -> float:
        """All the jobs; when the last one is done."""
        self.limiter.attach(clock)
        await asyncio.gather(*(self._job(number, clock) for number in range(JOBS)))
        return clock.monotonic()

    async def _job(self, number: int, clock: LoopClock) -> None:
        while True:
            try:
                await self._call(clock)
            except RateLimitError as error:
                self.put_off[number] += 1
                await asyncio.sleep((error.retry_after or 0.0) + self.source.uniform(0, LATEST))
            else:
                return

    async def _call(self, clock: LoopClock) -> None:
        permit = await self.limiter.acquire(self.slots, NO_WAIT, REQUEST)
        latency = self.source.uniform(FASTEST, SLOWEST)
        await asyncio.sleep(latency / 2)
        now = clock.monotonic()
        status = FINE if self.model.admit(now) else TOO_MANY
        said = headers(self.model, now, self.mode, self.source)
        await asyncio.sleep(latency / 2)
        answer = Answer(status, said, b"[]", clock.time())
        self.limiter.finish(permit, answer)
        if status == TOO_MANY:
            self.refused += 1
            raise self.limiter.rate_limit_error(REQUEST, NO_WAIT, error_for_status(answer, REQUEST))


def run(trial: tuple[str, Headers, int]) -> Outcome:
    """Let the jobs work once."""
    server, mode, seed = trial
    source = random.Random(f"{seed} {server}")
    limiter = RateLimiter(assumed_limit=LIMIT, source=random.Random(seed))
    queue = _Queue(make_model(server, source), mode, source, limiter)
    seconds = run_virtual(queue.work)
    return Outcome(queue.put_off, queue.refused, seconds / HOUR)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20, help="runs of each trial")
    seeds = parser.parse_args().seeds
    rows: list[list[str]] = []
    bars: list[tuple[str, float, float]] = []
    with Pool() as pool:
        for server in SERVERS:
            for mode in MODES:
                outcomes = pool.map(run, [(server, mode, seed) for seed in range(seeds)])
                figures: dict[str, tuple[list[float], float]] = {
                    "put off in all": ([sum(outcome.put_off) for outcome in outcomes], PUT_OFF_BAR),
                    "put off, each": ([max(outcome.put_off) for outcome in outcomes], EACH_BAR),
                    "refused": ([outcome.refused for outcome in outcomes], REFUSED_BAR),
                    "hours": ([outcome.hours for outcome in outcomes], HOURS_BAR),
                }
                cells = [f"{median(values):.4g} … {max(values):.4g}" for values, _ in figures.values()]
                rows.append([server, mode, *cells])
                if server in BARRED:
                    bars += [(f"{server}, {mode}: {name}", max(got), bar) for name, (got, bar) in figures.items()]
    print_table(["server", "headers", "put off in all", "put off, each", "refused", "hours"], rows)
    judge(bars, "")


if __name__ == "__main__":
    main()
