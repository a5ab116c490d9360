"""Single cases in place of a server, and a test decides when each of them comes."""

from typing import TYPE_CHECKING, Any

from anyio.lowlevel import checkpoint

from fusedesk_async import CaseDetail, Directory
from fusedesk_async._reconcile.creation_log import CreationLog
from fusedesk_async._wire.headers import ServerClock
from fusedesk_async.resources.cases import Cases
from fusedesk_async.sandbox import VirtualClock

if TYPE_CHECKING:
    from anyio import Event


class FakeCases:
    """Carries out calls for single cases as a client does, without a server.

    Attributes:
        asked: The ids asked for.
        bulk: Whether they were asked for as bulk work.
        in_flight: Calls in flight.
        most_in_flight: How many there were at most.
        failures: By id, what happens in place of an answer.
        gates: By id, what has to be set before the answer comes.
    """

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.bulk: set[bool] = set()
        self.in_flight = self.most_in_flight = 0
        self.failures: dict[int, BaseException] = {}
        self.gates: dict[int, Event] = {}

    async def __call__(self, call: Any) -> Any:
        """Answer a call for a case."""
        number = int(call.path.rpartition("/")[2])
        self.asked.append(number)
        self.bulk.add(call.bulk)
        self.in_flight += 1
        self.most_in_flight = max(self.in_flight, self.most_in_flight)
        try:
            await checkpoint()
            if gate := self.gates.get(number):
                await gate.wait()
            if failure := self.failures.get(number):
                raise failure
            return CaseDetail(id=number)
        finally:
            self.in_flight -= 1

    async def resolve(self, call: Any) -> Any:
        """The call: nothing here has a name."""
        return call

    async def directory(self) -> Directory:
        """Nothing here has a name."""
        return Directory()


def cases_of(fake: FakeCases) -> Cases:
    """The resource of a client that carries out its calls so."""
    return Cases(fake, ServerClock(VirtualClock()), fake.directory, CreationLog(), 30.0)
