"""Time as something that can be handed in."""

import time
from typing import Protocol

import anyio
import attrs


class Clock(Protocol):
    """What the client asks of time. A test hands in one that does not wait."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes backwards."""
        ...

    def time(self) -> float:
        """Seconds since 1970-01-01 UTC, as the wall clock has it."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


@attrs.frozen
class SystemClock:
    """The real one. All of them are equal."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    def time(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait on the running event loop."""
        await anyio.sleep(seconds)
