"""Calls the store of a shared quota in a thread, and waits for it no longer than makes sense."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import anyio
import attrs
from anyio import to_thread

from fusedesk_async._ratelimit.quota_store import Change, QuotaStore, StoreUnreachable

T = TypeVar("T")

STORE_TIMEOUT = 5.0
"""Seconds after which a store that has not answered counts as out of reach."""


@attrs.define(eq=False, repr=False)
class StoreAccess:
    """One thread at a time, so that calls that hang do not add up.

    Args:
        store: The store.

    Attributes:
        account: The account of whose state it is.
    """

    store: QuotaStore
    account: str = ""
    _threads: anyio.CapacityLimiter = attrs.field(factory=lambda: anyio.CapacityLimiter(1))

    async def change(self, change: Change[T]) -> T:
        """Change the state.

        Raises:
            StoreUnreachable: The store says so, or says nothing. Whether the state was changed is unknown.
        """
        try:
            with anyio.fail_after(STORE_TIMEOUT):
                return await self.in_thread(partial(self.store.change, self.account, change))
        except TimeoutError as error:
            message = f"no answer within {STORE_TIMEOUT:.0f} s"
            raise StoreUnreachable(message) from error

    async def close(self) -> None:
        """Close the store."""
        await self.in_thread(self.store.close)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do what blocks."""
        return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._threads)
