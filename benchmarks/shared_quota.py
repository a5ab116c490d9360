"""A quota shared by real processes: whether any is lost or refused when they are killed, or their store is away.

    uv run python benchmarks/shared_quota.py [--stores sqlite postgres redis] [--workers 16] [--kills 40] [--parts …]

Workers fetch 500 cases with their histories from a sandbox on a socket that allows 240 calls in an "hour" of 40 s.

- kills: SIGKILL at random, and another worker in place of the dead one. Bars: no case lost, none written twice; of all
  calls no more than 1 % + 3 refused; no more than four made again for a kill.
- away: the store is stopped for half an hour. Bars: none refused; shared again no later than four polls and a second.

- cost: the state of 16 processes after an hour, with 64 calls in flight. Bars: 4 kB, and 1 ms for a change.

Servers of PostgreSQL and Redis come out of wheels.
"""

import argparse
import itertools
import multiprocessing
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import attrs
from _bench import best_of, judge, print_table
from _quota_worker import CASES_PER_JOB, TABLES, transaction, work

sys.path.append(str(Path(__file__).parent.parent / "tests" / "helpers"))

from database_servers import running_postgres, running_redis  # the servers of the tests

from fusedesk_async._ratelimit.shared_quota import Inquiry, QuotaSettings, Report, Wanted, transition
from fusedesk_async._wire.headers import Usage
from fusedesk_async.sandbox import FixedHour, Sandbox, serve_in_thread

CASES, LIMIT, WINDOW, PHASE = 500, 240, 40.0, 8.0
RESERVE = 0.1
POLL = 0.25
IN_FLIGHT = 64
REFUSED_BAR = CASES / 100 + 3
AGAIN_BAR = 4
BACK_BAR = 4 * POLL + 1
LONGEST = 400.0
"""Seconds after which a run counts as one that never ends."""

Bars = list[tuple[str, float, float]]
Stop = Callable[[], Callable[[], None]]
"""Stops a store; what it gives starts it again."""


class CountedHour(FixedHour):
    """An hour that counts what it admits and refuses."""

    admitted = refused = 0

    def admit(self, now: float) -> bool:
        """Count a call; false: refuse it."""
        admitted = super().admit(now)
        self.admitted += admitted
        self.refused += not admitted
        return admitted

    def clone(self) -> Self:
        """There is one key, so one counter."""
        return self


@contextmanager
def started(kind: str, folder: Path) -> Generator[tuple[str, Stop], None, None]:
    """A store with nothing in it: its address, and what stops it."""
    if kind == "sqlite":
        path = folder / "quota.db"
        yield f"sqlite:///{path}", lambda: _lock(path)
        return
    with ExitStack() as stack:
        if kind == "postgres":
            postgres = stack.enter_context(running_postgres())

            def stop_postgres() -> Callable[[], None]:
                postgres.stop()
                return postgres.start

            yield postgres.new_database(), stop_postgres
        else:
            redis = stack.enter_context(running_redis())

            def stop_redis() -> Callable[[], None]:
                redis.stop()
                return redis.start

            yield redis.url, stop_redis


def _lock(path: Path) -> Callable[[], None]:
    """Somebody holds the file and does not let go; what lets go."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=60)
    connection.execute("BEGIN EXCLUSIVE")
    return connection.close


@attrs.define
class Run:
    """One run, and what came of it.

    Attributes:
        workers: How many processes.
        slots: Calls that each has in flight at once.
        kills: How many of them are killed.
        killed: How many were.
        seconds: How long it took.
        lost: Cases that were not written.
        twice: Cases that were written twice.
        refused: Calls that were refused.
        again: Calls beyond one for each case.
        back: Seconds from when the store was there again until the last worker shared it again.
    """

    workers: int
    slots: int
    kills: int
    killed: int = 0
    seconds: float = 0.0
    lost: int = 0
    twice: int = 0
    refused: int = 0
    again: int = 0
    back: float = 0.0

    def run(self, store: str | None, folder: Path, stop: Stop | None = None) -> Self:
        """Do it."""
        jobs, hour = str(folder / "jobs.db"), CountedHour(LIMIT, window=WINDOW, phase=PHASE)
        with closing(sqlite3.connect(jobs)) as connection:
            connection.executescript(f"PRAGMA journal_mode = WAL; {TABLES}")
            connection.executemany(
                "INSERT INTO jobs (first) VALUES (?)", [(n,) for n in range(1, CASES, CASES_PER_JOB)]
            )
            connection.commit()
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["_quota_worker", "fusedesk_async.resources.cases", "fusedesk_async.models"])
        with serve_in_thread(Sandbox(CASES, limit=hour, latency=0.02)) as server:
            settings = {"window": WINDOW, "assumed_limit": LIMIT, "reserve": RESERVE}

            def start() -> multiprocessing.process.BaseProcess:
                process = context.Process(target=work, args=(jobs, server, store, settings, self.slots), daemon=True)
                process.start()
                return process

            began = time.monotonic()
            processes = [start() for _ in range(self.workers)]
            self._watch(processes, start, jobs, stop)
            self.seconds = time.monotonic() - began
        self._count(jobs, hour)
        return self

    def _watch(
        self,
        processes: list[multiprocessing.process.BaseProcess],
        start: Callable[[], multiprocessing.process.BaseProcess],
        jobs: str,
        stop: Stop | None,
    ) -> None:
        source, began = random.Random(self.kills), time.monotonic()
        away_from = began + WINDOW / 4 if stop else float("inf")
        restart: Callable[[], None] | None = None
        next_kill, pause = began + 3.0, 1.5 * WINDOW / max(1, self.kills)
        while any(process.is_alive() for process in processes) and time.monotonic() < began + LONGEST:
            time.sleep(0.02)
            now = time.monotonic()
            if stop and restart is None and now > away_from:
                restart = stop()
            elif restart and now > away_from + WINDOW / 2:
                restart()
                self.back, stop, restart = -time.time(), None, None
            if self.killed < self.kills and now > next_kill and _left(jobs) > 1:
                number = source.randrange(len(processes))
                os.kill(processes[number].pid or 0, signal.SIGKILL)
                processes[number].join()
                processes[number] = start()
                self.killed, next_kill = self.killed + 1, now + pause * source.uniform(0.5, 1.5)
        for process in processes:
            process.kill()

    def _count(self, jobs: str, hour: CountedHour) -> None:
        with transaction(jobs) as connection:
            written, twice = connection.execute("SELECT count(*), total(times > 1) FROM cases").fetchone()
            (last,) = connection.execute("SELECT max(at) FROM events WHERE back").fetchone()
        self.lost, self.twice = CASES - written, int(twice)
        self.refused, self.again = hour.refused, hour.admitted - CASES
        self.back = self.back + last if self.back and last else float("inf") if self.back else 0.0


def _left(jobs: str) -> int:
    with transaction(jobs) as connection:
        (left,) = connection.execute("SELECT count(*) FROM jobs WHERE NOT done").fetchone()
    return int(left)


def kills(stores: list[str], workers: int, count: int) -> Bars:
    """Workers are killed."""
    rows: list[list[str]] = []
    bars: Bars = []
    for kind, slots in itertools.product(stores, (1, 4)):
        with TemporaryDirectory() as name, started(kind, Path(name)) as (address, _):
            run = Run(workers, slots, count).run(address, Path(name))
        rows.append(
            [kind, f"{workers} x {slots}"]
            + [f"{number:.0f}" for number in (run.killed, run.seconds, run.lost, run.twice, run.refused, run.again)]
        )
        what = f"{kind}, {workers} x {slots}, {run.killed} kills"
        bars += [(f"{what}: lost", run.lost, 0), (f"{what}: twice", run.twice, 0)]
        bars += [(f"{what}: refused", run.refused, REFUSED_BAR)]
        bars += [(f"{what}: calls again a kill", run.again / max(1, run.killed), AGAIN_BAR)]
    print(f"\n### {CASES} cases, workers killed\n")
    print_table(["store", "workers x slots", "kills", "seconds", "lost", "twice", "refused", "calls again"], rows)
    return bars


def away(stores: list[str], _: int, __: int) -> Bars:
    """The store is away for half an hour."""
    rows: list[list[str]] = []
    bars: Bars = []
    for kind in stores:
        with TemporaryDirectory() as name, started(kind, Path(name)) as (address, stop):
            run = Run(4, 4, 0).run(address, Path(name), stop)
        rows.append([kind, f"{run.seconds:.0f}", f"{run.lost}", f"{run.twice}", f"{run.refused}", f"{run.back:.1f}"])
        bars += [(f"{kind}, away: lost", run.lost, 0), (f"{kind}, away: refused", run.refused, 0)]
        bars += [(f"{kind}, away: seconds until shared again", run.back, BACK_BAR)]
    print(f"\n### {CASES} cases, 4 x 4, the store away for {WINDOW / 2:.0f} s of an hour of {WINDOW:.0f} s\n")
    print_table(["store", "seconds", "lost", "twice", "refused", "seconds until shared again"], rows)
    return bars


def cost(_: list[str], workers: int, __: int) -> Bars:
    """What is in the store, and what a change of it costs."""
    settings, source, now = QuotaSettings(RESERVE, None, 1_800), random.Random(1), 1_790_000_000.0
    state: bytes | None = None
    in_flight: list[tuple[int, Report]] = []
    for number in range(1_800):
        now += source.uniform(0, 4)
        process, reports = number % workers, tuple[Report, ...]()
        if len(in_flight) == IN_FLIGHT:
            process, report = in_flight.pop(source.randrange(IN_FLIGHT))
            reports = (report,)
        wanted = Wanted(bulk=number % 10 > 0, endpoint="GET v1/cases", seconds=LONGEST)
        inquiry = Inquiry(process=process, reports=reports, wanted=(wanted,))
        state, reply = transition(state, now, inquiry=inquiry, settings=settings, source=source)
        (decision,), generation = reply.decisions, reply.quota.generation
        if decision.number is not None:
            usage = Usage(1_800, max(300, 1_800 - number))
            report = Report(number=decision.number, generation=generation, ending="accepted", usage=usage)
            in_flight.append((process, report))
    process, report = in_flight[0]
    inquiry = Inquiry(process=process, reports=(report,), wanted=(Wanted(bulk=True, endpoint="GET v1/cases"),) * 4)
    change = partial(transition, state, now, inquiry=inquiry, settings=settings, source=source)
    milliseconds = 1e3 * best_of(200, {"change": change})["change"]
    size = len(state or b"")
    print(f"\n### The state of {workers} processes with {len(in_flight)} calls in flight\n")
    print_table(["bytes", "milliseconds a change"], [[f"{size:,}", f"{milliseconds:.2f}"]])
    return [("state: bytes", size, 4_096), ("change: milliseconds", milliseconds, 1.0)]


def main() -> None:
    parts = {part.__name__: part for part in (kills, away, cost)}
    parser = argparse.ArgumentParser()
    parser.add_argument("--stores", nargs="+", default=["sqlite", "postgres", "redis"])
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts))
    arguments = parser.parse_args()
    bars: Bars = []
    for part in arguments.parts:
        bars += parts[part](arguments.stores, arguments.workers, arguments.kills)
    judge(bars, unit="")


if __name__ == "__main__":
    main()
