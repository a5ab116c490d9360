"""The tables of a SQLite export, and how values are stored in them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

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

_TYPES: Mapping[Kind, str] = {"whole": "INTEGER", "flag": "INTEGER", "loose": "", "identifier": ""}
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


ENCODERS: Mapping[Kind, Any] = {
    "whole": int64,
    "text": clean_text,
    "moment": moment_text,
    "flag": int,
    "loose": loose_value,
    "identifier": loose_value,
}

CASES: Table = case_table(ENCODERS, exclude=["tags"])
ITEMS: Table = history_table(ENCODERS)
STATE_COLUMNS = ("tombstone", "history_error", "matches")
"""Columns of `cases` that say what became of a case in the export, not on the server."""


def _definitions(columns: tuple[Column, ...]) -> str:
    return ",\n  ".join(f'"{column.name}" {_TYPES.get(column.kind, "TEXT")}'.rstrip() for column in columns)


SCHEMA = f"""
CREATE TABLE cases (
  {_definitions(CASES.columns).replace('"id" INTEGER', '"id" INTEGER PRIMARY KEY')},
  extra TEXT,
  tombstone INTEGER NOT NULL DEFAULT 0,
  history_error TEXT,
  matches INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE tags (case_id INTEGER NOT NULL, tag_id INTEGER NOT NULL, PRIMARY KEY (case_id, tag_id)) WITHOUT ROWID;
CREATE TABLE history (
  case_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  {_definitions(ITEMS.columns)},
  extra TEXT,
  PRIMARY KEY (case_id, position)
) WITHOUT ROWID;
CREATE TABLE fusedesk_export (checkpoint TEXT NOT NULL);
CREATE TABLE fusedesk_changed (id INTEGER PRIMARY KEY);
CREATE INDEX cases_by_status ON cases (status);
CREATE INDEX cases_by_date_opened ON cases (date_opened);
CREATE INDEX cases_by_date_updated ON cases (date_updated);
CREATE INDEX cases_by_contact ON cases (contact_id);
CREATE INDEX tags_by_tag ON tags (tag_id);
PRAGMA application_id = {APPLICATION_ID};
"""


def _insertion(table: str, names: tuple[str, ...]) -> str:
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"INSERT OR REPLACE INTO {table} ({quoted}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - our names


INSERT_CASE = _insertion("cases", (*CASES.names, *STATE_COLUMNS))
INSERT_ITEM = _insertion("history", ("case_id", "position", *ITEMS.names))
INSERT_TAG = _insertion("tags", ("case_id", "tag_id"))
TABLES_OF_ROWS = ("cases", "tags", "history", "fusedesk_changed")
MISSING_HISTORIES = "SELECT id FROM cases WHERE history_error IS NOT NULL ORDER BY id"
MARK_GONE = "UPDATE cases SET tombstone = 1, history_error = NULL WHERE id = ?"
STATE_OF_CASE = f"SELECT {', '.join(STATE_COLUMNS)} FROM cases WHERE id = ?"  # noqa: S608 - our names
SET_STATE = f"UPDATE cases SET {', '.join(f'{name} = ?' for name in STATE_COLUMNS)} WHERE id = ?"  # noqa: S608 - our names
