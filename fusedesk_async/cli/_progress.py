"""Shows on stderr how far an export or import is: live on a terminal, as lines in a log."""

import sys
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from types import TracebackType
from typing import Protocol, Self

import anyio
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Column

from fusedesk_async import Event, FuseDesk, QuotaWait
from fusedesk_async._background import first_of
from fusedesk_async.cli._failure import say
from fusedesk_async.cli._status import outlook, plan_text, wait_text, work_done
from fusedesk_async.cli._text import counted
from fusedesk_async.export import ExportProgress
from fusedesk_async.importing import ImportProgress

LOG_INTERVAL = 60.0
"""Seconds between two lines in a log."""
REFRESH_INTERVAL = 0.2
"""Seconds between two updates of the bar."""

ShowImport = Callable[[ImportProgress], None]


class Display(AbstractContextManager["Display"], Protocol):
    """Shows progress."""

    def show(self, progress: ExportProgress) -> None:
        """Show how far it has come."""
        ...


class Bar(Display):
    """A bar that is removed at the end. As long as no total is known it only shows activity."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn("line"),
            BarColumn(bar_width=16),
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=console,
            transient=True,
            redirect_stdout=False,
        )
        self._task = self._progress.add_task("asking for the first cases", total=None)

    def show(self, progress: ExportProgress) -> None:
        """Move the bar."""
        total = max(progress.expected, progress.cases) if progress.expected else None
        text = f"{work_done(progress)}, {outlook(progress)}"
        self._progress.update(self._task, total=total, completed=progress.cases, description=text)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()


class LogLines(Display):
    """A line at intervals, and one for each wait.

    Args:
        interval: Seconds between two lines.
        print_line: Prints a line.
    """

    def __init__(self, interval: float = LOG_INTERVAL, print_line: Callable[[str], None] = say) -> None:
        self._interval = interval
        self._print_line = print_line
        self._next_line = interval
        self._is_waiting = False

    def show(self, progress: ExportProgress) -> None:
        """Print how far it has come, if it is time."""
        is_waiting = bool(progress.blocked_until or progress.outage)
        if (is_waiting and not self._is_waiting) or (not is_waiting and progress.seconds >= self._next_line):
            self._print_line(f"{work_done(progress)}, {outlook(progress)}")
            self._next_line = progress.seconds + self._interval
        self._is_waiting = is_waiting

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nothing is to be removed."""


class ProgressWatch:
    """Passes the progress of an export on to a display.

    Args:
        display: Shows it.
        history: Whether histories are fetched, too.
    """

    def __init__(self, display: Display, *, history: bool) -> None:
        self._display = display
        self._history = history
        self._is_announced = False
        self.last: ExportProgress | None = None

    def on_progress(self, progress: ExportProgress) -> None:
        """Show it; the plan is printed at once."""
        self.last = progress
        if progress.plan and not self._is_announced:
            self._is_announced = True
            say(plan_text(progress.plan, history=self._history))
        if isinstance(self._display, LogLines):
            self._display.show(progress)

    @asynccontextmanager
    async def refreshing(self) -> AsyncGenerator[None, None]:
        """Update the bar while the block lasts."""

        async def refresh() -> None:
            while True:
                if self.last and isinstance(self._display, Bar):
                    self._display.show(self.last)
                await anyio.sleep(REFRESH_INTERVAL)

        try:
            async with anyio.create_task_group() as group:
                group.start_soon(refresh)
                yield
                group.cancel_scope.cancel()
        except BaseExceptionGroup as errors:
            raise first_of(errors) from None  # only one thing can fail first: the block or stderr


def choose_display(*, stdout_is_busy: bool = False) -> Display:
    """A bar on a terminal, lines otherwise.

    Args:
        stdout_is_busy: Whether the cases themselves go to stdout, which may be the same terminal.
    """
    console = Console(stderr=True)
    is_shared = stdout_is_busy and sys.stdout.isatty()
    if sys.stderr.isatty() and console.is_terminal and not console.is_dumb_terminal and not is_shared:
        return Bar(console)
    return LogLines()


def import_work_done(progress: ImportProgress) -> str:
    """`200 rows, 190 opened, 2 rejected`."""
    counts = {
        "opened": progress.opened,
        "found": progress.found,
        "skipped": progress.skipped,
        "rejected": progress.rejected,
        "unknown": progress.unknown,
        "to look up": progress.pending,
    }
    parts = [f"{number:,} {name}" for name, number in counts.items() if number]
    return ", ".join([counted(progress.rows, "row"), *parts])


@contextmanager
def import_display(desk: FuseDesk) -> Generator[ShowImport, None, None]:
    """Shows the progress of an import while the block lasts; gives what to call with it."""
    console = Console(stderr=True)
    if sys.stderr.isatty() and console.is_terminal and not console.is_dumb_terminal:
        with console.status("reading") as status, _reporting_waits(desk, status.update):
            yield lambda progress: status.update(import_work_done(progress))
        return
    last_line = time.monotonic()

    def show(progress: ImportProgress) -> None:
        nonlocal last_line
        if time.monotonic() >= last_line + LOG_INTERVAL:
            last_line = time.monotonic()
            say(import_work_done(progress))

    with _reporting_waits(desk, say):
        yield show


@contextmanager
def _reporting_waits(desk: FuseDesk, print_line: Callable[[str], None]) -> Generator[None, None, None]:
    reported_until = 0.0

    def on_event(event: Event) -> None:
        nonlocal reported_until
        if isinstance(event, QuotaWait) and event.until.timestamp() > reported_until + 1.0:
            reported_until = event.until.timestamp()
            print_line(wait_text(event.until))

    with desk.observe(on_event):
        yield
