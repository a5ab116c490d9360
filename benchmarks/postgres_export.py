"""Exports into Postgres: how many rows a second it takes, and whether every case is there once after failures.

    uv run python benchmarks/postgres_export.py [--cases 50000] [--kills 30] [--seed 1]

First the output alone: pages of 500 cases, each with its checkpoint in one durable commit, into empty tables, again as
they are, and again with a change in each case. Then an export with histories in a process of its own, against a sandbox
that opens, closes, retags and deletes cases between its calls, and limits them: the process gets SIGKILL at random
moments and is started again, or the server of the database ends as if its machine had failed (`pg_ctl -m immediate`)
and comes back. Bars: 5,000 rows a second; no case lost or twice, each with its history; calls again per kill.
"""

import argparse
import asyncio
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import attrs
import psycopg
from _bench import PAGE_SIZE, judge, print_table, render
from export_kills import CONCURRENCY, HISTORY_LIMIT, WINDOW, Desk

from fusedesk_async._json import JSONText
from fusedesk_async._wire.readers import many
from fusedesk_async.errors import UnexpectedResponseError
from fusedesk_async.export._checkpoint import Job
from fusedesk_async.export._postgres import PostgresSink, case_ids
from fusedesk_async.export._postgres_url import PostgresUrl
from fusedesk_async.export._row import Row
from fusedesk_async.models import Case
from fusedesk_async.sandbox import FixedHour, Sandbox, serve_in_thread

sys.path.append(str(Path(__file__).parents[1] / "tests" / "helpers"))
FEWEST_ROWS = 5_000
SERVER_FAILS = 0.4
"""How many of the failures are those of the database's server."""
WITHOUT_HISTORY = """SELECT count(*) FROM fusedesk.cases
WHERE NOT tombstone AND id NOT IN (SELECT case_id FROM fusedesk.history) AND id <= %s"""
"""What the sandbox opens later has none yet."""
JOB = Job(server="https://acme.fusedesk.com", query="", format="postgres", history=False)


def rates(url: str, cases: int) -> dict[str, float]:
    """Rows a second for each way to write them."""
    texts = asyncio.run(render(Sandbox(cases), -(-cases // PAGE_SIZE)))
    pages = [[Row(case) for case in many(Case)(JSONText(text), _pass_on).items] for text in texts]
    changed = [[Row(attrs.evolve(row.case, summary="changed")) for row in page] for page in pages]
    sink = PostgresSink(PostgresUrl(url))
    checkpoint = sink.open(JOB, resume="auto", overwrite=False)

    def write(pages: Iterable[list[Row]]) -> Callable[[], None]:
        def work() -> None:
            nonlocal checkpoint
            for page in pages:
                checkpoint = sink.write(page, attrs.evolve(checkpoint, cases=checkpoint.cases + len(page)))

        return work

    ways = {"new rows": write(pages), "unchanged rows": write(pages), "changed rows": write(changed)}
    found = {name: sum(map(len, pages)) / _seconds(way) for name, way in ways.items()}
    sink.close()
    return found


def survive(server: Any, url: str, desk: Desk, kills: int) -> dict[str, int]:
    """Export while everything fails again and again; what came of it."""
    counts, first = Counter[str](), max(desk.always)
    with serve_in_thread(desk.sandbox) as address:
        script = Path(__file__).with_name("export_kills.py")
        command = [sys.executable, str(script), "--export", address, url, desk.status, "1"]
        pause, exit_code = len(desk.always) / HISTORY_LIMIT * WINDOW / kills, 1
        while exit_code:
            seen, process = desk.calls, subprocess.Popen(command)
            while process.poll() is None and counts.total() < kills:
                if desk.calls == seen:
                    time.sleep(0.01)
                    continue
                time.sleep(desk.source.uniform(0.0, 2 * pause))
                if desk.source.random() < SERVER_FAILS:
                    server.stop()
                    server.start()
                    counts["server"] += 1
                else:
                    process.send_signal(signal.SIGKILL)
                    counts["process"] += 1
                    desk.begins_again = True
                    break
            exit_code = process.wait()
    ids = Counter(case_ids(PostgresUrl(url)))
    with psycopg.connect(url) as connection:
        ((bare,),) = connection.execute(WITHOUT_HISTORY, (first,))
    return {
        "kills": counts["process"],
        "failures of the server": counts["server"],
        "cases": ids.total(),
        "lost": len(desk.always - ids.keys()),
        "twice": sum(count > 1 for count in ids.values()),
        "never there": len(ids.keys() - desk.ever),
        "without history": bare,
        "calls again": desk.details.total() - len(desk.details) + desk.searches_again,
    }


def _seconds(way: Callable[[], None]) -> float:
    began = time.perf_counter()
    way()
    return time.perf_counter() - began


def _pass_on(error: UnexpectedResponseError) -> UnexpectedResponseError:
    return error


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with import_module("database_servers").running_postgres() as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = on")  # what tests do without, people do not
        server.stop("fast")
        server.start()
        found = rates(server.new_database(), asked.cases)
        print_table(["rows", "a second"], [[name, f"{rate:,.0f}"] for name, rate in found.items()])
        sandbox = Sandbox(asked.cases // 10, limit=FixedHour(HISTORY_LIMIT, window=WINDOW))
        desk = Desk(sandbox, "all", random.Random(asked.seed))
        survived = survive(server, server.new_database(), desk, asked.kills)
    print_table(["what", "count"], [[name, f"{count:,}"] for name, count in survived.items()])
    judge(
        [
            ("slowest rows a second, as a part of the fewest", FEWEST_ROWS / min(found.values()), 1),
            *((name, survived[name], 0) for name in ("lost", "twice", "never there", "without history")),
            ("calls again per failure", survived["calls again"] / max(1, asked.kills), CONCURRENCY),
        ],
        unit="",
    )


if __name__ == "__main__":
    main()
