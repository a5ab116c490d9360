"""Histories fetched into Postgres by the workers of procrastinate, which keeps its jobs in the same database.

    pip install procrastinate "fusedesk_async[postgres]"
    export FUSEDESK_APP=acme FUSEDESK_API_KEY=… DATABASE_URL=postgresql://user@host/database
    export FUSEDESK_SHARED_QUOTA=$DATABASE_URL
    python procrastinate_worker.py prepare   # once: the tables of procrastinate
    python procrastinate_worker.py enqueue   # the list of cases into the schema `fusedesk`, and a job for each 50
    python procrastinate_worker.py work      # any number of these, on any number of machines

A job that finds the quota used up ends, and is deferred anew to the moment at which there will be some: so what
procrastinate counts as attempts are failures only, and the worker is free meanwhile. A job that was killed is run again
and fetches only what it had not written.

What to know of procrastinate:

- It does not run jobs of killed workers again by itself: `reap` does. Without it they stay in the state `doing`.
- A worker that starts removes workers whose heartbeat is older than `stalled_worker_timeout` (30 seconds by default).
  Jobs of a worker that was removed have none any more, and `get_stalled_jobs` does not find them. So this timeout must
  be far longer than what the reaper waits for, or a restart after a kill loses the jobs.
- A periodic task runs only while a worker runs, once in all however many there are.
"""

import os
import sys
from datetime import UTC, datetime, timedelta

import anyio
import psycopg
from procrastinate import App, JobContext, PsycopgConnector, RetryStrategy

from fusedesk_async import FuseDesk, RateLimitError
from fusedesk_async.export import export_cases, export_histories

DATABASE_URL = os.environ["DATABASE_URL"]
IDS_PER_JOB = 50
DEAD_AFTER = 60.0
"""Seconds without a heartbeat after which a worker's jobs are run again."""
FORGOTTEN_AFTER = 24 * 3600.0
"""Seconds after which a worker without a heartbeat is removed: far longer, see above."""
WITHOUT_HISTORY = """SELECT id FROM fusedesk.cases
WHERE NOT tombstone AND NOT EXISTS (SELECT FROM fusedesk.history WHERE case_id = cases.id) ORDER BY id"""

app = App(connector=PsycopgConnector(conninfo=DATABASE_URL))


@app.task(name="fetch_histories", pass_context=True, retry=RetryStrategy(max_attempts=5, exponential_wait=10))
async def fetch_histories(context: JobContext, ids: list[int]) -> None:
    """Fetch the histories of some cases. What does not come fails the job, which then asks for that again."""
    desk: FuseDesk = context.additional_context["desk"]
    try:
        report = await export_histories(desk, DATABASE_URL, ids, missing_only=True)
    except RateLimitError as error:
        later = error.retry_at or datetime.now(UTC) + timedelta(minutes=5)
        await fetch_histories.configure(schedule_at=later).defer_async(ids=ids)
        return
    if report.failed:
        message = f"{len(report.failed)} histories could not be fetched, first of {report.failed[0]}"
        raise RuntimeError(message)


@app.periodic(cron="* * * * *")
@app.task(name="reap", queueing_lock="reap")
async def reap(timestamp: int) -> None:  # noqa: ARG001 - given to each periodic task
    """Run the jobs of killed workers again."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER):
        await app.job_manager.retry_job(job)


async def prepare() -> None:
    """Make the tables of procrastinate."""
    async with app.open_async():
        await app.schema_manager.apply_schema_async()


async def enqueue() -> None:
    """Fetch the list, or what has changed in it, and defer a job for each few cases without a history.

    A case that has changed loses its old history with the list, and has none until its job has run.
    """
    async with FuseDesk.from_env() as desk:
        await export_cases(desk, DATABASE_URL, status="all", update=True)
    async with await psycopg.AsyncConnection.connect(DATABASE_URL) as connection:
        ids = [number async for (number,) in await connection.execute(WITHOUT_HISTORY)]
    async with app.open_async():
        for start in range(0, len(ids), IDS_PER_JOB):
            await fetch_histories.defer_async(ids=ids[start : start + IDS_PER_JOB])


async def work(*, until_done: bool = False) -> None:
    """Carry out jobs, with one client for all of them."""
    async with FuseDesk.from_env(on_rate_limit="raise") as desk, app.open_async():
        await app.run_worker_async(
            concurrency=2,
            wait=not until_done,
            stalled_worker_timeout=FORGOTTEN_AFTER,
            additional_context={"desk": desk},
        )


if __name__ == "__main__":
    anyio.run({"prepare": prepare, "enqueue": enqueue, "work": work}[sys.argv[1]])
