"""Histories fetched into Postgres by the workers of arq.

    pip install arq "fusedesk_async[postgres]"
    export FUSEDESK_APP=acme FUSEDESK_API_KEY=… DATABASE_URL=postgresql://user@host/database
    export FUSEDESK_SHARED_QUOTA=$DATABASE_URL
    arq arq_worker.WorkerSettings

The export has to be there: `fusedesk export $DATABASE_URL --status all`.
Then `await redis.enqueue_job("fetch_histories", [101, 102])`.

What to know of arq:

- It counts a job that was put off by `Retry` as one more try, and ends it after `max_tries`, five by default. Here that
  is out of reach, and failures are counted apart.
- A job that runs for longer than `job_timeout`, five minutes by default, is cancelled.
- A job is forgotten a day after it was enqueued (`expires_extra_ms`), so do not enqueue more than a day of quota.
- The job of a killed worker runs again once its lock has expired, after `job_timeout` and ten seconds.
- arq is in maintenance only, and holds redis-py below 6.
"""

import os
from typing import Any, ClassVar

from arq import Retry, func
from arq.connections import RedisSettings

from fusedesk_async import FuseDesk, FuseDeskError, RateLimitError
from fusedesk_async.export import export_histories

MAX_FAILURES = 5
PAUSE = 60.0
NO_LIMIT = 1_000_000


async def _fetch(desk: FuseDesk, ids: list[int]) -> None:
    report = await export_histories(desk, os.environ["DATABASE_URL"], ids, missing_only=True)
    if report.failed:
        message = f"{len(report.failed)} histories could not be fetched, first of {report.failed[0]}"
        raise RuntimeError(message)


async def fetch_histories(context: dict[str, Any], ids: list[int], failures: int = 0) -> None:
    """Fetch the histories of some cases. What does not come is asked for again, a few times."""
    try:
        await _fetch(context["desk"], ids)
    except RateLimitError as error:
        raise Retry(defer=error.retry_after or PAUSE) from error
    except (FuseDeskError, RuntimeError):
        if failures == MAX_FAILURES:
            raise
        await context["redis"].enqueue_job("fetch_histories", ids, failures + 1, _defer_by=PAUSE)


async def begin(context: dict[str, Any]) -> None:
    """One client for as long as the worker runs."""
    context["desk"] = await FuseDesk.from_env(on_rate_limit="raise").__aenter__()


async def end(context: dict[str, Any]) -> None:
    """Close the client."""
    await context["desk"].aclose()


class WorkerSettings:
    """What `arq` reads."""

    functions: ClassVar = [func(fetch_histories, max_tries=NO_LIMIT)]
    on_startup = begin
    on_shutdown = end
    job_timeout = 3600
    max_jobs = 2
    redis_settings = RedisSettings.from_dsn(os.environ.get("REDIS_URL", "redis://localhost"))
