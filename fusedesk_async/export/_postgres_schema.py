"""The tables of a Postgres export, and how values are stored in them.

All values go to the server as texts, which it reads by the types of the columns: so each statement has one plan,
whatever is empty in a row.
"""

import json
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from fusedesk_async import _json
from fusedesk_async.export._columns import (
    Kind,
    Table,
    case_table,
    clean_text,
    history_table,
    in_utc,
    int64,
    loose_text,
)
from fusedesk_async.export._name_lists import KEYS, name_tables
from fusedesk_async.export._postgres_session import Connection
from fusedesk_async.export._views import Dialect, views

_TYPES: Mapping[Kind, str] = {
    "whole": "bigint",
    "key": "bigint",
    "text": "text",
    "moment": "timestamptz",
    "flag": "boolean",
    "tags": "bigint[]",
    "loose": "jsonb",
    "identifier": "text",
}


def _whole(number: int) -> str:
    return str(int64(number))


def _moment(moment: datetime) -> str:
    return in_utc(moment).isoformat()


def _flag(value: Any) -> str:
    return "true" if value else "false"


def array(numbers: Iterable[int]) -> str:
    """Whole numbers as Postgres reads an array."""
    return f"{{{','.join(map(str, numbers))}}}"


def _tags(numbers: Iterable[int]) -> str:
    return array(map(int64, numbers))


def _loose(value: Any) -> str:
    """A value whose type varies, as JSON.

    Raises:
        ValueError: `jsonb` does not hold it: a NUL, half a character, or a number without end.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError
    text = clean_text(_json.dumps(value))
    if "\\u0000" in text:
        raise ValueError
    return text


ENCODERS: Mapping[Kind, Any] = {
    "whole": _whole,
    "key": _whole,
    "text": clean_text,
    "moment": _moment,
    "flag": _flag,
    "tags": _tags,
    "loose": _loose,
    "identifier": loose_text,
}

CASES: Table = case_table({**ENCODERS, "key": str})
ITEMS: Table = history_table(ENCODERS)
NAME_TABLES = name_tables(ENCODERS)
STATE_COLUMNS = ("tombstone", "history_error", "matches", "history_until")
"""Columns of `cases` that say what became of a case in the export, not on the server.

`history_until` is set where a history has yet to be fetched: until then a process has claimed it; it is `NOT_CLAIMED`
where none has.
"""
NOT_CLAIMED = "epoch"
_STATE_TYPES = {
    "tombstone": "boolean NOT NULL DEFAULT false",
    "history_error": "text",
    "matches": "boolean NOT NULL DEFAULT true",
    "history_until": "timestamptz",
}
VIEWS = views(
    Dialect(
        position="strpos",
        seconds="EXTRACT(EPOCH FROM {until} - {since})::bigint",
        case_tags="SELECT id AS case_id, unnest(tags) AS tag_id FROM cases",
    )
)
TABLES_OF_ROWS = ("fusedesk_changed", "history", "cases")
"""Those that refer to others come first."""
INDEXES = (
    "cases (status)",
    "cases (date_opened)",
    "cases (date_updated)",
    "cases (contact_id)",
    "cases USING gin (tags)",
    "cases (id) WHERE history_until IS NOT NULL",
)


def json_text(text: str | None) -> str | None:
    """The column `extra`, as Postgres takes it for JSON; what it would not take is there as one text."""
    if text is None:
        return None
    try:
        json.loads(text, parse_int=str, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return _json.dumps(text)
    return text


def _refuse(constant: str) -> None:
    """Python takes `NaN`, which is no JSON."""
    raise ValueError(constant)


def storable(text: str) -> str:
    """A text of ours, as Postgres takes it."""
    return text.replace("\0", "").encode(errors="replace").decode()


def query(text: str) -> bytes:
    """A statement that is made of our own names only."""
    return text.encode()


def _columns_of(table: Table) -> dict[str, str]:
    return {column.name: _TYPES[column.kind] for column in table.columns} | {"extra": "json"}


COLUMNS: Mapping[str, Mapping[str, str]] = {
    "cases": _columns_of(CASES) | _STATE_TYPES,
    "history": {"case_id": "bigint", "position": "integer"} | _columns_of(ITEMS),
    **{name: _columns_of(table) for name, table in NAME_TABLES.items()},
    "fusedesk_changed": {"id": "bigint"},
    "fusedesk_export": {"checkpoint": "text NOT NULL", "is_reported": "boolean NOT NULL"},
}
"""All tables with their columns."""
_CONSTRAINTS: Mapping[str, str] = {
    "cases": 'PRIMARY KEY ("id")',
    "history": 'PRIMARY KEY (case_id, "position"), FOREIGN KEY (case_id) REFERENCES cases ("id")',
    "fusedesk_changed": 'PRIMARY KEY ("id")',
    **{name: f'UNIQUE ("{key}")' for name, key in KEYS.items()},
}


def create(connection: Connection, schema: str) -> None:
    """Make the schema and all in it, in a transaction of the caller."""
    connection.execute("SELECT set_config('search_path', quote_ident(%s), false)", (schema,))
    connection.execute(query(f"CREATE SCHEMA {_quoted(schema)}"))
    complete(connection)
    for columns in INDEXES:
        connection.execute(query(f"CREATE INDEX ON {columns}"))
    connection.execute("INSERT INTO fusedesk_export VALUES ('', true)")


def complete(connection: Connection) -> None:
    """Add the tables, columns and views that are not there, as an older version of this library did not make them."""
    there = _columns_there(connection)
    for table, columns in COLUMNS.items():
        if table not in there:
            connection.execute(query(_definition(table)))
            continue
        for name, kind in columns.items():
            if name not in there[table]:
                connection.execute(query(f'ALTER TABLE {table} ADD COLUMN "{name}" {kind}'))
    create_views(connection, {*VIEWS} - {*there})


def create_views(connection: Connection, names: Iterable[str]) -> None:
    """Make views."""
    for name in names:
        connection.execute(query(f"CREATE VIEW {name} AS {VIEWS[name]}"))


def take_large_ids(connection: Connection) -> None:
    """Change the columns of ids, so that they hold what is beyond 64 bits, in a transaction of the caller.

    For as long as there is no such id they are `bigint`, which other tools make most of.
    """
    kind = connection.execute("SELECT pg_typeof(max(id)) = 'numeric'::regtype FROM cases").fetchone()
    if kind and kind[0]:
        return
    for name in VIEWS:
        connection.execute(query(f"DROP VIEW IF EXISTS {name}"))
    for table, name in (("cases", "id"), ("history", "case_id"), ("fusedesk_changed", "id")):
        connection.execute(query(f'ALTER TABLE {table} ALTER "{name}" TYPE numeric'))
    create_views(connection, VIEWS)


def _definition(table: str) -> str:
    columns = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS[table].items())
    constraint = f", {_CONSTRAINTS[table]}" if table in _CONSTRAINTS else ""
    return f"CREATE TABLE {table} ({columns}{constraint})"


def _columns_there(connection: Connection) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table, column in connection.execute(_COLUMNS_THERE):
        found.setdefault(table, set()).add(column)
    return found


_COLUMNS_THERE = """SELECT relname, attname
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = current_schema() AND relkind IN ('r', 'p', 'v', 'm') AND attnum > 0"""


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


def _insertion(table: str, names: Iterable[str]) -> str:
    names = [*names]
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"INSERT INTO {table} ({quoted}) VALUES ({', '.join(['%s'] * len(names))})"  # noqa: S608 - our names


def _upsert(table: str, names: Iterable[str], key: Iterable[str], kept: Iterable[str] = ()) -> bytes:
    """An insertion that replaces what has the same key if anything in it differs, but for the columns that are kept."""
    names, key = [*names], [*key]
    changed = [name for name in names if name not in {*key, *kept}]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in changed)
    old, new = (", ".join(_comparable(source, name) for name in changed) for source in (table, "excluded"))
    keys = ", ".join(f'"{name}"' for name in key)
    replacement = f"DO UPDATE SET {changes} WHERE ({old}) IS DISTINCT FROM ({new})"
    return query(f"{_insertion(table, names)} ON CONFLICT ({keys}) {replacement}")


def _comparable(source: str, name: str) -> str:
    """A column as it can be compared, which `json` cannot."""
    return f'{source}."{name}"{"::text" if name == "extra" else ""}'


_CASE_COLUMNS = (*CASES.names, *STATE_COLUMNS)
UPSERT_CASE = _upsert("cases", _CASE_COLUMNS, ["id"])
UPSERT_CASE_STILL_MATCHING = _upsert("cases", _CASE_COLUMNS, ["id"], kept=["matches"])
UPSERT_CASE_IN_SAME_STATE = _upsert("cases", _CASE_COLUMNS, ["id"], kept=STATE_COLUMNS)
CUT_HISTORY = query('DELETE FROM history WHERE case_id = %s AND "position" >= %s')
UPSERT_ITEM = _upsert("history", ("case_id", "position", *ITEMS.names), ["case_id", "position"])
INSERT_NAMES = {name: query(_insertion(name, table.names)) for name, table in NAME_TABLES.items()}
