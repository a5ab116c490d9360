"""JSON Lines: each record exactly as the server sent it, on a line of its own."""

from collections.abc import Iterable

from fusedesk_async.export._row import Row


class JsonLines:
    """One JSON object a line. A case whose history could not be had has members behind its own that say so."""

    header = b""

    def encode(self, rows: Iterable[Row]) -> bytes:
        """The lines of rows."""
        return b"".join(row.json_line + b"\n" for row in rows)
