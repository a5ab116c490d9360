"""Every way to fail, as one line on stderr and an exit code."""

import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from fusedesk_async import (
    AuthenticationError,
    ConfigurationError,
    ExportError,
    FuseDeskError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    TransportError,
)
from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._text import one_line
from fusedesk_async.errors import ExportTrouble

_EXIT_CODES: tuple[tuple[type[FuseDeskError], Exit], ...] = (
    (ConfigurationError, Exit.CONFIGURATION),
    (AuthenticationError, Exit.CONFIGURATION),
    (PermissionDeniedError, Exit.CONFIGURATION),
    (NotFoundError, Exit.NOT_FOUND),
    (RateLimitError, Exit.RATE_LIMIT),
    (ServerError, Exit.NETWORK),
    (TransportError, Exit.NETWORK),
    (FuseDeskError, Exit.ANSWER),
)
_FILE_EXIT_CODES: Mapping[ExportTrouble, Exit] = {
    "output": Exit.OUTPUT,
    "exists": Exit.EXISTS,
    "checkpoint": Exit.CHECKPOINT,
    "empty": Exit.EMPTY,
    "locked": Exit.LOCKED,
}


class CommandError(Exception):
    """Ends the program.

    Args:
        message: One line for stderr; empty to print nothing.
        code: The exit code.
    """

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(message, code)
        self.message = message
        self.code = code


def say(text: str) -> None:
    """Print one line on stderr; above the progress bar, if there is one."""
    print(f"fusedesk: {one_line(text)}", file=sys.stderr, flush=True)  # click.echo would go past the bar


EXPECTED_ERRORS = (CommandError, FuseDeskError, BrokenPipeError, KeyboardInterrupt, click.Abort)
"""What may end a command without a traceback."""


def as_command_error(error: BaseException) -> CommandError:
    """The message and the exit code for what ended a command."""
    match error:
        case CommandError():
            return error
        case FuseDeskError():
            return _failure(error)
        case BrokenPipeError():
            return closed_pipe()
        case _:
            return CommandError("stopped by Ctrl-C", Exit.INTERRUPTED)


def _failure(error: FuseDeskError) -> CommandError:
    if isinstance(error, ExportError):
        if error.reason == "closed":
            return closed_pipe()
        return CommandError(str(error), _FILE_EXIT_CODES[error.reason])
    code = next(code for kind, code in _EXIT_CODES if isinstance(error, kind))
    return CommandError(_rate_limit_text(error) if isinstance(error, RateLimitError) else str(error), code)


def closed_pipe() -> CommandError:
    """The end of the program when the reader closed the pipe; nothing is printed, then or later."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # what remains in the buffer would raise once more when Python ends
            with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), stream.fileno())
    return CommandError("", Exit.CLOSED_PIPE)


def _rate_limit_text(error: RateLimitError) -> str:
    retry = f"; ask again at {error.retry_at.astimezone():%H:%M:%S}" if error.retry_at else ""
    return f"the hourly allowance is used up: {error.message}{retry}"


@contextmanager
def needs_sandbox() -> Generator[None, None, None]:
    """Turn a missing package into one line that says what to install."""
    try:
        yield
    except ImportError as missing:
        message = 'the sandbox needs more packages: pip install "fusedesk_async[sandbox]"'
        raise CommandError(message, Exit.CONFIGURATION) from missing
