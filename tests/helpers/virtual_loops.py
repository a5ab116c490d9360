"""Event loops whose time jumps: where another loop would wait, these move their clock. For runs of many hours.

Faster than `VirtualClock`, which watches the loop; but sockets and threads do not work.
"""

import asyncio
import selectors
from typing import Any

import anyio
import attrs
from trio.testing import MockClock

EPOCH = 1_790_000_000.0


def backend(name: str) -> tuple[str, dict[str, Any]]:
    """The backend of that name, for the fixture `anyio_backend`."""
    if name == "trio":
        return name, {"clock": MockClock(autojump_threshold=0)}
    return name, {"loop_factory": _JumpingLoop}


@attrs.define
class LoopClock:
    """The clock of the running loop, from now on."""

    began: float = attrs.field(factory=anyio.current_time)

    @property
    def waited(self) -> float:
        """Seconds since the clock was made."""
        return anyio.current_time() - self.began

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self.waited

    def time(self) -> float:
        """Seconds since 1970."""
        return EPOCH + self.waited

    async def sleep(self, seconds: float) -> None:
        """Wait on the loop."""
        await anyio.sleep(seconds)


class _Jumps(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            message = "everybody waits for something that will not come"
            raise RuntimeError(message)
        self.now += timeout
        return []


class _JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumps = _Jumps()
        super().__init__(self._jumps)

    def time(self) -> float:
        return self._jumps.now
