"""Cases with their histories: fetched ahead only as far as may be lost, and what it means if one cannot be had."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Self

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
    """Tells a case that cannot be had from a server that is out of reach: if the next one comes, it is the case.

    Attributes:
        doubtful: The case that could not be had, and why, until that is settled.
    """

    doubtful: tuple[Case, FuseDeskError] | None = None
    _last_tries: int = 0

    def told(self, case: Case, result: CaseDetail | FuseDeskError) -> Iterator[Row]:
        """The rows that are settled by what came for a case, in order.

        Raises:
            FuseDeskError: The server is out of reach, or gives no history to this key at all.
        """
        if isinstance(result, PermissionDeniedError):
            raise result
        if not isinstance(result, OUT_OF_REACH):
            yield from self._settled()
            yield _row(case, result)
        elif self.doubtful:
            self.doubtful = None
            raise result
        else:
            self.doubtful = case, result

    def end(self) -> Iterator[Row]:
        """No more cases come for now.

        Raises:
            FuseDeskError: The last one is still in doubt, and it is worth asking for it again.
        """
        if self.doubtful:
            self._last_tries += 1
            if self._last_tries < LAST_TRIES:
                _, error = self.doubtful
                self.doubtful = None
                raise error
        yield from self._settled()

    def _settled(self) -> Iterator[Row]:
        if self.doubtful:
            yield _row(*self.doubtful)
        self.doubtful, self._last_tries = None, 0


def _row(case: Case, result: CaseDetail | FuseDeskError) -> Row:
    if isinstance(result, CaseDetail):
        return Row(case=result)
    if isinstance(result, NotFoundError):
        return Row(case=case, tombstone=True)
    return Row(case=case, history_error=str(result))
