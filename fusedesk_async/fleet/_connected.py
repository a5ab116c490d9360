"""What stores have in common: one connection, opened when it is first needed, for one thread at a time."""

import os
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any

from fusedesk_async._ratelimit.quota_store import Change, StoreUnreachable, T
from fusedesk_async._text import one_line

STORE_TIMEOUT = 3.0
"""Seconds that a store waits for a connection, a lock or an answer; less than the limiter waits for the store."""


class ConnectedStore(ABC):
    """A `QuotaStore` with a connection. Several limiters may share it, and processes may be forked while it is open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: Any = None
        self._opened_by = 0
        self._inherited: list[Any] = []

    def change(self, account: str, change: Change[T]) -> T:
        """Change the state of an account; see `QuotaStore.change`.

        Raises:
            StoreUnreachable: The store does not answer.
            ConfigurationError: What is there is no store.
        """
        with self._lock:
            try:
                return self._transact(self._open(), account, change)
            except self._errors as error:
                failure = self._failure(error)
            except BaseException:
                self._discard()  # which leaves the state as it was
                raise
            self._discard()
        raise failure  # without what the driver raised, which may name a password

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._discard()

    def _open(self) -> Any:
        """The connection. A forked process leaves that of its parent alone, and opens its own."""
        if self._connection is not None and self._opened_by != os.getpid():
            self._inherited.append(self._connection)  # to end it here would end it there
            self._connection = None
        if self._connection is None:
            self._connection, self._opened_by = self._connect(), os.getpid()
        return self._connection

    def _discard(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and self._opened_by == os.getpid():
            with suppress(*self._errors):
                connection.close()

    def _failure(self, error: Exception) -> Exception:
        """What an error of the driver means."""
        return StoreUnreachable(self._clean(error))

    def _clean(self, error: Exception) -> str:
        """The text of an error on one line, with the name of the store."""
        return f"{self!r}: {one_line(str(error))}"

    @property
    @abstractmethod
    def _errors(self) -> tuple[type[Exception], ...]:
        """What the driver raises."""

    @abstractmethod
    def _connect(self) -> Any:
        """Open a connection."""

    @abstractmethod
    def _transact(self, connection: Any, account: str, change: Change[T]) -> T:
        """Change the state in one transaction."""
