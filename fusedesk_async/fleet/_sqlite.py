"""A shared quota in a file of SQLite, for the processes of one machine."""

import os
import sqlite3
from typing import Any

from fusedesk_async._checks import checked_path
from fusedesk_async._clock import SystemClock
from fusedesk_async._ratelimit.quota_store import Change, T
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.fleet._connected import STORE_TIMEOUT, ConnectedStore

CREATE = "CREATE TABLE IF NOT EXISTS fusedesk_quota (account TEXT PRIMARY KEY, state BLOB NOT NULL)"
READ = "SELECT state FROM fusedesk_quota WHERE account = ?"
WRITE = "INSERT OR REPLACE INTO fusedesk_quota VALUES (?, ?)"


class SQLiteQuota(ConnectedStore):
    """A shared quota in a file, for the processes of one machine. Nothing has to be installed or to run.

        limiter = RateLimiter(shared=SQLiteQuota("/var/lib/acme/fusedesk.quota"))

    The file must be on a disk of this machine, as SQLite's write-ahead log does not work on network drives.

    Args:
        path: The file. It is made if it is not there, in a folder that must be.

    Raises:
        ConfigurationError: This is no path of a file, or there is no such folder.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__()
        self._path = checked_path(path, "path").absolute()
        if not self._path.parent.is_dir():
            message = f"there is no folder {self._path.parent} for the shared quota"
            raise ConfigurationError(message)

    def __repr__(self) -> str:
        return f"SQLiteQuota({str(self._path)!r})"

    @property
    def _errors(self) -> tuple[type[Exception], ...]:
        return (sqlite3.Error,)

    def _failure(self, error: Exception) -> Exception:
        if isinstance(error, sqlite3.OperationalError):
            return super()._failure(error)
        return ConfigurationError(self._clean(error))

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=STORE_TIMEOUT, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")  # a power failure may take back the last changes
            connection.execute(CREATE)
        except BaseException:
            connection.close()
            raise
        return connection

    def _transact(self, connection: Any, account: str, change: Change[T]) -> T:
        connection.execute("BEGIN IMMEDIATE")
        row = connection.execute(READ, (account,)).fetchone()
        state, result = change(row and row[0], SystemClock().time())
        connection.execute(WRITE, (account, state))
        connection.execute("COMMIT")
        return result
