"""Who waits for leave to make an exchange, and how."""

import math

import anyio
import attrs

from fusedesk_async._clock import Clock


@attrs.define(eq=False, repr=False)
class Places:
    """How many exchanges a client may have on their way at once.

    Attributes:
        free: How many more may leave now.
        closed: Whether the client was closed, so that none may.
    """

    free: int
    closed: bool = False


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
        held_back: Seconds that a cooldown kept the call waiting. Waiting for a place does not count.
    """

    number: int
    places: Places
    held_back: float


@attrs.define(eq=False, repr=False)
class Waiter:
    """A call in the queue.

    Attributes:
        arrival: Counts calls in the order they came.
        places: Where it wants a place.
        woken: Rings when there is something to check again.
        held_back: Seconds that a cooldown kept it waiting so far.
        grant: Its leave, once it has it.
    """

    arrival: int
    places: Places
    woken: anyio.Event = attrs.field(factory=anyio.Event)
    held_back: float = 0.0
    grant: Grant | None = None


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
