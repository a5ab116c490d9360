"""How fast the rows of a list move to the left while it is read, and by how much pages should overlap for that."""

import math

import attrs

MARGIN = 3
"""Pages overlap by so many times the ups and downs of the drift, but no more than a quarter of a page."""
FADING = 0.9
"""What remains of these with each page that shows less."""


@attrs.define(eq=False)
class Drift:
    """How many rows before the frontier leave from page to page.

    Attributes:
        steady: Those that always do.
        surplus: The ups and downs beyond them.
    """

    steady: int = 0
    surplus: float = 0.0
    _last: int = 0

    def saw(self, shift: int) -> None:
        """A page showed that so many rows had left since the one before it."""
        shift = max(shift, 0)
        self.steady = min(shift, self._last)
        self.surplus = max(shift - self.steady, FADING * self.surplus)
        self._last = shift

    def overlap(self, reach: int) -> int:
        """By how many rows the next page, of so many, should overlap."""
        margin = math.ceil(MARGIN * self.surplus) if self.surplus * reach >= 1 else 0
        return 1 + min(self.steady, reach) + min(margin, reach // 4)
