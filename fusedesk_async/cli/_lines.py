"""The lines of a file or of stdin, read in a thread so that the event loop goes on."""

import sys
from collections import deque
from pathlib import Path
from typing import BinaryIO, Self

from anyio import to_thread

from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._failure import CommandError

AT_ONCE = 1 << 16
"""Bytes, about, that are read in one go."""


class FileLines:
    """The lines of a file, one by one, for `async for`.

    Args:
        name: A path, or `-` for stdin.

    Raises:
        CommandError: It cannot be read.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._ready: deque[bytes] = deque()
        try:
            self._file: BinaryIO = sys.stdin.buffer if name == "-" else Path(name).open("rb")  # noqa: SIM115 - closed by `close`
        except OSError as error:
            raise self._trouble(error) from error

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._ready:
            self._ready.extend(await to_thread.run_sync(self._read))
        if not self._ready:
            raise StopAsyncIteration
        return self._ready.popleft()

    def close(self) -> None:
        """Close the file, but not stdin."""
        if self._name != "-":
            self._file.close()

    def _read(self) -> list[bytes]:
        try:
            return self._file.readlines(AT_ONCE) if self._name != "-" else [*filter(None, [self._file.readline()])]
        except OSError as error:
            raise self._trouble(error) from error

    def _trouble(self, error: OSError) -> CommandError:
        return CommandError(f"cannot read {self._name}: {error.strerror}", Exit.USAGE)
