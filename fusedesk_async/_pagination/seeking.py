"""Where the frontier's row is, after rows have moved: between what is known to be before and behind it."""

import attrs

STEP_GROWTH = 4
"""Where ids do not tell how far it is, each step is this many times as far as the one before."""

LONGEST_STEPS = 5
"""After so many steps back it begins at the beginning."""

HALVE_EVERY = 3
"""Every third guess is half-way, since ids may be spread unevenly."""


@attrs.frozen
class Landmark:
    """An offset, and the id found there; None if none was."""

    offset: int
    id: int | None


@attrs.define(eq=False)
class Seek:
    """A search for the row of one id, by offset. A call costs the same however far it goes.

    Attributes:
        first_id: The smallest id that was delivered, at offset 0; None if that is not known.
        steps: How many guesses were made.
        steps_back: How many of them went back, one after the other.
        found_at: Where the row was found again without anything new behind it.
        looked: Whether it was looked whether the row is where it was.
    """

    first_id: int | None = None
    steps: int = 0
    steps_back: int = 0
    looked: bool = False
    found_at: int | None = None
    _left: Landmark | None = None
    _right: Landmark | None = None

    @property
    def is_on(self) -> bool:
        """Whether the row is being looked for."""
        return self.steps > 0

    def passed_before(self, offset: int) -> bool:
        """Whether the row right before this offset was the last one seen that is before what is sought."""
        return self.is_on and self._left is not None and self._left.offset == offset

    def found(self) -> None:
        """There is progress."""
        self.steps = self.steps_back = 0
        self.looked = False
        self.found_at = None
        self._left = self._right = None

    def back(self, sought: int | None, found: Landmark, rows: int, *, near: int) -> int:
        """The next offset, as what was found is behind what is sought.

        Args:
            sought: The id.
            found: What was found.
            rows: Rows in a page.
            near: The next offset is smaller than this.
        """
        self._right = found
        if self._left and self._left.offset == found.offset:  # it has left, and this is where it was
            self.steps += 1
            return max(0, found.offset - 1)
        if self._left and self._left.offset > found.offset:
            self._left = None  # rows have moved since
        margin = max(rows // 2, 1)
        guess = self._guess(sought, self._left or Landmark(0, self.first_id), found)
        if guess is not None:
            offset = min(guess, near) - (margin << self.steps_back)
        elif self._left:
            offset = (self._left.offset + near - rows) // 2
        elif self.steps_back >= LONGEST_STEPS:
            offset = 0
        else:
            steps: int = STEP_GROWTH**self.steps_back
            offset = near - margin * steps
        self.steps += 1
        self.steps_back += 1
        return max(offset, self._left.offset - 1 if self._left else 0, 0)

    def on(self, sought: int | None, found: Landmark, rows: int, *, near: int, span: int) -> int:
        """The next offset, as what was found is before what is sought.

        Args:
            sought: The id.
            found: What was found.
            rows: Rows in a page.
            near: The next offset is at least this.
            span: By how much ids grow from one page to the next about here.
        """
        self._left = found
        if self._right and self._right.offset == found.offset:  # likewise
            self.steps += 1
            return near
        if self._right and self._right.offset < found.offset:
            self._right = None
        pages: int = STEP_GROWTH ** min(self.steps, LONGEST_STEPS) // STEP_GROWTH
        far = near + rows * pages
        if sought is not None and found.id is not None and span > 0:
            far = min(far, found.offset + rows * (sought - found.id) // span - rows // 2)
        if self._right:
            guess = self._guess(sought, found, self._right)
            middle = (found.offset + self._right.offset - rows) // 2
            far = min(far, middle) if guess is None else guess - rows // 2
        self.steps += 1
        self.steps_back = 0
        return max(near, far)

    def _guess(self, sought: int | None, left: Landmark, right: Landmark) -> int | None:
        if sought is None or left.id is None or right.id is None or not left.id <= sought < right.id:
            return None
        distance = right.offset - left.offset
        if self.steps % HALVE_EVERY == HALVE_EVERY - 1:
            return left.offset + distance // 2
        return left.offset + distance * (sought - left.id) // (right.id - left.id)
