"""The program `fusedesk` and what holds for all its commands."""

import os
import re
import sys
import warnings
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NoReturn, cast

import click

from fusedesk_async import FuseDeskWarning, __version__
from fusedesk_async.cli._cases import cases
from fusedesk_async.cli._check import check
from fusedesk_async.cli._completion import completion
from fusedesk_async.cli._doctor import doctor
from fusedesk_async.cli._exit import MEANINGS, Exit
from fusedesk_async.cli._export import export
from fusedesk_async.cli._failure import EXPECTED_ERRORS, as_command_error, say
from fusedesk_async.cli._import import import_
from fusedesk_async.cli._sandbox import sandbox
from fusedesk_async.cli._streams import flush_stdout

MAX_WARNINGS_OF_A_KIND = 3


@contextmanager
def short_warnings() -> Generator[None, None, None]:
    """Print each `FuseDeskWarning` as one line on stderr, but only the first few of a kind; at the end, how many more.

    Two warnings are of one kind if they differ in numbers only.
    """
    kinds = Counter[str]()
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if not issubclass(category, FuseDeskWarning):
                usual(message, category, *where, **more)
                return
            kind = re.sub(r"'.*'|\d+", "#", str(message))
            kinds[kind] += 1
            if kinds[kind] <= MAX_WARNINGS_OF_A_KIND:
                say(f"warning: {message}")

        warnings.simplefilter("always", FuseDeskWarning)
        warnings.showwarning = show
        try:
            yield
        finally:
            omitted = sum(count - MAX_WARNINGS_OF_A_KIND for count in kinds.values() if count > MAX_WARNINGS_OF_A_KIND)
            if omitted:
                say(f"warning: {omitted:,} more like these")


class Program(click.Group):
    """A group whose commands fail with one line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            with short_warnings():
                return super().invoke(ctx)
        except EXPECTED_ERRORS as error:
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
                    ("FUSEDESK_API_KEY", "the key; if it is missing, a terminal prompts for it"),
                ]
            )
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code.value), meaning) for code, meaning in MEANINGS.items()])


@click.group(cls=Program)
@click.version_option(__version__, message="%(prog)s %(version)s")
def fusedesk() -> None:
    """FuseDesk's cases on the command line."""


for command in (export, import_, check, doctor, cases, sandbox, completion):
    fusedesk.add_command(command)


def carry_out() -> NoReturn:
    """Run the command of this process, and end it: with one line also if stdout cannot be written.

    It ends at once: Python would take its time to tidy up, and who kills it then does not know that all is done.
    """
    code: object = Exit.FINE
    failure: OSError | None = None
    try:
        fusedesk(prog_name="fusedesk")
    except SystemExit as end:
        code = end.code
    except OSError as error:
        failure = error
    failure = flush_stdout() or failure
    if isinstance(failure, BrokenPipeError):
        code = Exit.CLOSED_PIPE
    elif failure is not None:
        say(f"cannot write the output: {failure.strerror or failure}")
        code = Exit.OUTPUT
    sys.stderr.flush()
    os._exit(cast("int", code) or 0)
