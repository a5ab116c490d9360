"""How far an export is, and what it has done, as text."""

import time
from datetime import datetime

from fusedesk_async.cli._text import counted, duration, duration_range, size_text
from fusedesk_async.export import ExportPlan, ExportProgress, ExportReport

PHASE_TEXT = {"missing": "fetching what was missing", "changes": "looking for changes", "complete": "finishing"}


def plan_text(plan: ExportPlan, *, history: bool) -> str:
    """What an export will cost: `11,900 to 12,100 cases, about 25 calls, 4 s to 2 min at the present allowance`."""
    found = counted(plan.cases, "case")
    if is_range := plan.at_least != plan.at_most:
        found = f"about {found}" if plan.at_most is None else f"{plan.at_least:,} to {counted(plan.at_most, 'case')}"
    done = f", {plan.done:,} of them here already" if plan.done else ""
    calls = f"{'about ' if is_range else ''}{counted(plan.calls, 'call')}"
    each = " (one for each history)" if history else ""
    text = "" if plan.duration is None else f", {duration_range(plan.duration)} at the present allowance"
    return f"{found}{done}: {calls}{each}{text}"


def work_done(progress: ExportProgress) -> str:
    """`12,000 of about 20,000 cases, 24 calls`."""
    done = counted(progress.cases, "case")
    if progress.expected and progress.expected > progress.cases:
        done = f"{progress.cases:,} of about {counted(progress.expected, 'case')}"
    return f"{done}, {counted(progress.calls, 'call')}"


def outlook(progress: ExportProgress) -> str:
    """What it is doing and how long it will take, as far as it is known."""
    if progress.outage:
        return f"FuseDesk is out of reach, trying again: {progress.outage}"
    if progress.blocked_until:
        return wait_text(progress.blocked_until)
    if progress.phase in PHASE_TEXT:
        return PHASE_TEXT[progress.phase]
    seconds = max(progress.seconds, 0.001)
    parts = [f"{progress.fresh / seconds:,.0f} cases/s", *_allowance(progress)]
    missing = (progress.expected or 0) - progress.cases
    if missing > 0 and progress.fresh:
        parts.append(f"{duration(missing * seconds / progress.fresh)} to go")
    return ", ".join(parts)


def wait_text(until: datetime) -> str:
    """`waiting for quota until 14:03:07 (4 s)`, in local time."""
    seconds = max(0.0, until.timestamp() - time.time())
    return f"waiting for quota until {until.astimezone():%H:%M:%S} ({duration(seconds)})"


def summary(report: ExportReport) -> str:
    """What an export has done."""
    if report.was_whole:
        return f"{report.to} is whole already: {counted(report.cases, 'case')}, {size_text(report.size)}"
    notes = [
        counted(report.cases, "case"),
        f"{counted(report.calls, 'call')}{f' ({report.refused:,} refused)' if report.refused else ''}",
        f"{report.seconds:.1f} s",
    ]
    if report.runs > 1:
        notes.insert(1, f"{report.fresh:,} of them in this run, the {_ordinal(report.runs)}")
    if report.waits:
        notes.append(f"{counted(report.waits, 'wait')} for quota ({report.waited:.1f} s)")
    if report.tombstones:
        notes.append(f"{counted(report.tombstones, 'case')} gone before the history came")
    if report.odd_fields:
        where = "" if report.format == "jsonl" else ": their cells are empty, the column extra has what was sent"
        notes.append(f"{counted(report.odd_fields, 'field')} could not be read{where}")
    if report.is_unordered:
        notes.append("not lossless: the server keeps no order by id, so cases that moved meanwhile may be missing")
    if report.missing_names:
        reasons = "; ".join(report.missing_names)
        notes.append(f"{counted(len(report.missing_names), 'list')} of names could not be had ({reasons})")
    if report.log_file:
        notes.append(f"another program reads {report.to}, so its last rows are still in {report.log_file}: copy both")
    return ", ".join([*notes, f"{report.to} {size_text(report.size)}"])


def _allowance(progress: ExportProgress) -> list[str]:
    remaining, limit = progress.allowance.remaining, progress.allowance.limit
    if remaining is None:
        return [] if limit is None else [f"{limit:,} calls an hour"]
    return [f"{remaining:,} left" if limit is None else f"{remaining:,} of {limit:,} calls left"]


def _ordinal(number: int) -> str:
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number % 100 in {11, 12, 13} else endings.get(number % 10, 'th')}"
