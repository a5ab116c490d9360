"""Whether the usage header counts the calls that remain or those that are used; its name does not say for certain.

A count that goes down with each call is of calls remaining, one that goes up is of calls used. Calls that come back
move it, too, so it is looked at only while none of ours can, and for less time than others' would take on the average.
Numbers in, numbers out; no clock.
"""

import math

import attrs

from fusedesk_async._wire.profile import UsageCounts

CALLS_PER_OVERLAP = 2
"""Calls from one look to the next, as a multiple of those in flight, which may be counted in any order; and so many
more."""
PART_SEEN, MOST_TIMES_SEEN = 1 / 2, 2
"""A count that moves by this many times the calls made follows them."""
PART_RETURNED = 1 / 4
"""Part of the calls made that may have come back meanwhile on the average."""
SURE, AS_FAST = 2, 1 / 2
"""What was confirmed before is given up only after so many looks in a row that say otherwise, and calls say
nothing else that were slower than this part of those that confirmed it, or that moved the count too little to say
anything: the slower they are, the more calls may come back meanwhile."""


@attrs.frozen
class Look:
    """A response: the number of its call, its count, when it came, and our calls that were an hour old by then."""

    number: int
    count: int
    at: float
    returned: int


@attrs.define(eq=False, repr=False)
class CountDirection:
    """Reads the usage header as what it turns out to count.

    Args:
        window: How long the hour lasts, in seconds.

    Attributes:
        counts_used: Whether it counts calls used; before anything is known it is taken to count those remaining.
    """

    window: float
    counts_used: bool = False
    _expects_used: bool = False
    _confirmed: bool = False
    _doubts: int = 0
    _overlap: int = 0
    _highest: int = 0
    _fell: int = 0  # by how much it was below the highest count since the first look
    _fastest: float = 0.0  # calls a second, of those that confirmed what is believed or that said nothing
    _first: Look | None = None

    def remaining(self, count: int | None, limit: int | None) -> int | None:
        """Calls remaining, as a count says; None if it does not say, or of what."""
        if self._expects_used and count is not None:
            # few are used at first; were they those that remain, the calls that follow would show it soon
            self.counts_used, self._expects_used = limit is not None and count <= limit // 2, False
        if not self.counts_used or count is None:
            return count
        return None if limit is None or count > limit else limit - count

    @property
    def known(self) -> UsageCounts | None:
        """What it counts, as far as that is known."""
        return "used" if self.counts_used else "left" if self._confirmed else None

    def expect(self, counts: UsageCounts | None) -> None:
        """Take it to count what it was found to count before, as soon as a response makes that likely."""
        self._expects_used = counts == "used" and not self._confirmed

    def on_rejected(self) -> None:
        """A call was rejected, and so not counted."""
        self._first = None

    def on_accepted(self, number: int, count: int, *, now: float, limit: int, in_flight: int, returned: int) -> bool:
        """A call was accepted.

        Args:
            number: Its number.
            count: What the header says.
            now: When the response came, in seconds.
            limit: Calls per hour.
            in_flight: Calls in flight beside it.
            returned: How many of our calls are an hour old by now.

        Returns:
            Whether the header turned out to count something else than was believed.
        """
        look, first = Look(number, count, now, returned), self._first
        self._overlap = max(self._overlap, in_flight + 1)
        if first is None or returned != first.returned:
            self._begin(look, in_flight)
            return False
        self._highest = max(self._highest, count)
        self._fell = max(self._fell, self._highest - count)
        calls = number - first.number
        if calls < CALLS_PER_OVERLAP * (self._overlap + 1):
            return False
        step, seconds = (count - first.count) / calls, now - first.at
        came_back = step > 0 and self._fell >= self._overlap  # a count of calls used would not have gone down meanwhile
        self._begin(look, in_flight)
        if came_back or seconds * limit / self.window > PART_RETURNED * calls:
            return False
        return self._judge(step, calls / seconds if seconds > 0 else math.inf)

    def _begin(self, look: Look, in_flight: int) -> None:
        self._first, self._overlap, self._highest, self._fell = look, in_flight + 1, look.count, 0

    def _judge(self, step: float, rate: float) -> bool:
        """Draw a conclusion from how far the count moved per call, at so many calls a second."""
        if not PART_SEEN <= abs(step) <= MOST_TIMES_SEEN:
            if not math.isinf(rate):  # calls seem to come back as fast as that
                self._fastest = max(self._fastest, rate)
            return False
        if (step > 0) == self.counts_used:
            self._confirmed, self._doubts, self._fastest = True, 0, max(self._fastest, rate)
            return False
        if rate < AS_FAST * self._fastest:
            return False
        self._doubts += 1
        if self._confirmed and self._doubts < SURE:
            return False
        self.counts_used, self._confirmed, self._doubts = not self.counts_used, False, 0
        return True
