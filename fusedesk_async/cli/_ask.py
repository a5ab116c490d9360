"""One question to the server, for the commands that have one."""

import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fusedesk_async import FuseDesk
from fusedesk_async.cli._connection import Connection
from fusedesk_async.cli._progress import Lines, shown
from fusedesk_async.cli._run import run
from fusedesk_async.cli._status import Tally

T = TypeVar("T")


def ask(connection: Connection, question: Callable[[FuseDesk], Awaitable[T]]) -> T:
    """The answer. Should it take a wait for quota, that is said on stderr."""
    desk = connection.client()

    async def asked() -> T:
        async with desk, shown(desk, Tally(), Lines(interval=math.inf)):
            return await question(desk)

    return run(asked)
