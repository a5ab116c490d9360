"""CSV as RFC 4180 describes it, in UTF-8, with columns that never change while a file is written."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from io import StringIO
from typing import Any

from fusedesk_async.export._columns import Kind, case_table, clean_text, loose_text
from fusedesk_async.export._row import Row
from fusedesk_async.models import Case, CaseDetail

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def _comma_separated(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))


_ENCODERS: Mapping[Kind, Any] = {
    "whole": str,
    "key": str,
    "text": clean_text,
    "moment": datetime.isoformat,
    "flag": {True: "true", False: "false"}.__getitem__,
    "tags": _comma_separated,
    "loose": loose_text,
}


class Csv:
    """One case a row, with the fields of `Case` under their names as columns.

    Dates are as the server wrote them, tags are separated by commas, and the column `extra` has what no other column
    takes. With histories there are three more: `history` (a JSON array of the items as they were sent), `tombstone`,
    `history_error`.

    Args:
        history: Whether there are histories.
        guard_formulas: Whether to put a `'` in front of texts that a spreadsheet would take for formulas.
    """

    def __init__(self, *, history: bool, guard_formulas: bool) -> None:
        self._table = case_table(_ENCODERS)
        self._history = history
        self._guard = _guarded if guard_formulas else str
        self._texts = [column.kind in {"text", "loose"} for column in self._table.columns]
        self.names = self._table.names + (("history", "tombstone", "history_error") if history else ())
        self.header = _csv([self.names])

    def encode(self, rows: Iterable[Row]) -> bytes:
        """The lines of rows."""
        return _csv(self._cells(row) for row in rows)

    def _cells(self, row: Row) -> Iterator[str | None]:
        cells = self._table.cells(row.case)
        for cell, text in zip(cells, [*self._texts, False], strict=True):
            yield self._guard(cell) if text and cell else cell
        if self._history:
            yield _history(row.case)
            yield "true" if row.tombstone else "false"
            yield self._guard(row.history_error)


def _history(case: Case) -> str:
    items = case.history if isinstance(case, CaseDetail) else ()
    return f"[{','.join(item.json_line.decode(errors='replace') for item in items)}]"


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _csv(rows: Iterable[Iterable[str | None]]) -> bytes:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
