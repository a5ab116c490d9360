"""The memory of a walk: the peak of its process over 1 000 000 cases, and over 10 000, and with a slow consumer.

    uv run --group benchmarks python benchmarks/memory.py

Another process makes the pages up on the fly. Each walk runs in a process of its own, four calls in flight, 500 cases
a page. Bar: 20 MB more for a hundred times the cases. The slow consumer waits after each case, so that the
walk could run ahead of it: the peak after 200 pages may be no more than 20 MB above the one after 20.
"""

import asyncio
import json
import resource
import subprocess
import sys
from pathlib import Path

from _bench import PAGE_SIZE, judge, print_table
from _desk import KEY, Plan, served

from fusedesk_async import FuseDesk

FEW, MANY = 10_000, 1_000_000
SLOW = 200 * PAGE_SIZE
PLACES = 4
PAUSE = 0.0001
BAR = 20.0


def peak() -> float:
    """The most memory this process ever had, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # on Linux the number below includes that of the parent before this program began
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if "VmHWM" in line) / 1_000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1_000_000 if sys.platform == "darwin" else 1_000)


async def walked(url: str, rows: int, pause: float) -> list[float]:
    """Walk over all cases; the peaks after a tenth of them and at the end."""
    peaks: list[float] = []
    count = 0
    async with (
        FuseDesk("benchmark", api_key=KEY, base_url=url) as desk,
        desk.cases.walk(status="all", concurrency=PLACES) as walk,
    ):
        async for _ in walk:
            count += 1
            if pause:
                await asyncio.sleep(pause)
            if count == rows // 10:
                peaks.append(peak())
    if count != rows:
        message = f"got {count} cases, not {rows}"
        raise SystemExit(message)
    return [*peaks, peak()]


def measured(rows: int, pause: float = 0.0) -> list[float]:
    """The peaks of a process that walks over so many cases."""
    with served(Plan(rows, "FixedHour", {"limit": 10**6})) as url:  # told no limit, it would keep to the assumed one
        command = [sys.executable, __file__, url, str(rows), str(pause)]
        peaks: list[float] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        return peaks


def main() -> None:
    peaks = {
        f"{FEW:,} cases": measured(FEW),
        f"{MANY:,} cases": measured(MANY),
        f"{SLOW:,} cases, slow consumer": measured(SLOW, PAUSE),
    }
    rows = [[what, *(f"{number:.1f} MB" for number in numbers)] for what, numbers in peaks.items()]
    print_table(["walk", "peak after a tenth", "peak at the end"], rows)
    few, many, (early, late) = peaks.values()
    judge([("more for a hundred times the cases", many[-1] - few[-1], BAR), ("slow consumer", late - early, BAR)], "MB")


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps(asyncio.run(walked(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))))
    else:
        main()
