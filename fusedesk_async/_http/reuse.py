"""Which idle connections may carry another request.

A connection can die without a word: the machine changes its network or sleeps, a firewall forgets. Whoever sends there
waits for the whole time-out, and a write sent there may or may not have been carried out.
"""

import math

import attrs

from fusedesk_async._clock import Clock

KEEPALIVE_EXPIRY = 30.0
"""Seconds after which an idle connection is not used again."""
WRITE_EXPIRY = 5.0
"""The same for a write, which cannot be sent once more where nothing answered."""


@attrs.define(eq=False)
class Reuse:
    """What the connections of a client have in common: once one of them turned out dead, the others may be as well.

    Attributes:
        clock: Measures. Where its monotonic time stands still while the machine sleeps, its wall time tells.
        distrusted_until: What was last heard before this monotonic moment, in seconds, is not used again.
    """

    clock: Clock
    distrusted_until: float = -math.inf


class Activity:
    """When one connection was last used, and whether it may be used again.

    Args:
        reuse: What all connections of the client have in common.
    """

    def __init__(self, reuse: Reuse) -> None:
        self._reuse = reuse
        self._heard: tuple[float, float] | None = None
        self._asked_at = 0.0

    def on_request(self) -> None:
        """A request is about to be sent."""
        self._asked_at = self._reuse.clock.monotonic()

    def on_response(self) -> None:
        """Some bytes came."""
        clock = self._reuse.clock
        self._heard = clock.monotonic(), clock.time()

    def on_failure(self) -> None:
        """Nothing came: it failed or was given up. Others that were silent since the request was sent are suspect."""
        if self._heard and self._heard[0] <= self._asked_at:
            self._reuse.distrusted_until = max(self._reuse.distrusted_until, self._asked_at)

    def may_carry(self, *, write: bool) -> bool:
        """Whether a request may be sent; always the first one.

        Args:
            write: Whether it changes something on the server.
        """
        if self._heard is None:
            return True
        clock, (monotonic, wall) = self._reuse.clock, self._heard
        idle = max(clock.monotonic() - monotonic, clock.time() - wall)
        return monotonic > self._reuse.distrusted_until and idle <= (WRITE_EXPIRY if write else KEEPALIVE_EXPIRY)
