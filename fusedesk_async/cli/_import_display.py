"""Shows on stderr how far an import has come: as one changing line on a terminal, as lines in a log."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console

from fusedesk_async import Event, FuseDesk, QuotaWait
from fusedesk_async.cli._failure import say
from fusedesk_async.cli._status import pause
from fusedesk_async.cli._text import counted
from fusedesk_async.importing import ImportProgress

QUIET = 60.0
"""Seconds between two lines in a log."""

Show = Callable[[ImportProgress], None]


def work_done(progress: ImportProgress) -> str:
    """`200 rows, 190 opened, 2 rejected`."""
    named = {
        "opened": progress.opened,
        "found": progress.found,
        "skipped": progress.skipped,
        "rejected": progress.rejected,
        "unknown": progress.unknown,
        "to look up": progress.pending,
    }
    parts = [f"{number:,} {name}" for name, number in named.items() if number]
    return ", ".join([counted(progress.rows, "row"), *parts])


@contextmanager
def fitting_import_display(desk: FuseDesk) -> Generator[Show, None, None]:
    """What to call with the progress of an import, while the block lasts."""
    console = Console(stderr=True)
    if sys.stderr.isatty() and console.is_terminal and not console.is_dumb_terminal:
        with console.status("reading") as status, _told_of_waits(desk, status.update):
            yield lambda progress: status.update(work_done(progress))
        return
    last = [time.monotonic()]

    def show(progress: ImportProgress) -> None:
        if time.monotonic() >= last[0] + QUIET:
            last[0] = time.monotonic()
            say(work_done(progress))

    with _told_of_waits(desk, say):
        yield show


@contextmanager
def _told_of_waits(desk: FuseDesk, tell: Callable[[str], None]) -> Generator[None, None, None]:
    ends = [0.0]

    def told(event: Event) -> None:
        if isinstance(event, QuotaWait) and event.until.timestamp() > ends[0] + 1.0:
            ends[0] = event.until.timestamp()
            tell(pause(event.until))

    with desk.observe(told):
        yield
