"""`fusedesk export`: cases into a file."""

import click
from click.core import ParameterSource

from fusedesk_async import CaseFilters
from fusedesk_async.cli._connection import Connection, connected
from fusedesk_async.cli._demo import run_demo
from fusedesk_async.cli._download import Download
from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._failure import CommandError, say
from fusedesk_async.cli._filters import filtered
from fusedesk_async.cli._output import output_to
from fusedesk_async.cli._progress import fitting_display
from fusedesk_async.cli._status import Tally
from fusedesk_async.cli._text import counted

_MOST_IDS_TOLD = 20


@click.command(short_help="Write cases to a file, one JSON object per line.")
@click.argument("out", type=click.Path(allow_dash=True), metavar="OUT.jsonl")
@connected
@filtered
@click.option("--overwrite", is_flag=True, help="Replace OUT.jsonl if it exists, once the export is whole.")
@click.option("--demo", is_flag=True, help="Export 20,000 made-up cases from a sandbox with a rate limit.")
def export(*, out: str, connection: Connection, filters: CaseFilters, overwrite: bool, demo: bool) -> None:
    """Write all cases, or those that the options choose, to OUT.jsonl: one JSON object per line, as the server sent it.

    The cases come in the order of their ids. They go to OUT.jsonl.part first, which becomes OUT.jsonl when all of
    them are there. With - in place of OUT.jsonl they go to stdout.

    Other users of the same API key go first, and when the hourly allowance is used up the export waits as long as it
    takes.
    """
    if demo:
        _refuse_options(filters)
        run_demo(out, overwrite=overwrite)
        return
    desk, tally = connection.client(), Tally()
    with output_to(out, overwrite=overwrite) as output:
        say(f"exporting cases of {connection.name} to {'stdout' if out == '-' else out}")
        display = fitting_display(stdout_is_busy=out == "-")
        Download(desk=desk, filters=filters, output=output, tally=tally, display=display).carry_out()
    if tally.rejected:
        raise CommandError(_incomplete(tally.rejected), Exit.ANSWER)


def _incomplete(ids: list[int | str | None]) -> str:
    told = ", ".join("unknown" if one is None else str(one) for one in ids[:_MOST_IDS_TOLD])
    more = " …" if len(ids) > _MOST_IDS_TOLD else ""
    return f"{counted(len(ids), 'case')} could not be read and did not get into the output: id {told}{more}"


def _refuse_options(filters: CaseFilters) -> None:
    """The demo brings a server of its own, so it would be a slip to tell it which."""
    context = click.get_current_context()
    told = [name for name in ("app", "base_url") if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if told or filters:
        message = "--demo exports everything from a sandbox of its own; leave the options about app and cases out"
        raise click.UsageError(message)
