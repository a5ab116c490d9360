"""The phases of an export: all cases; or, in an update, what was missing, what changed, and what of that matches."""

from datetime import datetime
from typing import Any

from fusedesk_async._client import FuseDesk
from fusedesk_async._clock import utc
from fusedesk_async._ratelimit.estimates import Estimate
from fusedesk_async.errors import ExportError
from fusedesk_async.export._case_count import CaseCount, count_cases
from fusedesk_async.export._checkpoint import Checkpoint, Phase
from fusedesk_async.export._fetch import Fetch
from fusedesk_async.export._join import SharedHistories
from fusedesk_async.export._missing import FetchMissing
from fusedesk_async.export._name_lists import CALLS, fetch_name_lists
from fusedesk_async.export._options import Options
from fusedesk_async.export._output import Output
from fusedesk_async.export._report import ExportPlan
from fusedesk_async.filters import CaseFilters, after, desc

EXTRA_CALLS = 3
"""Calls that an export may need beyond those planned: the newest date, a page that is asked for again."""
ANNOUNCEMENT_PROBES = 2
"""Calls that an export may spend to find out how many cases there will be, and one more."""
DATED_ROWS = 10
"""Cases among which the newest date that can be read is looked for."""


class ExportRun:
    """One run of an export.

    Args:
        desk: The client. All that an export asks of it is bulk work, the single calls at its beginning included.
        output: Where the cases go, with its checkpoint read.
        options: How, and which cases.
    """

    def __init__(self, desk: FuseDesk, output: Output, options: Options) -> None:
        self._desk = desk.with_options(priority="bulk")
        self._output = output
        self._options = options

    async def plan(self, probes: int) -> ExportPlan:
        """What is still to be done, and what that costs; `probes` calls and one more at the most."""
        reached = self._output.checkpoint
        if reached.phase == "complete" and self._options.update:
            return await self._plan_of_update(probes // 2)
        if reached.expected is None:
            known = await count_cases(self._desk, self._options.filters, probes=probes)
        else:
            known = CaseCount(reached.expected, reached.cases, reached.expected, reached.expected)
        cases = max(known.likely, reached.cases)
        missing = 0 if reached.phase == "complete" else cases - reached.cases
        at_least = max(known.at_least, reached.cases)
        at_most = None if reached.expected is not None else known.at_most
        fewest, most = at_least - reached.cases, max(at_most or 0, cases) - reached.cases
        return ExportPlan(
            done=reached.cases,
            cases=cases,
            at_least=at_least,
            at_most=at_most,
            calls=self._calls_for(missing),
            duration=self._duration(fewest if missing else 0, most if missing else 0),
        )

    async def _plan_of_update(self, probes: int) -> ExportPlan:
        """What has changed since the export began: all that goes into it again, and perhaps other cases to look at."""
        since = self._day_before(self._output.checkpoint.started_after)
        ours = await count_cases(self._desk, self._filters_of("update", since), probes=probes)
        calls, others = 1 + self._calls_for(ours.likely), CALLS
        if self._options.is_filtered:
            all_changed = await count_cases(self._desk, self._filters_of("changes", since), probes=probes)
            calls += self._pages_of(all_changed.likely)
            others += self._pages_of(all_changed.at_most)
        return ExportPlan(
            done=0,
            cases=ours.likely,
            at_least=ours.at_least,
            at_most=ours.at_most,
            calls=calls,
            duration=self._duration(ours.at_least, ours.at_most, others),
        )

    def _calls_for(self, cases: int) -> int:
        names = CALLS if self._options.is_database else 0
        return self._pages_of(cases) + (cases if self._options.history else 0) + names

    def _pages_of(self, cases: int) -> int:
        """Calls for a list of this many cases, the one that finds its end included."""
        return -(-cases // self._options.page_size) + 1

    def _duration(self, fewest: int, most: int, other_calls: int = 0) -> Estimate | None:
        """How long so many cases and other calls take, waiting included; None as long as no call was answered."""
        if not self._output.meter.calls:
            return None
        concurrency = self._options.concurrency
        pages, histories = self._pages_of(most) + other_calls + EXTRA_CALLS, most if self._options.history else 0
        rounds = pages + histories / max(1, concurrency - 1)  # lists are fetched one page after the other
        slowest = self._desk.estimate(pages + histories, concurrency=max(1, int((pages + histories) / rounds)))
        fastest = self._desk.estimate(self._calls_for(fewest), concurrency=concurrency)
        return Estimate(fastest.at_least, slowest.at_most) if most else Estimate(0.0, slowest.at_most)

    async def announce(self) -> ExportPlan | None:
        """Report the plan as progress; None if there is none, as for an update or if nothing remains to be done."""
        if self._output.checkpoint.phase != "cases":
            return None
        self._output.plan = await self.plan(ANNOUNCEMENT_PROBES)
        self._output.notify()
        return self._output.plan

    async def carry_out(self, plan: ExportPlan | None) -> None:
        """Fetch all that is missing, and keep it."""
        await self._begin(plan)
        while (phase := self._output.checkpoint.phase) != "complete":
            if phase == "missing":
                await FetchMissing(self._desk, self._output, self._options).carry_out()
            else:
                await self._fetch(phase)
            if self._phase_after(phase) == "complete" and self._options.job.format == "postgres":
                await SharedHistories(self._desk, self._output, self._options).fetch_all()
            await self._end(phase)
        await self._recount_missing()

    async def _end(self, phase: Phase) -> None:
        """Go over to the next phase; before the last one, databases get the names of departments, reps and tags."""
        changes: dict[str, Any] = {
            "phase": self._phase_after(phase),
            "bookmark": "",
            "started_after": self._high_water_mark(phase),
        }
        if changes["phase"] == "complete" and self._options.is_database:
            lists = await fetch_name_lists(self._desk)
            changes["missing_names"] = await self._output.write_names(lists)
        await self._output.commit(**changes)

    def _high_water_mark(self, phase: Phase) -> str:
        """Where the next update looks from: no later than this one did if it may not have seen all changes."""
        reached = self._output.checkpoint
        is_whole = reached.is_certain and not reached.is_unordered and not reached.unreadable
        return reached.started_after if phase != "update" or is_whole else reached.since

    def _phase_after(self, phase: Phase) -> Phase:
        if phase == "missing":
            return "changes" if self._options.is_filtered else "update"
        return "update" if phase == "changes" else "complete"

    async def _recount_missing(self) -> None:
        """Say what is missing of the output as a whole, not of this run alone."""
        missing = await self._output.missing_histories()
        if missing is not None and len(missing) != self._output.checkpoint.history_errors:
            await self._output.commit(history_errors=len(missing))

    async def _begin(self, plan: ExportPlan | None) -> None:
        reached = self._output.checkpoint
        if reached.phase == "complete" and self._options.update:
            newest = await self._newest_date()
            self._output.checkpoint = Checkpoint(
                job=reached.job,
                since=self._day_before(reached.started_after),
                rejected=reached.rejected,
                rejected_ids=reached.rejected_ids,
                unreadable=reached.unreadable,
                unreadable_count=reached.unreadable_count,
            )
            await self._output.commit(phase="missing", started_after=newest)
        elif reached.is_unordered and reached.phase == "cases" and not self._options.history_with_list:
            await self._output.restart()
        elif reached.phase == "cases" and not reached.has_cases:
            newest = await self._newest_date() if self._options.is_database else ""
            await self._output.commit(started_after=newest, expected=plan.cases if plan else None)

    async def _fetch(self, phase: Phase) -> None:
        filters = self._filters_of(phase, self._output.checkpoint.since)
        history = self._options.history_with_list and phase != "changes"
        is_resumed = self._output.checkpoint.has_cases
        fetch = Fetch(self._desk, self._output, self._options, filters, history=history)
        await fetch.carry_out()
        if not (fetch.received or is_resumed):
            await self._confirm_nothing(phase, filters)

    async def _confirm_nothing(self, phase: Phase, filters: CaseFilters) -> None:
        """Check in another way that a list is empty: by what was planned; in an update by its newest case.

        An update would take all cases that changed for ones that left the export, and would never look again.

        Raises:
            ExportError: There should be cases.
        """
        if phase == "cases":
            there_are_some = bool(self._output.checkpoint.expected)
        else:
            there_are_some = await self._desk.cases.search(order_by=desc("date_updated"), **filters).first() is not None
        if there_are_some:
            message = "FuseDesk sent no cases in one response and some in another; nothing was changed, run it again"
            raise ExportError(message, None, "empty")

    def _filters_of(self, phase: Phase, since: str) -> CaseFilters:
        filters: CaseFilters = {"status": "all"} if phase == "changes" else {**self._options.filters}
        if phase != "cases" and since:
            filters["date_updated"] = after(since)
        return filters

    async def _newest_date(self) -> str:
        """The newest date of change that can be read, by the server's clock; empty if there is none.

        One in the future would hide all changes until then. What the future is says the server by the `Date` of its
        response. This machine's clock may be off by days, so where the server does not tell, it decides between the
        dates of cases only, and if all of them seem to be in the future there is none.
        """
        newest = self._desk.cases.search(order_by=desc("date_updated"), status="all", page_size=DATED_ROWS)
        page = await anext(newest.pages(), None)
        moments = [case.date_updated for case in (page.items if page else ()) if case.date_updated]
        if not moments:
            return ""
        if (now := self._desk.server_time) is not None:
            return min(moments[0], _as(now, moments[0])).isoformat()
        now = utc(self._desk.clock.time())
        return next((moment.isoformat() for moment in moments if moment <= _as(now, moment)), "")

    def _day_before(self, moment: str) -> str:
        """The day after which changes count; empty for all of them."""
        if not moment:
            return ""
        try:
            return (datetime.fromisoformat(moment) - self._options.look_back).date().isoformat()
        except OverflowError:  # before the year 1
            return ""


def _as(now: datetime, moment: datetime) -> datetime:
    """The same time in the zone of a moment, or without zone if that has none; a day or so does not matter here."""
    return now.replace(tzinfo=None) if moment.tzinfo is None else now.astimezone(moment.tzinfo)
