"""Keeping to a quota over loopback sockets: how long 200 pages take, as a multiple of the least the server permits.

    uv run --group benchmarks python benchmarks/sockets.py [bucket|hours] [REPEATS]

The server counts calls in another process; each way runs in one of its own, knows nothing of the quota beforehand
unless it says so, and is given up after ten times its bound. Ours is the worst of so many runs, each peer runs once.
Bars: 1.10 x the bound under our own reserve, and a tenth of the calls refused. Peers that are not installed are left
out.
"""

import json
import subprocess
import sys
from pathlib import Path

import attrs
from _bench import judge, print_table
from _desk import Plan, bound, counted, served
from _ways import MANY, OURS, Task, peers

PAGES = 200
PAGE_SIZE = 500
FEW = 4
PATIENCE = 10
SLACK = 10.0
"""Seconds beyond its bound that any way gets, to import what it needs."""
REPEATS = 3
BAR, REFUSED_BAR = 1.10, 0.10
HEAD = [
    "way",
    "server",
    "latency",
    "headers",
    "in flight",
    "seconds",
    "÷ bound",
    "÷ bound, reserve kept",
    "calls",
    "refused",
]

RATE = 20
BUCKET = {"limit": 72_000, "window": 3_600.0, "burst": 10}
BUCKET_OF_A_SECOND = {"limit": RATE, "window": 1.0, "burst": 10}
HOUR = {"limit": 100, "window": 5.0}


@attrs.frozen
class Case:
    """A server, and whether the bars hold for it and the peers are tried on it.

    Attributes:
        server: What the table says of it.
        headers: What it tells, likewise.
        plan: What it does.
        scaled: Whether its "hour" is shorter than an hour, and our client is told so.
        barred: Whether our client has to meet the bars.
        peers: Whether the peers are tried.
    """

    server: str
    headers: str
    plan: Plan
    scaled: bool = False
    barred: bool = True
    peers: bool = False


@attrs.frozen
class Run:
    """What came of a run; infinite seconds if it was given up or got too little."""

    seconds: float
    rows: int
    calls: int
    refused: int


def buckets() -> list[Case]:
    """20 calls a second, 10 at once: told as 72 000 an hour, as 20, not at all, or after a refusal only."""
    cases: list[Case] = []
    for latency in (0.0, 0.2):
        server = Plan(PAGES * PAGE_SIZE, "TokenBucket", BUCKET, (latency, latency))
        silent = attrs.evolve(server, usage_headers=False)
        cases += [
            Case("bucket", "limit 72000", server),
            Case("bucket", "limit 20", attrs.evolve(server, settings=BUCKET_OF_A_SECOND)),
            Case("bucket", "none", silent, peers=True),
            Case("bucket", "Retry-After", attrs.evolve(silent, retry_after=True), barred=False, peers=True),
        ]
    return cases


def hours() -> list[Case]:
    """100 calls in an "hour" of five seconds. Peers, whose pauses are not to be scaled, would be wronged here."""
    servers = {f"fixed, first {phase} s": ("FixedHour", {"phase": phase}) for phase in (0.5, 2.5, 4.5)}
    servers |= {"sliding": ("SlidingHour", {}), "bucket of 100": ("TokenBucket", {"burst": 100})}
    plans = {name: Plan(PAGES * PAGE_SIZE, kind, HOUR | settings) for name, (kind, settings) in servers.items()}
    return [Case(f"5 s, {name}", "both", plan, scaled=True) for name, plan in plans.items()]


def run(case: Case, way: str, slots: int) -> Run:
    """Let one way fetch everything from a fresh server."""
    window = case.plan.settings["window"] if case.scaled else None
    with served(case.plan) as url:
        task = Task(url, PAGES, PAGE_SIZE, RATE, window, slots)
        command = [sys.executable, str(Path(__file__).with_name("_ways.py")), way, json.dumps(attrs.asdict(task))]
        patience = PATIENCE * bound(case.plan, PAGES, slots) + SLACK
        try:
            done = subprocess.run(command, capture_output=True, timeout=patience, check=True)
            found = json.loads(done.stdout.splitlines()[-1])
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            found = {"seconds": float("inf"), "rows": 0}
            print(f"{way}: {_last_line(error)}", file=sys.stderr)
        counts = counted(url)
    seconds = found["seconds"] if found["rows"] == case.plan.rows else float("inf")
    return Run(seconds, found["rows"], counts["calls"], counts["refused"])


def _last_line(error: subprocess.CalledProcessError | subprocess.TimeoutExpired) -> str:
    lines = (error.stderr or b"").decode(errors="replace").splitlines()
    return lines[-1] if isinstance(error, subprocess.CalledProcessError) and lines else "given up"


def row(case: Case, way: str, slots: int, result: Run) -> list[str]:
    """What the table says of a run."""
    least, least_of_ours = (bound(case.plan, PAGES, slots, kept) for kept in (0, case.plan.kept))
    ended = result.seconds < float("inf")
    return [
        way,
        case.server,
        f"{case.plan.latency[0] * 1000:.0f} ms",
        case.headers,
        str(slots),
        f"{result.seconds:.2f}" if ended else "gave up",
        f"{result.seconds / least:.2f} x" if ended else "-",
        f"{result.seconds / least_of_ours:.2f} x" if ended and way == OURS else "-",
        str(result.calls),
        str(result.refused),
    ]


def bars(case: Case, slots: int, results: list[Run]) -> list[tuple[str, float, float]]:
    """What our client has to meet, in the worst of its runs."""
    what = f"{case.server}, {case.plan.latency[0] * 1000:.0f} ms, headers: {case.headers}, {slots} in flight"
    least = bound(case.plan, PAGES, slots, case.plan.kept)
    return [
        (f"{what}: time", max(result.seconds for result in results) / least, BAR),
        (f"{what}: part refused", max(result.refused / result.calls for result in results), REFUSED_BAR),
    ]


def main(cases: list[Case], repeats: int) -> None:
    rows: list[list[str]] = []
    to_meet: list[tuple[str, float, float]] = []
    for case in cases:
        for slots in (MANY, FEW):
            results = [run(case, OURS, slots) for _ in range(repeats)]
            rows.append(row(case, OURS, slots, max(results, key=lambda result: (result.seconds, result.refused))))
            to_meet += bars(case, slots, results) if case.barred else []
        rows += [row(case, way, slots, run(case, way, slots)) for way, slots in _peers(case)]
    print_table(HEAD, rows)
    judge(to_meet)


def _peers(case: Case) -> list[tuple[str, int]]:
    return list(peers().items()) if case.peers else []


if __name__ == "__main__":
    chosen = {"bucket": buckets(), "hours": hours()}
    wanted = [word for word in sys.argv[1:] if word in chosen] or list(chosen)
    main(
        [case for name in wanted for case in chosen[name]],
        next((int(word) for word in sys.argv[1:] if word.isdecimal()), REPEATS),
    )
