"""`fusedesk export`: cases into a file."""

import functools
from collections.abc import Callable
from typing import Any, cast, get_args

import click
from click.core import ParameterSource

from fusedesk_async import CaseFilters, RateLimiter
from fusedesk_async.cli._connection import Connection, connected
from fusedesk_async.cli._demo import run_demo
from fusedesk_async.cli._failure import say
from fusedesk_async.cli._filters import filtered
from fusedesk_async.cli._job import ExportJob, check_whole, print_report
from fusedesk_async.export import ExportOptions, Format


def _share(context: click.Context, option: click.Parameter, text: str) -> float:
    """A part of something: `10%` or `0.1`."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        message = f"{text!r} is not a part such as 10% or 0.1"
        raise click.BadParameter(message, context, option)
    return share


def _shaped(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say how to export; it is called with `options`."""

    @click.option("--format", type=click.Choice(get_args(Format)), help="By default that of OUT's ending.")
    @click.option("--history", is_flag=True, help="Fetch each case with its history: one more call for each.")
    @click.option("--update", is_flag=True, help="Bring a SQLite export up to date, or make it if there is none.")
    @click.option("--restart", is_flag=True, help="Begin anew, whatever an earlier run has left.")
    @click.option("--overwrite", is_flag=True, help="Replace OUT if it exists, once the new one is whole.")
    @click.option("--guard-formulas", is_flag=True, help="CSV: keep spreadsheets from taking texts for formulas.")
    @click.option(
        "--concurrency", type=click.IntRange(1), default=4, show_default=True, help="Calls that a crash may cost."
    )
    @click.option(
        "--outage",
        type=click.FloatRange(0, min_open=True),
        default=3600.0,
        show_default=True,
        metavar="SECONDS",
        help="Give up when FuseDesk is out of reach for longer.",
    )
    @functools.wraps(command)
    def with_options(
        format: str | None,  # noqa: A002 - click names it so
        restart: bool,  # noqa: FBT001 - click passes it by name
        guard_formulas: bool,  # noqa: FBT001 - likewise
        **rest: Any,
    ) -> None:
        names = ("history", "update", "overwrite", "concurrency", "outage")
        options: dict[str, Any] = {name: rest.pop(name) for name in names}
        options |= {"format": format, "guard_formulas": guard_formulas, "resume": "never" if restart else "auto"}
        command(options=options, **rest)

    return with_options


@click.command(short_help="Write cases to a file.")
@click.argument("out", type=click.Path(allow_dash=True), metavar="OUT")
@connected
@filtered
@_shaped
@click.option(
    "--reserve",
    callback=_share,
    metavar="PART",
    default="10%",
    show_default=True,
    help="Of the hour, left to other users.",
)
@click.option("--dry-run", is_flag=True, help="Only say what it would cost; a dozen calls at the most.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
@click.option("--demo", is_flag=True, help="Export 20,000 made-up cases from a sandbox with a rate limit.")
def export(
    *,
    out: str,
    connection: Connection,
    filters: CaseFilters,
    options: dict[str, Any],
    reserve: float,
    dry_run: bool,
    as_json: bool,
    demo: bool,
) -> None:
    """Write all cases, or those that the options choose, to OUT, in the order of their ids.

    The format follows the ending of OUT: .jsonl (each record as the server sent it), .csv, .parquet, .db (SQLite);
    .jsonl and .csv may be followed by .gz. With - for OUT, JSON Lines go to stdout.

    Until it is whole the output is called OUT.part. If the export is cut off, however that happens, the same command
    goes on where it stopped; no case is lost or written twice. (What went to stdout cannot be gone on with.)

    Other users of the same API key go first, and when the hourly allowance is used up the export waits as long as it
    takes.
    """
    if as_json and out == "-":
        message = "--json prints to stdout, where the cases go already; name a file"
        raise click.UsageError(message)
    wanted = cast("ExportOptions", options | filters)
    if demo:
        _refuse_options(filters)
        report = run_demo(out, wanted)
    else:
        job = ExportJob(desk=connection.client(RateLimiter(reserve=reserve)), out=out, options=wanted)
        say(f"exporting cases of {connection.name} to {'stdout' if out == '-' else out}")
        if dry_run:
            job.announce()
            return
        report = job.carry_out()
    if as_json:
        print_report(report)
    check_whole(report)


def _refuse_options(filters: CaseFilters) -> None:
    """The demo brings a server of its own, so it would be a slip to tell it which."""
    context = click.get_current_context()
    told = [name for name in ("app", "base_url") if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if told or filters or context.params["dry_run"]:
        message = "--demo exports everything from a sandbox of its own; leave the options about app and cases out"
        raise click.UsageError(message)
