"""The worker of arq."""

import arq
import pytest
from exports import select

from fusedesk_async import FuseDesk
from fusedesk_async.export import export_cases

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning"),  # of redis, by arq
]
HISTORIES = "SELECT DISTINCT case_id FROM history ORDER BY 1"


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def carried_out(program, redis_url, jobs):
    """Enqueue jobs, and let a worker carry out what is due."""
    pool = await arq.create_pool(program.WorkerSettings.redis_settings)
    for ids in jobs:
        await pool.enqueue_job("fetch_histories", ids)
    settings = {name: each for name, each in vars(program.WorkerSettings).items() if not name.startswith("_")}
    worker = arq.Worker(**settings, burst=True, poll_delay=0.01, handle_signals=False)
    await worker.main()
    await worker.close()
    waiting = [job.args for job in await pool.queued_jobs()]
    await pool.aclose()
    return worker, waiting


@pytest.fixture
async def program(load, postgres_url, redis_url, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    async with FuseDesk.from_env() as desk:
        await export_cases(desk, postgres_url, status="all")
    return load("arq_worker")


async def test_jobs_bring_histories_and_are_put_off(program, postgres_url, redis_url, sandbox):
    sandbox.fault("get", status=429, retry_after="0.1")
    worker, waiting = await carried_out(program, redis_url, [[1, 2], [3]])
    assert (worker.jobs_failed, waiting) == (0, [])
    assert worker.jobs_retried >= 1
    assert select(postgres_url, HISTORIES) == [(1,), (2,), (3,)]


async def test_a_job_fails_for_good_after_a_few_failures(program, postgres_url, redis_url, sandbox, monkeypatch):
    monkeypatch.setattr(program, "PAUSE", 0.01)
    sandbox.fault("get", status=405, times=9)
    worker, waiting = await carried_out(program, redis_url, [[1]])
    assert (worker.jobs_failed, worker.jobs_complete, waiting) == (1, program.MAX_FAILURES, [])
    assert select(postgres_url, HISTORIES) == []
