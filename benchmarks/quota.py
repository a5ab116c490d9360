"""The quota: how close the limiter comes to a sender that sees the server's own state, and how often it is refused.

    uv run python benchmarks/quota.py [--quick] [--seeds 100] [--parts alone small stranger people fleet peers]

The library's real `RateLimiter` in virtual time, against servers that count in different ways; latency 0.1 to 0.6 s,
four slots, a reserve of a tenth. A cell holds the median … worst of elapsed ÷ bound over the seeds, and in brackets
the median … most 429s, if there were any. The oracle computes the bound anew for each run, under the same reserve,
slots, latencies and strangers. Bars: both headers and alone, 1.05 and no 429; limit header alone, no 429; people's p95
is the latency's while they ask for no more than the reserve; elsewhere, 429s of at most 1 % + 3 + the calls in flight.
Hours of few calls (`small`) with 4 and 64 slots, also where calls take no time at all: no 429, but for a limit of one,
which nobody knows before the second call; elapsed at most twice the bound.
Several processes (`fleet`), each with four slots, share the quota in a store that takes 3 ms: both headers, 1.05 and no
429; elsewhere no 429; people's p95 beside 16 of them is the latency's; at most 3 changes of the store a second, 10 with
a bucket; 4 kB in it. A fifth of the seeds, and beside them what comes of processes that do not share.
"""

import argparse
import itertools
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from _bench import judge, print_table
from _chart import draw
from _lab import Lab, largest_burst, most_refused, ratio_cell, wait_cell, wait_quantile, worst
from _people import Manner, People
from _run import FASTEST, SLOWEST, Outcome
from _senders import PEERS
from _servers import KINDS, SMALL, Headers

Bars = list[tuple[str, float, float]]

CHART = Path(__file__).parent.parent / "docs" / "quota.svg"
OURS = "fusedesk_async"
RATIO_BAR = 1.05
WAIT_BAR = 1.1
PLACES = 4
SMALL_SLOTS, SMALL_BAR = (4, 64), 2
CALLS = (5_000, 100)
MODES: dict[Headers, str] = {"both": "both headers", "junk": "both, 4 in 10 bad", "limit": "limit only", "none": "none"}
BARRED: dict[Headers, tuple[str, ...]] = {
    "both": ("fixed hour", "sliding hour", "bucket", "bucket, burst 100", "fixed hour, 1500 used"),
    "limit": ("fixed hour", "sliding hour", "bucket"),
}
STRANGERS = (0.1, 0.3)
STRANGER_MODES: tuple[Headers, ...] = ("both", "limit", "none")
STEADY = [server for server, kind in KINDS.items() if kind.changed_limit is None]
PEOPLE_AT = ("fixed hour", "sliding hour", "bucket")
PER_HOUR = (60, 120, 180)
PROCESSES, WAYS = (4, 16), ("apart", "shared")
FLEET_MODES: tuple[Headers, ...] = ("both", "limit", "none")
CHANGES_BAR = {"fixed hour": 3.0, "sliding hour": 3.0, "bucket": 10.0}
STATE_BAR = 4_096
MANNERS: tuple[Manner, ...] = ("regular", "bunched", "random")


def alone(lab: Lab) -> Bars:
    """Nobody else on the key."""
    bars: Bars = []
    for calls in CALLS:
        rows = [[server, *(ratio_cell(_alone(lab, server, mode, calls)) for mode in MODES)] for server in KINDS]
        print(f"\n### {calls:,} calls, nobody else on the key\n")
        print_table(["server", *MODES.values()], rows)
        for server in BARRED["both"]:
            bars.append((f"{calls} calls, {server}: elapsed", worst(_alone(lab, server, "both", calls)), RATIO_BAR))
    for mode, servers in BARRED.items():
        most = max(most_refused(_alone(lab, server, mode, calls)) for server in servers for calls in CALLS)
        bars.append((f"{MODES[mode]}: 429s", most, 0))
    bursts: list[int] = []
    for mode, name in MODES.items():
        bursts += [largest_burst(_alone(lab, server, mode, calls)) for server in KINDS for calls in CALLS]
        share = max(_share(_alone(lab, server, mode, calls), calls) for server in KINDS for calls in CALLS)
        bars.append((f"{name}, all servers: 429s ÷ those granted", share, 1))
    return [*bars, ("all servers: largest burst of 429s ÷ calls in flight", max(bursts) / PLACES, 1)]


def small(lab: Lab) -> Bars:
    """Hours of few calls, more than one call after the other and many at once; three hours' worth."""
    ways: dict[str, dict[str, Any]] = {
        f"{slots} slots{'' if slowest else ', no latency'}": {"slots": slots, "fastest": fastest, "slowest": slowest}
        for slots in SMALL_SLOTS
        for fastest, slowest in ((FASTEST, SLOWEST), (0.0, 0.0))
    }
    rows: list[list[str]] = []
    bars: Bars = []
    for server in SMALL:
        limit = int(server.rsplit(" ", 1)[1])
        cells = [lab.outcomes(server, calls=3 * limit + 5, **way) for way in ways.values()]
        rows.append([server, *map(ratio_cell, cells)])
        bars.append((f"{server}: 429s", max(map(most_refused, cells)), int(limit == 1)))
        bars.append((f"{server}: elapsed", max(map(worst, cells)), SMALL_BAR))
    print("\n### Three hours' worth of calls and five more, where an hour has few\n")
    print_table(["server", *ways], rows)
    return bars


def stranger(lab: Lab) -> Bars:
    """Another program on the key."""
    columns = [(mode, rate) for rate in STRANGERS for mode in STRANGER_MODES]
    shares: list[float] = []
    bursts: list[int] = []
    for calls in CALLS:
        rows: list[list[str]] = []
        for server in STEADY:
            cells = [lab.outcomes(server, calls=calls, headers=mode, stranger=rate) for mode, rate in columns]
            rows.append([server, *map(ratio_cell, cells)])
            shares += [_share(outcomes, calls) for outcomes in cells]
            bursts += map(largest_burst, cells)
        print(f"\n### {calls:,} calls, another program on the key\n")
        print_table(["server", *(f"{MODES[mode]}, {rate}/s" for mode, rate in columns)], rows)
    return [
        ("a stranger, all servers: 429s ÷ those granted", max(shares), 1),
        ("a stranger, all servers: largest burst of 429s ÷ calls in flight", max(bursts) / PLACES, 1),
    ]


def people(lab: Lab) -> Bars:
    """People beside 5,000 bulk calls: the median, p95 and maximum of what a call of theirs took."""
    bars: Bars = []
    rows: list[list[str]] = []
    for manner in MANNERS:
        for per_hour in PER_HOUR:
            asking = People(per_hour, manner)
            cells = {server: lab.outcomes(server, people=asking) for server in PEOPLE_AT}
            rows.append(
                [f"{per_hour}, {manner}", *(f"{wait_cell(cell)}; {worst(cell):.2f}" for cell in cells.values())]
            )
            if manner != "random":  # these are more than `per_hour` in many an hour
                what = f"{per_hour} an hour, {manner}"
                bars += [(f"{what}, {server}: p95", _wait_ratio(cell), WAIT_BAR) for server, cell in cells.items()]
    print("\n### People beside 5,000 calls: p50 / p95 / longest in seconds (most 429s); worst ratio of the bulk work\n")
    print_table(["people's calls an hour", *PEOPLE_AT], rows)
    return bars


def fleet(lab: Lab) -> Bars:
    """Several processes on the key, apart and with a shared quota; and people's calls beside their bulk calls."""
    bars: Bars = []
    rows: list[list[str]] = []
    for processes, server in itertools.product(PROCESSES, PEOPLE_AT):
        row = [f"{processes}", server]
        for mode in FLEET_MODES:
            cells = {shared: _fleet(lab, server, processes, headers=mode, shared=shared) for shared in (False, True)}
            row += map(ratio_cell, cells.values())
            what = f"{processes} processes, {server}, {MODES[mode]}"
            bars.append((f"{what}: 429s", most_refused(cells[True]), 0))
            if mode == "both":
                changes = max(outcome.store_changes / outcome.elapsed for outcome in cells[True])
                bars.append((f"{what}: elapsed", worst(cells[True]), RATIO_BAR))
                bars.append((f"{what}: changes of the store a second", changes, CHANGES_BAR[server]))
                largest = max(outcome.largest_state for outcome in cells[True])
                bars.append((f"{what}: bytes in the store", largest, STATE_BAR))
        rows.append(row)
    print("\n### 5,000 calls of several processes, each with four slots\n")
    print_table(["processes", "server", *(f"{MODES[mode]}, {way}" for mode in FLEET_MODES for way in WAYS)], rows)
    rows = []
    for server in PEOPLE_AT:
        asking = People(120, "regular")
        cells = {shared: _fleet(lab, server, max(PROCESSES), people=asking, shared=shared) for shared in (False, True)}
        rows.append([server, *(f"{wait_cell(cell)}; {worst(cell):.2f}" for cell in cells.values())])
        what = f"120 people's calls an hour beside {max(PROCESSES)} processes, {server}"
        bars.append((f"{what}: p95", _wait_ratio(cells[True]), WAIT_BAR))
    print(f"\n### 120 people's calls an hour beside {max(PROCESSES)} processes; as above\n")
    print_table(["server", *WAYS], rows)
    return bars


def _fleet(lab: Lab, server: str, processes: int, **settings: Any) -> list[Outcome]:
    return lab.outcomes(server, processes=processes, **settings)


def peers(lab: Lab) -> Bars:
    """Simpler ways, each against the bound under its own reserve: a tenth for the library, none for the others."""
    ways = _ways(lab, KINDS)
    rows = [[server, *(ratio_cell(cells[server]) for cells in ways.values())] for server in KINDS]
    print("\n### 5,000 calls, beside simpler ways, each against the bound under its own reserve\n")
    print_table(["server", *ways], rows)
    return []


def chart(lab: Lab) -> None:
    """Draw the picture in the README."""
    CHART.parent.mkdir(exist_ok=True)
    CHART.write_text(draw(_ways(lab, BARRED["both"]), ours=OURS), encoding="utf-8")


def _ways(lab: Lab, servers: Iterable[str]) -> dict[str, dict[str, list[Outcome]]]:
    ways = {name: {server: lab.outcomes(server, sender=name, reserve=0.0) for server in servers} for name in PEERS}
    ours = {
        f"{OURS}, {MODES[mode]}": {server: _alone(lab, server, mode, CALLS[0]) for server in servers}
        for mode in MODES
        if mode != "junk"
    }
    return ours | ways


def _alone(lab: Lab, server: str, mode: Headers, calls: int) -> list[Outcome]:
    return lab.outcomes(server, barred=server in BARRED.get(mode, ()), calls=calls, headers=mode)


def _share(outcomes: list[Outcome], calls: int) -> float:
    """The most 429s as a part of those that are promised to be the most."""
    return most_refused(outcomes) / (calls / 100 + 3 + PLACES)


def _wait_ratio(outcomes: list[Outcome]) -> float:
    """People's p95 as a multiple of the latency's own."""
    return wait_quantile(outcomes, 95) / (FASTEST + 0.95 * (SLOWEST - FASTEST))


def main() -> None:
    parts: dict[str, Callable[[Lab], Bars]] = {
        part.__name__: part for part in (alone, small, stranger, people, fleet, peers)
    }
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a handful of seeds, and no chart")
    parser.add_argument("--seeds", type=int, default=100, help="runs of each trial that has a bar; others get a fifth")
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts))
    arguments = parser.parse_args()
    seeds = 4 if arguments.quick else arguments.seeds
    logging.disable()  # the library says when people ask for more than the reserve; here that is the experiment
    bars: Bars = []
    with Lab(seeds, max(4, seeds // 5)) as lab:
        for part in arguments.parts:
            bars += parts[part](lab)
        if not arguments.quick and "peers" in arguments.parts:
            chart(lab)
    judge(bars)


if __name__ == "__main__":
    main()
