"""The lines of a file that is to be imported. What is no JSON Lines is refused once, by name, and not line by line."""

import gzip
import sys
import zlib
from collections import deque
from collections.abc import Mapping
from io import BufferedIOBase, BufferedReader
from pathlib import Path
from typing import Self, cast

from anyio import to_thread

from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._failure import CommandError

READ_SIZE = 1 << 16
"""Bytes, about, that are read at once, and that are looked at to see what a file is."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
GZIP_MAGIC = b"\x1f\x8b"
TO_UTF8 = "convert it, as with iconv -f WINDOWS-1252 -t UTF-8"
OTHER_KINDS: Mapping[bytes, str] = {
    b"SQLite format 3\0": "a SQLite database; export the cases to a .jsonl file and import that",
    b"PAR1": "a Parquet file; export the cases to a .jsonl file and import that",
    b"PK\x03\x04": "a ZIP archive or an Excel workbook; save it as JSON Lines, one object a line",
    b"\xff\xfe": "UTF-16; convert it to UTF-8, as with iconv -f UTF-16 -t UTF-8",
    b"\xfe\xff": "UTF-16; convert it to UTF-8, as with iconv -f UTF-16 -t UTF-8",
    b"{\0": "UTF-16 without a mark; convert it to UTF-8, as with iconv -f UTF-16LE -t UTF-8",
    b"\0{": "UTF-16 without a mark; convert it to UTF-8, as with iconv -f UTF-16BE -t UTF-8",
}
"""The first bytes of what is no JSON Lines, and what to do with it."""


class FileLines:
    """The lines of a file, one by one, for `async for`. Gzip is unpacked, byte order marks are dropped.

    Args:
        name: A path, or `-` for stdin.

    Raises:
        CommandError: It cannot be read, or is of another kind.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._ready: deque[bytes] = deque()
        try:
            self._opened = sys.stdin.buffer if name == "-" else Path(name).open("rb")  # noqa: SIM115 - closed by `close`
        except OSError as error:
            raise self._read_error(error) from error
        try:
            self._file = self._recognized(cast("BufferedReader", self._opened))
        except CommandError:
            self.close()
            raise

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._ready:
            self._ready.extend(await to_thread.run_sync(self._read))
        if not self._ready:
            raise StopAsyncIteration
        return self._ready.popleft().removeprefix(BYTE_ORDER_MARK)

    def close(self) -> None:
        """Close the file, but not stdin."""
        if self._name != "-":
            self._opened.close()

    def _recognized(self, file: BufferedReader) -> BufferedReader:
        """The file, unpacked, once its first bytes have shown that it may be JSON Lines."""
        try:
            if file.peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC):
                file = BufferedReader(cast("BufferedIOBase", gzip.GzipFile(fileobj=file)), READ_SIZE)
            kind = _other_kind(file.peek(READ_SIZE))
        except (OSError, EOFError, zlib.error) as error:
            raise self._read_error(error) from error
        if kind:
            message = f"{self._name} is {kind}"
            raise CommandError(message, Exit.USAGE)
        return file

    def _read(self) -> list[bytes]:
        try:
            return self._file.readlines(READ_SIZE) if self._name != "-" else [*filter(None, [self._file.readline()])]
        except (OSError, EOFError, zlib.error) as error:  # the latter of gzip that is cut or corrupt
            raise self._read_error(error) from error

    def _read_error(self, error: Exception) -> CommandError:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return CommandError(f"cannot read {self._name}: {reason}", Exit.USAGE)


def _other_kind(start: bytes) -> str:
    """What a file is if it is no JSON Lines; empty if it may be some."""
    for magic, kind in OTHER_KINDS.items():
        if start.startswith(magic):
            return kind
    lines = [line.removeprefix(BYTE_ORDER_MARK).strip() for line in start.splitlines()]
    lines = [line for line in lines if line]
    if lines and lines[0].startswith(b"["):
        return "one JSON array; give each object a line of its own, as with jq -c '.[]'"
    if lines and not any(line.startswith(b"{") for line in lines):
        return "no JSON Lines: none of its first lines begins with an object (CSV is not read; export to .jsonl)"
    accented = [line for line in lines if not line.isascii()]
    if accented and not start.endswith((b"\n", b"\r")) and accented[-1] is lines[-1]:
        accented.pop()  # it may be cut in the middle of a character
    return "" if any(map(_is_utf8, accented)) or not accented else f"no UTF-8; {TO_UTF8}"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
