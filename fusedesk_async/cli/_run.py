"""Runs the async part of a command, and ends it well when it is told to stop."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import TypeVar

import anyio

from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._failure import CommandError

T = TypeVar("T")


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
