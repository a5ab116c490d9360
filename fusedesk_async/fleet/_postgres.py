"""A shared quota in a table of PostgreSQL, for processes on any number of machines."""

from contextlib import suppress
from typing import Any, LiteralString, TypeAlias

from fusedesk_async._ratelimit.quota_store import Change, T
from fusedesk_async._wire.api_key import MASK
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.fleet._connected import STORE_TIMEOUT, ConnectedStore

try:
    import psycopg
    from psycopg import conninfo as addresses
    from psycopg import errors, sql
except ImportError:
    message = 'PostgresQuota needs psycopg: pip install "fusedesk_async[postgres]"'
    raise ImportError(message) from None

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

MILLISECONDS = 1_000
FIND = "SELECT FROM {table} LIMIT 0"
BEGIN = (
    "BEGIN; SELECT set_config('synchronous_commit', 'off', true), set_config('lock_timeout', {wait}, true),"
    " set_config('statement_timeout', {wait}, true), set_config('idle_in_transaction_session_timeout', {wait}, true);"
)
LOCK = "SELECT state FROM {table} WHERE account = {account} FOR UPDATE;"
CLOCK = "SELECT extract(epoch FROM clock_timestamp())::float8"

ADD = "INSERT INTO {table} (account, state) VALUES ({account}, '') ON CONFLICT DO NOTHING"
WRITE = "UPDATE {table} SET state = {state} WHERE account = {account}; COMMIT"
CREATE = "CREATE TABLE IF NOT EXISTS {table} (account text PRIMARY KEY, state bytea NOT NULL) WITH (fillfactor = 50)"


class PostgresQuota(ConnectedStore):
    """A shared quota in PostgreSQL. A change locks the row of its account, in two round trips.

        limiter = RateLimiter(shared=PostgresQuota("postgresql://acme@db/work"))

    Needs `fusedesk_async[postgres]`. It works through poolers of connections, too.

    Args:
        conninfo: Where the database is, as libpq takes it: an address, or `host=db dbname=work`. What is missing comes
            from `PGPASSWORD`, `~/.pgpass` and the like.
        table: The name of the table, with its schema if it is not in the search path. It is made if it is not there.

    Raises:
        ConfigurationError: This cannot be right, or psycopg is not installed.
    """

    def __init__(self, conninfo: str, *, table: str = "fusedesk_quota") -> None:
        super().__init__()
        try:
            given: dict[str, Any] = dict(addresses.conninfo_to_dict(conninfo))
        except psycopg.Error:
            message = "conninfo is not the address of a PostgreSQL database, such as postgresql://user@host/name"
            raise ConfigurationError(message) from None
        wait = int(STORE_TIMEOUT)
        self._settings: dict[str, Any] = {"connect_timeout": wait, "tcp_user_timeout": wait * MILLISECONDS, **given}
        self._table = sql.Identifier(*table.split("."))
        self._name = f"{given.get('host', '')}/{given.get('dbname', '')}"

    def __repr__(self) -> str:
        return f"PostgresQuota({self._name!r})"

    @property
    def _errors(self) -> tuple[type[Exception], ...]:
        return (psycopg.Error,)

    def _failure(self, error: Exception) -> Exception:
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            return super()._failure(error)
        return ConfigurationError(self._clean(error))

    def _clean(self, error: Exception) -> str:
        password = str(self._settings.get("password") or "")
        return super()._clean(error).replace(password or "\0", MASK)

    def _connect(self) -> Connection:
        # statements are put together here, so that several go at once; none is prepared, which poolers do not like
        connection = psycopg.connect(
            **self._settings, autocommit=True, cursor_factory=psycopg.ClientCursor, prepare_threshold=None
        )
        try:
            self._make_table(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _make_table(self, connection: Connection) -> None:
        """Make the table if it is not there; to find it is enough where this user may not make one."""
        try:
            self._execute(connection, FIND)
        except errors.UndefinedTable:
            with suppress(errors.UniqueViolation):  # another process made it at the same moment
                self._execute(connection, CREATE)

    def _transact(self, connection: Connection, account: str, change: Change[T]) -> T:
        row, clock = self._read(connection, account)
        if row is None:
            self._execute(connection, "ROLLBACK")
            self._execute(connection, ADD, account=account)
            row, clock = self._read(connection, account)
        state, result = change(bytes(row[0]) or None, clock)
        self._execute(connection, WRITE, account=account, state=state)
        return result

    def _read(self, connection: Connection, account: str) -> tuple[Any, float]:
        """Begin a transaction, lock the row, and then look at the clock."""
        cursor = self._execute(
            connection, BEGIN + LOCK + CLOCK, account=account, wait=f"{int(STORE_TIMEOUT * MILLISECONDS)}ms"
        )
        cursor.nextset()
        cursor.nextset()
        row = cursor.fetchone()
        cursor.nextset()
        (clock,) = cursor.fetchone() or (0.0,)
        return row, clock

    def _execute(self, connection: Connection, statement: LiteralString, **values: Any) -> psycopg.Cursor[Any]:
        literals = {name: sql.Literal(value) for name, value in values.items()}
        return connection.execute(sql.SQL(statement).format(table=self._table, **literals))
