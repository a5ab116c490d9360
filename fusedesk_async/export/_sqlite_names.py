"""The lists of names and the views in a SQLite export: added to files of older versions, but never over what is there.

Whoever has a table or a view of such a name in the file, from a time when this library made none, keeps it.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from fusedesk_async.export._name_lists import KEYS, by_key, name_tables
from fusedesk_async.export._sqlite_schema import COLUMN_TYPES, ENCODERS
from fusedesk_async.export._views import Dialect, views
from fusedesk_async.models import Record

MARK = "/* made by fusedesk_async */"
"""What tells our tables and views from others of the same name: SQLite keeps the text of a definition."""

NAME_TABLES = name_tables(ENCODERS)
VIEWS = views(
    Dialect(
        position="instr",
        seconds="CAST(round((julianday({until}) - julianday({since})) * 86400) AS INTEGER)",
        case_tags="SELECT case_id, tag_id FROM tags",
    )
)


def create(database: sqlite3.Connection) -> None:
    """Make the tables and views that are not there, in a transaction; views anew, as another version may differ."""
    for name, table in NAME_TABLES.items():
        if not _is_there(database, name):
            columns = {column.name: COLUMN_TYPES.get(column.kind, "TEXT") for column in table.columns}
            columns[KEYS[name]] = "PRIMARY KEY NOT NULL"  # without a type, which leaves all ids as they are
            database.execute(f"CREATE TABLE {name} {MARK} ({_definitions(columns)}, extra TEXT)")
        elif _is_ours(database, name):
            _add_columns(database, name)
    for name in VIEWS:
        if _is_ours(database, name):
            database.execute(f"DROP VIEW {name}")
        if not _is_there(database, name) and all(_is_ours(database, each) for each in NAME_TABLES):
            database.execute(f"CREATE VIEW {name} AS {MARK}\n{VIEWS[name]}")


def write_names(database: sqlite3.Connection, records: Mapping[str, Sequence[Record]]) -> tuple[str, ...]:
    """Replace the lists that are given, in a transaction; those that could not be put in, with the reason."""
    for name, named in records.items():
        if _is_ours(database, name):
            table = NAME_TABLES[name]
            database.execute(f"DELETE FROM {name}")  # noqa: S608 - our names
            columns = ", ".join(f'"{column}"' for column in table.names)
            cells = ", ".join("?" * len(table.names))
            statement = f"INSERT INTO {name} ({columns}) VALUES ({cells})"  # noqa: S608 - our names
            database.executemany(statement, map(table.cells, by_key(name, named)))
    return tuple(f"{name}: another table has this name" for name in records if not _is_ours(database, name))


def _definitions(columns: Mapping[str, str]) -> str:
    return ", ".join(f'"{name}" {kind}'.rstrip() for name, kind in columns.items())


def _add_columns(database: sqlite3.Connection, name: str) -> None:
    there = {column.lower() for _, column, *_ in database.execute(f"PRAGMA table_info({name})")}
    for column in NAME_TABLES[name].columns:
        if column.name not in there:
            kind = COLUMN_TYPES.get(column.kind, "TEXT")
            database.execute(f'ALTER TABLE {name} ADD COLUMN "{column.name}" {kind}')


def _is_there(database: sqlite3.Connection, name: str) -> bool:
    return bool([*_definitions_of(database, name)])


def _is_ours(database: sqlite3.Connection, name: str) -> bool:
    return any(MARK in text for text in _definitions_of(database, name))


def _definitions_of(database: sqlite3.Connection, name: str) -> Iterable[str]:
    query = "SELECT COALESCE(sql, '') FROM sqlite_master WHERE lower(name) = ?"
    return [text for (text,) in database.execute(query, (name,))]
