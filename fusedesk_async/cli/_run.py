"""Runs the async part of a command, and ends it well when it is told to stop."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import anyio

from fusedesk_async import Event, FuseDesk, QuotaWait, QuotaWaitOver
from fusedesk_async._exception_groups import first_of
from fusedesk_async.cli._connection import Connection
from fusedesk_async.cli._failure import say
from fusedesk_async.cli._status import pause

if TYPE_CHECKING:
    from datetime import datetime
import asyncio
import signal
import threading
from types import FrameType

from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._failure import CommandError

T = TypeVar("T")


MOMENT = 0.2
"""Seconds. A wait that is over sooner, or not waited for at all, is not worth a word."""


def ask(connection: Connection, question: Callable[[FuseDesk], Awaitable[T]]) -> T:
    """The answer. Should it take a wait for quota, that is said on stderr."""
    desk = connection.client()

    async def asked() -> T:
        async with desk, _Waits().said(desk):
            return await question(desk)

    return run(asked)


class _Waits:
    """Says each wait once, however often its end moves."""

    def __init__(self) -> None:
        self._until: datetime | None = None

    @asynccontextmanager
    async def said(self, desk: FuseDesk) -> AsyncGenerator[None, None]:
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._say)
                with desk.observe(self._told):
                    yield
                group.cancel_scope.cancel()
        except BaseExceptionGroup as errors:
            raise first_of(errors) from None  # one thing went wrong, in the question or on stderr

    def _told(self, event: Event) -> None:
        if isinstance(event, QuotaWait | QuotaWaitOver):
            self._until = event.until if isinstance(event, QuotaWait) else None

    async def _say(self) -> None:
        is_said = False
        while True:
            await anyio.sleep(MOMENT)
            if self._until and not is_said:
                say(pause(self._until))
            is_said = self._until is not None


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Do the work on asyncio. Ctrl-C and SIGTERM cancel it, so that it closes what it holds.

    Raises:
        KeyboardInterrupt: It was stopped by Ctrl-C.
        CommandError: It was stopped by SIGTERM.
    """
    told: list[int] = []

    async def stoppable() -> T:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()

        def stop(number: int, _frame: FrameType | None) -> None:
            told.append(number)
            if task is not None:
                loop.call_soon_threadsafe(task.cancel)  # wakes the loop too

        if threading.current_thread() is not threading.main_thread():
            return await work()
        usual = signal.signal(signal.SIGTERM, stop)
        try:
            return await work()
        finally:
            signal.signal(signal.SIGTERM, usual)

    try:
        return anyio.run(stoppable)
    except asyncio.CancelledError:
        if not told:
            raise
        message = "stopped by SIGTERM"
        raise CommandError(message, Exit.TERMINATED) from None
