"""Time as something that can be handed in."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import ClassVar, Protocol

import anyio
import attrs

from fusedesk_async._exports import public

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc(seconds: float) -> datetime:
    """A moment in seconds since 1970."""
    return _EPOCH + timedelta(seconds=seconds)


@public
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


_BOOT_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", None)


_since_boot: Callable[[], float] = time.monotonic if _BOOT_CLOCK is None else partial(time.clock_gettime, _BOOT_CLOCK)
"""Counts the time for which the machine sleeps, too, where it can: the server's hour goes on meanwhile."""


@attrs.frozen
class SystemClock:
    """The real one. All of them are equal."""

    longest_sleep: ClassVar[float] = 30.0
    """Seconds after which a sleeper checks the time again: event loops do not notice that the machine was asleep."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""
        return _since_boot()

    def time(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait on the running event loop."""
        until = self.monotonic() + seconds
        await anyio.sleep(min(seconds, self.longest_sleep))
        while (remaining := until - self.monotonic()) > 0:  # noqa: ASYNC110 - it is time itself that is checked
            await anyio.sleep(min(remaining, self.longest_sleep))
