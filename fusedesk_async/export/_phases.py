"""The course of an export: plan, fetch, settle; or, in an update, what changed anywhere and then what belongs to it."""

from datetime import datetime, timedelta

import attrs

from fusedesk_async._client import FuseDesk
from fusedesk_async._wire.call import LARGEST_PAGE, get
from fusedesk_async._wire.encode import encode
from fusedesk_async._wire.readers import anything
from fusedesk_async._wire.search_query import search_query
from fusedesk_async.export._checkpoint import Checkpoint, Phase
from fusedesk_async.export._estimate import Estimate, estimate
from fusedesk_async.export._fetch import Fetch
from fusedesk_async.export._output import Output
from fusedesk_async.export._report import ExportPlan
from fusedesk_async.filters import CaseFilters, after, desc

FEW_PROBES = 2
"""Calls that an export may spend to find out how many cases there will be, and one more."""


@attrs.frozen(eq=False)
class Work:
    """One run of an export.

    Args:
        desk: The client. What an export asks before it begins waits for quota like the rest of it.
        output: Where the cases go, opened.
        filters: Which cases.
        history: Whether with their histories.
        update: Whether to bring an export up to date that is whole.
        keeps_date: Whether the output can be updated later.
        concurrency: So many calls, at the most, are on their way or not yet written.
        outage: Seconds for which FuseDesk may be out of reach.
        look_back: How far before its beginning an export looks for changes.
    """

    desk: FuseDesk
    output: Output
    filters: CaseFilters
    history: bool
    update: bool
    keeps_date: bool
    concurrency: int
    outage: float
    look_back: timedelta

    async def plan(self, probes: int) -> ExportPlan:
        """What is still to be done, and what that costs; `probes` calls and one more at the most."""
        reached = self.output.checkpoint
        if reached.phase == "complete" and self.update:
            return await self._plan_of_update(probes // 2)
        if reached.expected is None:
            known = await estimate(self.desk, self.filters, probes=probes)
        else:
            known = Estimate(reached.expected, reached.cases, reached.expected, reached.expected)
        cases = max(known.likely, reached.cases)
        missing = 0 if reached.phase == "complete" else cases - reached.cases
        calls = self._calls_for(missing)
        return ExportPlan(
            done=reached.cases,
            cases=cases,
            at_least=max(known.at_least, reached.cases),
            at_most=None if reached.expected is not None else known.at_most,
            calls=calls,
            seconds=self._seconds_for(calls),
        )

    async def _plan_of_update(self, probes: int) -> ExportPlan:
        """What has changed since the export began: all that goes into it again, and perhaps other cases to look at."""
        since = self._day_before(self.output.checkpoint.started_after)
        ours = await estimate(self.desk, self._filters_of("update", since), probes=probes)
        calls = 1 + self._calls_for(ours.likely)
        if self._is_filtered:
            all_changed = await estimate(self.desk, self._filters_of("changes", since), probes=probes)
            calls += _pages_of(all_changed.likely)
        seconds = self._seconds_for(calls)
        return ExportPlan(
            done=0, cases=ours.likely, at_least=ours.at_least, at_most=ours.at_most, calls=calls, seconds=seconds
        )

    def _calls_for(self, cases: int) -> int:
        return _pages_of(cases) + (cases if self.history else 0)

    def _seconds_for(self, calls: int) -> float | None:
        """How long so many calls take, waiting included; None as long as no answer has told the allowance."""
        meter = self.output.meter
        if not meter.calls:
            return None
        return self.desk.seconds_for(calls) + calls * meter.answering / meter.calls / self.concurrency

    async def announced(self) -> ExportPlan | None:
        """The plan, told to whom it may concern; None if it has no plan, as an update or if nothing is left to do."""
        if self.output.checkpoint.phase != "cases":
            return None
        self.output.plan = await self.plan(FEW_PROBES)
        self.output.tell()
        return self.output.plan

    async def carry_out(self, plan: ExportPlan | None) -> None:
        """Fetch all that is missing, and keep it."""
        await self._begin(plan)
        while (phase := self.output.checkpoint.phase) != "complete":
            await self._fetch(phase)
            following: Phase = "update" if phase == "changes" else "complete"
            await self.output.keep(phase=following, bookmark="")

    async def _begin(self, plan: ExportPlan | None) -> None:
        reached = self.output.checkpoint
        if reached.phase == "complete" and self.update:
            first: Phase = "changes" if self._is_filtered else "update"
            newest = await self._newest_date()
            self.output.checkpoint = Checkpoint(job=reached.job, since=self._day_before(reached.started_after))
            await self.output.keep(phase=first, started_after=newest)
        elif not (reached.bookmark or reached.started_after or reached.phase != "cases"):
            newest = await self._newest_date() if self.keeps_date else ""
            await self.output.keep(started_after=newest, expected=plan.cases if plan else None)

    async def _fetch(self, phase: Phase) -> None:
        filters = self._filters_of(phase, self.output.checkpoint.since)
        history = self.history and phase != "changes"
        fetch = Fetch(self.desk, self.output, filters, history, self.concurrency, self.outage)
        await fetch.carry_out()

    @property
    def _is_filtered(self) -> bool:
        """Whether there may be cases that do not belong to the export, so that one may leave it."""
        return query_of(self.filters) not in {"", "status=all"}

    def _filters_of(self, phase: Phase, since: str) -> CaseFilters:
        filters: CaseFilters = {"status": "all"} if phase == "changes" else {**self.filters}
        if phase != "cases" and since:
            filters["date_updated"] = after(since)
        return filters

    async def _newest_date(self) -> str:
        """The newest date of change the server knows, by its own clock; empty if there is none."""
        newest = await self.desk.cases.search(order_by=desc("date_updated"), status="all").first()
        moment = newest.date_updated if newest else None
        if moment is None:
            return ""
        now = datetime.fromtimestamp(self.desk.clock.time(), moment.tzinfo)
        return min(moment, now).isoformat()  # one date in the future would hide all changes until then

    def _day_before(self, moment: str) -> str:
        """The day after which changes count; empty for all of them."""
        if not moment:
            return ""
        try:
            return (datetime.fromisoformat(moment) - self.look_back).date().isoformat()
        except OverflowError:  # before the year 1
            return ""


def _pages_of(cases: int) -> int:
    """Calls for a list of so many cases, the one at its end included."""
    return -(-cases // LARGEST_PAGE) + 1


def query_of(filters: CaseFilters) -> str:
    """The filters as they are sent, in a fixed order.

    Raises:
        TypeError: There is no such filter.
        ConfigurationError: A value cannot be right.
    """
    sent = encode(get("v1/cases", anything, search_query(None, **filters))).query
    return "&".join(sorted(part for part in sent.split("&") if not part.startswith("orderby=")))
