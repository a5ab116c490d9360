"""One question to the server, for the commands that have one."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import anyio

from fusedesk_async import Event, FuseDesk, QuotaWait, QuotaWaitOver
from fusedesk_async.cli._connection import Connection
from fusedesk_async.cli._failure import say
from fusedesk_async.cli._run import run
from fusedesk_async.cli._status import pause

if TYPE_CHECKING:
    from datetime import datetime

T = TypeVar("T")
MOMENT = 0.2
"""Seconds. A wait that is over sooner, or not waited for at all, is not worth a word."""


def ask(connection: Connection, question: Callable[[FuseDesk], Awaitable[T]]) -> T:
    """The answer. Should it take a wait for quota, that is said on stderr."""
    return run(_Question(connection.client()).asked(question))


class _Question:
    def __init__(self, desk: FuseDesk) -> None:
        self._desk = desk
        self._until: datetime | None = None

    def asked(self, question: Callable[[FuseDesk], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
        async def answer() -> T:
            try:
                async with self._desk as desk, anyio.create_task_group() as group:
                    group.start_soon(self._say_waits)
                    with desk.observe(self._told):
                        found = await question(desk)
                    group.cancel_scope.cancel()
                    return found
            except BaseExceptionGroup as errors:
                raise errors.exceptions[0] from None  # one thing went wrong, in the question or on stderr

        return answer

    def _told(self, event: Event) -> None:
        if isinstance(event, QuotaWait | QuotaWaitOver):
            self._until = event.until if isinstance(event, QuotaWait) else None

    async def _say_waits(self) -> None:
        said = False
        while True:
            await anyio.sleep(MOMENT)
            if self._until and not said:
                say(pause(self._until))
            said = self._until is not None
