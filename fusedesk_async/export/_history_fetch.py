"""Cases with their histories: fetched ahead only as far as may be lost, and what it means if one cannot be fetched."""

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
    UnexpectedResponseError,
)
from fusedesk_async.export._row import Row
from fusedesk_async.models import Case, CaseDetail

OUTAGE_ERRORS = (ServerError, AnswerLostError, NotSentError)
"""Failures that may pass with time."""
PROMPT_ERRORS = (PermissionDeniedError, UnexpectedResponseError)
"""Failures that waiting does not help: another case is asked for at once."""
AMBIGUOUS_ERRORS = (*OUTAGE_ERRORS, *PROMPT_ERRORS)
"""Failures that may concern one case, or all of them."""
MAX_UNSETTLED = 2
"""Consecutive cases that could not be fetched, after which another case is asked for: it may be the server."""
LAST_CASE_ATTEMPTS = 3
"""How often the last case of all is tried; no later one can tell whether it is this case or the server."""


class BoundedFeed:
    """Hands out cases, but only `most_unwritten` beyond those that are written: a crash costs no more calls than that.

    Args:
        cases: The cases.
        most_unwritten: How many; 2 or more, since one may have to wait for the next.
    """

    def __init__(self, cases: Sequence[Case], most_unwritten: int) -> None:
        self._cases = deque(cases)
        self._free = most_unwritten
        self._changed = anyio.Event()

    def release(self, count: int) -> None:
        """Hand out `count` more, as that many were written."""
        self._free += count
        self._changed.set()
        self._changed = anyio.Event()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Case:
        while self._cases and not self._free:
            await self._changed.wait()
        if not self._cases:
            raise StopAsyncIteration
        self._free -= 1
        return self._cases.popleft()


@attrs.define(eq=False)
class HistoryFailures:
    """Tells one case that cannot be fetched from a server out of reach: if another case comes, it is the case."""

    _unsettled: list[tuple[Case, FuseDeskError]] = attrs.field(factory=list[tuple[Case, FuseDeskError]])
    _last_case_attempts: int = 0

    def on_result(self, case: Case, result: CaseDetail | FuseDeskError) -> list[Row]:
        """The rows that are settled by the result for a case, in order."""
        if isinstance(result, AMBIGUOUS_ERRORS):
            self._unsettled.append((case, result))
            return []
        return [*self.settle(), row_of(case, result)]

    @property
    def needs_probe(self) -> bool:
        """Whether to ask for another case before the next one: a server out of reach is not asked for all of them."""
        prompt = any(isinstance(error, PROMPT_ERRORS) for _, error in self._unsettled)
        return prompt or len(self._unsettled) == MAX_UNSETTLED

    @property
    def unexpected_ids(self) -> frozenset[int]:
        """The unsettled cases in place of which something else came, if there are no others."""
        if all(isinstance(error, UnexpectedResponseError) for _, error in self._unsettled):
            return frozenset(case.id for case, _ in self._unsettled)
        return frozenset()

    def settle(self) -> list[Row]:
        """Another case came, so the failures concern the unsettled cases alone: their rows."""
        rows = [row_of(*each) for each in self._unsettled]
        self._unsettled.clear()
        self._last_case_attempts = 0
        return rows

    def give_up(self) -> NoReturn:
        """End, since no other case came either.

        Raises:
            FuseDeskError: The server is out of reach, or gives no history to this key at all.
        """
        _, error = self._unsettled[-1]
        self._unsettled.clear()
        raise error

    def on_page_end(self) -> list[Row]:
        """The rows of cases that are unsettled when no more cases come for now.

        Raises:
            FuseDeskError: The last one is unsettled, and it is worth asking for it again.
        """
        self._last_case_attempts += bool(self._unsettled)
        if self._unsettled and self._last_case_attempts < LAST_CASE_ATTEMPTS:
            self.give_up()
        return self.settle()


def row_of(case: Case, result: CaseDetail | FuseDeskError) -> Row:
    """The row of a case for which a result came in place of its history, or with it."""
    if isinstance(result, CaseDetail):
        if result.id == case.id:
            return Row(case=result)
        return Row(case=case, history_error=f"the server sent case {result.id} instead")
    if isinstance(result, NotFoundError):
        return Row(case=case, tombstone=True)
    return Row(case=case, history_error=str(result))
