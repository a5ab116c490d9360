"""Rows whose response was lost: looked up first, and sent again only if they certainly were not opened."""

from collections.abc import Sequence

import attrs

from fusedesk_async._client import FuseDesk
from fusedesk_async._reconcile.assign import assign
from fusedesk_async._reconcile.creation_log import Creation
from fusedesk_async._reconcile.find import LOOKS_APART
from fusedesk_async._reconcile.found import Found
from fusedesk_async._reconcile.lost import Lost, default_settle, form_of
from fusedesk_async._reconcile.match import Wanted, opened_at
from fusedesk_async.errors import CannotTellError, NotFoundError, Request
from fusedesk_async.importing._history import imported_elements, without_history
from fusedesk_async.importing._journal import LATEST, Journal
from fusedesk_async.importing._report import Tally
from fusedesk_async.importing._sending import Pending, Sender, in_thread
from fusedesk_async.models import Case

MAX_ROUNDS = 5
"""How often a row that was sent again and lost again is looked up in one run."""


class Resolver:
    """Looks up rows.

    Args:
        desk: The client to look with.
        sender: Has the pending rows, and sends them again.
        journal: Knows which cases belong to other rows.
        tally: Counts.
        settle: Seconds from giving up a response after which its request has certainly ended on the server; None for
            the default.
    """

    def __init__(self, desk: FuseDesk, sender: Sender, journal: Journal, tally: Tally, *, settle: float | None) -> None:
        self._desk = desk
        self._finder = desk.cases.finder()
        self._sender = sender
        self._journal = journal
        self._tally = tally
        self._settle = settle
        self._began = desk.clock.monotonic()

    async def resolve(self) -> None:
        """Look up all rows whose outcome is not known, and send those that certainly were not opened."""
        self._tally.phase = "settling"
        items = self._sender.take_pending()
        for _ in range(MAX_ROUNDS):
            if not items:
                return
            await self._resolve_round(items)
            items = self._sender.take_pending()
            self._tally.pending = len(items)
        for item in items:
            message = f"its response was lost in each of {MAX_ROUNDS} attempts of this run; run the import again"
            await self._sender.report_unknown(item, CannotTellError(message))
        self._tally.pending = 0

    async def _resolve_round(self, items: Sequence[Pending]) -> None:
        """Look at once, and again when none of these can still be in flight."""
        openings = [item for item in items if item.entry.state != "confirmed"]
        histories = [item for item in items if item.entry.state == "confirmed"]
        absent: list[tuple[Pending, Found]] = []
        first = await self._look(openings)
        results = assign(self._wants(openings), first)
        taken = {result.id for result in results if isinstance(result, Case)}
        for item, found, result in zip(openings, first, results, strict=True):
            if isinstance(result, Case):
                await self._sender.on_found(item, result)
            else:
                absent.append((item, found.without(taken)))
        await self._wait([*histories, *(item for item, _ in absent)])
        await self._resolve_absent(absent)
        for item in histories:
            await self._resolve_history(item)

    async def _wait(self, items: Sequence[Pending]) -> None:
        """Wait until none of these can still be in flight."""
        settled = [self._lost_at(item) + self._settle_of(item) for item in items]
        if not settled:
            return
        apart = min(LOOKS_APART, *(self._settle_of(item) for item in items))
        self._tally.notify()
        await self._desk.clock.sleep(max(apart, max(settled) - self._desk.clock.monotonic()))

    def _lost_at(self, item: Pending) -> float:
        """When its response was given up. A process that died did so before this run began, whatever clocks say."""
        return self._began if item.lost_at is None else item.lost_at

    def _settle_of(self, item: Pending) -> float:
        return default_settle(max(item.attempt, self._finder.timeout)) if self._settle is None else self._settle

    async def _look(self, items: Sequence[Pending]) -> list[Found]:
        """What there is for each of these, but for cases of other rows."""
        if not items:
            return []
        known = [Creation(*each) for each in await in_thread(self._journal.confirmed)]
        found = await self._finder.look([self._lost(item) for item in items], known=known)
        cases = {case.id: case.case_number for each in found for case in (*each.same, *each.doubtful)}
        others = await in_thread(self._journal.of_others, cases, [item.entry.id for item in items])
        return [each.without(others) for each in found]

    async def _resolve_absent(self, absent: Sequence[tuple[Pending, Found]]) -> None:
        """Look again for what was not found, and send it again if both looks say that it was not opened."""
        items = [item for item, _ in absent]
        second = await self._look(items)
        found = [late.after(early) for late, (_, early) in zip(second, absent, strict=True)]
        for item, result in zip(items, assign(self._wants(items), found), strict=True):
            match result:
                case CannotTellError():
                    await self._sender.report_unknown(item, result)
                case Case():
                    await self._sender.on_found(item, result)
                case _:
                    await self._sender.send(item.row, item.entry, item.case)

    def _wants(self, items: Sequence[Pending]) -> list[Wanted]:
        return [self._lost(item).wanted(None) for item in items]

    def _lost(self, item: Pending) -> Lost:
        """What to look for. A process that died may have sent it long after its mark: it may have been suspended."""
        fields, settle = form_of(without_history(item.case)), self._settle_of(item)
        attempt = LATEST if item.lost_at is None else item.attempt
        return Lost(fields, item.sent_at, item.sent_at + attempt + settle, settle)

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
        async for case in self._desk.cases.search(date_opened=opened_at(item.entry.opened).days):
            if case.case_number == number:
                return case.id
        message = f"case {number} was opened, but cannot be found by its date"
        raise CannotTellError(message, Request("POST", "v1/cases"))
