"""Histories fetched into Postgres by the workers of Celery.

    pip install celery "fusedesk_async[postgres]"
    export FUSEDESK_APP=acme FUSEDESK_API_KEY=… DATABASE_URL=postgresql://user@host/database
    export FUSEDESK_SHARED_QUOTA=$DATABASE_URL CELERY_BROKER_URL=redis://localhost
    celery -A celery_worker worker

The export has to be there: `fusedesk export $DATABASE_URL --status all`.
Then `fetch_histories.delay([101, 102])`.

A task that finds the quota used up is put off until there will be some, as often as that takes;
failures are counted apart.

What to know of Celery:

- Without `acks_late` and `reject_on_worker_lost` the task of a killed worker is lost. With them it runs again, which
  does no harm: it fetches only what had not been written.
- A task with an `eta` lies in the memory of a worker. A broker on Redis or SQS takes it for lost after
  `visibility_timeout`, an hour by default, and gives it out again while the first one still waits. An hour is just what
  a quota makes a task wait, so the timeout below is longer.
- `max_retries=None` is meant: three retries, the default, would be used up by three full hours.
- A task is no coroutine, so each one has an event loop and a client of its own. What they know of the quota they
  share by `FUSEDESK_SHARED_QUOTA`; without it each begins with no idea.
"""

import asyncio
import os
from typing import Any

from celery import Celery, Task

from fusedesk_async import FuseDesk, FuseDeskError, RateLimitError
from fusedesk_async.export import export_histories

MAX_FAILURES = 5
PAUSE = 60

app = Celery("fusedesk", broker=os.environ.get("CELERY_BROKER_URL", "memory://"))
app.conf.broker_transport_options = {"visibility_timeout": 6 * 3600}
app.conf.worker_prefetch_multiplier = 1


async def _fetch(ids: list[int]) -> None:
    async with FuseDesk.from_env(on_rate_limit="raise") as desk:
        report = await export_histories(desk, os.environ["DATABASE_URL"], ids, missing_only=True)
    if report.failed:
        message = f"{len(report.failed)} histories could not be fetched, first of {report.failed[0]}"
        raise RuntimeError(message)


@app.task(bind=True, acks_late=True, reject_on_worker_lost=True, max_retries=None)
def fetch_histories(self: "Task[Any, Any]", ids: list[int], failures: int = 0) -> None:
    """Fetch the histories of some cases."""
    try:
        asyncio.run(_fetch(ids))
    except RateLimitError as error:
        raise self.retry(exc=error, eta=error.retry_at) from error
    except (FuseDeskError, RuntimeError) as error:
        if failures == MAX_FAILURES:
            raise
        raise self.retry(args=(ids, failures + 1), kwargs={}, exc=error, countdown=PAUSE) from error
