"""Postgres: a schema with the tables `cases` and `history`, the lists of names, and views.

Rows and checkpoint are committed in one transaction, so they are durable together or not at all. Until it is complete
the schema is called `NAME_part`; then it takes the name of the export in one transaction, so that readers see the old
one or the new one, each whole.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from threading import Event

import psycopg
from psycopg import sql

from fusedesk_async.errors import ExportError
from fusedesk_async.export import _postgres_schema as schema
from fusedesk_async.export._checkpoint import Checkpoint, Job
from fusedesk_async.export._name_lists import NameLists
from fusedesk_async.export._postgres_rows import write_names, write_rows
from fusedesk_async.export._postgres_session import PostgresSession
from fusedesk_async.export._postgres_swap import (
    check_may_create,
    check_may_replace,
    drop,
    has_cases,
    is_there,
    size_of,
    take_name,
)
from fusedesk_async.export._postgres_url import PostgresUrl
from fusedesk_async.export._row import Row
from fusedesk_async.export._sink import Resume, refuse_to_empty, require_checkpoint


class PostgresSink:
    """Fills the schema `NAME_part`, which becomes `NAME` at the end; an update works on `NAME` itself.

    Args:
        url: The database, and the name of the schema.
        update: Whether to bring a schema that is there up to date. If there is none yet, it is exported.
        allow_empty: Whether a schema that holds cases may be replaced by one without any.
    """

    uses_disk = True
    log_file = ""

    def __init__(self, url: PostgresUrl, *, update: bool = False, allow_empty: bool = False) -> None:
        self._url = url
        self._update = update
        self._allow_empty = allow_empty
        self._overwrite = False
        self._interrupted = Event()
        self._session = PostgresSession(url, self._interrupted)
        self._schema = url.part
        self._is_made = self._is_whole = False
        self._recorded = ""

    def find_checkpoint(self, job: Job, *, resume: Resume, overwrite: bool) -> Checkpoint | None:
        """How far an earlier run has come."""
        with self._session.opened(), self._session.as_export_error():
            connection = self._session.connection
            is_there(connection, self._url.part)
            self._schema = self._url.part
            exists = is_there(connection, self._url.schema)
            if self._update and exists:
                self._schema = self._url.schema
            found = self._checkpoint_after_rename(job) if resume != "never" and exists else None
            self._is_whole = found is not None
            if found:
                return found
            if exists and self._schema == self._url.part and not overwrite:
                message = f"{self._url} exists already"
                raise ExportError(message, None, "exists")
            if resume != "never" or self._schema == self._url.schema:
                found = self._checkpoint(job)
            require_checkpoint(found, resume, self._url)
            return found

    def open(self, job: Job, *, resume: Resume, overwrite: bool) -> Checkpoint:
        """Lock the export, and see what is there already."""
        self._session.open()
        self._session.lock()
        self._overwrite = overwrite
        found = self.find_checkpoint(job, resume=resume, overwrite=overwrite)
        self._session.use(self._url.schema if self._is_whole else self._schema)
        if found and not self._is_whole:
            with self._session.as_export_error(), self._session.connection.transaction():
                schema.complete(self._session.connection)
            self._is_made = True
        elif not found:
            with self._session.as_export_error():
                check_may_create(self._session.connection, self._url)
        if not self._is_whole and self._schema == self._url.part:
            self._session.carry_out(lambda: check_may_replace(self._session.connection, self._url))
        return found or Checkpoint(job=job)

    def write(self, rows: Iterable[Row], checkpoint: Checkpoint) -> Checkpoint:
        """Put rows and checkpoint into the database, in one transaction."""
        rows, text = [*rows], checkpoint.encode().decode()
        self._session.carry_out(
            lambda: self._write(rows, checkpoint, text), lambda: self._write(rows, checkpoint, text, is_again=True)
        )
        self._is_made, self._recorded = True, text
        return checkpoint

    def write_names(self, lists: NameLists) -> tuple[str, ...]:
        """Replace the lists of names that came."""

        def work() -> None:
            with self._session.connection.transaction():
                self._check_still_ours()
                write_names(self._session.connection, lists.records)

        self._session.carry_out(work)
        return ()

    def restart(self) -> None:
        """Drop all rows."""

        def work() -> None:
            with self._session.connection.transaction():
                self._check_still_ours()
                for table in schema.TABLES_OF_ROWS:
                    self._session.connection.execute(schema.query(f"DELETE FROM {table}"))  # noqa: S608 - our names

        self._session.carry_out(work)

    def missing_histories(self) -> list[int] | None:
        """Ids of the cases whose history could not be fetched; None if it is whole and only its end was cut off."""
        if self._is_whole:
            return None
        query = "SELECT id FROM cases WHERE history_error IS NOT NULL ORDER BY id"
        return self._session.carry_out(lambda: [int(number) for (number,) in self._session.connection.execute(query)])

    def finish(self) -> int:
        """Give it its name."""
        if not self._is_whole and self._schema == self._url.part:
            self._session.carry_out(self._take_name, self._take_name_again)
            self._session.use(self._url.schema)
        return self._session.carry_out(lambda: size_of(self._session.connection, self._url.schema))

    def forget(self) -> None:
        """Record that the caller knows that it is whole."""
        query = "UPDATE fusedesk_export SET is_reported = true"
        with suppress(psycopg.Error, ExportError):  # then the next run says that it is whole already
            self._session.carry_out(lambda: self._session.connection.execute(query))

    def interrupt(self) -> None:
        """Wait for other programs no longer."""
        self._interrupted.set()

    def close(self) -> None:
        """Disconnect, which unlocks it."""
        self._session.close()

    def _write(self, rows: list[Row], checkpoint: Checkpoint, text: str, *, is_again: bool = False) -> None:
        with self._session.connection.transaction():
            if self._begin(text, is_again=is_again):
                write_rows(self._session.connection, rows, checkpoint)
                self._session.connection.execute(_SET_CHECKPOINT, (text,))

    def _begin(self, text: str, *, is_again: bool) -> bool:
        """Begin a transaction that records a checkpoint; whether it has yet to be written.

        Raises:
            ExportError: Another process has been at it, since the lock was lost together with the connection.
        """
        connection = self._session.connection
        if not self._is_made:
            if is_again and self._recorded_now() == text:
                return False
            drop(connection, self._url.part)
            schema.create(connection, self._url.part)
            return True
        if is_again and text != self._recorded and self._recorded_now() == text:
            return False
        self._check_still_ours()
        return True

    def _check_still_ours(self) -> None:
        if self._recorded_now() != self._recorded:
            message = f"{self._url} was changed by another process meanwhile; run the export again"
            raise ExportError(message, None, "locked")

    def _recorded_now(self) -> str | None:
        """The checkpoint in the database, whose row is locked until the transaction ends; None if there is none."""
        connection = self._session.connection
        if not is_there(connection, self._schema):
            return None
        query = sql.SQL("SELECT checkpoint FROM {}.fusedesk_export FOR UPDATE").format(sql.Identifier(self._schema))
        row = connection.execute(query).fetchone()
        return row[0] if row else None

    def _checkpoint(self, job: Job) -> Checkpoint | None:
        """The checkpoint of an earlier run; None if there is none."""
        text = self._read_checkpoint(self._schema)
        if text is None:
            return None
        found = Checkpoint.decode(text.encode(), self._url).resumed(job, self._url)
        self._recorded = text
        return found

    def _read_checkpoint(self, name: str) -> str | None:
        if not is_there(self._session.connection, name):
            return None
        query = sql.SQL("SELECT max(checkpoint) FROM {}.fusedesk_export").format(sql.Identifier(name))
        row = self._session.connection.execute(query).fetchone()
        return str(row[0] or "") if row else ""

    def _checkpoint_after_rename(self, job: Job) -> Checkpoint | None:
        """The checkpoint of a run of the job that was stopped after it gave the schema its name."""
        if self._update or is_there(self._session.connection, self._url.part):
            return None
        query = sql.SQL("SELECT checkpoint FROM {}.fusedesk_export WHERE NOT is_reported")
        row = self._session.connection.execute(query.format(sql.Identifier(self._url.schema))).fetchone()
        if row is None:
            return None
        found = Checkpoint.decode(row[0].encode(), self._url)
        return None if job.difference(found.job) else found.resumed(job, self._url)

    def _take_name_again(self) -> None:
        """Give it its name, unless it has it already."""
        is_part = is_there(self._session.connection, self._url.part)
        if is_part or self._read_checkpoint(self._url.schema) != self._recorded:
            self._take_name()

    def _take_name(self) -> None:
        self._check_still_ours()
        exists = is_there(self._session.connection, self._url.schema)
        if exists and not self._overwrite:
            message = f"{self._url} exists already"
            raise ExportError(message, None, "exists")
        self._check_not_emptied(exists=exists)
        self._session.when_free(self._swap)

    def _swap(self) -> None:
        with self._session.connection.transaction():
            self._check_still_ours()
            take_name(self._session.connection, self._url)

    def _check_not_emptied(self, *, exists: bool) -> None:
        """Check that no cases are replaced by none. A part without cases goes, or the next run would resume it."""
        connection = self._session.connection
        if self._allow_empty or not exists or has_cases(connection, self._url.part):
            return
        if has_cases(connection, self._url.schema):
            with connection.transaction():
                drop(connection, self._url.part)
            refuse_to_empty(self._url)


def case_ids(url: PostgresUrl) -> Iterator[int]:
    """The ids of the cases in an export, in their order."""
    session = PostgresSession(url, Event())
    with session.opened(), session.as_export_error():
        query = sql.SQL("SELECT id FROM {}.cases ORDER BY id").format(sql.Identifier(url.schema))
        yield from [int(number) for (number,) in session.connection.execute(query)]


_SET_CHECKPOINT = "UPDATE fusedesk_export SET checkpoint = %s, is_reported = true"
