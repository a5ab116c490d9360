"""`fusedesk export --demo`: an export from a sandbox whose hourly allowance is too small for it."""

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import attrs

from fusedesk_async import FuseDesk, RateLimiter
from fusedesk_async.cli._download import Download
from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._extra import needs_sandbox
from fusedesk_async.cli._failure import CommandError, say
from fusedesk_async.cli._output import output_to
from fusedesk_async.cli._progress import fitting_display
from fusedesk_async.cli._status import Tally
from fusedesk_async.cli._text import counted

if TYPE_CHECKING:
    from collections.abc import Generator


@attrs.frozen(kw_only=True)
class Demo:
    """What the sandbox is like.

    Attributes:
        cases: How many cases it has.
        limit: Calls it answers in an "hour".
        window: Seconds such an hour lasts.
    """

    cases: int = 20_000
    limit: int = 24
    window: float = 6.0


def run_demo(out: str, *, overwrite: bool, demo: Demo | None = None) -> None:
    """Export everything from a private sandbox, and look whether each case came exactly once."""
    demo = demo or Demo()
    tally = Tally(ids=set())
    with _served(demo) as desk, output_to(out, overwrite=overwrite) as output:
        say(
            f"exporting {counted(demo.cases, 'made-up case')} from a sandbox that allows "
            f'{counted(demo.limit, "call")} per "hour" of {demo.window:g} s'
        )
        display = fitting_display(total=demo.cases, stdout_is_busy=out == "-")
        Download(desk=desk, filters={}, output=output, tally=tally, display=display).carry_out()
    say(_verdict(demo, tally))


@contextmanager
def _served(demo: Demo) -> "Generator[FuseDesk, None, None]":
    """A sandbox on loopback and a client of it, not yet opened."""
    with ExitStack() as stack:
        with needs_sandbox():
            from fusedesk_async.sandbox import FixedHour, Sandbox, serve_in_thread  # noqa: PLC0415 - an extra

            limit = FixedHour(demo.limit, window=demo.window)
            sandbox = Sandbox(demo.cases, limit=limit, retry_after="seconds")
            base_url = stack.enter_context(serve_in_thread(sandbox))
        limiter = RateLimiter(window=demo.window)
        yield FuseDesk("sandbox", api_key=sandbox.api_key, base_url=base_url, limiter=limiter)


def _verdict(demo: Demo, tally: Tally) -> str:
    if tally.cases != demo.cases or tally.ids != set(range(1, demo.cases + 1)):
        distinct = len(tally.ids or ())
        message = f"the demo went wrong: {tally.cases:,} cases, {distinct:,} of them distinct, of {demo.cases:,}"
        raise CommandError(message, Exit.ANSWER)
    return (
        f"{counted(tally.calls, 'call')}, {tally.refused:,} of them refused (429), {counted(tally.waits, 'wait')}; "
        f"all {demo.cases:,} cases came, each exactly once"
    )
