"""Which calls an answer may not have counted: the server takes calls that are out together in any order.

Pure; no clock.
"""

import math

import attrs


@attrs.define(eq=False, repr=False)
class Overlap:
    """Remembers which calls were out together, and how many calls each answer said to be left.

    Of two such calls the one after which more calls were left came first. If calls came back in between it may have
    been the other way round, but then there are enough left for it, too.
    """

    _beside: dict[int, set[int]] = attrs.field(factory=dict[int, set[int]])
    _left_after: dict[int, float] = attrs.field(factory=dict[int, float])

    def granted(self, number: int) -> None:
        """A call leaves."""
        self._beside[number] = set(self._beside)

    def ended(self, number: int, left: float | None) -> set[int]:
        """A call is over.

        Args:
            number: The call.
            left: Calls left after it, if its answer told; infinite if it surely was not counted.

        Returns:
            The calls that were out together with it and that it may not have counted.
        """
        others = self._beside.pop(number) | {other for other in self._beside if other > number}
        doubtful = {other for other in others if not self._surely_before(other, left)}
        if left is not None:
            self._left_after[number] = left
        if len(self._left_after) > 8 * (len(self._beside) + 1):
            self._forget()
        return doubtful

    def _surely_before(self, other: int, left: float | None) -> bool:
        return left is not None and self._left_after.get(other, -math.inf) >= left

    def _forget(self) -> None:
        needed = set[int]().union(*self._beside.values())
        self._left_after = {number: left for number, left in self._left_after.items() if number in needed}
