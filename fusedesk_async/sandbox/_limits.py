"""Three ways a server may count an hour; pure: the time comes in as an argument, in seconds since the sandbox began.

S1 and PM say only "per hour" and 429; which of these FuseDesk uses is unknown, so a client should survive all.
"""

from collections import deque
from copy import deepcopy
from typing import Protocol, Self

# Sums of fractions of a second miss their mark by less than this.
_TIME_EPSILON = 1e-9


class RateLimit(Protocol):
    """What the sandbox asks of a rate limit."""

    @property
    def limit(self) -> int:
        """Calls per window, as the usage header says."""
        ...

    def admit(self, now: float) -> bool:
        """Count a call; false: refuse it with 429."""
        ...

    def remaining(self, now: float) -> int:
        """Calls that would be admitted at this moment."""
        ...

    def retry_after(self, now: float) -> float:
        """Seconds until a call would be admitted; zero if one would be now."""
        ...

    def clone(self) -> Self:
        """A counter of its own with the same settings and past; each key gets one."""
        ...


class _Counter:
    def __init__(self, limit: int, window: float, counts_refused: bool) -> None:  # noqa: FBT001 - passed by name below
        self.limit = limit
        self.window = window
        self.counts_refused = counts_refused

    def clone(self) -> Self:
        """A counter of its own with the same settings and past."""
        return deepcopy(self)


class FixedHour(_Counter):
    """So many calls from one stroke of the clock to the next.

    Args:
        limit: calls per window.
        window: seconds an "hour" lasts.
        phase: seconds after the sandbox's start at which a new hour begins (and each window before and after).
        used: calls made in the first hour before the client's first.
        counts_refused: whether refused calls count; makes no difference here.
    """

    def __init__(
        self,
        limit: int = 1800,
        *,
        window: float = 3600.0,
        phase: float = 0.0,
        used: int = 0,
        counts_refused: bool = False,
    ) -> None:
        super().__init__(limit, window, counts_refused)
        self.phase = phase
        self.used: int = used
        self._hour: int | None = None

    def admit(self, now: float) -> bool:
        """Count a call; false: refuse it."""
        admitted = self.remaining(now) > 0
        self.used += admitted or self.counts_refused
        return admitted

    def remaining(self, now: float) -> int:
        """Calls left in this hour."""
        hour = self._number(now)
        if self._hour not in {None, hour}:
            self.used = 0
        self._hour = hour
        return max(0, self.limit - self.used)

    def retry_after(self, now: float) -> float:
        """Seconds to the next hour, or zero while calls are left."""
        if self.remaining(now) > 0:
            return 0.0
        return (self._number(now) + 1) * self.window + self.phase - now

    def _number(self, now: float) -> int:
        return int((now - self.phase + _TIME_EPSILON) // self.window)


class SlidingHour(_Counter):
    """So many calls in any stretch of one window's length.

    Args:
        limit: calls per window.
        window: seconds an "hour" lasts.
        used: calls made just before the client's first.
        counts_refused: refused calls count too, so that hammering keeps the door shut.
    """

    def __init__(
        self, limit: int = 1800, *, window: float = 3600.0, used: int = 0, counts_refused: bool = False
    ) -> None:
        super().__init__(limit, window, counts_refused)
        self._used = used
        self._calls: deque[float] = deque(maxlen=limit)

    def admit(self, now: float) -> bool:
        """Count a call; false: refuse it."""
        admitted = self.remaining(now) > 0
        if admitted or self.counts_refused:
            self._calls.append(now)
        return admitted

    def remaining(self, now: float) -> int:
        """Calls left at this moment."""
        self._calls.extend([now] * self._used)
        self._used = 0
        while self._calls and now - self._calls[0] >= self.window - _TIME_EPSILON:
            self._calls.popleft()
        return self.limit - len(self._calls)

    def retry_after(self, now: float) -> float:
        """Seconds until the oldest call counts no more, or zero while calls are left."""
        if self.remaining(now) > 0:
            return 0.0
        return self._calls[0] + self.window - now if self._calls else self.window


class TokenBucket(_Counter):
    """A bucket that fills evenly and holds at most `burst` calls.

    Args:
        limit: calls that flow in per window.
        window: seconds an "hour" lasts.
        burst: what the bucket holds, full at the start; `limit` if not given.
        used: calls taken from it before the client's first.
        counts_refused: a refused call spills what had begun to gather.
    """

    def __init__(
        self,
        limit: int = 1800,
        *,
        window: float = 3600.0,
        burst: int | None = None,
        used: int = 0,
        counts_refused: bool = False,
    ) -> None:
        super().__init__(limit, window, counts_refused)
        self.burst: int = limit if burst is None else burst
        self._tokens = float(max(0, self.burst - used))
        self._at: float | None = None

    def admit(self, now: float) -> bool:
        """Count a call; false: refuse it."""
        admitted = self.remaining(now) > 0
        if admitted or self.counts_refused:
            self._tokens = max(0.0, self._tokens - 1)
        return admitted

    def remaining(self, now: float) -> int:
        """Whole calls in the bucket."""
        passed = 0.0 if self._at is None else max(0.0, now - self._at)
        self._at = now
        self._tokens = min(float(self.burst), self._tokens + passed * self.limit / self.window)
        return int(self._tokens + _TIME_EPSILON)

    def retry_after(self, now: float) -> float:
        """Seconds until the bucket holds a whole call, or zero while it does."""
        if self.remaining(now) > 0:
            return 0.0
        return (1 - self._tokens) * self.window / self.limit if self.limit else self.window
