"""What an export writes into the tables of its Postgres schema, in a transaction of the caller."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fusedesk_async.export import _postgres_schema as schema
from fusedesk_async.export._checkpoint import Checkpoint, Job
from fusedesk_async.export._name_lists import by_key
from fusedesk_async.export._postgres_session import Connection
from fusedesk_async.export._row import Row
from fusedesk_async.models import CaseDetail, Record

_INT64_END = 2**63
_SET_GONE = "UPDATE cases SET tombstone = true, history_error = NULL, history_until = NULL WHERE id = ANY(%s)"
_SET_ERROR = "UPDATE cases SET history_error = %s, history_until = NULL WHERE id = %s"


def write_rows(connection: Connection, rows: Iterable[Row], checkpoint: Checkpoint) -> None:
    """Write rows as the phase of the checkpoint wants them."""
    rows = [*{row.case.id: row for row in rows}.values()]
    if any(not -_INT64_END <= row.case.id < _INT64_END for row in rows):
        schema.take_large_ids(connection)
    if checkpoint.phase == "changes":
        _note_changes(connection, rows)
    elif checkpoint.phase == "missing":
        _fill_gaps(connection, rows, checkpoint.job)
    else:
        _upsert(connection, schema.UPSERT_CASE, rows, checkpoint.job)
        write_histories(connection, [row for row in rows if not _is_due(row, checkpoint.job)])
    if checkpoint.phase == "update" and rows:
        connection.execute("DELETE FROM fusedesk_changed WHERE id = ANY(%s)", (_ids(rows),))
    if checkpoint.phase == "complete":
        _take_away(connection, checkpoint)


def write_fetched(connection: Connection, rows: Sequence[Row]) -> None:
    """Write cases of the export whose histories were asked for: from then on they are not due any more."""
    _fill_gaps(connection, [row for row in rows if not row.history_error], None)
    for row in rows:
        if row.history_error:
            reason = schema.storable(row.history_error)
            connection.execute(_SET_ERROR, (reason, str(row.case.id)))


def write_histories(connection: Connection, rows: Sequence[Row]) -> None:
    """Write the histories of cases that are in `cases`; what is longer there is cut. Unchanged items stay untouched."""
    items = [cells for row in rows for cells in _item_cells(row)]
    lengths = [(str(row.case.id), str(len(_history(row)))) for row in rows if _history(row)]
    without = [row for row in rows if not _history(row)]
    if without:
        connection.execute("DELETE FROM history WHERE case_id = ANY(%s)", (_ids(without),))
    if lengths:
        connection.cursor().executemany(schema.CUT_HISTORY, lengths)
    if items:
        connection.cursor().executemany(schema.UPSERT_ITEM, items)


def write_names(connection: Connection, records: Mapping[str, Sequence[Record]]) -> None:
    """Replace the lists of names that are given."""
    for table, named in records.items():
        connection.execute(schema.query(f"DELETE FROM {table}"))  # noqa: S608 - our names
        cells = [_storable_cells(schema.NAME_TABLES[table].cells(each)) for each in by_key(table, named)]
        if cells:
            connection.cursor().executemany(schema.INSERT_NAMES[table], cells)


def _take_away(connection: Connection, checkpoint: Checkpoint) -> None:
    """Cases that changed and did not come again do not match any more, where the list says so for certain."""
    if checkpoint.is_certain and not checkpoint.is_unordered:
        for row in checkpoint.unreadable:
            low, high = sorted((row.after or 0, math.inf if row.before is None else row.before))
            top = "Infinity" if high == math.inf else str(high)
            connection.execute(
                "DELETE FROM fusedesk_changed WHERE id > %s::numeric AND id < %s::numeric", (str(low), top)
            )
        connection.execute("UPDATE cases SET matches = false WHERE id IN (SELECT id FROM fusedesk_changed) AND matches")
    connection.execute("DELETE FROM fusedesk_changed")


def _fill_gaps(connection: Connection, rows: Sequence[Row], job: Job | None) -> None:
    """Put in what was missing. Whether a case still matches stays as it was; one that is gone is marked, no more."""
    gone, found = [row for row in rows if row.tombstone], [row for row in rows if not row.tombstone]
    if gone:
        connection.execute(_SET_GONE, (_ids(gone),))
    _upsert(connection, schema.UPSERT_CASE_STILL_MATCHING, found, job)
    write_histories(connection, [row for row in found if not _is_due(row, job)])


def _note_changes(connection: Connection, rows: Sequence[Row]) -> None:
    """Update the cases that are in the export; whether these still match is seen later."""
    if not rows:
        return
    there = {int(each) for (each,) in connection.execute("SELECT id FROM cases WHERE id = ANY(%s)", (_ids(rows),))}
    ours = [row for row in rows if row.case.id in there]
    _upsert(connection, schema.UPSERT_CASE_IN_SAME_STATE, ours)
    note = "INSERT INTO fusedesk_changed SELECT id FROM cases WHERE id = ANY(%s) ON CONFLICT DO NOTHING"
    connection.execute(note, (_ids(ours),))


def _upsert(connection: Connection, statement: bytes, rows: Sequence[Row], job: Job | None = None) -> None:
    if rows:
        connection.cursor().executemany(statement, [_case_cells(row, is_due=_is_due(row, job)) for row in rows])


def _is_due(row: Row, job: Job | None) -> bool:
    """Whether a job wants the history of a case, which has not been asked for yet."""
    wants_history = job is not None and job.history
    return wants_history and not (isinstance(row.case, CaseDetail) or row.is_without_history)


def _ids(rows: Sequence[Row]) -> str:
    return schema.array(row.case.id for row in rows)


def _case_cells(row: Row, *, is_due: bool) -> list[Any]:
    error = schema.storable(row.history_error) or None
    state = ["true" if row.tombstone else "false", error, "true", schema.NOT_CLAIMED if is_due else None]
    return [*_storable_cells(schema.CASES.cells(row.case)), *state]


def _item_cells(row: Row) -> Iterator[list[Any]]:
    for position, item in enumerate(_history(row)):
        yield [str(row.case.id), str(position), *_storable_cells(schema.ITEMS.cells(item))]


def _storable_cells(cells: list[Any]) -> list[Any]:
    cells[-1] = schema.json_text(cells[-1])
    return cells


def _history(row: Row) -> Sequence[Any]:
    return row.case.history if isinstance(row.case, CaseDetail) else ()
