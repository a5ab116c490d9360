"""Starts the command line `fusedesk`, and says what SIGTERM does before anything slow is loaded.

Installed beside the package, since whoever loads a part of that loads all of it. Process 1 of a container ignores
signals that it has no handler for, so that one in the first second would be lost.
"""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import NoReturn

INTERRUPTED, TERMINATED = 130, 143


def main() -> None:
    """Run the command line; never returns."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        from fusedesk_async.cli import main as run  # noqa: PLC0415 - this is what is slow
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run()


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    """End the program, wherever it is. Work that has files open brings a handler of its own."""
    with suppress(OSError):  # closed, or its reader has gone
        os.write(2, b"fusedesk: stopped by SIGTERM\n")
    sys.exit(TERMINATED)
