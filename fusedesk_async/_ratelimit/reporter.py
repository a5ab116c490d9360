"""Says when calls wait for quota: to the log once for each wait, to observers whenever the end of it moves."""

import logging
import math
from typing import cast

import attrs

from fusedesk_async._clock import utc
from fusedesk_async._events import Observers, QuotaWait, QuotaWaitOver, WaitReason
from fusedesk_async._ratelimit.rules import REASON_TEXT, Delay

logger = logging.getLogger("fusedesk_async")


@attrs.define(eq=False, repr=False)
class WaitReporter:
    """One wait lasts from when calls are first delayed until they go freely again, with single calls in between.

    Args:
        observers: Who is notified.
        min_wait: Seconds. A wait that is shorter is not reported, and neither is an end that moves by less.
    """

    observers: Observers
    min_wait: float
    _began: float | None = None
    _reported_until: float = -math.inf
    _said_used: bool = False

    def on_delayed(self, delay: Delay, now: float, *, wall: float, waiting: int) -> None:
        """Calls wait for quota.

        Args:
            delay: How long, and why.
            now: The time, in seconds.
            wall: The same moment, in seconds since 1970.
            waiting: How many calls wait.
        """
        until = now + delay.seconds
        if math.isinf(until) or delay.seconds < self.min_wait or abs(until - self._reported_until) < self.min_wait:
            return
        self._reported_until = until
        if self._began is None:
            self._began = now
            text, next_call = REASON_TEXT[delay.reason], utc(wall + delay.seconds)
            logger.info("waiting for quota: %s; next call at %s", text, next_call)
        reason = cast("WaitReason", delay.reason)
        self.observers.notify(QuotaWait(reason=reason, until=utc(wall + delay.seconds), waiting=waiting))

    def on_unrestricted(self, now: float) -> None:
        """A call goes freely."""
        if self._began is not None:
            seconds, self._began, self._reported_until = now - self._began, None, -math.inf
            self.observers.notify(QuotaWaitOver(seconds=seconds))

    def on_response(self, *, counts_used: bool) -> None:
        """A response came; `counts_used` if the usage header counts calls used, not calls remaining."""
        if counts_used and not self._said_used:
            self._said_used = True
            logger.info("the usage header counts calls used, not calls remaining; it is read so from now on")

    def on_reserve_exceeded(self, count: int) -> None:
        """There are more interactive calls than bulk calls leave room for."""
        logger.warning("%d interactive calls in the last hour exceed the reserve; raise RateLimiter(reserve=…)", count)
