"""An export as the command line carries it out."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import attrs
import click

from fusedesk_async import ExportError, FuseDesk
from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._failure import EXPECTED_ERRORS, CommandError, as_command_error, say
from fusedesk_async.cli._progress import ProgressWatch, choose_display
from fusedesk_async.cli._run import run
from fusedesk_async.cli._status import plan_text, summary
from fusedesk_async.cli._stdio import Stdout
from fusedesk_async.cli._text import counted
from fusedesk_async.errors import ExportTrouble
from fusedesk_async.export import ExportOptions, ExportReport, plan_export
from fusedesk_async.export._export import export_within
from fusedesk_async.export._target import Destination

_MAX_IDS_SHOWN = 20
MAX_ROWS_SHOWN = 3
_ADVICE: Mapping[ExportTrouble, str] = {
    "exists": "; --overwrite replaces it once the new one is complete",
    "checkpoint": "; --restart starts over",
    "empty": "; if that is right, --allow-empty replaces it",
}


@attrs.frozen(kw_only=True)
class ExportJob:
    """One export.

    Attributes:
        desk: A client, not yet opened.
        to: A path, `-` for stdout, or the address of a database.
        options: How to export, and which cases.
        end: Is left when the program ends. Until then the output says that it is whole, if the program is killed.
    """

    desk: FuseDesk
    to: Destination
    options: ExportOptions
    end: ExitStack

    def announce(self) -> None:
        """Only print what it would cost."""

        async def plan() -> str:
            async with self.desk as desk:
                return plan_text(await plan_export(desk, self.to, **self.options), history=self._history)

        try:
            say(run(plan))
        except EXPECTED_ERRORS as error:
            raise _as_ending(error) from error

    def carry_out(self) -> ExportReport:
        """Do it, and print what was done.

        Raises:
            CommandError: It did not come to an end; the message says what is kept.
        """
        display = choose_display(stdout_is_busy=self.to == "-")
        watch = ProgressWatch(display, history=self._history)
        try:
            with display:
                report = run(lambda: self._export(watch))
        except EXPECTED_ERRORS as error:
            raise _as_ending(error, self._resume_hint(watch)) from error
        say(summary(report))
        return report

    async def _export(self, watch: ProgressWatch) -> ExportReport:
        to = Stdout() if self.to == "-" else self.to
        async with self.desk as desk, watch.refreshing():
            return await export_within(self.end, desk, to, watch.on_progress, self.options)

    @property
    def _history(self) -> bool:
        return self.options.get("history", False)

    def _resume_hint(self, watch: ProgressWatch) -> str:
        if self.to == "-" or watch.last is None or not watch.last.cases:
            return ""
        return f"; {counted(watch.last.cases, 'case')} are kept; run the same command to resume"


def _as_ending(error: BaseException, kept: str = "") -> CommandError:
    """What ended an export, with what to do about it; nothing is printed for a closed pipe."""
    reason = as_command_error(error)
    advice = _ADVICE.get(error.reason, "") if isinstance(error, ExportError) else ""
    advice = "" if "give another name" in reason.message else advice  # what is there is not ours to start over
    return CommandError(f"{reason.message}{advice}{kept}" if reason.message else "", reason.code)


def conclude(report: ExportReport, *, as_json: bool) -> None:
    """Print the report as JSON if that is wanted, and fail if something is missing from the output.

    Raises:
        CommandError: Something is.
    """
    if as_json:
        click.echo(json.dumps(report.as_dict()))
    if report.rejected:
        raise CommandError(_unread(report.rejected, report.rejected_ids), Exit.ANSWER)
    if report.unreadable_count:
        raise CommandError(_unreadable_text(report), Exit.ANSWER)
    if report.history_errors:
        message = f"the history of {counted(report.history_errors, 'case')} could not be fetched; the rows say why"
        raise CommandError(message, Exit.ANSWER)


def _unread(count: int, ids: Sequence[int | str | None]) -> str:
    shown = ", ".join("unknown" if one is None else str(one) for one in ids[:_MAX_IDS_SHOWN])
    more = " …" if count > _MAX_IDS_SHOWN else ""
    return f"{counted(count, 'case')} could not be read and are not in the output: id {shown}{more}"


def _unreadable_text(report: ExportReport) -> str:
    shown = "; ".join(map(str, report.unreadable[:MAX_ROWS_SHOWN]))
    more = " …" if report.unreadable_count > MAX_ROWS_SHOWN else ""
    return f"{counted(report.unreadable_count, 'case')} could not be had and are not in the output: {shown}{more}"
