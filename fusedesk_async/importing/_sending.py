"""Sends one row: the marks around each request, and what each kind of failure means for the row."""

import math
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import anyio
import anyio.to_thread
import attrs

from fusedesk_async._client import FuseDesk
from fusedesk_async._clock import utc
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
from fusedesk_async.importing._history import chunks, history_slice, is_sent_separately, without_history
from fusedesk_async.importing._journal import Entry, Journal
from fusedesk_async.importing._rejects import Rejects
from fusedesk_async.importing._report import Outcome, Tally
from fusedesk_async.importing._rows import Row
from fusedesk_async.models import Case, CreatedCase, NewCase

T = TypeVar("T")

CANCELLATION_GRACE = 10.0
"""Seconds that requests in flight get to end once the import is cancelled, so that the journal can record them."""
LONGEST_MARK = 60.0
"""Seconds that a mark before sending may take. After more (the machine was suspended) it is made again, as the case is
later looked for among those that were opened around the moment of the mark."""
MAX_CONSECUTIVE_LOST = 10
"""Consecutive rows whose response was lost, after which the import stops."""


@attrs.frozen
class Pending:
    """A row whose outcome is not known.

    Attributes:
        row: The row.
        entry: Its entry in the journal, up to date.
        case: What was sent.
        lost_at: When its response was given up, by the monotonic clock; None if an earlier process sent it.
        attempt: Seconds that the attempt lasted, likewise; 0 if unknown.
    """

    row: Row
    entry: Entry
    case: NewCase
    lost_at: float | None = None
    attempt: float = 0.0

    @property
    def sent_at(self) -> float:
        """When the request in question was sent, in seconds since 1970."""
        entry = self.entry
        return (entry.history_sent_at if entry.state == "confirmed" else entry.sent_at) or 0.0


async def in_thread(work: Callable[..., T], *arguments: Any, **keywords: Any) -> T:
    """Do what would block the event loop in a thread, to its end."""
    return await anyio.to_thread.run_sync(lambda: work(*arguments, **keywords))


class Sender:
    """Opens cases, and records the outcome of each.

    Args:
        desk: Opens them.
        journal: What is marked.
        rejects: Where rows that cannot be imported are written.
        tally: Counts.
    """

    def __init__(self, desk: FuseDesk, journal: Journal, rejects: Rejects, tally: Tally) -> None:
        self._desk = desk
        self._pending: list[Pending] = []
        self._journal = journal
        self._rejects = rejects
        self._tally = tally
        self._scopes: set[anyio.CancelScope] = set()
        self._consecutive_lost = 0

    def take_pending(self) -> list[Pending]:
        """The rows that wait to be looked up, for the caller to do so."""
        pending, self._pending = self._pending, []
        return pending

    def shorten_deadlines(self) -> None:
        """Let requests in flight end soon."""
        for scope in self._scopes:
            scope.deadline = anyio.current_time() + CANCELLATION_GRACE

    async def send(self, row: Row, entry: Entry, case: NewCase, *, outcome: Outcome = "opened") -> None:
        """Open the case of a row, then write its history if that is sent separately.

        Raises:
            FuseDeskError: The same would happen to all other rows. The journal is correct.
        """
        separately = is_sent_separately(case)
        form = without_history(case) if separately else case
        opening = _Write(
            Pending(row, entry, case),
            lambda before: self._desk.cases.create(form, before_sending=before),
            before_sending=lambda now: {"state": "sent", "sent_at": now},
            unsent={"state": "intended", "sent_at": None},
            done=_confirmed,
        )
        created = await self._send_write(opening)
        if created and separately:
            entry = attrs.evolve(entry, state="confirmed", case_number=created.case_number, case_id=created.id)
            await self.write_history(row, entry, case, outcome=outcome)
        elif created:
            self._tally.count(outcome)

    async def write_history(self, row: Row, entry: Entry, case: NewCase, *, outcome: Outcome = "opened") -> None:
        """Write the rest of a history that is sent separately."""
        case_id = entry.case_id
        if case_id is None:
            self.postpone(Pending(row, entry, case))
            return
        try:
            ranges = list(chunks(case, entry.history))
        except ConfigurationError as error:
            await self._reject_history(row, entry, error)
            return
        for start, end in ranges:
            if not await self._write_chunk(row, entry, case, case_id, start, end):
                return
            entry = attrs.evolve(entry, history=end, history_sent=end)
        self._tally.count(outcome)

    async def _write_chunk(self, row: Row, entry: Entry, case: NewCase, case_id: int, start: int, end: int) -> bool:
        items = history_slice(case, start, end)
        chunk = _Write(
            Pending(row, attrs.evolve(entry, history_sent=end), case),
            lambda before: self._desk.cases.import_history(
                case_id, items, skip_infusionsoft=case.skip_infusionsoft, before_sending=before
            ),
            before_sending=lambda now: {"history_sent": end, "history_sent_at": now},
            unsent={"history_sent": start, "history_sent_at": None},
            done=lambda _: {"history": end},
        )
        return await self._send_write(chunk) is not None

    async def on_found(self, item: Pending, case: Case) -> None:
        """Record the case of a row that a look-up has found."""
        await self._mark(item.entry, **_confirmed(case))
        entry = attrs.evolve(item.entry, state="confirmed", case_number=case.case_number, case_id=case.id)
        if is_sent_separately(item.case):
            await self.write_history(item.row, entry, item.case, outcome="found")
        else:
            self._tally.count("found")

    async def reject(self, number: int, original: object, reason: str) -> None:
        """Record that a row cannot be imported."""
        await in_thread(self._rejects.write, number, reason, original)
        self._tally.count("rejected")

    async def report_unknown(self, item: Pending, error: CannotTellError) -> None:
        """Record that the outcome of a row cannot be found out; its entry stays as it is."""
        reason = f"unknown whether it was opened: {error}. {_advice(item)}"
        await in_thread(self._rejects.write, item.row.number, reason, item.row.original)
        self._tally.count("unknown")

    def postpone(self, item: Pending) -> None:
        """Keep a row to be looked up once all others were sent."""
        self._pending.append(item)
        self._tally.pending = len(self._pending)
        self._tally.notify()

    async def _send_write(self, write: "_Write[T]") -> T | None:
        """The response to a write; None if there is none and the row was counted or postponed.

        Once it is sent, it is shielded from cancellation until the journal has recorded its outcome.
        """
        with anyio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                return await self._send_shielded(write, scope)
            finally:
                self._scopes.discard(scope)
        return None

    async def _send_shielded(self, write: "_Write[T]", scope: anyio.CancelScope) -> T | None:
        item = write.item

        async def before() -> None:
            scope.shield = True
            marked_at = -math.inf
            while self._desk.clock.time() - marked_at > LONGEST_MARK:
                marked_at = self._desk.clock.time()
                await self._mark(item.entry, **write.before_sending(marked_at))

        try:
            response = await write.request(before)
        except OutcomeUnknownError as error:
            await self._on_lost(item, error)
            return None
        except (APIError, NotSentError) as error:
            scope.shield = True
            await self._mark(item.entry, **write.unsent)
            if type(error) not in {APIError, RequestRejectedError}:
                raise
            await self._on_rejected(item, error)
            return None
        scope.shield = True
        await self._mark(item.entry, **write.done(response))
        self._consecutive_lost = 0
        return response

    async def _on_lost(self, item: Pending, error: OutcomeUnknownError) -> None:
        now = self._desk.clock.time()
        sent = error.sent_at.timestamp() if error.sent_at else now
        if item.entry.state == "confirmed":
            entry = attrs.evolve(item.entry, history_sent_at=sent)
        else:
            entry = attrs.evolve(item.entry, state="sent", sent_at=sent)
        attempt = max(0.0, (error.lost_at or utc(now)).timestamp() - sent)
        self.postpone(attrs.evolve(item, entry=entry, lost_at=self._desk.clock.monotonic(), attempt=attempt))
        self._consecutive_lost += 1
        if isinstance(error.__cause__, AuthenticationError) or self._consecutive_lost >= MAX_CONSECUTIVE_LOST:
            raise error

    async def _on_rejected(self, item: Pending, error: FuseDeskError) -> None:
        self._consecutive_lost = 0
        if item.entry.state == "confirmed":
            await self._reject_history(item.row, item.entry, error)
            return
        await self._mark(item.entry, state="rejected", reason=error.message)
        await self.reject(item.row.number, item.row.original, str(error))

    async def _reject_history(self, row: Row, entry: Entry, error: FuseDeskError) -> None:
        reason = f"case {entry.case_number} was opened, but not all of its history was imported: {error}"
        await self.reject(row.number, row.original, reason)

    async def _mark(self, entry: Entry, **fields: Any) -> None:
        await in_thread(self._journal.mark, entry.id, **fields)


@attrs.frozen
class _Write(Generic[T]):
    """A request that writes, and what is marked in the journal around it.

    Attributes:
        item: The row it belongs to, as it is if the response is lost.
        request: Makes it.
        before_sending: What is marked before it is sent, at a moment in seconds since 1970.
        unsent: What is marked if it certainly did nothing.
        done: What is marked when it was answered.
    """

    item: Pending
    request: Callable[[BeforeSending], Awaitable[T]]
    before_sending: Callable[[float], dict[str, Any]]
    unsent: dict[str, Any]
    done: Callable[[T], dict[str, Any]]


def _advice(item: Pending) -> str:
    if item.entry.state == "confirmed":
        return f"Look at the history of case {item.entry.case_number} in FuseDesk; the row is never sent again"
    return (
        "It is never sent again, but looked up by each run. Search FuseDesk for its summary: if it is not there, "
        "import the row under another source_id"
    )


def _confirmed(case: CreatedCase | Case) -> dict[str, Any]:
    return {"state": "confirmed", "case_number": case.case_number, "case_id": case.id, "reason": None}
