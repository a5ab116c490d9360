"""The histories of an export in Postgres, which several processes fetch at the same time.

Each piece of work is one transaction that locks the record of the export first, and only then rows: so it comes as a
whole before or after what the process that walks through the list commits, and no two of them wait for each other.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from threading import Event
from typing import Any, TypeVar

import attrs
import psycopg
from psycopg import errors, sql

from fusedesk_async.errors import ExportError
from fusedesk_async.export import _postgres_schema as schema
from fusedesk_async.export._checkpoint import Checkpoint
from fusedesk_async.export._postgres_rows import write_fetched
from fusedesk_async.export._postgres_session import PostgresSession
from fusedesk_async.export._postgres_swap import is_there, size_of
from fusedesk_async.export._postgres_url import PostgresUrl
from fusedesk_async.export._row import Row

T = TypeVar("T")

CLAIM_SECONDS = 60.0
"""How long a claim lasts by the clock of the database, unless it is renewed."""
_INT64_END = 2**63


@attrs.frozen
class Progress:
    """How far an export is.

    Attributes:
        is_held: Whether a process has locked it, so that it walks through the list.
        checkpoint: The checkpoint of that process; None if there is no export yet.
        is_part: Whether the schema has yet to take its name.
    """

    is_held: bool
    checkpoint: Checkpoint | None = None
    is_part: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether it is there and has come to its end."""
        return self.checkpoint is not None and not self.is_under_way

    @property
    def is_under_way(self) -> bool:
        """Whether it is there and has not come to its end."""
        return self.checkpoint is not None and (self.is_part or self.checkpoint.phase != "complete")


class _SharedSession(PostgresSession):
    """A session beside the one that holds the lock of the export."""

    def lock(self) -> None:
        """Lock nothing."""


class HistoryTable:
    """Claims histories that are due, and writes those that were fetched. Its methods block, one at a time.

    Args:
        url: The database, and the name of the export: its part if it is being filled, or else what has the name.
        update: Whether the export is being updated under its own name; then a part does not count.
    """

    def __init__(self, url: PostgresUrl, *, update: bool = False) -> None:
        self._url = url
        self._schemas = (url.schema, url.part) if update else (url.part, url.schema)
        self._interrupted = Event()
        self._session = _SharedSession(url, self._interrupted)
        self._claimed: Sequence[int] = ()
        self._until = schema.NOT_CLAIMED

    def open(self) -> None:
        """Connect."""
        self._session.open()

    def close(self) -> None:
        """Give back what is claimed, and disconnect."""
        with suppress(psycopg.Error, ExportError):  # then the claims expire
            self.release()
        self._session.close()

    def interrupt(self) -> None:
        """Wait for the database no longer."""
        self._interrupted.set()

    def progress(self) -> Progress:
        """How far the export is."""

        def work() -> Progress:
            name, is_held = self._use_export(), self._session.is_locked()
            if not name:
                return Progress(is_held)
            ((text,),) = self._session.connection.execute("SELECT checkpoint FROM fusedesk_export")
            return Progress(is_held, Checkpoint.decode(text.encode(), self._url), name == self._url.part)

        return self._in_transaction(work)

    def due(self) -> int:
        """How many histories are due, claimed ones among them."""
        return self._count("history_until IS NOT NULL")

    def gone(self) -> int:
        """How many cases were gone when their histories were asked for."""
        return self._count("tombstone")

    def _count(self, condition: str) -> int:
        def work() -> int:
            if not self._use_export():
                return 0
            ((count,),) = self._session.connection.execute(schema.query(_COUNT.format(condition)))
            return int(count)

        return self._in_transaction(work)

    def size(self) -> int:
        """The bytes that the export takes on the server's disk."""
        return self._in_transaction(lambda: size_of(self._session.connection, self._use_export()))

    def claim(self, most: int) -> list[int]:
        """Claim some of the histories that are due and nobody else is at; the ids of their cases."""

        def work() -> list[tuple[Any, ...]]:
            if not self._use_export():
                return []
            return self._session.connection.execute(_CLAIM, (CLAIM_SECONDS, most)).fetchall()

        return self._keep(self._in_transaction(work))

    def renew(self) -> None:
        """Let the claims last longer; those that had expired and were taken by others are dropped."""

        def work() -> list[tuple[Any, ...]]:
            self._require_export()
            given = (CLAIM_SECONDS, schema.array(self._claimed), self._until)
            return self._session.connection.execute(_RENEW, given).fetchall()

        if self._claimed:
            self._keep(self._in_transaction(work))

    def release(self) -> None:
        """Give back what is claimed."""

        def work() -> None:
            self._require_export()
            self._session.connection.execute(_RELEASE, (schema.array(self._claimed), self._until))

        if self._claimed:
            self._in_transaction(work)
            self._claimed = ()

    def write_claimed(self, rows: Sequence[Row]) -> set[int]:
        """Write what was claimed and fetched, and clear the claims; the ids of what was still ours to write."""

        def work() -> set[int]:
            self._require_export()
            given = (schema.array(self._claimed), self._until)
            ours = {int(each) for (each,) in self._session.connection.execute(_STILL_OURS, given)}
            write_fetched(self._session.connection, [row for row in rows if row.case.id in ours])
            return ours & {row.case.id for row in rows}

        written = self._in_transaction(work)
        self._claimed = [each for each in self._claimed if each not in written]
        return written

    def write(self, rows: Sequence[Row]) -> set[int]:
        """Write what was fetched, whoever has claimed it; the ids of what is in the export."""

        def work() -> set[int]:
            there = self._found("SELECT id FROM cases WHERE {} ORDER BY id FOR UPDATE", [row.case.id for row in rows])
            write_fetched(self._session.connection, [row for row in rows if row.case.id in there])
            return there

        return self._in_transaction(work)

    def known(self, ids: Iterable[int]) -> set[int]:
        """Those of the ids that are in the export.

        Raises:
            ExportError: There is no export.
        """
        return self._in_transaction(lambda: self._found("SELECT id FROM cases WHERE {}", ids))

    def complete(self, ids: Iterable[int]) -> set[int]:
        """Those of the ids whose histories are in the export, or which were gone when these were asked for."""
        return self._in_transaction(lambda: self._found(_COMPLETE, ids))

    def any_complete(self) -> int | None:
        """A case whose history came once; None if there is none."""

        def work() -> int | None:
            self._require_export()
            row = self._session.connection.execute("SELECT max(case_id) FROM history").fetchone()
            return int(row[0]) if row and row[0] is not None else None

        return self._in_transaction(work)

    def _found(self, query: str, ids: Iterable[int]) -> set[int]:
        """The ids that a query finds among some. Those beyond 64 bits are compared in another way."""
        self._require_export()
        ids = [*ids]
        is_small = all(-_INT64_END <= each < _INT64_END for each in ids)
        condition = "id = ANY(%s)" if is_small else "id::numeric = ANY(%s::numeric[])"
        rows = self._session.connection.execute(schema.query(query.format(condition)), (schema.array(ids),))
        return {int(each) for (each,) in rows}

    def _keep(self, claims: Sequence[tuple[Any, ...]]) -> list[int]:
        """Remember what is claimed now, until when: that moment tells our claims from those of others."""
        self._claimed = sorted(int(case_id) for case_id, _ in claims)
        self._until = claims[0][1] if claims else schema.NOT_CLAIMED
        return [*self._claimed]

    def _in_transaction(self, work: Callable[[], T]) -> T:
        def attempt() -> T:
            with self._session.connection.transaction():
                return work()

        def attempt_again() -> T:
            try:
                return attempt()
            except errors.UndefinedTable:  # it took its name in between
                return attempt()

        return self._session.carry_out(attempt_again)

    def _use_export(self) -> str:
        """Let the names of tables mean those of the export, whose record is locked; its schema, empty if none."""
        connection = self._session.connection
        for name in self._schemas:
            if is_there(connection, name):
                lock = "SELECT FROM {}.fusedesk_export FOR KEY SHARE"
                connection.execute(sql.SQL(lock).format(sql.Identifier(name)))
                connection.execute("SELECT set_config('search_path', quote_ident(%s), true)", (name,))
                return name
        return ""

    def _require_export(self) -> None:
        if not self._use_export():
            message = f"there is no export at {self._url}; make one first"
            raise ExportError(message, None, "checkpoint")


_COUNT = "SELECT count(*) FROM cases WHERE {}"
_CLAIM = """UPDATE cases SET history_until = now() + make_interval(secs => %s) WHERE id = ANY(ARRAY(
  SELECT id FROM cases WHERE history_until < now() ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
)) RETURNING id, history_until::text"""
_RENEW = """UPDATE cases SET history_until = now() + make_interval(secs => %s)
WHERE id = ANY(%s) AND history_until = %s RETURNING id, history_until::text"""
_RELEASE = f"""UPDATE cases SET history_until = '{schema.NOT_CLAIMED}' WHERE id = ANY(%s) AND history_until = %s"""  # noqa: S608 - our names
_STILL_OURS = "SELECT id FROM cases WHERE id = ANY(%s) AND history_until = %s ORDER BY id FOR UPDATE"
_COMPLETE = """SELECT id FROM cases WHERE {} AND history_until IS NULL AND history_error IS NULL
AND (tombstone OR EXISTS (SELECT FROM history WHERE case_id = cases.id))"""
