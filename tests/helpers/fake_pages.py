"""A list in place of a server, which lets a test decide when each of its pages comes."""

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from anyio.lowlevel import checkpoint

from fusedesk_async import Case, ServerError
from fusedesk_async._pagination.walk import Walk
from fusedesk_async._wire.call import get
from fusedesk_async._wire.readers import Records, many

if TYPE_CHECKING:
    from anyio import Event


class FakePages:
    """Carries out calls for pages as a client does, without a server.

    Args:
        ids: The rows, in the order in which they are paged.
        cap: Rows at most in a page.
        between: Changes the rows before each page but the first.

    Attributes:
        offsets: What was asked for.
        in_flight: Pages in flight.
        most_in_flight: How many there were at most.
        failures: By offset, what happens in place of an answer.
        outage: What happens in place of all further answers: a `ServerError` lasts.
        gates: By offset, what has to be set before the answer comes.
        last_call: The last call, for a look at its other parameters.
    """

    def __init__(self, ids: Any, *, cap: int = 500, between: Callable[[list[int]], object] | None = None) -> None:
        self.ids = list(ids)
        self.cap = cap
        self.between = between
        self.offsets: list[int] = []
        self.in_flight = self.most_in_flight = 0
        self.failures: dict[int, BaseException] = {}
        self.outage: BaseException | None = None
        self.gates: dict[int, Event] = {}
        self.last_call: Any = None

    async def __call__(self, call: Any) -> Any:
        """Answer a call for a page."""
        self.last_call, offset = call, call.query["offset"]
        if self.offsets and self.between:
            self.between(self.ids)
        self.offsets.append(offset)
        ids = self.ids if call.query.get("orderby") != "caseid desc" else sorted(self.ids, reverse=True)
        rows = tuple(Case(id=number) for number in ids[offset : offset + min(call.query["limit"], self.cap)])
        self.in_flight, outage = self.in_flight + 1, self.outage
        self.most_in_flight = max(self.in_flight, self.most_in_flight)
        try:
            await checkpoint()
            if gate := self.gates.get(offset):
                await gate.wait()
            if failure := self.failures.get(offset) or outage:
                self.outage = failure if isinstance(failure, ServerError) else None
                raise failure
            return Records(rows)
        finally:
            self.in_flight -= 1

    async def resolve(self, call: Any) -> Any:
        """The call: nothing here has a name."""
        return call


def walk_over(send: Any, *, query: Any = None, **settings: Any) -> Walk[Case]:
    """A walk over a fake list, in pages of 10, 3 at once, unless the settings say otherwise."""
    usual = {"page_size": 10, "concurrency": 3, "after": None, "on_unordered": "raise"}
    return Walk(send, get("v1/cases", many(Case), query), lambda case: case.id, **{**usual, **settings})


async def ids(cases: AsyncIterator[Case], got: list[int] | None = None) -> list[int]:
    """The ids of all cases that come; in `got` also those that came before an error."""
    got = [] if got is None else got
    async for case in cases:
        got.append(case.id)
    return got
