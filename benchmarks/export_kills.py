"""Exports that are killed: whether every case is there once all the same, and what the kills cost.

    uv run python benchmarks/export_kills.py [--kills 20] [--cases 100000] [--only jsonl,db] [--lists | --histories]

For each format, with and without histories, an export runs in a process of its own against a sandbox that opens,
closes, retags and deletes cases between its calls, and limits them. The process gets SIGKILL at random moments after
its first call, and is started again, so many times; then it runs to its end. A case must be in the output exactly once
if it matched from the first start to the last end, and never twice. Bar: what a kill costs, in calls that are made
again, is no more than `concurrency`.
"""

import argparse
import asyncio
import csv
import gzip
import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
from _bench import PAGE_SIZE, judge, print_table

from fusedesk_async import FuseDesk, RateLimiter
from fusedesk_async.export import export_cases
from fusedesk_async.sandbox import FixedHour, Sandbox, serve_in_thread

FORMATS = ("jsonl", "jsonl.gz", "csv", "parquet", "db")
CONCURRENCY = 4
WINDOW = 1.0
LIST_LIMIT, HISTORY_LIMIT = 60, 4_000
PLANNED = 4
"""Calls that the beginning of an export may cost: three to plan it, one for the newest date."""


@attrs.define(eq=False)
class Desk:
    """The sandbox, and what happened in it.

    Attributes:
        sandbox: The sandbox.
        status: The filter of the export.
        source: Chance.
        always: Cases that matched throughout.
        ever: Cases that matched at any time.
        searches: Searches that were carried out.
        details: How often each case was asked for by its id.
        deleted: Cases that were deleted.
    """

    sandbox: Sandbox
    status: str
    source: random.Random
    always: set[int] = attrs.field(factory=set[int])
    ever: set[int] = attrs.field(factory=set[int])
    searches: int = 0
    details: Counter[int] = attrs.field(factory=Counter[int])
    deleted: set[int] = attrs.field(factory=set[int])

    def __attrs_post_init__(self) -> None:
        cases = self.sandbox.state.cases
        self.always = {case for case in cases.ids() if self._matches(case)}
        self.ever = {*self.always}
        self.sandbox.churn("search", lambda _: self._searched())
        self.sandbox.churn("get", lambda _: self._looked_up())

    def _searched(self) -> None:
        self.searches += 1
        self._changed(1.0)

    def _looked_up(self) -> None:
        self.details[int(self.sandbox.received[-1].path.rpartition("/")[2])] += 1
        self._changed(0.02)

    def _changed(self, chance: float) -> None:
        """Let the desk work a little."""
        if self.source.random() > chance:
            return
        acts = (
            self.sandbox.close_cases,
            self.sandbox.reopen_cases,
            self.sandbox.retag_cases,
            self.sandbox.delete_cases,
            self.sandbox.open_cases,
        )
        act = self.source.choice(acts)
        touched = act(self.source.randint(1, 6))
        if act == self.sandbox.delete_cases:
            self.deleted.update(touched)
        for case in touched:
            if self._matches(case):
                self.ever.add(case)
            else:
                self.always.discard(case)

    def _matches(self, case: int) -> bool:
        cases = self.sandbox.state.cases
        return case in cases and (self.status == "all" or cases.value(case, "status") == self.status)

    @property
    def calls(self) -> int:
        """Calls that were carried out so far."""
        return self.searches + self.details.total()


@attrs.frozen
class Result:
    """What became of one export."""

    name: str
    kills: int
    rows: int
    lost: int
    twice: int
    strange: int
    again: float
    seconds: float

    def cells(self) -> list[str]:
        """As a row of the table."""
        numbers = [self.kills, self.rows, self.lost, self.twice, self.strange]
        return [self.name, *(f"{number:,}" for number in numbers), f"{self.again:.2f}", f"{self.seconds:.0f}"]


async def export(url: str, out: str, status: str, history: bool) -> None:  # noqa: FBT001 - from the command line
    """The process that is killed."""
    limiter = RateLimiter(window=WINDOW)
    async with FuseDesk("x", api_key="sandbox-key", base_url=url, limiter=limiter, concurrency=CONCURRENCY) as desk:
        await export_cases(
            desk, out, status=status, history=history, concurrency=CONCURRENCY, on_progress=lambda _: None
        )


def run(name: str, desk: Desk, *, history: bool, kills: int, pause: float) -> Result:
    """One export, killed so many times."""
    with TemporaryDirectory() as folder, serve_in_thread(desk.sandbox) as url:
        out = Path(folder, f"cases.{name}")
        command = [sys.executable, __file__, "--export", url, str(out), desk.status, str(int(history))]
        began, killed = time.monotonic(), 0
        while killed < kills:
            seen = desk.calls
            process = subprocess.Popen(command)
            while desk.calls == seen and process.poll() is None:
                time.sleep(0.002)
            try:
                process.wait(desk.source.uniform(0.0, 2 * pause))
                break  # it came to its end before
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                killed += 1
        if not out.exists():
            subprocess.run(command, check=True)
        seconds = time.monotonic() - began
        ids = list(ids_in(out))
        assert [path.name for path in Path(folder).iterdir()] == [out.name]
    counted = Counter(ids)
    again = desk.details.total() - len(desk.details)
    again += max(0, desk.searches - PLANNED - 2 - -(-len(ids) // PAGE_SIZE))
    return Result(
        f"{name}, with histories" if history else f"{name}, status={desk.status}",
        killed,
        len(ids),
        len(desk.always - counted.keys()),
        sum(count > 1 for count in counted.values()),
        len(counted.keys() - desk.ever),
        again / max(killed, 1),
        seconds,
    )


def ids_in(out: Path) -> Iterator[int]:
    """The ids of the cases in an output, in its order."""
    if out.suffix == ".db":
        yield from (case for (case,) in sqlite3.connect(out).execute("SELECT id FROM cases ORDER BY id"))
    elif out.suffix == ".parquet":
        from pyarrow import parquet  # noqa: PLC0415 - an extra

        table: Any = parquet.read_table(out, columns=["id"])
        yield from table.column("id").to_pylist()
    elif out.suffix == ".csv":
        with out.open(encoding="utf-8", newline="") as rows:
            yield from (int(row["id"]) for row in csv.DictReader(rows))
    else:
        with gzip.open(out) if out.suffix == ".gz" else out.open("rb") as lines:
            yield from (json.loads(line)["caseid"] for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--only", default=",".join(FORMATS))
    parser.add_argument("--seed", type=int, default=1)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--lists", action="store_true")
    which.add_argument("--histories", action="store_true")
    asked = parser.parse_args()
    results: list[Result] = []
    for number, name in enumerate(asked.only.split(",")):
        for history in (False, True):
            if (history and asked.lists) or (asked.histories and not history):
                continue
            limit = FixedHour(HISTORY_LIMIT if history else LIST_LIMIT, window=WINDOW)
            status = "all" if history or number % 2 == 0 else "closed"
            desk = Desk(Sandbox(asked.cases, limit=limit), status, random.Random(f"{asked.seed} {name} {history}"))
            rate = 300 if history else 54 * PAGE_SIZE * (len(desk.always) / asked.cases)
            results.append(run(name, desk, history=history, kills=asked.kills, pause=asked.cases / rate / asked.kills))
            print(f"{' '.join(results[-1].cells())}", file=sys.stderr, flush=True)
    head = ["export", "kills", "rows", "lost", "twice", "never matched", "calls again per kill", "seconds"]
    print_table(head, [result.cells() for result in results])
    judge(
        [
            ("lost", sum(result.lost for result in results), 0),
            ("twice", sum(result.twice for result in results), 0),
            ("never matched", sum(result.strange for result in results), 0),
            ("calls again per kill", max(result.again for result in results), CONCURRENCY),
        ],
        unit="",
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--export"]:
        asyncio.run(export(sys.argv[2], sys.argv[3], sys.argv[4], bool(int(sys.argv[5]))))
    else:
        main()
