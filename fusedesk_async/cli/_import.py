"""`fusedesk import`: cases from a file into FuseDesk."""

import json
import os
from contextlib import closing
from pathlib import Path

import attrs
import click

from fusedesk_async import FuseDesk
from fusedesk_async.cli._connection import Connection, connected
from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._failure import EXPECTED_ERRORS, CommandError, as_command_error, say
from fusedesk_async.cli._file_lines import FileLines
from fusedesk_async.cli._progress import import_display
from fusedesk_async.cli._run import run
from fusedesk_async.cli._text import counted
from fusedesk_async.importing import ImportReport, import_cases

NOT_RESUMABLE = frozenset({Exit.OUTPUT, Exit.USAGE, Exit.CHECKPOINT, Exit.EXISTS, Exit.LOCKED})
"""What the same command would end with again, until something is done about it."""


@click.command("import", short_help="Open cases from a file, each exactly once.")
@click.argument("file", type=click.Path(allow_dash=True), metavar="FILE.jsonl")
@connected
@click.option("--journal", metavar="PATH", help="Record of what was done.  [default: FILE.jsonl.journal]")
@click.option("--rejects", metavar="PATH", help="Rows that were not imported.  [default: FILE.rejected.jsonl]")
@click.option("--concurrency", type=click.IntRange(1), default=4, show_default=True, help="Rows at once.")
@click.option(
    "--settle",
    type=click.FloatRange(0),
    help="Seconds until the server has certainly ended a request whose response was given up.  [default: at least 120]",
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
    concurrency: int,
    settle: float | None,
    skip_infusionsoft: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Open a case for each line of FILE.jsonl, or of stdin for -.

    A line is a record as FuseDesk sends it, such as a line of an export with or without its history, or an object with
    department_id, summary, details and opened_by, and perhaps source_id, date_opened, status, tags, history and so on.

    Each row is opened exactly once, however often the import is stopped, killed and run again: the journal records what
    was done, and a row whose response was lost is looked up before anything is sent again. Rows that cannot be imported
    are written to the file of rejects with the reason, and the others are imported. Rows that an earlier run rejected
    stay in their file, or are kept beside it, until a run ends that has read them.
    """
    name = "stdin" if file == "-" else file
    journal = journal or f"{name}.journal"
    rejects = rejects or f"{name.removesuffix('.jsonl')}.rejected.jsonl"
    _check_different(file, journal, rejects)
    job = ImportJob(
        desk=connection.client(needs_key=not dry_run),
        journal=journal,
        rejects=rejects,
        concurrency=concurrency,
        settle=settle,
        skip_infusionsoft=skip_infusionsoft,
        dry_run=dry_run,
    )
    with closing(FileLines(file)) as lines:
        say(f"{'checking' if dry_run else 'importing'} cases from {name} into {connection.name}")
        report = job.carry_out(lines)
    if as_json:
        click.echo(json.dumps(report.as_dict()))
    say(_summary(report, dry_run=dry_run))
    if report.rejects_kept:
        say(f"rows rejected by an earlier run were not in this one; they are kept in {report.rejects_kept}")
    if report.rejected or report.unknown:
        raise CommandError(_incomplete_text(report, rejects), Exit.INCOMPLETE)


@attrs.frozen(kw_only=True)
class ImportJob:
    """One import. The attributes are the arguments of `import_cases`.

    Attributes:
        desk: A client, not yet opened.
    """

    desk: FuseDesk
    journal: str
    rejects: str
    concurrency: int
    settle: float | None
    skip_infusionsoft: bool
    dry_run: bool

    def carry_out(self, lines: FileLines) -> ImportReport:
        """Do it.

        Raises:
            CommandError: It did not come to an end; the message says where progress is kept.
        """
        try:
            return run(lambda: self._import(lines))
        except EXPECTED_ERRORS as error:
            reason = as_command_error(error)
            is_begun = reason.code not in NOT_RESUMABLE and Path(self.journal).exists()
            hint = f"; progress is kept in {self.journal}; run the same command to resume" if is_begun else ""
            message = f"{reason.message}{hint}"
            raise CommandError(message, reason.code) from error

    async def _import(self, lines: FileLines) -> ImportReport:
        with import_display(self.desk) as show:
            async with self.desk:
                return await import_cases(
                    self.desk,
                    lines,
                    journal=self.journal,
                    rejects=self.rejects,
                    concurrency=self.concurrency,
                    settle=self.settle,
                    skip_infusionsoft=self.skip_infusionsoft,
                    dry_run=self.dry_run,
                    on_progress=show,
                )


def _check_different(*names: str) -> None:
    """No file may be overwritten by another one."""
    paths = [os.path.realpath(name) for name in names if name != "-"]
    if len({*paths}) < len(paths):
        message = "FILE, --journal and --rejects must be different files"
        raise click.UsageError(message)


def _summary(report: ImportReport, *, dry_run: bool) -> str:
    if dry_run:
        outlook = f"{counted(report.to_open, 'case')} to open, {report.to_look_up:,} to look up"
        return f"{counted(report.rows, 'row')}: {outlook}, {report.skipped:,} skipped; nothing was sent"
    found = f", {report.found:,} found by look-up" if report.found else ""
    return (
        f"{counted(report.rows, 'row')}: {counted(report.opened, 'case')} opened{found}, {report.skipped:,} skipped, "
        f"{counted(report.calls, 'call')}, {report.seconds:.1f} s"
    )


def _incomplete_text(report: ImportReport, rejects: str) -> str:
    parts = [f"{counted(report.rejected, 'row')} rejected"] if report.rejected else []
    if report.unknown:
        parts.append(f"of {counted(report.unknown, 'row')} it is unknown whether a case was opened")
    return f"{', '.join(parts)}; see {rejects}"
