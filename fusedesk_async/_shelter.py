"""Keeps an exchange out of reach of its caller's cancellation.

A request that is cancelled half-way leaves a connection behind that the pool still counts, and later calls wait for
it in vain. So on asyncio each exchange runs in a task of its own, which a cancelled caller leaves at once; it ends by
itself or by its deadline. On trio scopes are the only way to be cancelled: a read is cancelled cleanly, a write holds
its caller until it has ended.
"""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable

import anyio
from anyio.lowlevel import checkpoint

from fusedesk_async._wire import Answer

logger = logging.getLogger("fusedesk_async")


class Shelter:
    """Exchanges on their way. It keeps no scope open, so any task may make it and any other may close it."""

    def __init__(self) -> None:
        self._running: dict[asyncio.Task[Answer], str] = {}

    async def run(self, exchange: Callable[[], Awaitable[Answer]], *, writes: str = "") -> Answer:
        """Run an exchange to its end, or leave it behind if cancelled.

        Args:
            exchange: What to run. Whatever must be given back, it gives back itself.
            writes: What it is, for the log, if it changes something on the server; empty for a read.
        """
        if not _on_asyncio():
            with anyio.CancelScope(shield=bool(writes)):
                return await exchange()

        async def whole() -> Answer:
            return await exchange()

        task = asyncio.create_task(whole())
        self._running[task] = writes
        task.add_done_callback(self._forget)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            if writes:
                task.add_done_callback(functools.partial(_log, writes))
            raise
        return task.result()

    async def drain(self) -> None:
        """Wait for the writes that were left behind, and end the reads."""
        await checkpoint()  # a task that has not begun yet could not give back what it holds
        for task, writes in self._running.items():
            if not writes:
                task.cancel()
        if self._running:
            await asyncio.wait(set(self._running))

    def _forget(self, task: asyncio.Task[Answer]) -> None:
        self._running.pop(task)
        if not task.cancelled():
            task.exception()  # asking for it marks it as seen


def _on_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _log(what: str, task: asyncio.Task[Answer]) -> None:
    """Say how a write ended whose caller was cancelled meanwhile."""
    failure = task.exception()
    ending = f"was answered with status {task.result().status}" if failure is None else f"failed: {failure}"
    logger.warning("%s, whose caller was cancelled, %s", what, ending)
