"""`fusedesk export --demo`: an export from a sandbox whose hourly allowance is too small for it."""

import csv
import gzip
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from fusedesk_async import FuseDesk
from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._failure import CommandError, needs_sandbox, say
from fusedesk_async.cli._job import ExportJob
from fusedesk_async.cli._text import counted
from fusedesk_async.export import ExportOptions, ExportReport
from fusedesk_async.export._postgres_url import PostgresUrl
from fusedesk_async.export._target import Destination

if TYPE_CHECKING:
    from collections.abc import Generator


@attrs.frozen(kw_only=True)
class Demo:
    """What the sandbox is like.

    Attributes:
        cases: How many cases it has.
        limit: Calls it answers in an "hour".
        window: Seconds such an hour lasts.
    """

    cases: int = 20_000
    limit: int = 24
    window: float = 6.0


def run_demo(out: Destination, options: ExportOptions, demo: Demo | None = None) -> ExportReport:
    """Export everything from a private sandbox, and check that each case came exactly once."""
    demo = demo or Demo()
    if options.get("history"):  # one call for each case: with a small quota it would take an hour and a half
        demo = attrs.evolve(demo, cases=demo.cases // 20, limit=20 * demo.limit)
    with _served(demo) as desk:
        say(
            f"exporting {counted(demo.cases, 'made-up case')} from a sandbox that allows "
            f'{counted(demo.limit, "call")} per "hour" of {demo.window:g} s'
        )
        with ExitStack() as end:
            report = ExportJob(desk=desk, to=out, options=options, end=end).carry_out()
    say(_verdict(demo, report, out))
    return report


@contextmanager
def _served(demo: Demo) -> "Generator[FuseDesk, None, None]":
    """A sandbox on loopback and a client of it, not yet opened."""
    with ExitStack() as stack:
        with needs_sandbox():
            from fusedesk_async.sandbox import FixedHour, Sandbox, SandboxProfile, serve_in_thread  # noqa: PLC0415 - an extra

            limit = FixedHour(demo.limit, window=demo.window)
            sandbox = Sandbox(demo.cases, limit=limit, profile=SandboxProfile(retry_after="seconds"))
            base_url = stack.enter_context(serve_in_thread(sandbox))
        yield FuseDesk("sandbox", api_key=sandbox.api_key, base_url=base_url)


def _verdict(demo: Demo, report: ExportReport, out: Destination) -> str:
    ids = list(range(1, report.cases + 1)) if out == "-" else list(_ids_in(report.format, out))
    if ids != list(range(1, demo.cases + 1)):
        message = f"the demo went wrong: {len(ids):,} cases, {len(set(ids)):,} of them distinct, of {demo.cases:,}"
        raise CommandError(message, Exit.ANSWER)
    return (
        f"{counted(report.calls, 'call')}, {report.refused:,} of them refused (429), {counted(report.waits, 'wait')}; "
        f"all {demo.cases:,} cases came, each exactly once"
    )


def _ids_in(kind: str, out: Destination) -> Iterator[int]:
    """The ids of all cases in an output, in its order."""
    if isinstance(out, PostgresUrl):
        from fusedesk_async.export._postgres import case_ids  # noqa: PLC0415 - an extra

        return case_ids(out)
    return _READERS[kind](Path(str(out)))


def _lines(out: Path) -> Iterator[str]:
    with gzip.open(out, "rt", encoding="utf-8") if out.suffix == ".gz" else out.open(encoding="utf-8") as lines:
        yield from lines


def _ids_of_database(out: Path) -> Iterator[int]:
    with closing(sqlite3.connect(out)) as database:
        yield from (case for (case,) in database.execute("SELECT id FROM cases ORDER BY id"))


def _ids_of_parquet(out: Path) -> Iterator[int]:
    table: Any = import_module("pyarrow.parquet").read_table(out, columns=["id"])
    yield from table.column("id").to_pylist()


_READERS: dict[str, Callable[[Path], Iterator[int]]] = {
    "jsonl": lambda out: (json.loads(line)["caseid"] for line in _lines(out)),
    "csv": lambda out: (int(row["id"]) for row in csv.DictReader(_lines(out))),
    "sqlite": _ids_of_database,
    "parquet": _ids_of_parquet,
}
"""The ids of all cases in a file of each format."""
