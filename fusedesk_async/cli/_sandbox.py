"""`fusedesk sandbox`: a FuseDesk on this machine."""

import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import click
import orjson

from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._failure import CommandError, needs_sandbox
from fusedesk_async.cli._run import run
from fusedesk_async.cli._text import counted

if TYPE_CHECKING:
    from fusedesk_async.sandbox import RateLimit, Sandbox, SandboxProfile

DEFAULT_LIMIT = 1800


@click.command(short_help="Serve a FuseDesk on this machine.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@click.option("--cases", type=click.IntRange(0), default=1000, show_default=True, help="How many cases it has.")
@click.option("--seed", type=int, default=1, show_default=True, help="Decides every word and date.")
@click.option("--limit", type=click.IntRange(1), help=f"Calls per hour; {DEFAULT_LIMIT} with --window or --kind.")
@click.option("--window", type=click.FloatRange(0, min_open=True), help="Seconds an hour lasts.  [default: 3600]")
@click.option(
    "--like",
    "report",
    type=click.Path(path_type=Path),
    help="Answer as the server did that this report of fusedesk doctor tells of.",
)
@click.option("--kind", type=click.Choice(["fixed", "sliding", "bucket"]), help="How calls are counted.")
def sandbox(
    *,
    port: int,
    cases: int,
    seed: int,
    limit: int | None,
    window: float | None,
    report: Path | None,
    kind: str | None,
) -> None:
    """Serve a FuseDesk with made-up cases on this machine, and on this machine only.

    It prints its address and key as the variables that the other commands read. Calls are not limited unless
    --limit, --window or --kind is given. Ctrl-C and SIGTERM are the usual ends, with exit code 0.
    """
    with needs_sandbox():
        from fusedesk_async.sandbox import Sandbox, SandboxProfile  # noqa: PLC0415 - an extra

    profile = SandboxProfile() if report is None else read_report(report)
    limited = any(option is not None for option in (limit, window, kind))
    rate_limit = _rate_limit(kind or "fixed", limit or DEFAULT_LIMIT, window or 3600.0) if limited else None
    desk = Sandbox(cases, seed=seed, limit=rate_limit, profile=profile)
    try:
        run(lambda: _serve(desk, port, cases))
    except KeyboardInterrupt:
        return
    except CommandError as end:
        if end.code != Exit.TERMINATED:
            raise


def read_report(path: Path) -> "SandboxProfile":
    """Which server a report tells of.

    Raises:
        CommandError: It cannot be read, or is none.
    """
    from fusedesk_async.sandbox import SandboxProfile  # noqa: PLC0415 - an extra

    try:
        return SandboxProfile.from_report(orjson.loads(path.read_bytes()))
    except OSError as error:
        message = f"cannot read {path}: {error.strerror or error}"
    except ValueError as error:
        message = f"cannot use {path}: {error}"
    raise CommandError(message, Exit.CONFIGURATION)


async def _serve(desk: "Sandbox", port: int, cases: int) -> None:
    async with AsyncExitStack() as stack:
        with needs_sandbox():
            from fusedesk_async.sandbox import serve  # noqa: PLC0415 - an extra

            try:
                base_url = await stack.enter_async_context(serve(desk, port=port))
            except OSError as error:
                message = f"cannot listen on port {port}: {os.strerror(error.errno or 0)}"
                raise CommandError(message, Exit.CONFIGURATION) from error
        click.echo(f"# a FuseDesk sandbox with {counted(cases, 'case')}; Ctrl-C ends it")
        click.echo(f"export FUSEDESK_BASE_URL={base_url}")
        click.echo(f"export FUSEDESK_API_KEY={desk.api_key}")
        await anyio.sleep_forever()


def _rate_limit(kind: str, limit: int, window: float) -> "RateLimit":
    from fusedesk_async.sandbox import FixedHour, SlidingHour, TokenBucket  # noqa: PLC0415 - an extra

    kinds: dict[str, type[FixedHour | SlidingHour | TokenBucket]] = {
        "fixed": FixedHour,
        "sliding": SlidingHour,
        "bucket": TokenBucket,
    }
    return kinds[kind](limit, window=window)
