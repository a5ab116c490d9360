"""Stand-ins for a client that page or fetch cases by their ids, and let a test decide when each call is answered."""

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from anyio.lowlevel import checkpoint

from fusedesk_async import Case, CaseDetail
from fusedesk_async._pagination.walk import Walk
from fusedesk_async._wire.call import get
from fusedesk_async._wire.readers import Records, many

if TYPE_CHECKING:
    from anyio import Event


class Shelf:
    """Carries out calls for pages, in the place of a client.

    Args:
        ids: The rows, in the order in which they are paged.
        cap: Rows at most in a page.
        between: Changes the rows before each page but the first.

    Attributes:
        offsets: What was asked for.
        flying: Pages on their way.
        most_flying: How many there were at most.
        failures: By offset, what happens in place of an answer, once.
        gates: By offset, what has to be set before the answer comes.
        heard: The last call, for a look at its other parameters.
    """

    def __init__(self, ids: Any, *, cap: int = 500, between: Callable[[list[int]], object] | None = None) -> None:
        self.ids = list(ids)
        self.cap = cap
        self.between = between
        self.offsets: list[int] = []
        self.flying = self.most_flying = 0
        self.failures: dict[int, BaseException] = {}
        self.gates: dict[int, Event] = {}
        self.heard: Any = None

    async def __call__(self, call: Any) -> Any:
        """Answer a call for a page."""
        self.heard, offset = call, call.query["offset"]
        if self.offsets and self.between:
            self.between(self.ids)
        self.offsets.append(offset)
        rows = tuple(Case(id=number) for number in self.ids[offset : offset + min(call.query["limit"], self.cap)])
        self.flying += 1
        self.most_flying = max(self.flying, self.most_flying)
        try:
            await checkpoint()
            if gate := self.gates.get(offset):
                await gate.wait()
            if failure := self.failures.pop(offset, None):
                raise failure
            return Records(rows)
        finally:
            self.flying -= 1


class Drawer:
    """Carries out calls for single cases, in the place of a client.

    Attributes:
        asked: The ids asked for.
        bulk: Whether they were asked for as bulk work.
        flying: Calls on their way.
        most_flying: How many there were at most.
        failures: By id, what happens in place of an answer.
        gates: By id, what has to be set before the answer comes.
    """

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.bulk: set[bool] = set()
        self.flying = self.most_flying = 0
        self.failures: dict[int, BaseException] = {}
        self.gates: dict[int, Event] = {}

    async def __call__(self, call: Any) -> Any:
        """Answer a call for a case."""
        number = int(call.path.rpartition("/")[2])
        self.asked.append(number)
        self.bulk.add(call.bulk)
        self.flying += 1
        self.most_flying = max(self.flying, self.most_flying)
        try:
            await checkpoint()
            if gate := self.gates.get(number):
                await gate.wait()
            if failure := self.failures.get(number):
                raise failure
            return CaseDetail(id=number)
        finally:
            self.flying -= 1


def walk_over(send: Any, *, query: Any = None, **settings: Any) -> Walk[Case]:
    """A walk over a shelf, in pages of 10, 3 at once, unless the settings say otherwise."""
    usual = {"page_size": 10, "concurrency": 3, "after": None, "on_unordered": "raise"}
    return Walk(send, get("v1/cases", many(Case), query), lambda case: case.id, **{**usual, **settings})


async def ids(cases: AsyncIterator[Case], got: list[int] | None = None) -> list[int]:
    """The ids of all cases that come; in `got` also those that came before an error."""
    got = [] if got is None else got
    async for case in cases:
        got.append(case.id)
    return got
