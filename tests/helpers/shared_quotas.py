"""A shared quota in the memory of one process, for limiters that wait for nothing real."""

import random
from collections.abc import Callable
from typing import Any, TypeVar

import attrs
from anyio.lowlevel import checkpoint

from fusedesk_async._ratelimit.quota_store import Change, StoreUnreachable
from fusedesk_async._ratelimit.shared_limiter import SharedRateLimiter
from fusedesk_async._ratelimit.store_access import StoreAccess

T = TypeVar("T")


@attrs.define
class MemoryQuota:
    """A store whose clock is that of the test.

    Attributes:
        clock: Brings the time.
        states: What it holds.
        is_away: Whether it is out of reach.
        changes: How often it was asked.
        closed: How often it was closed.
    """

    clock: Any
    states: dict[str, bytes] = attrs.field(factory=dict[str, bytes])
    is_away: bool = False
    changes: int = 0
    closed: int = 0

    def change(self, account: str, change: Change[T]) -> T:
        """Change the state."""
        self.changes += 1
        if self.is_away:
            message = "nobody is there"
            raise StoreUnreachable(message)
        self.states[account], result = change(self.states.get(account), self.clock.time())
        return result

    def close(self) -> None:
        """Count this."""
        self.closed += 1


class _InLoop(StoreAccess):
    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do it in the event loop: where time is made up, there are no threads."""
        await checkpoint()
        return work()


class InLoop(SharedRateLimiter):
    """A limiter that asks its store in the event loop."""

    _access_type = _InLoop


def shared_limiter(store: MemoryQuota, clock: Any, seed: int = 1, **settings: Any) -> InLoop:
    """A limiter of one more process, attached to a clock."""
    limiter = InLoop(shared=store, source=random.Random(seed), **settings)
    limiter.attach(clock, account="acme.fusedesk.com/0123456789abcdef")
    return limiter
