"""`fusedesk export`: cases into a file or a database."""

from contextlib import ExitStack
from typing import get_args

import click
from click.core import ParameterSource

from fusedesk_async import CaseFilters
from fusedesk_async._wire.call import LARGEST_PAGE
from fusedesk_async.cli._connection import Connection, connected
from fusedesk_async.cli._demo import run_demo
from fusedesk_async.cli._failure import say
from fusedesk_async.cli._filters import filtered
from fusedesk_async.cli._job import ExportJob, conclude
from fusedesk_async.export import ExportOptions, Format
from fusedesk_async.export._target import destination, shown


def _fraction(context: click.Context, option: click.Parameter, text: str) -> float:
    """A part of the whole: `10%` or `0.1`."""
    try:
        fraction = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        fraction = -1.0
    if not 0 <= fraction < 1:
        message = f"{text!r} is not a part such as 10% or 0.1"
        raise click.BadParameter(message, context, option)
    return fraction


def _permissions(context: click.Context, option: click.Parameter, text: str | None) -> int | None:
    """Permissions as `chmod` takes them: `640`."""
    if text is None:
        return None
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o777:  # noqa: PLR2004 - all that chmod takes
        message = f"{text!r} is no permissions such as 640"
        raise click.BadParameter(message, context, option)
    return mode


@click.command(short_help="Write cases to a file or a database.")
@click.argument("out", type=click.Path(allow_dash=True), metavar="OUT")
@connected
@filtered
@click.option(
    "--format", "kind", type=click.Choice(get_args(Format)), help="By default that of OUT's ending or address."
)
@click.option("--history", is_flag=True, help="Fetch each case with its history: one more call for each.")
@click.option("--update", is_flag=True, help="Bring an export in a database up to date, or make it if there is none.")
@click.option("--join", is_flag=True, help="Postgres with --history: share the histories with others that do the same.")
@click.option("--restart", is_flag=True, help="Start over, whatever an earlier run has left.")
@click.option("--overwrite", is_flag=True, help="Replace OUT if it exists, once the new one is complete.")
@click.option("--allow-empty", is_flag=True, help="Replace an OUT that holds cases even if none came this time.")
@click.option(
    "--mode", callback=_permissions, metavar="OCTAL", help="Permissions of OUT; by default as it had, or 600."
)
@click.option("--guard-formulas", is_flag=True, help="CSV: keep spreadsheets from taking texts for formulas.")
@click.option("--bom", is_flag=True, help="CSV: begin with a byte order mark, as Excel wants it.")
@click.option(
    "--concurrency", type=click.IntRange(1), default=4, show_default=True, help="Calls that a crash may cost."
)
@click.option(
    "--page-size",
    type=click.IntRange(2, LARGEST_PAGE),
    default=LARGEST_PAGE,
    show_default=True,
    help="Cases fetched at once; fewer where FuseDesk cannot send as many.",
)
@click.option(
    "--outage",
    type=click.FloatRange(0, min_open=True),
    default=3600.0,
    show_default=True,
    metavar="SECONDS",
    help="Give up when FuseDesk is out of reach for longer.",
)
@click.option(
    "--reserve",
    callback=_fraction,
    metavar="PART",
    default="10%",
    show_default=True,
    help="Part of the hourly quota to leave to other users.",
)
@click.option("--dry-run", is_flag=True, help="Only say what it would cost; a dozen calls at the most.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
@click.option("--demo", is_flag=True, help="Export 20,000 made-up cases from a sandbox with a rate limit.")
def export(
    *,
    out: str,
    connection: Connection,
    filters: CaseFilters,
    kind: Format | None,
    history: bool,
    update: bool,
    join: bool,
    restart: bool,
    overwrite: bool,
    allow_empty: bool,
    mode: int | None,
    guard_formulas: bool,
    bom: bool,
    concurrency: int,
    page_size: int,
    outage: float,
    reserve: float,
    dry_run: bool,
    as_json: bool,
    demo: bool,
) -> None:
    """Write all cases, or those that the options choose, to OUT, in the order of their ids.

    The format follows the ending of OUT: .jsonl (each record as the server sent it), .csv, .parquet, .db (SQLite);
    .jsonl and .csv may be followed by .gz. With - for OUT, JSON Lines go to stdout. With
    postgresql://user@host/database?schema=fusedesk they go into that schema of a Postgres database; give the password
    in PGPASSWORD or ~/.pgpass, since others may see the command.

    With --join, any number of shells may run the same command for one Postgres database: the first reads the list, all
    of them fetch histories, and what a killed one was at is taken over after a minute.

    Until it is complete the output is called OUT.part. If the export is cut off, however that happens, the same command
    resumes it; no case is lost or written twice. (An export to stdout cannot be resumed.)

    Other users of the same API key go first, and when the hourly allowance is used up the export waits as long as it
    takes.
    """
    _check_usage(filters)
    to = destination(out)
    options: ExportOptions = {
        **filters,  # type: ignore[typeddict-item] # they hold no look_back
        "format": kind,
        "history": history,
        "update": update,
        "join": join,
        "resume": "never" if restart else "auto",
        "overwrite": overwrite,
        "allow_empty": allow_empty,
        "mode": mode,
        "guard_formulas": guard_formulas,
        "bom": bom,
        "concurrency": concurrency,
        "page_size": page_size,
        "outage": outage,
    }
    if demo:
        conclude(run_demo(to, options), as_json=as_json)
        return
    say(f"exporting cases of {connection.name} to {'stdout' if out == '-' else shown(to)}")
    with ExitStack() as end:
        job = ExportJob(desk=connection.client(reserve=reserve), to=to, options=options, end=end)
        _carry_out(job, dry_run=dry_run, as_json=as_json)


def _carry_out(job: ExportJob, *, dry_run: bool, as_json: bool) -> None:
    if dry_run:
        job.announce()
        return
    conclude(job.carry_out(), as_json=as_json)
    click.get_current_context().find_root().with_resource(job.end.pop_all())  # it lasts until the program ends


def _check_usage(filters: CaseFilters) -> None:
    """Refuse options that exclude each other."""
    context = click.get_current_context()
    if context.params["as_json"] and context.params["out"] == "-":
        message = "--json prints to stdout, where the cases go already; name a file"
        raise click.UsageError(message)
    given = [name for name in ("app", "base_url") if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if context.params["demo"] and (given or filters or context.params["dry_run"]):
        message = "--demo exports everything from its own sandbox; leave out the options about app and cases"
        raise click.UsageError(message)
