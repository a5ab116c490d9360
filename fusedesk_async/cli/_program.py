"""The program `fusedesk` and what holds for all its commands."""

from typing import Any

import click

from fusedesk_async import __version__
from fusedesk_async.cli._cases import cases
from fusedesk_async.cli._check import check
from fusedesk_async.cli._completion import completion
from fusedesk_async.cli._exit import MEANINGS
from fusedesk_async.cli._export import export
from fusedesk_async.cli._failure import Ending, as_command_error, say
from fusedesk_async.cli._import import import_
from fusedesk_async.cli._sandbox import sandbox
from fusedesk_async.cli._warnings import short_warnings


class Program(click.Group):
    """A group whose commands fail with one line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            with short_warnings():
                return super().invoke(ctx)
        except Ending as error:
            end = as_command_error(error)
        if end.message:
            say(end.message)
        raise click.exceptions.Exit(end.code)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The environment and the exit codes."""
        del ctx
        with formatter.section("Environment"):
            formatter.write_dl(
                [
                    ("FUSEDESK_APP", "the name of the app, as --app"),
                    ("FUSEDESK_BASE_URL", "another address, as --base-url"),
                    ("FUSEDESK_API_KEY", "the key; if missing, it is asked for on a terminal"),
                ]
            )
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code.value), meaning) for code, meaning in MEANINGS.items()])


@click.group(cls=Program)
@click.version_option(__version__, message="%(prog)s %(version)s")
def fusedesk() -> None:
    """FuseDesk's cases on the command line."""


for command in (export, import_, check, cases, sandbox, completion):
    fusedesk.add_command(command)
