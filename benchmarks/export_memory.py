"""The memory of an export: the peak of its process over 1 000 000 cases, and over 10 000, in every format.

    uv run python benchmarks/export_memory.py [--history] [--many 1000000] [--only jsonl,db]

Another process makes the pages up on the fly; each export runs in a process of its own. Bar: 20 MB more.
"""

import argparse
import asyncio
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from _bench import judge, print_table
from _desk import KEY, Plan, served
from memory import peak

from fusedesk_async import FuseDesk
from fusedesk_async.export import export_cases

FEW, MANY = 10_000, 1_000_000
FORMATS = "jsonl,jsonl.gz,csv,parquet,db"
BAR = 20.0


async def export(url: str, out: str, *, history: bool) -> None:
    """Export everything, and print the peak of this process in MB."""
    async with FuseDesk("x", api_key=KEY, base_url=url) as desk:
        report = await export_cases(desk, out, history=history, on_progress=lambda _: None)
    print(report.cases, peak())


def measured(name: str, rows: int, *, history: bool) -> float:
    """The peak of a process that exports so many cases."""
    with served(Plan(rows, "FixedHour", {"limit": 10**7})) as url, TemporaryDirectory(dir=Path.cwd()) as folder:
        command = [sys.executable, __file__, "--export", url, str(Path(folder, f"cases.{name}")), str(int(history))]
        cases, megabytes = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.split()
    if int(cases) != rows:
        message = f"{name}: got {cases} cases, not {rows}"
        raise SystemExit(message)
    return float(megabytes)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--history", action="store_true")
    parser.add_argument("--many", type=int, default=MANY)
    parser.add_argument("--only", default=FORMATS)
    asked = parser.parse_args()
    peaks = {
        name: [measured(name, rows, history=asked.history) for rows in (FEW, asked.many)]
        for name in asked.only.split(",")
    }
    rows = [[name, *(f"{number:.1f} MB" for number in numbers)] for name, numbers in peaks.items()]
    print_table(["export", f"{FEW:,} cases", f"{asked.many:,} cases"], rows)
    judge([(f"more in {name}", many - few, BAR) for name, (few, many) in peaks.items()], "MB")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--export"]:
        asyncio.run(export(sys.argv[2], sys.argv[3], history=bool(int(sys.argv[4]))))
    else:
        main()
