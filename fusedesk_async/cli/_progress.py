"""Shows on stderr how far an export is: as a bar on a terminal, as lines in a log."""

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
from fusedesk_async._exception_groups import first_of
from fusedesk_async.cli._failure import say
from fusedesk_async.cli._status import announced, outlook, pause, work_done
from fusedesk_async.cli._text import counted
from fusedesk_async.export import ExportProgress
from fusedesk_async.importing import ImportProgress

QUIET = 60.0
"""Seconds between two lines in a log."""

GLANCE = 0.2
"""Seconds between two looks at the progress."""


class Display(AbstractContextManager["Display"], Protocol):
    """Shows progress."""

    def show(self, progress: ExportProgress) -> None:
        """Show how far it has come."""
        ...


class Bar(Display):
    """A bar that goes away at the end. As long as no total is known it only says that something happens."""

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


class Lines(Display):
    """A line now and then, and one for each wait.

    Args:
        interval: Seconds between two lines.
        tell: Prints a line.
    """

    def __init__(self, interval: float = QUIET, tell: Callable[[str], None] = say) -> None:
        self._interval = interval
        self._tell = tell
        self._next_line = interval
        self._is_held = False

    def show(self, progress: ExportProgress) -> None:
        """Say how far it has come, if it is time."""
        held = bool(progress.blocked_until or progress.outage)
        if (held and not self._is_held) or (not held and progress.seconds >= self._next_line):
            self._tell(f"{work_done(progress)}, {outlook(progress)}")
            self._next_line = progress.seconds + self._interval
        self._is_held = held

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave nothing behind."""


class Watch:
    """Passes on what an export tells of its progress.

    Args:
        display: Shows it.
        history: Whether histories are fetched, too.
    """

    def __init__(self, display: Display, *, history: bool) -> None:
        self._display = display
        self._history = history
        self._is_announced = False
        self.last: ExportProgress | None = None

    def told(self, progress: ExportProgress) -> None:
        """Take the news; the plan is said at once."""
        self.last = progress
        if progress.plan and not self._is_announced:
            self._is_announced = True
            say(announced(progress.plan, history=self._history))
        if isinstance(self._display, Lines):
            self._display.show(progress)

    @asynccontextmanager
    async def kept_fresh(self) -> AsyncGenerator[None, None]:
        """Let what a terminal shows move on while the block lasts."""

        async def look() -> None:
            while True:
                if self.last and isinstance(self._display, Bar):
                    self._display.show(self.last)
                await anyio.sleep(GLANCE)

        try:
            async with anyio.create_task_group() as group:
                group.start_soon(look)
                yield
                group.cancel_scope.cancel()
        except BaseExceptionGroup as errors:
            raise first_of(errors) from None  # one thing went wrong, in the block or on stderr


def fitting_display(*, stdout_is_busy: bool = False) -> Display:
    """A bar if a person watches, lines otherwise.

    Args:
        stdout_is_busy: Whether the same terminal may get the cases themselves.
    """
    console = Console(stderr=True)
    crowded = stdout_is_busy and sys.stdout.isatty()
    if sys.stderr.isatty() and console.is_terminal and not console.is_dumb_terminal and not crowded:
        return Bar(console)
    return Lines()


Show = Callable[[ImportProgress], None]


def import_work_done(progress: ImportProgress) -> str:
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
            yield lambda progress: status.update(import_work_done(progress))
        return
    last = [time.monotonic()]

    def show(progress: ImportProgress) -> None:
        if time.monotonic() >= last[0] + QUIET:
            last[0] = time.monotonic()
            say(import_work_done(progress))

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
