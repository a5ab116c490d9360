"""CSV as RFC 4180 describes it, in UTF-8, with columns that never change while a file is written."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from io import StringIO
from typing import Any

from fusedesk_async.export._columns import Kind, case_table, clean_text, loose_text
from fusedesk_async.export._row import Row
from fusedesk_async.models import Case, CaseDetail

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FORMULA = re.compile("[\t\n\r]|[\\s\0-\x20\u200b-\u200f\u2060\ufeff]*[=+\\-@\uff1d\uff0b\uff0d\uff20]")
"""How what a spreadsheet may take for a formula begins: one of the signs, full-width ones included, also behind what
cannot be seen and may be left out when the file is read, or a tab or line break, which may do so too."""


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

    Texts stand as they are, so `NA` or `00123` are what the server sent; a cell is empty where there is no value or an
    empty text. Readers that guess want to be told: `pandas.read_csv(…, dtype=str, keep_default_na=False)`.

    Args:
        history: Whether there are histories.
        guard_formulas: Whether to put a `'` in front of texts that a spreadsheet would take for formulas.
        bom: Whether to begin with a byte order mark.
    """

    def __init__(self, *, history: bool, guard_formulas: bool, bom: bool = False) -> None:
        self._table = case_table(_ENCODERS)
        self._history = history
        self._guard = _guarded if guard_formulas else str
        self._texts = [column.kind in {"text", "loose"} for column in self._table.columns]
        self.names = self._table.names + (("history", "tombstone", "history_error") if history else ())
        self.header = (BYTE_ORDER_MARK if bom else b"") + _csv([self.names])

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
    return f"'{text}" if _FORMULA.match(text) else text


def _csv(rows: Iterable[Iterable[str | None]]) -> bytes:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
