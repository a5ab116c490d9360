"""The bound: how long a sender takes that sees the server's own state and leaves the same reserve.

It has the same number of slots and the same latencies, and sends whenever more is left than the reserve and its own
calls that are still on their way there. The reserve is the part of the limit that was asked for, but never more than
half of the most that the server can ever show: else a bucket smaller than the reserve would never let it begin.

A simulation of its own, event by event, that shares no code with the library.
"""

import math
from collections.abc import Iterator
from heapq import heappop, heappush

import attrs
from _servers import Server

LONGEST = 400 * 3_600.0
"""Seconds after which work counts as never done."""
_STEP = 1e-6
"""Seconds. The least that time moves on, so that rounding cannot stop it."""


@attrs.define(order=True)
class _Flight:
    """A call between its start and its answer, in the order of what happens to it next."""

    due: float
    half: float = attrs.field(order=False)
    arrived: bool = attrs.field(default=False, order=False)
    admitted: bool = attrs.field(default=False, order=False)


def bound(server: Server, calls: int, latencies: Iterator[float], *, slots: int = 4, reserve: float = 0.1) -> float:
    """Seconds until the answer to the last call is back; infinite if the reserve never lets it leave."""
    return _Oracle(server, calls, latencies, slots, reserve).finish()


@attrs.define
class _Oracle:
    _server: Server
    _to_send: int
    _latencies: Iterator[float]
    _slots: int
    _reserve: float
    _now: float = 0.0
    _on_their_way: int = 0
    _flights: list[_Flight] = attrs.field(factory=list[_Flight])

    def finish(self) -> float:
        """When all is done."""
        while (self._to_send or self._flights) and self._now < LONGEST:
            next_chance = self._send()
            if self._flights and self._flights[0].due <= next_chance:
                self._now = self._flights[0].due
                self._move(heappop(self._flights))
            else:
                self._now = next_chance
        return math.inf if self._to_send else self._now

    def _send(self) -> float:
        """Send what may go now; when the next may, as far as the server alone decides that."""
        while self._to_send and len(self._flights) < self._slots:
            model = self._server.at(self._now)
            keep = int(min(self._reserve * model.limit, model.capacity / 2))
            wait = model.wait_for(keep + self._on_their_way + 1, self._now)
            if wait > 0:
                return min(self._now + max(wait, _STEP), self._server.next_change)
            half = next(self._latencies) / 2
            heappush(self._flights, _Flight(self._now + half, half))
            self._to_send -= 1
            self._on_their_way += 1
        return math.inf

    def _move(self, flight: _Flight) -> None:
        """A call gets to the server, or its answer gets back."""
        if flight.arrived:
            self._to_send += not flight.admitted
            return
        self._on_their_way -= 1
        flight.admitted = self._server.at(self._now).admit(self._now)
        flight.arrived, flight.due = True, self._now + flight.half
        heappush(self._flights, flight)
