"""Cases with their histories: fetched ahead only as far as may be lost, and what it means if one cannot be had."""

from collections import deque
from collections.abc import Sequence
from typing import NoReturn, Self

import anyio
import attrs

from fusedesk_async.errors import (
    AnswerLostError,
    FuseDeskError,
    NotFoundError,
    NotSentError,
    PermissionDeniedError,
    ServerError,
)
from fusedesk_async.export._row import Row
from fusedesk_async.models import Case, CaseDetail

OUT_OF_REACH = (ServerError, AnswerLostError, NotSentError)
"""Failures that time may mend."""
DOUBTFUL = (*OUT_OF_REACH, PermissionDeniedError)
"""Failures that may be those of one case, or of all."""
MOST_DOUBTFUL = 2
"""So many cases that cannot be had, one after the other, are enough to ask whether it is the server."""
LAST_TRIES = 3
"""So often the last case of all is tried; no later one can tell whether it is this case or the server."""


class Gate:
    """Hands out cases, but no more than `most` beyond those that are done: a crash costs so many calls at the most.

    Args:
        cases: The cases.
        most: How many; 2 or more, since one may have to wait for the next.
    """

    def __init__(self, cases: Sequence[Case], most: int) -> None:
        self._cases = deque(cases)
        self._free = most
        self._opened = anyio.Event()

    def done(self, number: int) -> None:
        """So many more are done."""
        self._free += number
        self._opened.set()
        self._opened = anyio.Event()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Case:
        while self._cases and not self._free:
            await self._opened.wait()
        if not self._cases:
            raise StopAsyncIteration
        self._free -= 1
        return self._cases.popleft()


@attrs.define(eq=False)
class Verdicts:
    """Tells a case that cannot be had from a server that is out of reach: if another one comes, it is the case."""

    _doubtful: list[tuple[Case, FuseDeskError]] = attrs.field(factory=list[tuple[Case, FuseDeskError]])
    _last_tries: int = 0

    def told(self, case: Case, result: CaseDetail | FuseDeskError) -> list[Row]:
        """The rows that are settled by what came for a case, in order."""
        if isinstance(result, DOUBTFUL):
            self._doubtful.append((case, result))
            return []
        return [*self.settled(), _row(case, result)]

    @property
    def wants_proof(self) -> bool:
        """Whether another case must be asked for before the next one: a server out of reach is not asked for all."""
        refused = any(isinstance(error, PermissionDeniedError) for _, error in self._doubtful)
        return refused or len(self._doubtful) == MOST_DOUBTFUL

    def settled(self) -> list[Row]:
        """Another case came: so it is a matter of the doubtful ones."""
        rows = [_row(*each) for each in self._doubtful]
        self._doubtful.clear()
        self._last_tries = 0
        return rows

    def give_up(self) -> NoReturn:
        """No other case came either.

        Raises:
            FuseDeskError: The server is out of reach, or gives no history to this key at all.
        """
        _, error = self._doubtful[-1]
        self._doubtful.clear()
        raise error

    def end(self) -> list[Row]:
        """No more cases come for now.

        Raises:
            FuseDeskError: The last one is still in doubt, and it is worth asking for it again.
        """
        self._last_tries += bool(self._doubtful)
        if self._doubtful and self._last_tries < LAST_TRIES:
            self.give_up()
        return self.settled()


def _row(case: Case, result: CaseDetail | FuseDeskError) -> Row:
    if isinstance(result, CaseDetail):
        if result.id == case.id:
            return Row(case=result)
        return Row(case=case, history_error=f"the server sent case {result.id} in its place")
    if isinstance(result, NotFoundError):
        return Row(case=case, tombstone=True)
    return Row(case=case, history_error=str(result))
