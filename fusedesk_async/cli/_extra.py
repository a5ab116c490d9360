"""What the commands that bring a sandbox of their own need."""

from collections.abc import Generator
from contextlib import contextmanager

from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._failure import CommandError


@contextmanager
def needs_sandbox() -> Generator[None, None, None]:
    """Turn a missing package into one line that says what to install."""
    try:
        yield
    except ImportError as missing:
        message = 'the sandbox needs more packages: pip install "fusedesk_async[sandbox]"'
        raise CommandError(message, Exit.CONFIGURATION) from missing
