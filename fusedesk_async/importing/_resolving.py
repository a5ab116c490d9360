"""What became of the rows whose answer got lost: look first, and send again only what surely was not done."""

from collections.abc import Sequence

import attrs

from fusedesk_async._reconcile.assign import assign
from fusedesk_async._reconcile.find import form_of, look
from fusedesk_async._reconcile.match import Opening, Wanted, wanted
from fusedesk_async.errors import CannotTellError, NotFoundError, Request
from fusedesk_async.importing._history import elements_in, without_history
from fusedesk_async.importing._journal import Journal
from fusedesk_async.importing._report import Tally
from fusedesk_async.importing._sending import Pending, Sender, in_thread
from fusedesk_async.models import Case

MOST_ROUNDS = 5
"""How often what was sent again, and got lost again, is looked up in one run."""
_ANY_TIME = Opening(0.0, 0.0)
"""Rows go out with a date of opening, so this stands for nothing."""


class Settler:
    """Looks up rows.

    Args:
        sender: Has the rows, and sends them again.
        journal: Knows which cases belong to other rows.
        tally: Counts.
        settle: Seconds after which a request has surely ended in the server.
    """

    def __init__(self, sender: Sender, journal: Journal, tally: Tally, *, settle: float) -> None:
        self._sender = sender
        self._journal = journal
        self._tally = tally
        self._settle = settle

    async def settle(self) -> None:
        """Look up all rows whose fate is not known, and send those that surely were not opened."""
        self._tally.phase = "settling"
        for _ in range(MOST_ROUNDS):
            items, self._sender.pending = self._sender.pending, []
            if not items:
                return
            await self._wait(items)
            await self._openings([item for item in items if item.entry.state != "confirmed"])
            for item in items:
                if item.entry.state == "confirmed":
                    await self._history(item)
            self._tally.pending = len(self._sender.pending)
        for item in self._sender.pending:
            message = f"its answer got lost in each of {MOST_ROUNDS} attempts of this run; run the import again"
            await self._sender.give_up(item, CannotTellError(message))
        self._tally.pending = 0

    async def _wait(self, items: Sequence[Pending]) -> None:
        """Wait until none of these can still be on its way; a clock that was set back makes no longer wait."""
        clock = self._sender.desk.clock
        left = max(item.sent_at for item in items) + self._settle - clock.time()
        if left > 0.0:
            self._tally.tell()
            await clock.sleep(min(left, self._settle))

    async def _openings(self, items: Sequence[Pending]) -> None:
        wants = [_wanted(item) for item in items]
        search = self._sender.desk.cases.search
        found = await look(search, wants, ())
        cases = {case.id: case.case_number for each in found for case in (*each.same, *each.doubtful)}
        others = await in_thread(self._journal.others, cases, [item.entry.id for item in items])
        for each in found:
            each.same = [case for case in each.same if case.id not in others]
            each.doubtful = [case for case in each.doubtful if case.id not in others]
        for item, result in zip(items, assign(wants, found), strict=True):
            match result:
                case CannotTellError():
                    await self._sender.give_up(item, result)
                case Case():
                    await self._sender.found(item, result)
                case _:
                    await self._sender.send(item.row, item.entry, item.case)

    async def _history(self, item: Pending) -> None:
        """Go on with a history of which a part may be in."""
        entry = item.entry
        try:
            case_id = entry.case_id or await self._identify(item)
            done = entry.history
            if entry.history_sent > done:
                detail = await self._sender.desk.cases.get(case_id)
                done = elements_in(item.case, done, entry.history_sent, detail)
        except CannotTellError as error:
            await self._sender.give_up(item, error)
            return
        except NotFoundError:
            reason = f"case {entry.case_number} was opened, but is gone"
            await self._sender.reject(item.row.number, item.row.original, reason)
            return
        await in_thread(self._journal.mark, entry.id, case_id=case_id, history=done)
        entry = attrs.evolve(entry, case_id=case_id, history=done, history_sent=done)
        await self._sender.write_history(item.row, entry, item.case)

    async def _identify(self, item: Pending) -> int:
        """The id of a case of which the server told only the number."""
        number = item.entry.case_number
        async for case in self._sender.desk.cases.search(date_opened=_wanted(item).opening.days):
            if case.case_number == number:
                return case.id
        message = f"case {number} was opened, but cannot be found by its date"
        raise CannotTellError(message, Request("POST", "v1/cases"))


def _wanted(item: Pending) -> Wanted:
    return wanted(form_of(without_history(item.case)), _ANY_TIME)
