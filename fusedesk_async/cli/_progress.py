"""Shows on stderr how far an export has come: as a bar on a terminal, as lines in a log."""

import math
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from types import TracebackType
from typing import Protocol, Self

import anyio
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Column

from fusedesk_async import FuseDesk
from fusedesk_async.cli._failure import say
from fusedesk_async.cli._status import Tally, pace, pause, work_done

GLANCE = 0.1
"""Seconds between two looks at the tally."""
QUIET = 10.0
"""Seconds between two lines in a log."""


class Display(AbstractContextManager["Display"], Protocol):
    """Shows a tally."""

    def show(self, tally: Tally) -> None:
        """Show how far it has come."""
        ...


class Bar(Display):
    """A bar that goes away at the end. Without a total it only says that something happens."""

    def __init__(self, console: Console, total: int | None = None) -> None:
        self._progress = Progress(
            SpinnerColumn("line"),
            BarColumn(bar_width=16),
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=console,
            transient=True,
            redirect_stdout=False,
        )
        self._task = self._progress.add_task("asking for the first cases", total=total)

    def show(self, tally: Tally) -> None:
        """Move the bar."""
        rest = pause(tally.blocked_until) if tally.blocked_until else pace(tally)
        self._progress.update(self._task, completed=tally.cases, description=f"{work_done(tally)}, {rest}")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()


class Lines(Display):
    """A line now and then, and one for each pause.

    Args:
        interval: Seconds between two lines; infinite to tell of pauses only.
        tell: Prints a line.
    """

    def __init__(self, interval: float = QUIET, tell: Callable[[str], None] = say) -> None:
        self._interval = interval
        self._tell = tell
        self._next_line = interval
        self._waits = 0

    def show(self, tally: Tally) -> None:
        """Say how far it has come, if it is time."""
        if tally.waits > self._waits and tally.blocked_until:
            self._waits = tally.waits
            done = "" if math.isinf(self._interval) else f"{work_done(tally)}, "
            self._tell(f"{done}{pause(tally.blocked_until)}")
        elif tally.seconds >= self._next_line and not tally.blocked_until:
            self._tell(f"{work_done(tally)}, {tally.seconds:.0f} s, {pace(tally)}")
        else:
            return
        self._next_line = tally.seconds + self._interval

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave nothing behind."""


def fitting_display(*, total: int | None = None, stdout_is_busy: bool = False) -> Display:
    """A bar if a person watches, lines otherwise.

    Args:
        total: How many cases there will be, if known.
        stdout_is_busy: Whether the same terminal may get the cases themselves.
    """
    console = Console(stderr=True)
    crowded = stdout_is_busy and sys.stdout.isatty()
    if sys.stderr.isatty() and console.is_terminal and not console.is_dumb_terminal and not crowded:
        return Bar(console, total)
    return Lines()


@asynccontextmanager
async def shown(desk: FuseDesk, tally: Tally, display: Display) -> AsyncGenerator[None, None]:
    """Keep the display up to date while the block lasts."""

    async def watch() -> None:
        while True:
            tally.allowance = desk.allowance
            display.show(tally)
            await anyio.sleep(GLANCE)

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(watch)
            with desk.observe(tally.told):
                yield
            group.cancel_scope.cancel()
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None  # one thing went wrong, in the block or on stderr
