"""An asyncio event loop whose time jumps: where another loop would wait, this one moves its clock."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, TypeVar

import anyio
import attrs

EPOCH = 1_790_000_000.0
"""What the wall clock says when a run starts; some day in 2026."""
LONGEST = 400 * 3_600.0
"""Virtual seconds after which a run counts as one that never ends."""
MOST_TURNS = 20_000
"""Turns of the loop without a step of the clock after which a run counts as one that never ends."""

T = TypeVar("T")


class NeverEndsError(Exception):
    """Everybody waits for something that will not come, or nobody ever waits."""


class _Jumps(selectors.SelectSelector):
    """Looks at no file at all. Waiting for one is passing the time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._ends = LONGEST
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            self._give_up("everybody waits for something that will not come")
        self.now += timeout
        self._turns = 0 if timeout > 0 else self._turns + 1
        if self._turns > MOST_TURNS:
            self._give_up("the time stands still")
        if self.now > self._ends:
            self._give_up("there is no end in sight")
        return []

    def _give_up(self, why: str) -> NoReturn:
        self._turns, self._ends = 0, self.now + LONGEST  # so that the tasks can be cancelled
        message = f"at {self.now:.1f} s {why}"
        raise NeverEndsError(message)


class VirtualLoop(asyncio.SelectorEventLoop):
    """For tasks that wait for time and for each other only: sockets and threads do not work."""

    def __init__(self) -> None:
        self._jumps = _Jumps()
        super().__init__(self._jumps)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._jumps.now


@attrs.frozen
class LoopClock:
    """The clock of the running loop, for a limiter."""

    loop: asyncio.AbstractEventLoop

    def monotonic(self) -> float:
        """Virtual seconds since the loop was made."""
        return self.loop.time()

    def time(self) -> float:
        """Virtual seconds since 1970."""
        return EPOCH + self.loop.time()

    async def sleep(self, seconds: float) -> None:
        """Wait on the loop."""
        await anyio.sleep(seconds)


def run_virtual(main: Callable[[LoopClock], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function in a loop of its own.

    Raises:
        NeverEndsError: It does not come to an end.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main(LoopClock(runner.get_loop())))
