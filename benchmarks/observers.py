"""Observers: what a call costs with and without them, as a multiple of a call that nobody observes.

    uv run python benchmarks/observers.py [CHECKOUT]

Processor time of calls to a transport that answers at once, best of interleaved rounds, in fresh processes. With
another checkout of the package (`git worktree add ../before COMMIT`) unobserved calls are compared with its own: that
is how to see whether a change made them dearer. Bar: 1.05 x.
"""

import subprocess
import sys
from pathlib import Path

from _bench import judge, print_table

ROUNDS, CALLS = 12, 3_000
BAR = 1.05
HERE = Path(__file__).parent.parent
PROGRAM = f"""
import asyncio, contextlib, sys, time
sys.path.insert(0, sys.argv[1])
import httpx
from fusedesk_async import FuseDesk, RateLimiter

def observed(desk, how):
    if how == "nobody":
        return contextlib.nullcontext()
    if how == "a counter":
        return desk.observe(lambda event: None)
    from fusedesk_async.otel import instrumented
    if how == "OpenTelemetry, no SDK":
        return instrumented(desk)
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace import TracerProvider
    return instrumented(desk, tracer_provider=TracerProvider(), meter_provider=MeterProvider())

async def main():
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=b"[]"))
    limiter = RateLimiter(assumed_limit=10**9)
    async with FuseDesk("acme", api_key="key", transport=transport, limiter=limiter) as desk:
        with observed(desk, sys.argv[2]):
            await desk.call("GET", "cases")
            start = time.process_time()
            for _ in range({CALLS}):
                await desk.call("GET", "cases")
            print(time.process_time() - start)

asyncio.run(main())
"""
WAYS = ("nobody", "a counter", "OpenTelemetry, no SDK", "OpenTelemetry, SDK")


def seconds(checkout: Path, way: str) -> float:
    """What the calls cost in a process of their own."""
    command = [sys.executable, "-c", PROGRAM, str(checkout), way]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, cwd="/").stdout)


def main() -> None:
    ways = {way: (HERE, way) for way in WAYS}
    if sys.argv[1:]:
        ways["nobody, the other checkout"] = (Path(sys.argv[1]).resolve(), "nobody")
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(ROUNDS):
        for name, (checkout, way) in ways.items():
            best[name] = min(best[name], seconds(checkout, way))
    base = best["nobody"]
    rows = [[name, f"{value / base:.2f} x", f"{value / CALLS * 1e6:.0f} us"] for name, value in best.items()]
    print_table(["observed by", "processor time", "a call"], rows)
    if sys.argv[1:]:
        judge([("unobserved calls, against the other checkout", base / best["nobody, the other checkout"], BAR)])


if __name__ == "__main__":
    main()
