"""JSON Lines: each record exactly as the server sent it, on a line of its own."""

from collections.abc import Iterable
from operator import attrgetter

from fusedesk_async.export._row import Row

_SOURCE = attrgetter("case.source")


class JsonLines:
    """One JSON object a line. A case whose history could not be fetched has members behind its own that say so."""

    header = b""

    def encode(self, rows: Iterable[Row]) -> bytes:
        """The lines of rows."""
        rows = tuple(rows)
        plain = b"\n".join([*map(_SOURCE, rows), b""])
        if plain.count(b"\n") == len(rows) and b"\r" not in plain and not any(row.is_without_history for row in rows):
            return plain  # the usual case: to look at each record by itself would show
        return b"".join(row.json_line + b"\n" for row in rows)
