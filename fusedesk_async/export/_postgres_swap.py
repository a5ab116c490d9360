"""Schemas of exports as a whole: whether they are there and ours, how they go, and how one takes its name."""

from contextlib import suppress

from psycopg import errors, sql

from fusedesk_async._text import one_line
from fusedesk_async.errors import ExportError
from fusedesk_async.export import _postgres_schema as schema
from fusedesk_async.export._postgres_session import Connection
from fusedesk_async.export._postgres_url import PostgresUrl


def is_there(connection: Connection, name: str) -> bool:
    """Whether there is a schema of this name.

    Raises:
        ExportError: There is one that no export has made.
    """
    row = connection.execute(_IS_OURS, (name,)).fetchone()
    if row and not row[0]:
        message = f"the schema {name!r} is not a case export; give another name"
        raise ExportError(message, None, "checkpoint")
    return row is not None


def check_may_create(connection: Connection, url: PostgresUrl) -> None:
    """Check that schemas may be made, before anything is asked of FuseDesk.

    Raises:
        ExportError: They may not.
    """
    row = connection.execute(_MAY_CREATE).fetchone()
    if row and not row[0]:
        message = f"cannot write {url}: its user may make no schemas there; GRANT CREATE ON DATABASE allows it"
        raise ExportError(message, None, "output")


def check_may_replace(connection: Connection, url: PostgresUrl) -> None:
    """Check that the schema of an export can go, as far as it is there and no reader is in the way.

    Raises:
        ExportError: Others have built on it.
        psycopg.Error: It may not be dropped, as it is somebody else's.
    """
    if not is_there(connection, url.schema):
        return
    with connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL lock_timeout = '200ms'")
        with suppress(errors.LockNotAvailable):
            drop_replaced(connection, url)


def drop_replaced(connection: Connection, url: PostgresUrl) -> None:
    """Remove the schema of an export, in a transaction of the caller, unless others have built on it.

    Raises:
        ExportError: They have.
    """
    try:
        _check_additions(connection, url.schema)
        drop(connection, url.schema)
    except errors.DependentObjectsStillExist as error:
        detail = one_line(error.diag.message_detail or "")
        message = f"others depend on {url}, so it is not replaced: {detail}; update it, or drop them"
        raise ExportError(message, None, "output") from error


def _check_additions(connection: Connection, name: str) -> None:
    """Check that nobody has added to our tables what would go with them and not come back."""
    found = [
        f"{kind} {part} of {table}"
        for table, kind, part in connection.execute(_ADDITIONS, (name,))
        if kind != "column" or part not in schema.COLUMNS.get(table, (part,))
    ]
    if found:
        message = (
            f"the schema {name!r} is not replaced, since others have added {', '.join(found)}; update it, or drop them"
        )
        raise ExportError(message, None, "output")


def has_cases(connection: Connection, name: str) -> bool:
    """Whether there is any case in a schema of ours."""
    query = sql.SQL("SELECT 1 FROM {}.cases LIMIT 1").format(sql.Identifier(name))
    return connection.execute(query).fetchone() is not None


def size_of(connection: Connection, name: str) -> int:
    """The bytes that a schema takes on the server's disk, indexes included."""
    row = connection.execute(_SIZE, (name,)).fetchone()
    return int(row[0]) if row else 0


def drop(connection: Connection, name: str) -> None:
    """Remove a schema of ours if it is there, and nothing of others: what depends on it, or is in it, stops that.

    Raises:
        ExportError: There is a schema of this name that no export has made.
        psycopg.errors.DependentObjectsStillExist: Something of others depends on it.
    """
    if not is_there(connection, name):
        return
    there = {each for (each,) in connection.execute(_RELATIONS, (name,))}
    for statement, names in ((sql.SQL("DROP VIEW {}"), schema.VIEWS), (sql.SQL("DROP TABLE {}"), schema.COLUMNS)):
        ours = [sql.Identifier(name, each) for each in names if each in there]
        if ours:
            connection.execute(statement.format(sql.SQL(", ").join(ours)))
    connection.execute(sql.SQL("DROP SCHEMA {}").format(sql.Identifier(name)))


def take_name(connection: Connection, url: PostgresUrl) -> None:
    """Replace the schema of an export by its part, in a transaction of the caller. Who could read it still can.

    Raises:
        psycopg.errors.LockNotAvailable: A reader has it.
        ExportError: Others have built on what would be replaced.
    """
    connection.execute("SET LOCAL lock_timeout = '200ms'")
    grants = [each for (each,) in connection.execute(_GRANTS, {"old": url.schema, "new": url.part})]
    drop_replaced(connection, url)
    for grant in grants:
        connection.execute(schema.query(grant))
    connection.execute("UPDATE fusedesk_export SET is_reported = false")
    old, new = sql.Identifier(url.part), sql.Identifier(url.schema)
    connection.execute(sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(old, new))


_IS_OURS = """SELECT EXISTS (
  SELECT FROM pg_class WHERE relnamespace = pg_namespace.oid AND relname = 'fusedesk_export' AND relkind = 'r'
) FROM pg_namespace WHERE nspname = %s"""
_MAY_CREATE = """SELECT has_database_privilege(current_database(), 'CREATE')
  AND current_setting('transaction_read_only') = 'off'"""
_RELATIONS = """SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = %s AND relkind IN ('r', 'v')"""
_SIZE = """SELECT COALESCE(sum(pg_total_relation_size(pg_class.oid)), 0)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = %s AND relkind = 'r'"""
_ADDITIONS = """WITH ours AS (
  SELECT pg_class.* FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE nspname = %s AND relkind = 'r'
)
SELECT relname, 'column', attname FROM pg_attribute JOIN ours ON attrelid = ours.oid
WHERE attnum > 0 AND NOT attisdropped
UNION ALL SELECT relname, 'trigger', tgname FROM pg_trigger JOIN ours ON tgrelid = ours.oid WHERE NOT tgisinternal
UNION ALL SELECT relname, 'policy', polname FROM pg_policy JOIN ours ON polrelid = ours.oid
UNION ALL SELECT relname, 'the setting', 'ROW LEVEL SECURITY' FROM ours WHERE relrowsecurity"""
_GRANTS = """WITH granted AS (
  SELECT format('SCHEMA %%I', %(new)s::text) AS target, '' AS columns, nspowner AS owner, acl.*
  FROM pg_namespace, aclexplode(nspacl) AS acl WHERE nspname = %(old)s
  UNION ALL
  SELECT format('%%I.%%I', %(new)s::text, relname), columns, relowner, acl.*
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace,
  LATERAL (
    SELECT '', relacl UNION ALL
    SELECT format(' (%%I)', attname), attacl FROM pg_attribute WHERE attrelid = pg_class.oid AND NOT attisdropped
  ) AS part (columns, privileges),
  aclexplode(privileges) AS acl
  WHERE nspname = %(old)s AND relkind IN ('r', 'v') AND EXISTS (
    SELECT FROM pg_class AS same JOIN pg_namespace AS part ON part.oid = same.relnamespace
    WHERE part.nspname = %(new)s AND same.relname = pg_class.relname
  )
)
SELECT format(
  'GRANT %%s%%s ON %%s TO %%s%%s', privilege_type, columns, target,
  CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
  CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
) FROM granted WHERE grantee <> owner"""
"""What was granted to others on the old schema and on what has the same name in the new one, columns included."""
