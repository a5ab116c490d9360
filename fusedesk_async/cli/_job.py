"""An export as the command line carries it out."""

import json
from collections.abc import Mapping, Sequence

import attrs
import click

from fusedesk_async import ExportError, FuseDesk
from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._failure import CommandError, Ending, as_command_error, say
from fusedesk_async.cli._progress import Watch, fitting_display
from fusedesk_async.cli._run import run
from fusedesk_async.cli._status import announced, summary
from fusedesk_async.cli._stdio import Stdout
from fusedesk_async.cli._text import counted
from fusedesk_async.errors import ExportTrouble
from fusedesk_async.export import ExportOptions, ExportReport, export_cases, plan_export

_MOST_IDS_TOLD = 20
_ADVICE: Mapping[ExportTrouble, str] = {
    "exists": "; --overwrite replaces it once the new one is whole",
    "checkpoint": "; --restart begins anew",
}


@attrs.frozen(kw_only=True)
class ExportJob:
    """One export.

    Attributes:
        desk: A client, not yet opened.
        out: A path, or `-` for stdout.
        options: How to export, and which cases.
    """

    desk: FuseDesk
    out: str
    options: ExportOptions

    def announce(self) -> None:
        """Only say what it would cost."""

        async def plan() -> str:
            async with self.desk as desk:
                return announced(await plan_export(desk, self.out, **self.options), history=self._history)

        try:
            say(run(plan))
        except Ending as error:
            raise _ended(error) from error

    def carry_out(self) -> ExportReport:
        """Do it, and say what was done.

        Raises:
            CommandError: It did not come to an end; the message says what is kept.
        """
        display = fitting_display(stdout_is_busy=self.out == "-")
        watch = Watch(display, history=self._history)
        try:
            with display:
                report = run(lambda: self._export(watch))
        except Ending as error:
            raise _ended(error, self._kept(watch)) from error
        say(summary(report))
        return report

    async def _export(self, watch: Watch) -> ExportReport:
        to = Stdout() if self.out == "-" else self.out
        async with self.desk as desk, watch.kept_fresh():
            return await export_cases(desk, to, on_progress=watch.told, **self.options)

    @property
    def _history(self) -> bool:
        return self.options.get("history", False)

    def _kept(self, watch: Watch) -> str:
        if self.out == "-" or watch.last is None or not watch.last.cases:
            return ""
        return f"; {counted(watch.last.cases, 'case')} are kept, and the same command goes on from there"


def _ended(error: BaseException, kept: str = "") -> CommandError:
    """What ended an export, with what to do about it; a closed pipe is no matter for words."""
    reason = as_command_error(error)
    advice = _ADVICE.get(error.reason, "") if isinstance(error, ExportError) else ""
    return CommandError(f"{reason.message}{advice}{kept}" if reason.message else "", reason.code)


def print_report(report: ExportReport) -> None:
    """The report as JSON."""
    click.echo(json.dumps(report.as_dict()))


def check_whole(report: ExportReport) -> None:
    """Say what is missing from an output.

    Raises:
        CommandError: Something is.
    """
    if report.rejected:
        raise CommandError(_unread(report.rejected, report.rejected_ids), Exit.ANSWER)
    if report.history_errors:
        message = f"the history of {counted(report.history_errors, 'case')} could not be had; the rows say why"
        raise CommandError(message, Exit.ANSWER)


def _unread(count: int, ids: Sequence[int | str | None]) -> str:
    told = ", ".join("unknown" if one is None else str(one) for one in ids[:_MOST_IDS_TOLD])
    more = " …" if count > _MOST_IDS_TOLD else ""
    return f"{counted(count, 'case')} could not be read and did not get into the output: id {told}{more}"
