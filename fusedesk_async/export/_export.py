"""Exports: what callers use."""

from contextlib import ExitStack
from typing import Unpack

from fusedesk_async._client import FuseDesk
from fusedesk_async.export._join import SharedHistories
from fusedesk_async.export._options import ExportOptions, Options
from fusedesk_async.export._output import OnProgress, Output
from fusedesk_async.export._phases import ExportRun
from fusedesk_async.export._report import ExportPlan, ExportReport
from fusedesk_async.export._target import Destination, destination

PLAN_PROBES = 11
"""Calls that a plan may spend to find out how many cases there will be, and one more."""


async def export_cases(
    desk: FuseDesk, to: Destination, *, on_progress: OnProgress | None = None, **options: Unpack[ExportOptions]
) -> ExportReport:
    """Write all cases that match the filters to a file or a database; if it is cut off anywhere, it can be resumed.

        report = await export_cases(desk, "cases.db", status="all", history=True)

    Every case that matches from the first start to the last end is in the output exactly once, in the order of ids;
    one that changes meanwhile may be there in either version. The same call again resumes where the last one stopped.
    It waits for quota as long as it takes, and lets interactive calls go first.

    | output | SIGKILL | power failure |
    | --- | --- | --- |
    | JSON Lines, CSV, also with `.gz` | exact | exact, if the disk does what fsync asks |
    | SQLite | exact | exact; the last commits may be taken back as a whole, and are fetched again |
    | Postgres | exact | exact, if the server does what fsync asks |
    | Parquet | exact; written at the end, from JSON Lines | as these |
    | a stream, `-` for stdout | cannot be resumed | cannot be resumed |

    Until it is complete the output is called `OUT.part`, with `OUT.checkpoint` beside it, in which nothing of the key
    is. The checkpoint is removed last: where a run was killed after the output got its name, the next one finds it
    whole, fetches nothing and says so (`ExportReport.was_whole`). Once a report was returned, an output exists already.

    In Postgres the schema is called `SCHEMA_part` until it is complete, and the checkpoint is in it. Needs the extra
    `postgres`.

    Args:
        desk: An open client.
        to: A path, `-` for stdout, a binary stream, or `postgresql://user@host/database?schema=fusedesk`. Streams get
            JSON Lines. A password may be in the address, in `PGPASSWORD` or in `~/.pgpass`; it shows nowhere.
        on_progress: Called with an `ExportProgress` after each commit and whenever waiting begins or ends. It costs
            up to three calls at the beginning, to find out how many cases there will be.
        **options: See `ExportOptions`.

    Raises:
        ConfigurationError: An option or a filter cannot be right, or a package is missing. Nothing was sent.
        ExportError: A file cannot be used; `reason` says why. What was kept stays, as with all other errors.
        PaginationError: The server does not keep the order by id.
        FuseDeskError: A call failed for good, or FuseDesk was out of reach for too long.
    """
    to = destination(to)  # tracebacks may show local variables
    with ExitStack() as end:
        return await export_within(end, desk, to, on_progress, options)


async def export_within(
    end: ExitStack, desk: FuseDesk, to: Destination, on_progress: OnProgress | None, options: ExportOptions
) -> ExportReport:
    """What `export_cases` does, for a caller who has more to do before the report is where it should be.

    Args:
        end: Until it is left the output is locked and its checkpoint stays; it goes only if the block ends well or with
            an error, not if it is interrupted.
        desk: An open client.
        to: The output.
        on_progress: As with `export_cases`.
        options: Likewise.

    Raises:
        FuseDeskError: As `export_cases`.
    """
    to = destination(to)  # tracebacks may show local variables
    checked = await Options.read(desk, to, options)
    output = Output(desk, checked.sink(), on_progress)
    end.callback(output.close)
    if checked.join:
        with output.counting_calls():
            report = await SharedHistories(desk, output, checked).open_output()
        if report:
            return report
    else:
        await output.open(checked.job, checked.resume, overwrite=checked.overwrite)
    output.was_whole = output.checkpoint.phase == "complete" and not checked.update
    run = ExportRun(desk, output, checked)
    with output.counting_calls():
        plan = await run.announce() if on_progress else None
        await run.carry_out(plan)
        report = await output.finish(checked.name)
    end.push(output.forget)
    return report


async def plan_export(desk: FuseDesk, to: Destination, **options: Unpack[ExportOptions]) -> ExportPlan:
    """What `export_cases` with the same arguments will cost; a dozen calls at the most, none if it was planned before.

    Raises:
        FuseDeskError: As `export_cases`.
    """
    to = destination(to)  # tracebacks may show local variables
    checked = await Options.read(desk, to, options)
    output = Output(desk, checked.sink(), None)
    await output.find_checkpoint(checked.job, checked.resume, overwrite=checked.overwrite)
    with output.counting_calls():
        return await ExportRun(desk, output, checked).plan(PLAN_PROBES)
