"""The exchanges in flight, each out of reach of its caller's cancellation.

A request that is cancelled half-way leaves a connection behind that the pool still counts, and later calls wait for
it in vain. So on asyncio each exchange runs in a task of its own. A cancelled caller does not wait for it; it ends by
itself or by its deadline. On trio scopes are the only way to be cancelled: a read is cancelled cleanly, a write holds
its caller until it has ended.
"""

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio
import attrs

from fusedesk_async._background import on_asyncio
from fusedesk_async._wire.answer import Answer
from fusedesk_async.errors import ConfigurationError, FuseDeskError, NotSentError

if TYPE_CHECKING:
    import asyncio

logger = logging.getLogger("fusedesk_async")


@attrs.frozen(eq=False, repr=False)
class _Exchange:
    """An exchange in flight: whether it changes something on the server, how to end it, and that it has ended."""

    writes: bool
    cancel: Callable[[], object]
    ended: anyio.Event = attrs.field(factory=anyio.Event)


class InFlight:
    """The exchanges in flight. It keeps no scope open, so any task may make it and any other may close it."""

    def __init__(self) -> None:
        self._exchanges: set[_Exchange] = set()

    async def run(
        self, exchange: Callable[[], Awaitable[Answer]], *, writes: str = "", on_abandoned: Callable[[], None]
    ) -> Answer:
        """Run an exchange to its end, or stop waiting for it if cancelled.

        Args:
            exchange: What to run. It gives its permit back itself.
            writes: What it is, for the log, if it changes something on the server; empty for a read.
            on_abandoned: Gives the permit back if the exchange never begins.

        Raises:
            ConfigurationError: The client was closed, which cut a read off.
        """
        if on_asyncio():
            return await self._run_in_task(exchange, writes, on_abandoned)
        scope = anyio.CancelScope(shield=bool(writes))
        entry = self._add(scope.cancel, writes=writes)
        try:
            with scope:
                return await exchange()
        finally:
            self._remove(entry)
        raise _closed_error()

    async def drain(self) -> None:
        """End the reads and wait for the writes."""
        for entry in list(self._exchanges):
            if not entry.writes:
                entry.cancel()
        while self._exchanges:
            await next(iter(self._exchanges)).ended.wait()

    async def _run_in_task(
        self, exchange: Callable[[], Awaitable[Answer]], writes: str, on_abandoned: Callable[[], None]
    ) -> Answer:
        import asyncio  # noqa: PLC0415 - its loop is running, so it is loaded; on trio it need not be

        begun = False

        async def whole() -> Answer:
            nonlocal begun
            begun = True
            return await exchange()

        def done(task: "asyncio.Task[Answer]") -> None:
            self._remove(entry)
            if not begun:
                on_abandoned()
            if not task.cancelled():
                task.exception()  # asking for it marks it as seen

        task = asyncio.create_task(whole())
        entry = self._add(task.cancel, writes=writes)
        task.add_done_callback(done)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            if writes:
                task.add_done_callback(functools.partial(_log_outcome, writes))
            raise
        return _result(task)

    def _add(self, cancel: Callable[[], object], *, writes: str) -> _Exchange:
        entry = _Exchange(bool(writes), cancel)
        self._exchanges.add(entry)
        return entry

    def _remove(self, entry: _Exchange) -> None:
        self._exchanges.discard(entry)
        entry.ended.set()


def _result(task: "asyncio.Task[Answer]") -> Answer:
    if task.cancelled():
        raise _closed_error()
    return task.result()


def _closed_error() -> ConfigurationError:
    return ConfigurationError("this client was closed before the response came")


def _log_outcome(what: str, task: "asyncio.Task[Answer]") -> None:
    """Say how a write ended whose caller was cancelled meanwhile."""
    failure = None if task.cancelled() else task.exception()
    if task.cancelled():
        ending = "was cut off when the event loop ended: it may have happened"
    elif failure is None:
        ending = f"was answered with status {task.result().status}"
    else:
        doubt = "" if isinstance(failure, NotSentError) else ": it may have happened"
        reason = failure.message if isinstance(failure, FuseDeskError) else repr(failure)
        ending = f"failed ({reason}){doubt}"
    logger.warning("%s, whose caller was cancelled, %s", what, ending)
