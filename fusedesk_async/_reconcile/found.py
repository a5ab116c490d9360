"""What look-ups have brought for one new case."""

import attrs

from fusedesk_async.errors import CannotTellError, Request
from fusedesk_async.models import Case

CREATION = Request("POST", "v1/cases")


@attrs.define
class Found:
    """What a look-up has brought for one new case.

    Attributes:
        same: Cases that agree in all.
        doubtful: Cases that differ only in what may have changed since.
        unread: How many cases could not be read.
        unseen_because: Why the case might be open though it was not seen; None if it would have been seen.
    """

    same: list[Case] = attrs.field(factory=list[Case])
    doubtful: list[Case] = attrs.field(factory=list[Case])
    unread: int = 0
    unseen_because: str | None = None

    def without(self, ids: "set[int] | frozenset[int]") -> "Found":
        """The same, but for some cases that are known to be others."""
        same, doubtful = ([case for case in cases if case.id not in ids] for cases in (self.same, self.doubtful))
        return attrs.evolve(self, same=same, doubtful=doubtful)

    def after(self, earlier: "Found") -> "Found":
        """This look-up after another one: what either left in doubt is in doubt."""
        known = {case.id for case in (*self.same, *self.doubtful)}
        doubtful = [*self.doubtful, *(case for case in (*earlier.same, *earlier.doubtful) if case.id not in known)]
        unread = max(self.unread, earlier.unread)
        return Found(self.same, doubtful, unread, self.unseen_because or earlier.unseen_because)

    def the_one(self) -> Case | None:
        """The case; None if there is none.

        Raises:
            CannotTellError: There may be, but which one it is, is not certain.
        """
        if len(self.same) == 1:
            return self.same[0]
        if self.same:
            message = f"{len(self.same)} cases are equal in all that was asked for"
            raise CannotTellError(message, CREATION, tuple(case.id for case in self.same))
        if self.doubtful:
            message = "what was opened then differs in what may have been changed since"
            raise CannotTellError(message, CREATION, tuple(case.id for case in self.doubtful))
        if self.unread:
            message = f"{self.unread} of the cases opened then could not be read"
            raise CannotTellError(message, CREATION)
        if self.unseen_because:
            message = f"it was not found, but {self.unseen_because}"
            raise CannotTellError(message, CREATION)
        return None
