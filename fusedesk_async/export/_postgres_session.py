"""A session of Postgres that holds the lock of an export, and comes back once if its connection is lost."""

import os
import platform
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from threading import Event
from typing import Any, TypeAlias, TypeVar

import psycopg
from psycopg import conninfo, errors
from psycopg.rows import TupleRow

from fusedesk_async._text import one_line
from fusedesk_async.errors import ExportError
from fusedesk_async.export._postgres_url import PostgresUrl

T = TypeVar("T")
Connection: TypeAlias = psycopg.Connection[TupleRow]

ATTEMPTS = 50
"""Attempts to get what another session has, or a server that starts again: ten seconds in all."""
PAUSE = 0.2
"""Seconds between two of them."""
LOCK_ATTEMPTS = 10
"""Attempts to lock an export: the server may not have noticed yet that a process was killed."""
LOCK_CLASS = 0x46446578
"""The first number of the advisory locks of exports; the second is made of the schema's name."""
_NAME = "fusedesk_async: "
_DEFAULTS = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""A server that is gone without a word is noticed within a minute."""


class PostgresSession:
    """Carries out work in a database, one piece at a time.

    Args:
        url: The database, and the schema of the export.
        interrupted: Says that nothing is to be waited for any more.
    """

    def __init__(self, url: PostgresUrl, interrupted: Event) -> None:
        self._url = url
        self._interrupted = interrupted
        self._schema = url.schema
        self._backend = 0
        self._connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        """The connection.

        Raises:
            psycopg.OperationalError: It was lost, and could not be made anew.
        """
        if self._connection is None:
            message = "the connection is lost"
            raise psycopg.OperationalError(message)
        return self._connection

    @contextmanager
    def opened(self) -> Generator[None, None, None]:
        """Open it while the block lasts, unless it is open already.

        Raises:
            ExportError: The database cannot be reached, or does not store texts in UTF-8.
        """
        if self._connection:
            yield
            return
        try:
            self.open()
            yield
        finally:
            self.close()

    def open(self) -> None:
        """Connect.

        Raises:
            ExportError: As `opened`.
        """
        self._connection = _connected(self._url)
        self._backend = self._connection.info.backend_pid
        with self.as_export_error():
            encoding = self._connection.info.parameter_status("server_encoding")
            if encoding != "UTF8":
                message = f"{self._url} stores texts in {encoding}; make a database with the encoding UTF8"
                raise ExportError(message, None, "output")
            self._connection.execute("SET lock_timeout = '10s'")

    def close(self) -> None:
        """Unlock it and disconnect. To disconnect would be enough, but the server notices that a little later."""
        if self._connection:
            with suppress(psycopg.Error):
                self._connection.execute("SELECT pg_advisory_unlock_all()")
            self._connection.close()
        self._connection = None

    def lock(self) -> None:
        """Lock the export against other processes until the session ends.

        Raises:
            ExportError: Another process has it; the message says which, as far as it can be seen.
        """
        with self.as_export_error():
            remaining = LOCK_ATTEMPTS
            while not self._try_lock():
                remaining -= 1
                if not remaining or self._interrupted.wait(PAUSE):
                    message = f"{self._url} is in use by {self._holder()}"
                    raise ExportError(message, None, "locked")

    def is_locked(self) -> bool:
        """Whether a session, this one or another, has locked the export."""
        return bool(_value(self.connection, _IS_LOCKED, (LOCK_CLASS, self._url.schema)))

    def use(self, schema: str) -> None:
        """Let the names of tables mean those of a schema."""
        self._schema = schema
        with self.as_export_error():
            _use(self.connection, schema)

    def carry_out(self, work: Callable[[], T], again: Callable[[], T] | None = None) -> T:
        """The result of work under the lock; if the connection was lost, it is made anew and the work is done again.

        Args:
            work: The work.
            again: What is done then, since the first attempt may have been committed; by default the same.

        Raises:
            ExportError: It failed, or the connection was lost again.
        """
        try:
            with self._unless_lost():
                return work()
        except psycopg.OperationalError:
            pass
        self._reconnect()
        with self.as_export_error():
            return (again or work)()

    def when_free(self, attempt: Callable[[], T]) -> T:
        """What an attempt gives, which is made again while other sessions are in its way."""
        remaining = ATTEMPTS
        while True:
            remaining -= 1
            try:
                return attempt()
            except errors.LockNotAvailable:
                if not remaining or self._interrupted.wait(PAUSE):
                    raise

    @contextmanager
    def as_export_error(self) -> Generator[None, None, None]:
        """Turn an error of the database into an `ExportError` that names the export."""
        try:
            yield
        except errors.LockNotAvailable as error:
            message = f"another program reads or writes {self._url}; close it there and run the export again"
            raise ExportError(message, None, "locked") from error
        except psycopg.Error as error:
            message = f"cannot write {self._url}: {_reason(self._url, error)}"
            raise ExportError(message, None, "output") from error

    @contextmanager
    def _unless_lost(self) -> Generator[None, None, None]:
        """The same, but let the error pass if the connection was lost."""
        with self.as_export_error():
            try:
                yield
            except psycopg.OperationalError as error:
                if self._connection and not self._connection.closed:
                    raise
                lost = error
            else:
                return
        raise lost

    def _reconnect(self) -> None:
        """Connect again, as soon as the server takes connections, and get back the lock that went with the old one."""
        self.close()
        old, remaining = self._backend, ATTEMPTS
        while not self._connection:
            remaining -= 1
            try:
                self.open()
            except ExportError:
                self.close()
                if not remaining or self._interrupted.wait(PAUSE):
                    raise
        try:
            self._resume(old)
        except ExportError:
            self.close()  # without the lock nothing is to be written
            raise

    def _resume(self, old: int) -> None:
        """Lock it again; the server may not have noticed yet that our old session has ended."""
        with self.as_export_error():
            _use(self.connection, self._schema)
        with suppress(psycopg.Error):
            self.connection.execute(_END_SESSION, (old, _application_name()))
        self.lock()

    def _try_lock(self) -> bool:
        return bool(_value(self.connection, _TRY_LOCK, (LOCK_CLASS, self._url.schema)))

    def _holder(self) -> str:
        name = _value(self.connection, _HOLDER, (LOCK_CLASS, self._url.schema))
        return one_line(str(name or "")).removeprefix(_NAME) or "another process"


_TRY_LOCK = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
_LOCK = """FROM pg_locks LEFT JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND objsubid = 2
  AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND classid = %s::bigint::oid AND objid::bigint = hashtext(%s)::bigint & 4294967295"""
_HOLDER = f"SELECT application_name {_LOCK}"
_IS_LOCKED = f"SELECT EXISTS (SELECT {_LOCK})"
_END_SESSION = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid = %s AND application_name = %s AND usename = current_user"""


def _application_name() -> str:
    """What other sessions see of this one: the process, so that who finds the export locked knows by whom."""
    name = f"{_NAME}process {os.getpid()} on {platform.node()}"
    return name.encode("ascii", "replace").decode()[:63]


def _value(connection: Connection, query: Any, parameters: Any = ()) -> Any:
    """The first value of the first row; None if there is none."""
    row = connection.execute(query, parameters).fetchone()
    return row[0] if row else None


def _use(connection: Connection, schema: str) -> None:
    connection.execute("SELECT set_config('search_path', quote_ident(%s), false)", (schema,))


def _connected(url: PostgresUrl) -> Connection:
    """A new connection. No error of it is kept: its frames have the password."""
    try:
        return psycopg.connect("", **_settings(url))
    except psycopg.OperationalError as error:
        reason = _reason(url, error)
    except psycopg.Error:
        reason = "its address has parameters that libpq does not know"
    message = f"cannot open {url}: {reason}"
    raise ExportError(message, None, "output")


def _settings(url: PostgresUrl) -> dict[str, Any]:
    given = {name: value for name, value in conninfo.conninfo_to_dict(url.reveal()).items() if value is not None}
    session = {"application_name": _application_name(), "client_encoding": "utf8", "autocommit": True}
    return {**_DEFAULTS, **given, **session}


def _reason(url: PostgresUrl, error: psycopg.Error) -> str:
    """What the server or libpq said, in one line."""
    diagnostic = error.diag
    said = diagnostic.message_primary or str(error) or type(error).__name__
    detail = f" ({diagnostic.message_detail})" if diagnostic.message_detail else ""
    return url.redact(one_line(f"{said}{detail}"))
