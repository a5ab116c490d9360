"""A worker of `shared_quota.py`: takes jobs, fetches their cases, and writes these and "done" in one transaction."""

import logging
import sqlite3
import time
from collections.abc import Generator
from contextlib import closing, contextmanager

import anyio

from fusedesk_async import Event, FuseDesk, QuotaStoreBack, QuotaStoreLost, RateLimiter
from fusedesk_async.fleet import shared_quota

CASES_PER_JOB = 10
CLAIMED_FOR = 4.0
"""Seconds after which the job of a worker that has not said that it lives is taken by another one."""
TIMEOUT = 2.0
"""Seconds for a call."""

TABLES = """
CREATE TABLE jobs (first INTEGER PRIMARY KEY, done INTEGER DEFAULT 0, claimed_until REAL DEFAULT 0);
CREATE TABLE cases (id INTEGER PRIMARY KEY, times INTEGER);
CREATE TABLE events (at REAL, back INTEGER);
"""
CLAIM = """
UPDATE jobs SET claimed_until = :until WHERE first =
(SELECT first FROM jobs WHERE NOT done AND claimed_until < :now ORDER BY first LIMIT 1) RETURNING first
"""


@contextmanager
def transaction(path: str) -> Generator[sqlite3.Connection, None, None]:
    """One transaction on the jobs."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=60)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")


def claim(jobs: str) -> int | None:
    """The first case of a job to do; 0 if all are done, None if others have those that are left."""
    with transaction(jobs) as connection:
        now = time.time()
        row = connection.execute(CLAIM, {"now": now, "until": now + CLAIMED_FOR}).fetchone()
        (left,) = connection.execute("SELECT count(*) FROM jobs WHERE NOT done").fetchone()
    return int(row[0]) if row else None if left else 0


def keep(jobs: str, first: int, ids: list[int]) -> None:
    """Write cases and "done", unless another worker has done it."""
    with transaction(jobs) as connection:
        (done,) = connection.execute("SELECT done FROM jobs WHERE first = ?", (first,)).fetchone()
        if not done:
            values = [(number,) for number in ids]
            added = "INSERT INTO cases VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET times = times + 1"
            connection.executemany(added, values)
            connection.execute("UPDATE jobs SET done = 1 WHERE first = ?", (first,))


def work(jobs: str, server: str, store: str | None, settings: dict[str, float], slots: int) -> None:
    """Do jobs until all are done."""
    logging.disable()
    anyio.run(_work, jobs, server, store, settings, slots)


async def _work(jobs: str, server: str, store: str | None, settings: dict[str, float], slots: int) -> None:
    limiter = RateLimiter(**settings, shared=shared_quota(store) if store else None)  # type: ignore[arg-type] # by name
    async with FuseDesk(
        "acme", api_key="sandbox-key", base_url=server, limiter=limiter, concurrency=slots, timeout=TIMEOUT
    ) as desk:

        def note(event: Event) -> None:
            if isinstance(event, QuotaStoreLost | QuotaStoreBack):
                with transaction(jobs) as connection:
                    values = (time.time(), isinstance(event, QuotaStoreBack))
                    connection.execute("INSERT INTO events VALUES (?, ?)", values)

        with desk.observe(note):
            while (first := claim(jobs)) != 0:
                if first is None:
                    await anyio.sleep(0.2)
                else:
                    await _do(desk, jobs, first, slots)


async def _do(desk: FuseDesk, jobs: str, first: int, slots: int) -> None:
    ids: list[int] = []

    async def live() -> None:
        while True:
            await anyio.sleep(CLAIMED_FOR / 4)
            with transaction(jobs) as connection:
                values = (time.time() + CLAIMED_FOR, first)
                connection.execute("UPDATE jobs SET claimed_until = ? WHERE first = ?", values)

    async with anyio.create_task_group() as group:
        group.start_soon(live)
        async with desk.cases.get_many(range(first, first + CASES_PER_JOB), concurrency=slots) as cases:
            async for number, case in cases:
                if isinstance(case, Exception):
                    raise case
                ids.append(number)
        group.cancel_scope.cancel()
    keep(jobs, first, ids)
