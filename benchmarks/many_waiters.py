"""Two thousand interactive calls that wait for a slot: the processor time of the limiter, per call.

    uv run python benchmarks/many_waiters.py

Virtual time, so nothing is waited for; 4 slots, answers without headers. What the tasks and the loop cost by themselves
is measured with a semaphore in place of the limiter and taken off. Bar: 0.1 ms a call.
"""

import asyncio

from _bench import best_of, judge, print_table
from _virtual import LoopClock, run_virtual

from fusedesk_async import RateLimiter, Request
from fusedesk_async._ratelimit.queues import Slots, WaitPolicy
from fusedesk_async._wire.answer import Answer

CALLS, PLACES, BAR = 2_000, 4, 0.1
LATENCY = 0.01
REQUEST = Request("GET", "v1/cases/1")
ANSWER = Answer(200, {}, b"[]")


async def with_limiter(clock: LoopClock) -> None:
    """All calls by a limiter."""
    limiter, slots, policy = RateLimiter(assumed_limit=10**6), Slots(PLACES), WaitPolicy(max_wait=120.0)
    limiter.attach(clock)

    async def call() -> None:
        permit = await limiter.acquire(slots, policy, REQUEST)
        await asyncio.sleep(LATENCY)
        limiter.finish(permit, ANSWER)

    await asyncio.gather(*(call() for _ in range(CALLS)))


async def with_semaphore(clock: LoopClock) -> None:
    """All calls by a semaphore."""
    del clock
    semaphore = asyncio.Semaphore(PLACES)

    async def call() -> None:
        async with semaphore:
            await asyncio.sleep(LATENCY)

    await asyncio.gather(*(call() for _ in range(CALLS)))


def main() -> None:
    ways = {"limiter": lambda: run_virtual(with_limiter), "semaphore": lambda: run_virtual(with_semaphore)}
    seconds = best_of(5, ways)
    milliseconds = {name: taken / CALLS * 1_000 for name, taken in seconds.items()}
    own = milliseconds["limiter"] - milliseconds["semaphore"]
    print_table(["by", "ms a call"], [[name, f"{taken:.3f}"] for name, taken in milliseconds.items()])
    judge([("limiter, less the semaphore", own, BAR)], "ms")


if __name__ == "__main__":
    main()
