"""A case as it is written to an output."""

import re
from typing import Any, NamedTuple

from fusedesk_async import _json
from fusedesk_async.models import Case, CaseDetail


class Row(NamedTuple):
    """What is written for one case. A tuple: there may be a million of them, and other records cost more to make.

    Attributes:
        case: The case; a `CaseDetail` if its history was asked for and came.
        tombstone: Whether the case was gone when its history was asked for.
        history_error: Why its history could not be fetched otherwise; empty if it came or was not asked for.
    """

    case: Case
    tombstone: bool = False
    history_error: str = ""

    @property
    def is_without_history(self) -> bool:
        """Whether its history was asked for and did not come."""
        return self.tombstone or self.history_error != ""

    @property
    def odd_fields(self) -> list[tuple[int, str, str]]:
        """What could not be read, in the case or in its history: the id of the case, the field, the text as sent."""
        items = self.case.history if isinstance(self.case, CaseDetail) else ()
        if not (self.case.odd or any(item.odd for item in items)):
            return []
        found = [(odd.field, odd.text) for odd in self.case.odd]
        found += [(odd.path.removeprefix("$."), odd.text) for item in items for odd in item.odd]
        return [(self.case.id, field, text) for field, text in found]

    @property
    def json_line(self) -> bytes:
        """The record as the server sent it, on one line without its break.

        Only where the history is missing, members are added behind those of the server that say so.
        """
        line = self.case.json_line
        if not self.is_without_history:
            return line
        notes: dict[str, Any] = {}
        if self.tombstone:
            notes["tombstone"] = True
        if self.history_error:
            notes["history_error"] = self.history_error
        return line[:-1] + b"," + _json.dumps(notes)[1:].encode()

    @staticmethod
    def split(line: bytes) -> tuple[bytes, bool, str]:
        """The parts of a `json_line`: the record as sent, whether it is a tombstone, and why there is no history."""
        notes = _NOTES.search(line)
        if notes is None:
            return line, False, ""
        found = _json.loads(b"{" + notes[0][1:])
        return line[: notes.start()] + b"}", found.get("tombstone", False), found.get("history_error", "")


_NOTES = re.compile(rb',"(?:tombstone":true|history_error":"(?:[^"\\]|\\.)+")\}\Z')
