"""The file for rows that were not imported."""

import json
import threading
from pathlib import Path
from typing import Any, TextIO

from fusedesk_async._durable_files import as_export_error
from fusedesk_async._wire.converter import unstructure
from fusedesk_async.errors import ExportError
from fusedesk_async.models import NewCase

_LINE_START = '{"row": '


class Rejects:
    """Writes a line for each rejected row: `{"row": 7, "reason": "…", "original": …}`.

    The file of an earlier run is replaced when the first row is rejected, and removed if none is.

    Args:
        path: The file; None for none.

    Raises:
        ExportError: There is another kind of file of that name.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._lock = threading.Lock()
        if path and path.exists():
            with as_export_error(path), path.open(encoding="utf-8", errors="replace") as file:
                if file.read(len(_LINE_START)) not in {"", _LINE_START}:
                    message = f"{path} exists and is not a file of rejected rows; give another name"
                    raise ExportError(message, None, "exists")

    def write(self, row: int, reason: str, original: Any) -> None:
        """Add a row."""
        if self._path is None:
            return
        line = json.dumps({"row": row, "reason": reason, "original": _plain(original)}, default=str)
        with self._lock, as_export_error(self._path):
            self._file = self._file or self._path.open("w", encoding="utf-8")
            self._file.write(f"{line}\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file; the file of an earlier run is removed if no row was rejected in this one."""
        with self._lock:
            if self._file:
                self._file.close()
            elif self._path:
                self._path.unlink(missing_ok=True)


def _plain(original: Any) -> Any:
    if isinstance(original, NewCase):
        return unstructure(original)
    return original.decode(errors="replace") if isinstance(original, bytes) else original
