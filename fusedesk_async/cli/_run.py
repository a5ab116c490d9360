"""Runs the async part of a command, and ends it cleanly on a signal."""

import asyncio
import signal
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

import anyio

from fusedesk_async import Event, FuseDesk, QuotaWait, QuotaWaitOver
from fusedesk_async._background import first_of
from fusedesk_async.cli._connection import Connection
from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._failure import CommandError, say
from fusedesk_async.cli._status import wait_text

if TYPE_CHECKING:
    from datetime import datetime

T = TypeVar("T")

SHORT_WAIT = 0.2
"""Seconds. A wait that is over sooner is not announced."""


def ask(connection: Connection, question: Callable[[FuseDesk], Awaitable[T]]) -> T:
    """The answer. A wait for quota is announced on stderr."""
    desk = connection.client()

    async def asked() -> T:
        async with desk, _WaitAnnouncer().watching(desk):
            return await question(desk)

    return run(asked)


class _WaitAnnouncer:
    """Announces each wait once, however often its end moves."""

    def __init__(self) -> None:
        self._until: datetime | None = None

    @asynccontextmanager
    async def watching(self, desk: FuseDesk) -> AsyncGenerator[None, None]:
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._announce)
                with desk.observe(self._on_event):
                    yield
                group.cancel_scope.cancel()
        except BaseExceptionGroup as errors:
            raise first_of(errors) from None  # only one thing can fail first: the question or stderr

    def _on_event(self, event: Event) -> None:
        if isinstance(event, QuotaWait | QuotaWaitOver):
            self._until = event.until if isinstance(event, QuotaWait) else None

    async def _announce(self) -> None:
        is_announced = False
        while True:
            await anyio.sleep(SHORT_WAIT)
            if self._until and not is_announced:
                say(wait_text(self._until))
            is_announced = self._until is not None


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Do the work on asyncio. Ctrl-C and SIGTERM cancel it, so that it closes what it holds.

    Raises:
        KeyboardInterrupt: It was stopped by Ctrl-C.
        CommandError: It was stopped by SIGTERM.
    """
    received: list[int] = []

    async def stoppable() -> T:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()

        def stop(number: int, _frame: FrameType | None) -> None:
            received.append(number)
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
        if not received:
            raise
        message = "stopped by SIGTERM"
        raise CommandError(message, Exit.TERMINATED) from None
