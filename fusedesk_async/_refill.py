"""How fast calls come back, whatever kind of hour the server keeps. Numbers in, numbers out; no clock.

Calls left and calls made add up to the same as long as none come back. Calls on their way blur the sum, and other users
of the key lower it.
"""

import attrs

LATE = 1.5
"""What took so many times as long as before is late."""


@attrs.define(eq=False, repr=False)
class Refill:
    """Watches the sum of calls left and calls made.

    Attributes:
        seconds_each: What one call took to come back, when some last did; 0 if none ever did.
        overdue: For how many seconds none had come back at the newest look that should have, and would have shown.
    """

    seconds_each: float = 0.0
    overdue: float = 0.0
    _sum: int | None = None
    _since: float = 0.0
    _blur: int = 0

    def observe(self, calls: int, now: float, blur: int) -> None:
        """Take note of the sum of calls left and calls made, and of how many calls on their way may blur it."""
        if self._sum is None:
            self._sum, self._since, self._blur = calls, now, blur
        returned, hidden = calls - self._sum, self._blur + blur
        if returned > hidden:
            self.seconds_each = (now - self._since) / returned
            self._since = now
        if returned > hidden or returned < 0:
            self._sum, self._blur = calls, blur
        self.overdue = max(0.0, now - self._since - LATE * self.seconds_each * (hidden + 1))
