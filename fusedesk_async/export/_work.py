"""The course of an export: plan, fetch, settle; or, in an update, what changed anywhere and then what belongs to it."""

from datetime import datetime, timedelta

import attrs

from fusedesk_async._call import get
from fusedesk_async._client import FuseDesk
from fusedesk_async._encode import encode
from fusedesk_async._pagination import LARGEST_PAGE
from fusedesk_async._readers import anything
from fusedesk_async._search import search_query
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
        if reached.expected is None:
            known = await estimate(self.desk, self.filters, probes=probes)
        else:
            known = Estimate(reached.expected, reached.cases, reached.expected, reached.expected)
        cases = max(known.likely, reached.cases)
        missing = 0 if reached.phase == "complete" else cases - reached.cases
        pages = -(-missing // LARGEST_PAGE) + 1
        calls = pages + missing if self.history else pages
        meter = self.output.meter
        seconds = None
        if meter.calls:
            latency = meter.answering / meter.calls
            seconds = self.desk.seconds_for(calls) + calls * latency / self.concurrency
        return ExportPlan(
            done=reached.cases,
            cases=cases,
            at_least=max(known.at_least, reached.cases),
            at_most=None if reached.expected is not None else known.at_most,
            calls=calls,
            seconds=seconds,
        )

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
            changed_here = query_of({"status": "all"}) != query_of(self.filters)
            first: Phase = "changes" if changed_here else "update"
            newest = await self._newest_date()
            self.output.checkpoint = Checkpoint(job=reached.job, since=self._day_before(reached.started_after))
            await self.output.keep(phase=first, started_after=newest)
        elif not (reached.bookmark or reached.started_after or reached.phase != "cases"):
            newest = await self._newest_date() if self.keeps_date else ""
            await self.output.keep(started_after=newest, expected=plan.cases if plan else None)

    async def _fetch(self, phase: Phase) -> None:
        filters: CaseFilters = {"status": "all"} if phase == "changes" else {**self.filters}
        if phase != "cases" and (since := self.output.checkpoint.since):
            filters["date_updated"] = after(since)
        history = self.history and phase != "changes"
        fetch = Fetch(self.desk, self.output, filters, history, self.concurrency, self.outage)
        await fetch.carry_out()

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


def query_of(filters: CaseFilters) -> str:
    """The filters as they are sent, in a fixed order.

    Raises:
        TypeError: There is no such filter.
        ConfigurationError: A value cannot be right.
    """
    sent = encode(get("v1/cases", anything, search_query(None, **filters))).query
    return "&".join(sorted(part for part in sent.split("&") if not part.startswith("orderby=")))
