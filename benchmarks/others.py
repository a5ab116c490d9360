"""Another program on the key, beside people and bulk work that never ends: what it costs people.

    uv run python benchmarks/others.py [--seeds 16]

The library's `RateLimiter` in virtual time, with both headers and an hour of 1800 calls; 160 people's calls an hour for
three hours, which wait for quota for 120 s at the most, and a program that sends a call now and then and is told
nothing. Each run is compared with the same without bulk work. Bars: no more of people's calls fail than without it.
"""

import argparse
import asyncio
import logging
from multiprocessing.pool import Pool

from _bench import judge, print_table
from _people import People
from _run import Bench, Trial
from _servers import HOUR
from _virtual import LoopClock, run_virtual

from fusedesk_async import RateLimitError
from fusedesk_async._ratelimit.queues import WaitPolicy

SERVERS, RATES = ("fixed hour", "sliding hour", "bucket"), (0.0, 0.1, 0.33)
HOURS, PATIENCE = 3, 120.0
BULK, PERSON = WaitPolicy(bulk=True), WaitPolicy(max_wait=PATIENCE)


class _Hours(Bench):
    """People at work for so many hours, with or without bulk work beside them."""

    asked = failed = late = done = 0

    async def work(self, clock: LoopClock) -> None:
        """Everybody until the last person has an answer."""
        self.open(clock)
        slots = range(self.trial.slots if self.trial.calls else 0)
        bulk = [asyncio.create_task(self._endless()) for _ in slots]
        assert self.trial.people is not None
        async with asyncio.TaskGroup() as group:
            for moment in self.trial.people.moments(self.source("people")):
                if moment > HOURS * HOUR:
                    break
                await asyncio.sleep(moment - clock.monotonic())
                group.create_task(self._person())
        for task in bulk:
            task.cancel()
        await asyncio.gather(*bulk, return_exceptions=True)

    async def _endless(self) -> None:
        while True:
            await self.call(BULK, self.latencies("bulk"))
            self.done += 1

    async def _person(self) -> None:
        self.asked += 1
        asked_at = self.clock.monotonic()
        try:
            await self.call(PERSON, self.latencies("people"))
        except RateLimitError:
            self.failed += 1
            return
        self.late += self.clock.monotonic() - asked_at > PATIENCE


def run(trial: Trial) -> tuple[int, int, int, int]:
    """How many calls people asked for, how many failed or were late, bulk calls done, and calls that were refused."""
    logging.disable()
    hours = _Hours(trial)
    run_virtual(hours.work)
    return hours.asked, hours.failed + hours.late, hours.done, hours.outcome.refused


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=16, help="runs of each trial")
    seeds = parser.parse_args().seeds
    rows: list[list[str]] = []
    bars: list[tuple[str, float, float]] = []
    with Pool() as pool:
        for server in SERVERS:
            for rate in RATES:
                trials = [
                    Trial(server=server, calls=calls, stranger=rate, people=People(160), seed=seed)
                    for calls in (0, 1)
                    for seed in range(seeds)
                ]
                found = pool.map(run, trials)
                (asked, without, _, _), (_, beside, done, refused) = (
                    [sum(column) for column in zip(*part, strict=True)] for part in (found[:seeds], found[seeds:])
                )
                hourly = f"{done / seeds / HOURS:,.0f}"
                failed = [f"{number} of {asked:,}" for number in (without, beside)]
                rows.append([server, f"{rate:g} a second", *failed, hourly, f"{refused / seeds / HOURS:.2f}"])
                bars.append((f"{server}, {rate:g} a second: people's calls that failed", beside, without))
    head = ["server", "the other program", "late without bulk work", "beside it", "bulk calls an hour", "429s an hour"]
    print_table(head, rows)
    judge(bars, "calls")


if __name__ == "__main__":
    main()
