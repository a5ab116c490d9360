"""The tables of a SQLite export, and how values are stored in them."""

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from fusedesk_async import _json
from fusedesk_async.export._columns import (
    Column,
    Kind,
    Table,
    case_table,
    clean_text,
    history_table,
    in_utc,
    int64,
    loose_text,
)

APPLICATION_ID = 0x46446578
"""Tells our files from other databases; `file` shows it."""

COLUMN_TYPES: Mapping[Kind, str] = {"whole": "INTEGER", "flag": "INTEGER", "key": "", "loose": "", "identifier": ""}
"""Without a type, a column leaves numbers and texts as they are; all others hold texts."""


def moment_text(moment: datetime) -> str:
    """A moment as SQLite's date functions read it: in UTC, with a `Z`; without it if the zone is unknown."""
    if moment.utcoffset() is None:
        return moment.isoformat()
    return f"{in_utc(moment).replace(tzinfo=None).isoformat()}Z"


def loose_value(value: Any) -> int | float | str:
    """A value whose type varies, as SQLite takes it: numbers and texts as they are, anything else as JSON."""
    if isinstance(value, int):
        return int64(value)
    return value if isinstance(value, float) else loose_text(value)


def list_text(numbers: Iterable[int]) -> str:
    """A list of numbers as JSON, which SQLite's own functions read."""
    return _json.dumps([*numbers])


def storable_id(number: int) -> int | str:
    """An id of a case or a tag: a number, or a text if it has more than 64 bits."""
    return number if -(2**63) <= number < 2**63 else str(number)


ENCODERS: Mapping[Kind, Any] = {
    "whole": int64,
    "key": storable_id,
    "text": clean_text,
    "moment": moment_text,
    "flag": int,
    "tags": list_text,
    "loose": loose_value,
    "identifier": loose_value,
}

CASES: Table = case_table(ENCODERS, exclude=["tags"])
ITEMS: Table = history_table(ENCODERS)
STATE_COLUMNS = ("tombstone", "history_error", "matches")
"""Columns of `cases` that say what became of a case in the export, not on the server."""


def _definitions(columns: tuple[Column, ...]) -> str:
    return ",\n  ".join(f'"{column.name}" {COLUMN_TYPES.get(column.kind, "TEXT")}'.rstrip() for column in columns)


def _tables(id_type: str) -> dict[str, str]:
    """The statements that make the tables, by their names; those that are referred to first.

    Args:
        id_type: The type of all columns that hold ids of cases and tags.
    """
    key = '"id" INTEGER PRIMARY KEY' if id_type == INTEGER else f'"id" {id_type} PRIMARY KEY NOT NULL'
    case_id = f"case_id {id_type} NOT NULL REFERENCES cases (id)"
    return {
        "cases": f"""CREATE TABLE cases (
  {_definitions(CASES.columns).replace('"id"', key)},
  extra TEXT,
  tombstone INTEGER NOT NULL DEFAULT 0,
  history_error TEXT,
  matches INTEGER NOT NULL DEFAULT 1
)""",
        "tags": f"""CREATE TABLE tags (
  {case_id},
  tag_id {id_type} NOT NULL,
  PRIMARY KEY (case_id, tag_id)
) WITHOUT ROWID""",
        "history": f"""CREATE TABLE history (
  {case_id},
  position INTEGER NOT NULL,
  {_definitions(ITEMS.columns)},
  extra TEXT,
  PRIMARY KEY (case_id, position)
) WITHOUT ROWID""",
        "fusedesk_changed": f"CREATE TABLE fusedesk_changed ({key})",
        "fusedesk_export": "CREATE TABLE fusedesk_export (checkpoint TEXT NOT NULL)",
    }


INDEXES: Mapping[str, str] = {
    "cases_by_status": "cases (status)",
    "cases_by_date_opened": "cases (date_opened)",
    "cases_by_date_updated": "cases (date_updated)",
    "cases_by_contact": "cases (contact_id)",
    "tags_by_tag": "tags (tag_id)",
}
INTEGER = "INTEGER"
LARGE = "BLOB"
"""A type of columns that leaves all values as they are. In those of numbers long ones, as texts, become inexact."""
TABLES_OF_ROWS = ("fusedesk_changed", "tags", "history", "cases")
"""Those that refer to others come first."""


def create(database: sqlite3.Connection) -> None:
    """Make all tables, in a transaction."""
    for statement in _tables(INTEGER).values():
        database.execute(statement)
    _create_indexes(database)
    database.execute("INSERT INTO fusedesk_export VALUES ('')")
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def complete(database: sqlite3.Connection) -> None:
    """Add the tables, columns and indexes that an older version did not make, in a transaction."""
    for table, statement in _tables(INTEGER).items():
        database.execute(statement.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1))
        there = {name.lower() for _, name, *_ in database.execute(f"PRAGMA table_info({table})")}
        for name, definition in _COLUMNS.get(table, {}).items():
            if name not in there:
                database.execute(f'ALTER TABLE {table} ADD COLUMN "{name}" {definition}')
    _create_indexes(database)


def has_large_ids(database: sqlite3.Connection) -> bool:
    """Whether the columns of ids take what is beyond 64 bits."""
    return any(name == "id" and kind == LARGE for _, name, kind, *_ in database.execute("PRAGMA table_info(cases)"))


def take_large_ids(database: sqlite3.Connection) -> None:
    """Make all tables anew with columns for ids beyond 64 bits, in a transaction.

    In `INTEGER PRIMARY KEY`, which other tools make use of, there is no room for them. Columns, indexes and triggers
    of others go along.
    """
    statements = _tables(LARGE)
    of_tables = [each[1:] for each in database.execute(INDEXES_AND_TRIGGERS) if each[0] not in INDEXES]
    for table in TABLES_OF_ROWS:
        names = ", ".join(_quoted(name) for _, name, *_ in database.execute(f"PRAGMA table_info({table})"))
        database.execute(statements[table].replace(f"CREATE TABLE {table} (", f"CREATE TABLE {table}_large (", 1))
        known = {name for _, name, *_ in database.execute(f"PRAGMA table_info({table}_large)")}
        for _, name, kind, _, default, _ in database.execute(f"PRAGMA table_info({table})").fetchall():
            if name not in known:
                definition = kind if default is None else f"{kind} DEFAULT ({default})"
                database.execute(f"ALTER TABLE {table}_large ADD COLUMN {_quoted(name)} {definition}")
        database.execute(f"INSERT INTO {table}_large ({names}) SELECT {names} FROM {table}")  # noqa: S608 - our names
    for table in TABLES_OF_ROWS:
        database.execute(f"DROP TABLE {table}")
    database.execute("PRAGMA legacy_alter_table=ON")  # or views of others would be in the way
    for table in reversed(TABLES_OF_ROWS):
        database.execute(f"ALTER TABLE {table}_large RENAME TO {table}")
    database.execute("PRAGMA legacy_alter_table=OFF")
    for table, statement in of_tables:
        if table in TABLES_OF_ROWS:
            database.execute(statement)
    _create_indexes(database)


def _quoted(name: str) -> str:
    """The name of a column, which may be any text, as SQL has it."""
    return '"{}"'.format(name.replace('"', '""'))


def _create_indexes(database: sqlite3.Connection) -> None:
    for name, columns in INDEXES.items():
        database.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {columns}")


def _columns_of(table: Table) -> dict[str, str]:
    return {column.name: COLUMN_TYPES.get(column.kind, "TEXT") for column in table.columns} | {"extra": "TEXT"}


_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "cases": _columns_of(CASES)
    | {
        "tombstone": "INTEGER NOT NULL DEFAULT 0",
        "history_error": "TEXT",
        "matches": "INTEGER NOT NULL DEFAULT 1",
    },
    "history": _columns_of(ITEMS),
}
"""Columns that may be missing in the file of an older version."""


def _insertion(table: str, names: tuple[str, ...]) -> str:
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"INSERT OR REPLACE INTO {table} ({quoted}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - our names


INSERT_CASE = (
    _insertion("cases", (*CASES.names, *STATE_COLUMNS)).replace("INSERT OR REPLACE", "INSERT")
    + ' ON CONFLICT ("id") DO UPDATE SET '
    + ", ".join(f'"{name}" = excluded."{name}"' for name in (*CASES.names[1:], *STATE_COLUMNS))
)
"""What replaces a row would take away those that refer to it, and leave indexes of others' triggers as they were."""
INSERT_ITEM = _insertion("history", ("case_id", "position", *ITEMS.names))
INSERT_TAG = _insertion("tags", ("case_id", "tag_id"))
INDEXES_AND_TRIGGERS = (
    "SELECT name, tbl_name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql NOT NULL"
)
MISSING_HISTORIES = "SELECT id FROM cases WHERE history_error IS NOT NULL ORDER BY id"
MARK_GONE = "UPDATE cases SET tombstone = 1, history_error = NULL WHERE id = ?"
STATE_OF_CASE = f"SELECT {', '.join(STATE_COLUMNS)} FROM cases WHERE id = ?"  # noqa: S608 - our names
SET_STATE = f"UPDATE cases SET {', '.join(f'{name} = ?' for name in STATE_COLUMNS)} WHERE id = ?"  # noqa: S608 - our names
