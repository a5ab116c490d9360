"""Imports that are killed: whether every row was opened exactly once all the same.

    uv run python benchmarks/import_kills.py [--kills 50] [--rows 1500] [--seed 1]

An import runs in a process of its own against a sandbox with latency and a rate limit, while others open similar cases
between its calls: the same summary or the same opener, with another text. Some answers get lost besides, some before
and some after the case was opened, and some rows have a history too large for one form. The process gets SIGKILL at
random moments after its first call, so many times, and is started again; then it runs to its end. Bar: each row is open
exactly once, with each element of its history exactly once.
"""

import argparse
import asyncio
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from _bench import judge, print_table

from fusedesk_async import FuseDesk, RateLimiter
from fusedesk_async.importing import import_cases
from fusedesk_async.sandbox import FixedHour, Sandbox, serve_in_thread

KEY = "sandbox-key"
WINDOW, LIMIT = 1.0, 60
SETTLE = 0.5
LARGE_EVERY = 100
LARGE = 40
"""Elements of a large history, 30 kB each."""


def make_rows(count: int) -> list[dict[str, object]]:
    """Rows, some equal but for their source id, some with a date, some with a history."""
    rows: list[dict[str, object]] = []
    for number in range(count):
        row: dict[str, object] = {
            "source_id": number,
            "department_id": 268,
            "summary": f"Row {number}",
            "details": f"text {number % 50}",
            "opened_by": "website",
        }
        if number % 3 == 0:
            row["date_opened"] = f"2024-{number % 12 + 1:02}-{number % 28 + 1:02}T10:00:00-05:00"
        if number % LARGE_EVERY == LARGE_EVERY // 2:
            notes = [{"title": f"Note {place}", "note": f"{number}.{place} " + "x" * 30_000} for place in range(LARGE)]
            row |= {"type": "import", "history": notes}
        rows.append(row)
    return rows


def child(base_url: str, folder: str) -> None:
    """The import itself."""

    async def work() -> None:
        limiter = RateLimiter(window=WINDOW)
        async with FuseDesk("sandbox", api_key=KEY, base_url=base_url, limiter=limiter) as desk:
            lines = (Path(folder) / "in.jsonl").read_text().splitlines()
            journal = Path(folder) / "journal"
            report = await import_cases(
                desk, lines, journal=journal, rejects=Path(folder) / "rejects", settle=SETTLE, concurrency=4
            )
            print(json.dumps(report.as_dict()))

    asyncio.run(work())


class Others:
    """Opens cases like the rows, and loses answers, before calls of the import."""

    def __init__(self, source: random.Random, rows: int) -> None:
        self.opened: set[int] = set()
        self.calls = 0
        self._source = source
        self._rows = rows

    def __call__(self, desk: Sandbox) -> None:
        """One call is about to be carried out."""
        self.calls += 1
        if self._source.random() < 0.3:
            like = {"summary": f"Row {self._source.randrange(self._rows)}", "openedby": "website", "departmentid": 268}
            self.opened |= {*desk.open_cases(1, **like, details="something else")}
        if self._source.random() < 0.01:
            operation = self._source.choice(["create", "create", "history"])
            desk.fault(operation, drop=True, after=self._source.random() < 0.5)


def judge_run(sandbox: Sandbox, others: Others, rows: list[dict[str, object]], before: int) -> tuple[int, int, int]:
    """Rows that are not open, that are open more than once, and histories that are not as they should be."""
    state = sandbox.state
    ours = [case for case in state.cases.ids() if case > before and case not in others.opened]
    times = Counter(state.cases.value(case, "summary") for case in ours)
    wrong = 0
    expected = {str(row["summary"]): row.get("history") for row in rows}
    for case in ours:
        history = expected[state.cases.value(case, "summary")]
        if isinstance(history, list):
            wrong += [item["note"] for item in state.history(case)] != [item["note"] for item in history]
    return sum(not times[name] for name in expected), sum(times[name] > 1 for name in expected), wrong


def kill_often(command: list[str], kills: int, source: random.Random, others: Others) -> tuple[int, float]:
    """Kill the process at random moments after its first call; how many were killed, and the seconds that all ran."""
    killed, ran = 0, 0.0
    for _ in range(kills):
        began, calls = time.monotonic(), others.calls
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while process.poll() is None and others.calls == calls:
            time.sleep(0.001)
        time.sleep(source.random())
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.communicate()
        ran += time.monotonic() - began
    return killed, ran


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--rows", type=int, default=1_500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", nargs=2)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    source, rows = random.Random(options.seed), make_rows(options.rows)
    sandbox = Sandbox(1_000, limit=FixedHour(LIMIT, window=WINDOW), latency=lambda: 0.002 + 0.02 * random.random())
    others = Others(source, options.rows)
    sandbox.churn("any", others)
    with TemporaryDirectory() as folder, serve_in_thread(sandbox) as base_url:
        (Path(folder) / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        command = [sys.executable, __file__, "--child", base_url, folder]
        killed, ran = kill_often(command, options.kills, source, others)
        last = subprocess.run(command, check=True, capture_output=True, text=True)
        report = json.loads(last.stdout)
        again = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        rejects = Path(folder) / "rejects"
        print(rejects.read_text()[:2_000] if rejects.exists() else "no rejects")
    lost, twice, wrong = judge_run(sandbox, others, rows, 1_000)
    creates = sum(1 for each in sandbox.received if each.operation == "create" and each.status in {0, 200})
    searches = sum(1 for each in sandbox.received if each.operation == "search")
    print_table(
        ["kills", "rows", "not open", "open twice", "histories wrong", "others' cases", "creates", "look-up calls"],
        [[str(n) for n in (killed, len(rows), lost, twice, wrong, len(others.opened), creates, searches)]],
    )
    print(f"{ran:.0f} s until the last kill; the last run: {report}; one more: {again}")
    counts = {
        "rows not open": lost,
        "rows open twice": twice,
        "histories wrong": wrong,
        "rows left unknown": report["unknown"],
        "opened by one more run": again["opened"],
    }
    judge([(what, count, 0) for what, count in counts.items()], "")


if __name__ == "__main__":
    main()
