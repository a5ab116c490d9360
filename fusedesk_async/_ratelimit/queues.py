"""Who waits for a permit to make an exchange, and how."""

import math
from heapq import heappop, heappush

import anyio
import attrs

from fusedesk_async._background import first_of
from fusedesk_async._clock import Clock
from fusedesk_async._exports import public
from fusedesk_async._ratelimit.rules import NO_DELAY, Delay


@public
@attrs.define(eq=False, repr=False)
class Slots:
    """How many exchanges a client may have in flight at once.

    Attributes:
        total: How many in all.
        free: How many more may be sent now.
        closed: Whether the client was closed, so that none may.
    """

    total: int
    free: int = attrs.field(default=attrs.Factory(lambda slots: slots.total, takes_self=True), init=False)
    closed: bool = False

    def has_room(self, *, keep_one: bool) -> bool:
        """Whether one more may be sent; with `keep_one`, one slot stays free, unless it is the only one."""
        return not self.closed and self.free > (1 if keep_one and self.total > 1 else 0)


@public
@attrs.frozen(eq=False, repr=False)
class WaitPolicy:
    """How a call waits for its turn.

    Attributes:
        bulk: Whether it lets interactive calls go first.
        max_wait: Seconds. It fails rather than let the quota delay it longer than this; infinite to wait as long as it
            takes.
        timeout: Seconds that the exchange may take once it has a permit.
    """

    bulk: bool = False
    max_wait: float = math.inf
    timeout: float = 30.0


@public
@attrs.frozen(eq=False, repr=False)
class Permit:
    """The permission to make one exchange. It must be given back with `Limiter.finish`.

    Attributes:
        number: Counts permits.
        slots: Where it takes a slot.
        delayed: Seconds that the quota kept the call waiting. Waiting for a slot does not count.
    """

    number: int
    slots: Slots
    delayed: float


@attrs.define(eq=False, repr=False)
class Waiter:
    """A call in a queue. Waiters are in the order of their arrival.

    Attributes:
        arrival: Counts calls in the order they came.
        slots: Where it wants a slot.
        policy: How it waits.
        queued: Whether it is in its queue.
        delayed_before: Seconds for which the quota had delayed its queue before it came.
        wake: Set when there is something to check again.
        sleeps_until: When it wakes by itself to see whether it may go; infinite if another one does that.
        permit: Its permit, once it has one.
    """

    arrival: int
    slots: Slots
    policy: WaitPolicy
    delayed_before: float
    queued: bool = False
    wake: anyio.Event = attrs.field(factory=anyio.Event)
    sleeps_until: float = math.inf
    permit: Permit | None = None

    def __lt__(self, other: "Waiter") -> bool:
        return self.arrival < other.arrival


@attrs.define(eq=False, repr=False)
class Queue:
    """Calls of one kind, client and endpoint, first come first served. Whatever delays one of them delays all.

    Those that leave it otherwise than as its head are only marked, and dropped when they would be the head.

    Attributes:
        bulk: Whether they are bulk calls.
        slots: Where they want a slot.
        endpoint: What they call.
        delay: What delays them.
    """

    bulk: bool
    slots: Slots
    endpoint: str
    delay: Delay = NO_DELAY
    _heap: list[Waiter] = attrs.field(factory=list[Waiter])
    _count: int = 0
    _delayed: float = 0.0
    _updated_at: float = 0.0

    def __len__(self) -> int:
        return self._count

    @property
    def head(self) -> Waiter:
        """The first, which looks at the clock for all."""
        while not self._heap[0].queued:
            heappop(self._heap)
        return self._heap[0]

    def add(self, waiter: Waiter) -> None:
        """Put it in line, or back to where it stood."""
        waiter.queued = True
        self._count += 1
        heappush(self._heap, waiter)

    def remove(self, waiter: Waiter) -> None:
        """Take it out of the line."""
        waiter.queued = False
        self._count -= 1
        if not self._count:
            self._heap.clear()

    def delay_left(self, now: float) -> float:
        """Seconds for which it still delays them, as far as is known."""
        return max(0.0, self.delay.seconds - (now - self._updated_at))

    def delayed(self, now: float) -> float:
        """Seconds for which the quota has delayed them so far."""
        return self._delayed + (now - self._updated_at if self.delay.is_for_quota else 0.0)

    def update(self, delay: Delay, now: float) -> None:
        """Note what delays them from now on, and wake those who must know."""
        begins = delay.is_for_quota and not self.delay.is_for_quota
        self._delayed, self._updated_at, self.delay = self.delayed(now), now, delay
        if begins:
            self.wake_all()  # not everybody waits for quota
        elif delay.seconds and self._count and self.head.sleeps_until > now + delay.seconds:
            self.head.wake.set()  # the first looks at the clock for all

    def wake_all(self) -> None:
        """Let all check again."""
        for waiter in sorted(self._heap):
            waiter.wake.set()


async def sleep_until_woken(waiter: Waiter, seconds: float, clock: Clock) -> None:
    """Wait until the waiter is woken, or for so many seconds."""
    waiter.wake = anyio.Event()
    if math.isinf(seconds):
        await waiter.wake.wait()
        return

    async def alarm() -> None:
        await clock.sleep(seconds)
        waiter.wake.set()

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(alarm)
            await waiter.wake.wait()
            group.cancel_scope.cancel()
    except BaseExceptionGroup as failures:  # the clock failed, or an interrupt hit the alarm
        raise first_of(failures) from None
