"""`fusedesk import`: cases from a file into FuseDesk."""

import json
import os
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from fusedesk_async import FuseDesk
from fusedesk_async.cli._connection import Connection, connected
from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._failure import CommandError, Ending, as_command_error, say
from fusedesk_async.cli._progress import fitting_import_display
from fusedesk_async.cli._run import run
from fusedesk_async.cli._stdio import FileLines
from fusedesk_async.cli._text import counted
from fusedesk_async.importing import ImportReport, import_cases


@click.command("import", short_help="Open cases from a file, each exactly once.")
@click.argument("file", type=click.Path(allow_dash=True), metavar="FILE.jsonl")
@connected
@click.option("--journal", metavar="PATH", help="What was done so far.  [default: FILE.jsonl.journal]")
@click.option("--rejects", metavar="PATH", help="Rows not imported.  [default: FILE.rejected.jsonl]")
@click.option("--concurrency", type=click.IntRange(1), default=4, show_default=True, help="Rows at once.")
@click.option(
    "--settle",
    type=click.FloatRange(0),
    default=30.0,
    show_default=True,
    help="Seconds after which the server has surely ended a request.",
)
@click.option("--skip-infusionsoft", is_flag=True, help="Keep all histories out of the CRM.")
@click.option("--dry-run", is_flag=True, help="Send nothing; check the rows and say what would happen.")
@click.option("--json", "as_json", is_flag=True, help="The summary as one JSON object on stdout.")
def import_(
    *,
    file: str,
    connection: Connection,
    journal: str | None,
    rejects: str | None,
    as_json: bool,
    dry_run: bool,
    **settings: Any,
) -> None:
    """Open a case for each line of FILE.jsonl, or of stdin for -.

    A line is a record as FuseDesk sends it, such as a line of an export with or without its history, or an object with
    department_id, summary, details and opened_by, and perhaps source_id, date_opened, status, tags, history and so on.

    Each row is opened exactly once, however often the import is stopped, killed and run again: the journal tells what
    was done, and a row whose answer got lost is looked up before anything is sent again. Rows that cannot be imported
    go to the file of rejects with the reason, and the others go on.
    """
    name = "stdin" if file == "-" else file
    settings["journal"] = journal = journal or f"{name}.journal"
    settings["rejects"] = rejects = rejects or f"{name.removesuffix('.jsonl')}.rejected.jsonl"
    _keep_apart(file, journal, rejects)
    desk = connection.client()
    with closing(FileLines(file)) as lines:
        say(f"{'checking' if dry_run else 'importing'} cases from {name} into {connection.name}")
        report = _carried_out(desk, lines, dry_run=dry_run, **settings)
    if as_json:
        click.echo(json.dumps(report.as_dict()))
    say(_summary(report, dry=dry_run))
    if report.rejected or report.unknown:
        raise CommandError(_incomplete(report, rejects), Exit.INCOMPLETE)


def _carried_out(desk: FuseDesk, lines: FileLines, *, journal: str, **settings: Any) -> ImportReport:
    async def work() -> ImportReport:
        with fitting_import_display(desk) as show:
            async with desk:
                return await import_cases(desk, lines, journal=journal, on_progress=show, **settings)

    try:
        return run(work)
    except Ending as error:
        reason = as_command_error(error)
        begun = reason.code not in {Exit.OUTPUT, Exit.USAGE} and Path(journal).exists()
        left = f"; {journal} knows how far it came, the same command goes on" if begun else ""
        message = f"{reason.message}{left}"
        raise CommandError(message, reason.code) from error


def _keep_apart(*names: str) -> None:
    """No file may be written over another one."""
    paths = [os.path.realpath(name) for name in names if name != "-"]
    if len({*paths}) < len(paths):
        message = "FILE, --journal and --rejects must be different files"
        raise click.UsageError(message)


def _summary(report: ImportReport, *, dry: bool) -> str:
    if dry:
        later = f"{counted(report.to_open, 'case')} to open, {report.to_look_up:,} to look up"
        return f"{counted(report.rows, 'row')}: {later}, {report.skipped:,} skipped; nothing was sent"
    found = f", {report.found:,} found by look-up" if report.found else ""
    return (
        f"{counted(report.rows, 'row')}: {counted(report.opened, 'case')} opened{found}, {report.skipped:,} skipped, "
        f"{counted(report.calls, 'call')}, {report.seconds:.1f} s"
    )


def _incomplete(report: ImportReport, rejects: str) -> str:
    told = [f"{counted(report.rejected, 'row')} rejected"] if report.rejected else []
    if report.unknown:
        told.append(f"of {counted(report.unknown, 'row')} it is unknown whether a case was opened")
    return f"{', '.join(told)}; see {rejects}"
