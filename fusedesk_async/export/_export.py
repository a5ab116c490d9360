"""Exports: what callers use."""

import os
import re
from datetime import timedelta
from typing import Any, Self, Unpack, cast

import attrs

from fusedesk_async._checks import at_least_one, one_of, positive
from fusedesk_async._client import FuseDesk
from fusedesk_async._config import LOOPBACK
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.export._checkpoint import Job
from fusedesk_async.export._output import OnProgress, Output
from fusedesk_async.export._phases import Work, query_of
from fusedesk_async.export._report import ExportPlan, ExportReport
from fusedesk_async.export._sink import Resume, Sink
from fusedesk_async.export._target import Format, Target, format_of, layout_of, sink_for
from fusedesk_async.filters import CaseFilters

MANY_PROBES = 11
LOOK_BACK = timedelta(days=2)
"""Bounds of a date filter are read in a zone that is not public and may not belong to the range: two days are safe."""


class ExportOptions(CaseFilters, total=False):
    """How to export, and which cases: the options of `export_cases` and all filters of a search.

    Keys:

    - `format`: `jsonl`, `csv`, `parquet` or `sqlite`; by default that of the output's ending.
    - `history`: fetch each case with its history: one more call for each.
    - `update`: bring a SQLite export up to date, or make it if there is none. Cases that changed are replaced; those
      that do not match any more stay, with `matches` 0 and their old history. That a case was deleted, the API does
      not tell: it stays as it was. An update that was cut off goes on, whatever `resume` says.
    - `resume`: `auto` goes on where an earlier run stopped, `never` begins anew, `require` refuses to begin anew.
    - `overwrite`: replace an output that exists, once the new one is whole.
    - `guard_formulas`: put a `'` in front of texts in CSV that a spreadsheet would take for formulas.
    - `concurrency`: so many calls, at the most, are on their way or not yet written, or three if it is less; a crash
      costs no more of them.
    - `outage`: seconds for which FuseDesk may be out of reach until the export gives up; by default an hour.
    - `look_back`: how far before the last export began an update looks for changes; by default two days.
    """

    format: Format | None
    history: bool
    update: bool
    resume: Resume
    overwrite: bool
    guard_formulas: bool
    concurrency: int
    outage: float
    look_back: timedelta


async def export_cases(
    desk: FuseDesk, to: Target, *, on_progress: OnProgress | None = None, **options: Unpack[ExportOptions]
) -> ExportReport:
    """Write all cases that match the filters to a file, and be able to go on if that is cut off anywhere.

        report = await export_cases(desk, "cases.db", status="all", history=True)

    Every case that matches from the first start to the last end is in the output exactly once, in the order of ids;
    one that changes meanwhile may be there in either version. The same call again goes on where the last one stopped.
    It waits for quota as long as it takes, and lets interactive calls go first.

    | output | SIGKILL | power failure |
    | --- | --- | --- |
    | JSON Lines, CSV, also with `.gz` | exact | exact, if the disk does what fsync asks |
    | SQLite | exact | exact; the last commits may be taken back as a whole, and are fetched again |
    | Parquet | exact; written at the end, from JSON Lines | as these |
    | a stream, `-` for stdout | cannot be gone on with | likewise |

    Until it is whole the output is called `OUT.part`, with `OUT.checkpoint` beside it, in which nothing of the key is.

    Args:
        desk: An open client.
        to: A path, `-` for stdout, or a binary stream. Streams get JSON Lines.
        on_progress: Called with an `ExportProgress` after each commit and whenever waiting begins or ends. It costs
            up to three calls at the beginning, to find out how many cases there will be.
        **options: See `ExportOptions`.

    Raises:
        ConfigurationError: An option or a filter cannot be right, or a package is missing. Nothing was sent.
        ExportError: A file cannot be used; `reason` says why. What was kept stays, and so it is with all other errors.
        PaginationError: The server does not keep the order by id.
        FuseDeskError: A call failed for good, or FuseDesk was out of reach for too long.
    """
    choice = _Choice.made(desk, to, await _without_names(desk, options))
    output = Output(desk, choice.sink(), on_progress)
    try:
        await output.open(choice.job, choice.resume, overwrite=choice.overwrite)
        work = choice.work(desk, output)
        with output.watched():
            plan = await work.announced() if on_progress else None
            await work.carry_out(plan)
            return await output.finish(choice.name)
    finally:
        output.close()


async def plan_export(desk: FuseDesk, to: Target, **options: Unpack[ExportOptions]) -> ExportPlan:
    """What `export_cases` with the same arguments will cost; a dozen calls at the most, none if it was planned before.

    Raises:
        FuseDeskError: As `export_cases`.
    """
    choice = _Choice.made(desk, to, await _without_names(desk, options))
    output = Output(desk, choice.sink(), None)
    await output.look(choice.job, choice.resume, overwrite=choice.overwrite)
    with output.watched():
        return await choice.work(desk, output).plan(MANY_PROBES)


@attrs.frozen(kw_only=True, eq=False)
class _Choice:
    """What a caller wants, checked.

    Attributes:
        to: The output.
        job: What it is about.
        filters: Which cases.
    """

    to: Target
    job: Job
    filters: CaseFilters
    update: bool = False
    resume: Resume = "auto"
    overwrite: bool = False
    guard_formulas: bool = False
    concurrency: int = 4
    outage: float = 3600.0
    look_back: timedelta = LOOK_BACK

    @classmethod
    def made(cls, desk: FuseDesk, to: Target, options: ExportOptions) -> Self:
        """Read the options.

        Raises:
            ConfigurationError: One of them cannot be right.
        """
        given: dict[str, Any] = {**options}
        kind, history = format_of(to, given.pop("format", None)), bool(given.pop("history", False))
        ours = {name: given.pop(name) for name in _OPTIONS if name in given}
        filters = cast("CaseFilters", given)
        guard = bool(ours.get("guard_formulas"))
        job = Job(
            server=_without_local_port(desk.base_url),
            query=query_of(filters),
            format=kind,
            history=history,
            layout=layout_of(kind, to, history=history, guard_formulas=guard),
        )
        return cls(to=to, job=job, filters=filters, **ours)

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot be right."""
        one_of(self.resume, Resume, "resume")
        at_least_one(self.concurrency, "concurrency")
        positive(self.outage, "outage")
        if not isinstance(self.look_back, timedelta) or self.look_back < timedelta():
            message = f"look_back is a timedelta of zero or more, not {self.look_back!r}"
            raise ConfigurationError(message)
        if self.guard_formulas and self.job.format != "csv":
            message = "guard_formulas is for CSV: nothing else is opened as a spreadsheet without being asked"
            raise ConfigurationError(message)
        if self.update and self.job.format != "sqlite":
            message = "only a SQLite export can be brought up to date; give a name that ends in .db"
            raise ConfigurationError(message)
        if self.update and "date_updated" in self.filters:
            message = "an update goes by date_updated, so it is no filter of an export that is to be updated"
            raise ConfigurationError(message)

    @property
    def name(self) -> str:
        """What the output is called."""
        return os.fspath(self.to) if isinstance(self.to, str | os.PathLike) else "-"

    def sink(self) -> Sink:
        """The output itself."""
        return sink_for(
            self.to,
            self.job.format,
            history=self.job.history,
            guard_formulas=self.guard_formulas,
            update=self.update,
        )

    def work(self, desk: FuseDesk, output: Output) -> Work:
        """What is to be done."""
        return Work(
            desk=desk.with_options(priority="bulk"),  # also for the single calls at its beginning
            output=output,
            filters=self.filters,
            history=self.job.history,
            update=self.update,
            keeps_date=self.job.format == "sqlite",
            concurrency=self.concurrency,
            outage=self.outage,
            look_back=self.look_back,
        )


async def _without_names(desk: FuseDesk, options: ExportOptions) -> ExportOptions:
    """The options with ids in place of names: what is gone on with is told by its filters as they are sent."""
    if not {"department", "rep", "tag"} & options.keys():
        return options
    directory = await desk.directory()
    return cast("ExportOptions", directory.filters(**cast("CaseFilters", options)))


def _without_local_port(url: str) -> str:
    """The address of an app. A sandbox on this machine gets another port each time, and is the same all the same."""
    return re.sub(rf"(?<=//)({'|'.join(map(re.escape, LOOPBACK))}):\d+", r"\1", url)


_OPTIONS = ("update", "resume", "overwrite", "guard_formulas", "concurrency", "outage", "look_back")
