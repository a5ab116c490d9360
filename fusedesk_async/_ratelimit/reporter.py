"""Says when calls wait for quota: to the log once for each wait, to observers whenever the end of it moves."""

import logging
import math
from typing import cast

import attrs

from fusedesk_async._clock import utc
from fusedesk_async._events import Observers, QuotaWait, QuotaWaitOver, WaitReason
from fusedesk_async._ratelimit.rules import IN_WORDS, Hold

logger = logging.getLogger("fusedesk_async")


@attrs.define(eq=False, repr=False)
class WaitReport:
    """One wait lasts from when calls are first held back until they go freely again, with single calls in between.

    Args:
        observers: Who is told.
        least: Seconds. A wait that is shorter is not worth a word, and neither is an end that moves by less.
    """

    observers: Observers
    least: float
    _began: float | None = None
    _told_until: float = -math.inf

    def held(self, hold: Hold, now: float, *, wall: float, waiting: int) -> None:
        """Calls are held back.

        Args:
            hold: How long, and why.
            now: The time, in seconds.
            wall: The same moment, in seconds since 1970.
            waiting: How many calls wait.
        """
        until = now + hold.seconds
        if math.isinf(until) or hold.seconds < self.least or abs(until - self._told_until) < self.least:
            return
        self._told_until = until
        if self._began is None:
            self._began = now
            logger.info("waiting for quota, since %s; next call at %s", IN_WORDS[hold.why], utc(wall + hold.seconds))
        reason = cast("WaitReason", hold.why)
        self.observers.tell(QuotaWait(reason=reason, until=utc(wall + hold.seconds), waiting=waiting))

    def over(self, now: float) -> None:
        """A call goes freely."""
        if self._began is not None:
            seconds, self._began, self._told_until = now - self._began, None, -math.inf
            self.observers.tell(QuotaWaitOver(seconds=seconds))

    def reserve_exceeded(self, count: int) -> None:
        """People ask for more than bulk calls leave them."""
        message = (
            "%d interactive calls in the last hour are more than bulk calls leave them; raise RateLimiter(reserve=…)"
        )
        logger.warning(message, count)
