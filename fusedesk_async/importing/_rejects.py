"""The file for rows that were not imported. It may be somebody's only copy of them."""

import json
import threading
from collections.abc import Iterator
from hashlib import blake2b
from itertools import chain, count
from pathlib import Path
from typing import Any, TextIO

from fusedesk_async._durable_files import as_export_error, private_opener
from fusedesk_async._wire.converter import unstructure
from fusedesk_async.errors import ExportError, warn
from fusedesk_async.models import NewCase

_LINE_START = '{"row": '


class Rejects:
    """Writes a line for each rejected row: `{"row": 7, "reason": "…", "original": …}`.

    A file of an earlier run is left alone until this run has come to its end, as it may hold the only copy of its rows:
    meanwhile this run writes beside it. At the end it is replaced, or removed if no row was rejected, provided that all
    rows in it were among the rows of this run. Otherwise it is kept beside the new one, as `name.1`, `name.2` and so
    on. A run that does not come to its end, and a dry run, leave it where it is.

    Args:
        path: The file; None for none.
        dry_run: Leave the file of an earlier run where it is, also at the end.

    Raises:
        ExportError: There is another kind of file of that name.
    """

    def __init__(self, path: Path | None, *, dry_run: bool = False) -> None:
        self._path = path
        self._dry_run = dry_run
        self._file: TextIO | None = None
        self._written: Path | None = None
        self._lock = threading.Lock()
        self._earlier: set[bytes] | None = None
        if path and path.exists():
            with as_export_error(path), path.open(encoding="utf-8", errors="replace") as file:
                if file.read(len(_LINE_START)) not in {"", _LINE_START}:
                    message = f"{path} exists and is not a file of rejected rows; give another name"
                    raise ExportError(message, None, "exists")
                file.seek(0)
                self._earlier = {_fingerprint_of_line(line) for line in file if line.strip()}

    def on_read(self, original: Any) -> None:
        """A row was read; if an earlier run has rejected it, its copy is not needed any more."""
        if self._earlier:
            fingerprint = _fingerprint(_plain(original))
            with self._lock:
                self._earlier.discard(fingerprint)

    def write(self, row: int, reason: str, original: Any) -> None:
        """Add a row."""
        if self._path is None:
            return
        line = json.dumps({"row": row, "reason": reason, "original": _plain(original)}, default=str)
        with self._lock, as_export_error(self._path):
            self._file = self._file or self._create(self._path)
            self._file.write(f"{line}\n")
            self._file.flush()

    def finish(self) -> Path | None:
        """The run has come to its end: put the file where it belongs.

        Returns:
            Where the file of an earlier run is kept, if some of its rows were not in this run; None otherwise.
        """
        with self._lock:
            self._close()
            if self._path is None or self._earlier is None or self._dry_run:
                return None
            written, self._written = self._written, None
            with as_export_error(self._path):
                kept = next(name for name in _names(self._path) if not name.exists()) if self._earlier else None
                if kept:
                    self._path.rename(kept)
                if written:
                    written.replace(self._path)
                    kept = kept and kept.rename(written)
                elif not kept:
                    self._path.unlink(missing_ok=True)
            return kept

    def close(self) -> None:
        """Close the file, and say where it is if it is not where it was asked for."""
        with self._lock:
            self._close()
            written, self._written = self._written, None
        if written and written != self._path:
            warn(f"{self._path} holds rows that an earlier run rejected, so those of this run are in {written}")

    def _close(self) -> None:
        if self._file:
            self._file.close()
            self._file = None

    def _create(self, path: Path) -> TextIO:
        self._written = next(name for name in _names(path) if not name.exists())
        return open(self._written, "x", encoding="utf-8", opener=private_opener)


def _names(path: Path) -> Iterator[Path]:
    """The name itself, then `name.1`, `name.2` and so on."""
    return chain([path], (path.with_name(f"{path.name}.{number}") for number in count(1)))


def _fingerprint_of_line(line: str) -> bytes:
    try:
        return _fingerprint(json.loads(line)["original"])
    except (ValueError, TypeError, KeyError):  # the end of a line is missing, or somebody has edited it
        return _fingerprint(line)


def _fingerprint(original: Any) -> bytes:
    text = json.dumps(original, default=str, sort_keys=True)
    return blake2b(text.encode(), digest_size=16).digest()


def _plain(original: Any) -> Any:
    if isinstance(original, NewCase):
        return unstructure(original)
    return original.decode(errors="replace") if isinstance(original, bytes) else original
