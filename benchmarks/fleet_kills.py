"""Several processes on one export with histories into Postgres, killed again and again: is every history there once?

    uv run python benchmarks/fleet_kills.py [--cases 20000] [--kills 60] [--processes 8] [--seed 1]

Each process carries out `export_cases(…, history=True, join=True)` on the same destination, against a sandbox that
limits their calls. At random moments one of them gets SIGKILL, the one that walks through the list or one that helps,
and is started again. Claims of those that were killed expire after two seconds here. In the end all of them must come
to their end by themselves, with every case and every item of its history in the database exactly once. Bar: what a kill
costs, in calls that are made again, is no more than `concurrency`.
"""

import argparse
import asyncio
import random
import subprocess
import sys
import time
from collections import Counter
from importlib import import_module
from pathlib import Path

import attrs
import psycopg
from _bench import judge, print_table

from fusedesk_async import FuseDesk, RateLimiter
from fusedesk_async.export import _postgres_histories, export_cases
from fusedesk_async.sandbox import FixedHour, Sandbox, serve_in_thread

sys.path.append(str(Path(__file__).parents[1] / "tests" / "helpers"))
CONCURRENCY = 4
WINDOW, LIMIT = 1.0, 4_000
CLAIM_SECONDS = 2.0


@attrs.define(eq=False)
class Fleet:
    """The processes.

    Attributes:
        command: What each of them carries out.
        source: Chance.
        processes: Those that run, or have come to their end.
        kills: How many were killed.
    """

    command: list[str]
    source: random.Random
    processes: list[subprocess.Popen[bytes]] = attrs.field(factory=list[subprocess.Popen[bytes]])
    kills: int = 0

    def begin(self, count: int) -> None:
        """Start so many more."""
        self.processes += [subprocess.Popen(self.command) for _ in range(count)]

    def kill_one(self) -> bool:
        """Kill one that runs and start it again; False if none runs any more."""
        running = [process for process in self.processes if process.poll() is None]
        if not running:
            return False
        victim = self.source.choice(running)
        victim.kill()
        victim.wait()
        self.processes.remove(victim)
        self.kills += 1
        self.begin(1)
        return True

    def end(self) -> list[int]:
        """Wait until all have come to their end; the exit codes of those that failed."""
        return [code for process in self.processes if (code := process.wait())]


async def export(url: str, to: str) -> None:
    """What each of the processes does."""
    _postgres_histories.CLAIM_SECONDS = CLAIM_SECONDS
    limiter = RateLimiter(window=WINDOW)
    async with FuseDesk("x", api_key="sandbox-key", base_url=url, limiter=limiter, concurrency=CONCURRENCY) as desk:
        await export_cases(desk, to, status="all", history=True, join=True, concurrency=CONCURRENCY)


def survive(to: str, sandbox: Sandbox, source: random.Random, *, kills: int, processes: int) -> dict[str, float]:
    """Let them export while they are killed; what came of it."""
    asked, cases = Counter[str](), len(sandbox.state.cases.ids())
    sandbox.churn("get", lambda sandbox: asked.update([sandbox.received[-1].path]))
    began = time.monotonic()
    with serve_in_thread(sandbox) as url:
        fleet = Fleet([sys.executable, __file__, "--export", url, to], source)
        fleet.begin(processes)
        due = sorted(source.uniform(0, 0.98) * cases for _ in range(kills))  # so many histories are asked for before
        for number in due:
            while len(asked) < number and any(process.poll() is None for process in fleet.processes):
                time.sleep(0.002)
            if not fleet.kill_one():
                break
        failed = fleet.end()
    seconds = time.monotonic() - began
    return {
        "kills": fleet.kills,
        "seconds": seconds,
        "processes that failed": len(failed),
        **found(to, sandbox),
        "calls again": asked.total() - len(asked),
    }


def found(to: str, sandbox: Sandbox) -> dict[str, float]:
    """What is in the database, beside what is on the server."""
    cases = sandbox.state.cases
    with psycopg.connect(to) as connection:
        rows = Counter(number for (number,) in connection.execute("SELECT id FROM fusedesk.cases"))
        items: dict[int, int] = dict(
            connection.execute("SELECT case_id, count(*) FROM fusedesk.history GROUP BY 1").fetchall()
        )
        ((due,),) = connection.execute("SELECT count(*) FROM fusedesk.cases WHERE history_until IS NOT NULL")
        ((twice,),) = connection.execute(_TWICE)
    return {
        "cases": rows.total(),
        "histories": len(items),
        "cases lost": len({*cases.ids()} - rows.keys()),
        "cases twice": sum(count > 1 for count in rows.values()),
        "histories lost or cut": sum(items.get(case, 0) < len(sandbox.state.history(case)) for case in cases.ids()),
        "items twice": twice,
        "items too many": sum(count > len(sandbox.state.history(case)) for case, count in items.items()),
        "still due": due,
    }


_TWICE = """SELECT count(*) FROM (
  SELECT FROM fusedesk.history WHERE id IS NOT NULL GROUP BY case_id, id HAVING count(*) > 1
) AS twice"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    sandbox, source = Sandbox(asked.cases, limit=FixedHour(LIMIT, window=WINDOW)), random.Random(asked.seed)
    with import_module("database_servers").running_postgres() as server:
        to = server.new_database()
        result = survive(to, sandbox, source, kills=asked.kills, processes=asked.processes)
    print_table(["what", "count"], [[name, f"{count:,.0f}"] for name, count in result.items()])
    none = (
        "processes that failed",
        "cases lost",
        "cases twice",
        "histories lost or cut",
        "items twice",
        "items too many",
    )
    judge(
        [
            *((name, result[name], 0) for name in (*none, "still due")),
            ("calls again per kill", result["calls again"] / max(1, result["kills"]), CONCURRENCY),
        ],
        unit="",
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--export"]:
        asyncio.run(export(*sys.argv[2:4]))
    else:
        main()
