"""A process that shares a quota with others, until it is killed."""

import itertools
import logging

import anyio

from fusedesk_async import FuseDesk, RateLimiter
from fusedesk_async.fleet import shared_quota


def call_for_ever(url: str, store: str, window: float, limit: int) -> None:
    """Make calls that let others go first.

    Args:
        url: The address of a sandbox.
        store: That of the store of the quota.
        window: How long the sandbox's hour lasts, in seconds.
        limit: Calls in it.
    """
    logging.disable()
    anyio.run(_call_for_ever, url, store, window, limit)


async def _call_for_ever(url: str, store: str, window: float, limit: int) -> None:
    limiter = RateLimiter(window=window, assumed_limit=limit, shared=shared_quota(store))
    async with FuseDesk("acme", api_key="sandbox-key", base_url=url, limiter=limiter, timeout=0.5) as desk:
        bulk = desk.with_options(priority="bulk")
        for number in itertools.cycle(range(1, 100)):
            await bulk.cases.get(number)
