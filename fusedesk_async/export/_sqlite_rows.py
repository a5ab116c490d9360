"""What an export writes into the tables of its SQLite database, in a transaction of the caller."""

import math
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from fusedesk_async.export import _sqlite_schema as schema
from fusedesk_async.export._checkpoint import Checkpoint
from fusedesk_async.export._row import Row
from fusedesk_async.export._sqlite_schema import storable_id
from fusedesk_async.models import CaseDetail


def write_rows(database: sqlite3.Connection, rows: Iterable[Row], checkpoint: Checkpoint) -> None:
    """Write rows as the phase of the checkpoint wants them, and the checkpoint."""
    rows = list(rows)
    if any(isinstance(each, str) for row in rows for each in _ids(row)) and not schema.has_large_ids(database):
        schema.take_large_ids(database)
    if checkpoint.phase == "changes":
        _note_changes(database, rows)
    elif checkpoint.phase == "missing":
        _fill_gaps(database, rows)
    else:
        _insert(database, rows, were_changed=checkpoint.phase == "update")
    if checkpoint.phase == "complete":
        _take_away(database, checkpoint)
    database.execute("UPDATE fusedesk_export SET checkpoint = ?", (checkpoint.encode().decode(),))


def holds_cases(database: sqlite3.Connection) -> bool:
    """Whether there is any case in it."""
    return database.execute("SELECT 1 FROM cases LIMIT 1").fetchone() is not None


def _ids(row: Row) -> Iterator[int | str]:
    yield storable_id(row.case.id)
    yield from map(storable_id, row.case.tags)


def _take_away(database: sqlite3.Connection, checkpoint: Checkpoint) -> None:
    """Cases that changed and did not come again do not match any more, where the list says so for certain."""
    if checkpoint.is_certain and not checkpoint.is_unordered:
        for row in checkpoint.unreadable:
            low, high = sorted((row.after or 0, math.inf if row.before is None else row.before))
            changed = database.execute("SELECT id FROM fusedesk_changed").fetchall()
            unsure = [each for each in changed if low < int(each[0]) < high]
            database.executemany("DELETE FROM fusedesk_changed WHERE id = ?", unsure)
        database.execute("UPDATE cases SET matches = 0 WHERE id IN (SELECT id FROM fusedesk_changed)")
    database.execute("DELETE FROM fusedesk_changed")


def _fill_gaps(database: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """Put in what was missing. Whether a case still matches stays as it was; one that is gone is marked, no more."""
    for row in rows:
        number = storable_id(row.case.id)
        if row.tombstone:
            database.execute(schema.MARK_GONE, (number,))
            continue
        state = database.execute(schema.STATE_OF_CASE, (number,)).fetchone()
        _insert(database, [row])
        if state:
            database.execute(schema.SET_STATE, (0, None, state[-1], number))


def _note_changes(database: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """Update the cases that are in the export; whether these still match is seen later."""
    for row in rows:
        number = storable_id(row.case.id)
        state = database.execute(schema.STATE_OF_CASE, (number,)).fetchone()
        if state:
            _insert(database, [row], keep_history=True)
            database.execute(schema.SET_STATE, (*state, number))
            database.execute("INSERT OR IGNORE INTO fusedesk_changed VALUES (?)", (number,))


def _insert(
    database: sqlite3.Connection, rows: list[Row], *, were_changed: bool = False, keep_history: bool = False
) -> None:
    ids = [(storable_id(row.case.id),) for row in rows]
    database.executemany("DELETE FROM tags WHERE case_id = ?", ids)
    database.executemany(schema.INSERT_CASE, map(_case_cells, rows))
    database.executemany(schema.INSERT_TAG, _tag_cells(rows))
    if not keep_history:
        database.executemany("DELETE FROM history WHERE case_id = ?", ids)
        database.executemany(schema.INSERT_ITEM, (cells for row in rows for cells in _item_cells(row)))
    if were_changed:
        database.executemany("DELETE FROM fusedesk_changed WHERE id = ?", ids)


def _tag_cells(rows: list[Row]) -> Iterator[tuple[int | str, int | str]]:
    return ((storable_id(row.case.id), storable_id(tag)) for row in rows for tag in row.case.tags)


def _case_cells(row: Row) -> list[Any]:
    return [*schema.CASES.cells(row.case), int(row.tombstone), row.history_error or None, 1]


def _item_cells(row: Row) -> Iterator[list[Any]]:
    history = row.case.history if isinstance(row.case, CaseDetail) else ()
    for position, item in enumerate(history):
        yield [storable_id(row.case.id), position, *schema.ITEMS.cells(item)]
