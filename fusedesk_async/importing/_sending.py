"""Sends one row: the marks around each request, and what each kind of failure means for the row."""

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import anyio
import anyio.to_thread
import attrs

from fusedesk_async._client import FuseDesk
from fusedesk_async._wire.call import BeforeSending
from fusedesk_async.errors import (
    APIError,
    AuthenticationError,
    CannotTellError,
    ConfigurationError,
    FuseDeskError,
    NotSentError,
    OutcomeUnknownError,
    RequestRejectedError,
)
from fusedesk_async.importing._history import chunks, goes_apart, slice_of, without_history
from fusedesk_async.importing._journal import Entry, Journal
from fusedesk_async.importing._rejects import Rejects
from fusedesk_async.importing._report import Fate, Tally
from fusedesk_async.importing._rows import Row
from fusedesk_async.models import Case, CreatedCase, NewCase

T = TypeVar("T")

GRACE = 10.0
"""Seconds that requests on their way get to end, so that the journal learns of it, once the import is cancelled."""
MOST_UNKNOWN = 10
"""Rows in a row whose answer got lost, after which the server is taken for out of order."""


@attrs.frozen
class Pending:
    """A row whose fate is not known.

    Attributes:
        row: The row.
        entry: Its entry in the journal, up to date.
        case: What was sent.
    """

    row: Row
    entry: Entry
    case: NewCase

    @property
    def sent_at(self) -> float:
        """When what is in doubt left, in seconds since 1970."""
        entry = self.entry
        return (entry.history_sent_at if entry.state == "confirmed" else entry.sent_at) or 0.0


async def in_thread(work: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """Do what would block the event loop in a thread, to its end."""
    return await anyio.to_thread.run_sync(lambda: work(*arguments, **named))


class Sender:
    """Opens cases, and writes down what became of them.

    Args:
        desk: Opens them.
        journal: What is marked.
        rejects: Where rows go that cannot be imported.
        tally: Counts.
    """

    def __init__(self, desk: FuseDesk, journal: Journal, rejects: Rejects, tally: Tally) -> None:
        self.desk = desk
        self.pending: list[Pending] = []
        self._journal = journal
        self._rejects = rejects
        self._tally = tally
        self._scopes: set[anyio.CancelScope] = set()
        self._lost_in_a_row = 0

    def hurry(self) -> None:
        """Requests on their way are to end soon."""
        for scope in self._scopes:
            scope.deadline = anyio.current_time() + GRACE

    async def send(self, row: Row, entry: Entry, case: NewCase, *, fate: Fate = "opened") -> None:
        """Open the case of a row, then write its history if that goes apart.

        Raises:
            FuseDeskError: What would be the same for all other rows. The journal is true.
        """
        apart = goes_apart(case)
        form = without_history(case) if apart else case
        opening = _Write(
            Pending(row, entry, case),
            lambda before: self.desk.cases.create(form, before_sending=before),
            leaving=lambda: {"state": "sent", "sent_at": self.desk.clock.time()},
            unsent={"state": "intended", "sent_at": None},
            done=_confirmed,
        )
        created = await self._carry_out(opening)
        if created and apart:
            entry = attrs.evolve(entry, state="confirmed", case_number=created.case_number, case_id=created.id)
            await self.write_history(row, entry, case, fate=fate)
        elif created:
            self._tally.end(fate)

    async def write_history(self, row: Row, entry: Entry, case: NewCase, *, fate: Fate = "opened") -> None:
        """Write what is left of a history that goes apart."""
        case_id = entry.case_id
        if case_id is None:
            self.wait_for(Pending(row, entry, case))
            return
        try:
            stretches = list(chunks(case, entry.history))
        except ConfigurationError as error:
            await self._reject_history(row, entry, error)
            return
        for start, end in stretches:
            if not await self._write_chunk(row, entry, case, case_id, start, end):
                return
            entry = attrs.evolve(entry, history=end, history_sent=end)
        self._tally.end(fate)

    async def _write_chunk(self, row: Row, entry: Entry, case: NewCase, case_id: int, start: int, end: int) -> bool:
        piece = slice_of(case, start, end)
        chunk = _Write(
            Pending(row, attrs.evolve(entry, history_sent=end), case),
            lambda before: self.desk.cases.import_history(
                case_id, piece, skip_infusionsoft=case.skip_infusionsoft, before_sending=before
            ),
            leaving=lambda: {"history_sent": end, "history_sent_at": self.desk.clock.time()},
            unsent={"history_sent": start, "history_sent_at": None},
            done=lambda _: {"history": end},
        )
        return await self._carry_out(chunk) is not None

    async def found(self, item: Pending, case: Case) -> None:
        """A look-up has found the case of a row."""
        await self._mark(item.entry, **_confirmed(case))
        entry = attrs.evolve(item.entry, state="confirmed", case_number=case.case_number, case_id=case.id)
        if goes_apart(item.case):
            await self.write_history(item.row, entry, item.case, fate="found")
        else:
            self._tally.end("found")

    async def reject(self, number: int, original: object, reason: str) -> None:
        """A row cannot be imported."""
        await in_thread(self._rejects.write, number, reason, original)
        self._tally.end("rejected")

    async def give_up(self, item: Pending, error: CannotTellError) -> None:
        """What became of a row cannot be told, so it stays as it is."""
        await in_thread(
            self._rejects.write, item.row.number, f"unknown whether it was opened: {error}", item.row.original
        )
        self._tally.end("unknown")

    def wait_for(self, item: Pending) -> None:
        """The fate of a row is to be looked up, last."""
        self.pending.append(item)
        self._tally.pending = len(self.pending)
        self._tally.tell()

    async def _carry_out(self, write: "_Write[T]") -> T | None:
        """The answer to a write; None if there is none and the row has met its fate, or waits for it.

        From the moment it leaves, it is out of reach of a cancellation until the journal knows what came of it.
        """
        with anyio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                return await self._sheltered(write, scope)
            finally:
                self._scopes.discard(scope)
        return None

    async def _sheltered(self, write: "_Write[T]", scope: anyio.CancelScope) -> T | None:
        item = write.item

        async def before() -> None:
            scope.shield = True
            await self._mark(item.entry, **write.leaving())

        try:
            answer = await write.request(before)
        except OutcomeUnknownError as error:
            await self._lost(item, error)
            return None
        except (APIError, NotSentError) as error:
            scope.shield = True
            await self._mark(item.entry, **write.unsent)
            if type(error) not in {APIError, RequestRejectedError}:
                raise
            await self._refused(item, error)
            return None
        scope.shield = True
        await self._mark(item.entry, **write.done(answer))
        self._lost_in_a_row = 0
        return answer

    async def _lost(self, item: Pending, error: OutcomeUnknownError) -> None:
        sent = error.sent_at.timestamp() if error.sent_at else self.desk.clock.time()
        if item.entry.state == "confirmed":
            entry = attrs.evolve(item.entry, history_sent_at=sent)
        else:
            entry = attrs.evolve(item.entry, state="sent", sent_at=sent)
        self.wait_for(attrs.evolve(item, entry=entry))
        self._lost_in_a_row += 1
        if isinstance(error.__cause__, AuthenticationError) or self._lost_in_a_row >= MOST_UNKNOWN:
            raise error

    async def _refused(self, item: Pending, error: FuseDeskError) -> None:
        self._lost_in_a_row = 0
        if item.entry.state == "confirmed":
            await self._reject_history(item.row, item.entry, error)
            return
        await self._mark(item.entry, state="rejected", reason=error.message)
        await self.reject(item.row.number, item.row.original, str(error))

    async def _reject_history(self, row: Row, entry: Entry, error: FuseDeskError) -> None:
        reason = f"case {entry.case_number} is open, but not all of its history is in: {error}"
        await self.reject(row.number, row.original, reason)

    async def _mark(self, entry: Entry, **fields: Any) -> None:
        await in_thread(self._journal.mark, entry.id, **fields)


@attrs.frozen
class _Write(Generic[T]):
    """A request that writes, and the marks around it.

    Attributes:
        item: The row it belongs to, as it is if the answer gets lost.
        request: Makes it.
        leaving: What is marked before it leaves.
        unsent: What is marked if it surely did nothing.
        done: What is marked when it was answered.
    """

    item: Pending
    request: Callable[[BeforeSending], Awaitable[T]]
    leaving: Callable[[], dict[str, Any]]
    unsent: dict[str, Any]
    done: Callable[[T], dict[str, Any]]


def _confirmed(case: CreatedCase | Case) -> dict[str, Any]:
    return {"state": "confirmed", "case_number": case.case_number, "case_id": case.id, "reason": None}
