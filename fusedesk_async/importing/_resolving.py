"""Rows whose response was lost: looked up first, and sent again only if they certainly were not opened."""

from collections.abc import Sequence

import attrs

from fusedesk_async._client import FuseDesk
from fusedesk_async._reconcile.assign import assign
from fusedesk_async._reconcile.find import form_of, look
from fusedesk_async._reconcile.match import Opening, Wanted, wanted
from fusedesk_async.errors import CannotTellError, NotFoundError, Request
from fusedesk_async.importing._history import imported_elements, without_history
from fusedesk_async.importing._journal import Journal
from fusedesk_async.importing._report import Tally
from fusedesk_async.importing._sending import Pending, Sender, in_thread
from fusedesk_async.models import Case

MAX_ROUNDS = 5
"""How often a row that was sent again and lost again is looked up in one run."""
_ANY_TIME = Opening(0.0, 0.0)
"""Rows are sent with a date of opening, so this is never used."""


class Resolver:
    """Looks up rows.

    Args:
        desk: The client to look with.
        sender: Has the pending rows, and sends them again.
        journal: Knows which cases belong to other rows.
        tally: Counts.
        settle: Seconds after which a request has certainly ended on the server.
    """

    def __init__(self, desk: FuseDesk, sender: Sender, journal: Journal, tally: Tally, *, settle: float) -> None:
        self._desk = desk
        self._sender = sender
        self._journal = journal
        self._tally = tally
        self._settle = settle

    async def resolve(self) -> None:
        """Look up all rows whose outcome is not known, and send those that certainly were not opened."""
        self._tally.phase = "settling"
        items = self._sender.take_pending()
        for _ in range(MAX_ROUNDS):
            if not items:
                return
            await self._wait(items)
            await self._resolve_openings([item for item in items if item.entry.state != "confirmed"])
            for item in items:
                if item.entry.state == "confirmed":
                    await self._resolve_history(item)
            items = self._sender.take_pending()
            self._tally.pending = len(items)
        for item in items:
            message = f"its response was lost in each of {MAX_ROUNDS} attempts of this run; run the import again"
            await self._sender.report_unknown(item, CannotTellError(message))
        self._tally.pending = 0

    async def _wait(self, items: Sequence[Pending]) -> None:
        """Wait until none of these can still be in flight; a clock that was set back does not prolong it."""
        clock = self._desk.clock
        remaining = max(item.sent_at for item in items) + self._settle - clock.time()
        if remaining > 0.0:
            self._tally.notify()
            await clock.sleep(min(remaining, self._settle))

    async def _resolve_openings(self, items: Sequence[Pending]) -> None:
        wants = [_wanted(item) for item in items]
        found = await look(self._desk.cases.search, wants, ())
        cases = {case.id: case.case_number for each in found for case in (*each.same, *each.doubtful)}
        others = await in_thread(self._journal.of_others, cases, [item.entry.id for item in items])
        for each in found:
            each.same = [case for case in each.same if case.id not in others]
            each.doubtful = [case for case in each.doubtful if case.id not in others]
        for item, result in zip(items, assign(wants, found), strict=True):
            match result:
                case CannotTellError():
                    await self._sender.report_unknown(item, result)
                case Case():
                    await self._sender.on_found(item, result)
                case _:
                    await self._sender.send(item.row, item.entry, item.case)

    async def _resolve_history(self, item: Pending) -> None:
        """Resume a history of which a part may have been imported."""
        entry = item.entry
        try:
            case_id = entry.case_id or await self._identify(item)
            done = entry.history
            if entry.history_sent > done:
                detail = await self._desk.cases.get(case_id)
                done = imported_elements(item.case, done, entry.history_sent, detail)
        except CannotTellError as error:
            await self._sender.report_unknown(item, error)
            return
        except NotFoundError:
            reason = f"case {entry.case_number} was opened, but is gone"
            await self._sender.reject(item.row.number, item.row.original, reason)
            return
        await in_thread(self._journal.mark, entry.id, case_id=case_id, history=done)
        entry = attrs.evolve(entry, case_id=case_id, history=done, history_sent=done)
        await self._sender.write_history(item.row, entry, item.case)

    async def _identify(self, item: Pending) -> int:
        """The id of a case of which the server sent only the number."""
        number = item.entry.case_number
        async for case in self._desk.cases.search(date_opened=_wanted(item).opening.days):
            if case.case_number == number:
                return case.id
        message = f"case {number} was opened, but cannot be found by its date"
        raise CannotTellError(message, Request("POST", "v1/cases"))


def _wanted(item: Pending) -> Wanted:
    return wanted(form_of(without_history(item.case)), _ANY_TIME)
