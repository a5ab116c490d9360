"""`fusedesk doctor`: what holds for this account."""

import json
import re
from pathlib import Path
from typing import Any, cast

import click

from fusedesk_async.cli._connection import Connection, connected
from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._failure import CommandError, say
from fusedesk_async.cli._run import ask
from fusedesk_async.cli._text import counted, one_line
from fusedesk_async.diagnosis import Diagnosis, Finding, diagnose, plan

_ID = re.compile("[0-9]{1,18}")
WARNING = (
    "this opens one case in the department {department!r}, adds a note and a tag to it, closes, reopens and transfers"
    " it there, and closes it in the end; who works there may get messages about it"
)


@click.command(short_help="Find out what holds for this account.")
@connected
@click.option("--dry-run", is_flag=True, help="Say what would be asked, and make no call.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE.json",
    help="Write a report for others: names, shapes, counts and types, nothing of a customer.",
)
@click.option("--write", metavar="DEPARTMENT", help="Also open one case there, by name or id, and close it in the end.")
@click.option("--yes", is_flag=True, help="Do not ask before --write begins.")
@click.option("--json", "as_json", is_flag=True, help="Print the report in place of the table.")
def doctor(
    *, connection: Connection, dry_run: bool, report: Path | None, write: str | None, yes: bool, as_json: bool
) -> None:
    """Find out what holds for this account, in at most 25 calls that read.

    FuseDesk's pages leave much open. Each line says whether the server does as this library assumes (known), does
    something else (differs), which need not be bad, or does not show it (cannot tell), and how that was seen.
    """
    if dry_run:
        _print_plan(writes=write is not None)
        return
    if report is not None:
        _check_writable(report)
    if write is not None:
        say(WARNING.format(department=write))
        if not (yes or click.confirm("Go on?", err=True)):
            message = "nothing was asked or written"
            raise CommandError(message, Exit.INTERRUPTED)
    department = int(write) if write is not None and _ID.fullmatch(write) else write
    on_finding = None if as_json else _print_finding
    diagnosis = ask(connection, lambda desk: diagnose(desk, write_in=department, on_finding=on_finding))
    _print_end(diagnosis)  # first, since a case that stays open is said whatever becomes of the report
    text = json.dumps(diagnosis.to_report(), indent=2, ensure_ascii=False)
    if as_json:
        click.echo(text)
    if report is not None:
        _write(report, text)


def _print_plan(*, writes: bool) -> None:
    calls = plan(writes=writes)
    for each in calls:
        click.echo(f"{each.method:4} {each.path:23} {each.words}: {', '.join(each.questions) or 'as needed'}")
    click.echo(f"{counted(len(calls), 'call')} at the most; all responses also tell of headers, times and limits")


def _print_finding(finding: Finding) -> None:
    value = "" if finding.value is None else f"{_short(finding.value)}; "
    click.echo(f"{finding.verdict:12} {finding.name:22} {one_line(value + finding.evidence)}")


def _short(value: Any) -> str:
    """A value in few words; of shapes only the names."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        shape = str(members.get("shape", ""))
        return f"{shape} {', '.join(members['members'] if shape else members)}".strip() or "none"
    if isinstance(value, list):
        return ", ".join(cast("list[str]", value)) or "none"
    return json.dumps(value) if isinstance(value, bool) else str(value) or "none"


def _check_writable(path: Path) -> None:
    """Fail before any call is made if the report could not be written."""
    if not path.parent.is_dir():
        message = f"cannot write the report to {path}: there is no such folder"
        raise CommandError(message, Exit.OUTPUT)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        message = f"cannot write the report to {path}: {error.strerror or error}"
        raise CommandError(message, Exit.OUTPUT) from error
    say(f"the report is in {path}; docs/diagnosis.md says what it holds and where to send it")


def _print_end(diagnosis: Diagnosis) -> None:
    missing = diagnosis.not_asked
    if missing:
        say(f"{counted(len(missing), 'question')} could not be asked: {', '.join(missing)}")
    if diagnosis.open_case is not None:
        say(f"the case {diagnosis.open_case} could not be closed; please close it")
    if diagnosis.lost_case is not None:
        say(f"a case may be open that was not found; please look for {diagnosis.lost_case!r} and close it")
    say(f"{counted(diagnosis.calls, 'call')} made")
