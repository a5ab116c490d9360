"""Who waits for leave to make an exchange, and how."""

import math
from bisect import insort
from collections.abc import Iterator

import anyio
import attrs

from fusedesk_async._clock import Clock
from fusedesk_async._ratelimit.rules import FREE, Hold


@attrs.define(eq=False, repr=False)
class Places:
    """How many exchanges a client may have on their way at once.

    Attributes:
        total: How many in all.
        free: How many more may leave now.
        closed: Whether the client was closed, so that none may.
    """

    total: int
    free: int = attrs.field(default=attrs.Factory(lambda places: places.total, takes_self=True), init=False)
    closed: bool = False

    def has_room(self, *, spare: bool) -> bool:
        """Whether one more may leave; with `spare`, one place is left free, unless it is the only one."""
        return not self.closed and self.free > (1 if spare and self.total > 1 else 0)


@attrs.frozen(eq=False, repr=False)
class Patience:
    """How a call waits for its turn.

    Attributes:
        bulk: Whether it lets interactive calls go first.
        seconds: It fails rather than be held back longer than this; infinite to wait as long as it takes.
    """

    bulk: bool = False
    seconds: float = math.inf


@attrs.frozen(eq=False, repr=False)
class Grant:
    """Leave for one exchange. It must be given back with `RateLimiter.finish`.

    Attributes:
        number: Counts grants.
        places: Where it takes a place.
        held_back: Seconds that the quota kept the call waiting. Waiting for a place does not count.
    """

    number: int
    places: Places
    held_back: float


@attrs.define(eq=False, repr=False)
class Waiter:
    """A call in a queue.

    Attributes:
        arrival: Counts calls in the order they came.
        places: Where it wants a place.
        patience: How it waits.
        held_before: Seconds for which its queue was held back before it came.
        woken: Rings when there is something to check again.
        sleeps_until: When it wakes by itself to see whether it may go; infinite if another one does that.
        grant: Its leave, once it has it.
    """

    arrival: int
    places: Places
    patience: Patience
    held_before: float
    woken: anyio.Event = attrs.field(factory=anyio.Event)
    sleeps_until: float = math.inf
    grant: Grant | None = None


@attrs.define(eq=False, repr=False)
class Queue:
    """Calls of one kind, first come first served.

    Attributes:
        bulk: Whether they are bulk calls.
        hold: What holds them back.
    """

    bulk: bool
    hold: Hold = FREE
    _waiters: list[Waiter] = attrs.field(factory=list[Waiter])
    _held: float = 0.0
    _looked: float = 0.0

    def __len__(self) -> int:
        return len(self._waiters)

    def __iter__(self) -> Iterator[Waiter]:
        """Over a copy, so that those who get their turn may leave."""
        return iter(tuple(self._waiters))

    def is_head(self, waiter: Waiter) -> bool:
        """Whether it is the first, which looks at the clock for all."""
        return bool(self._waiters) and self._waiters[0] is waiter

    def join(self, waiter: Waiter) -> None:
        """Stand in line, or come back to where one stood."""
        insort(self._waiters, waiter, key=lambda waiter: waiter.arrival)

    def leave(self, waiter: Waiter) -> None:
        """Wait no longer."""
        self._waiters.remove(waiter)

    def held(self, now: float) -> float:
        """Seconds for which the quota has held them back so far."""
        return self._held + (now - self._looked if self.hold.is_wait else 0.0)

    def look(self, hold: Hold, now: float) -> None:
        """Take note of what holds them back from now on, and wake those who must know."""
        begins = hold.is_wait and not self.hold.is_wait
        self._held, self._looked, self.hold = self.held(now), now, hold
        if begins:
            self.wake_all()  # not everybody has patience for it
        elif hold.seconds and self._waiters and self._waiters[0].sleeps_until > now + hold.seconds:
            self._waiters[0].woken.set()  # the first looks at the clock for all

    def wake_all(self) -> None:
        """Let all look again."""
        for waiter in self._waiters:
            waiter.woken.set()


async def woken(waiter: Waiter, seconds: float, clock: Clock) -> None:
    """Wait until the waiter is woken, or for so many seconds."""
    waiter.woken = anyio.Event()
    if math.isinf(seconds):
        await waiter.woken.wait()
        return
    async with anyio.create_task_group() as group:

        async def alarm() -> None:
            await clock.sleep(seconds)
            waiter.woken.set()

        group.start_soon(alarm)
        await waiter.woken.wait()
        group.cancel_scope.cancel()
