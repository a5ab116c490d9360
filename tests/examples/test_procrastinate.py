"""The worker of procrastinate: lists and histories, a job that is put off, and one whose worker was killed."""

import asyncio
import os
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from exports import select
from procrastinate.exceptions import AlreadyEnqueued

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "procrastinate_worker.py"
JOBS = """SELECT status::text, attempts, scheduled_at FROM public.procrastinate_jobs
WHERE task_name = 'fetch_histories' ORDER BY id"""
HISTORIES = "SELECT DISTINCT case_id FROM history ORDER BY 1"


@pytest.fixture
def program(load, postgres_url, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    program = load("procrastinate_worker")
    monkeypatch.setattr(program, "IDS_PER_JOB", 5)
    asyncio.run(program.prepare())
    return program


def states(url):
    return [state for state, *_ in select(url, JOBS)]


def test_jobs_bring_all_histories(program, postgres_url):
    asyncio.run(program.enqueue())
    assert states(postgres_url) == ["todo"] * 3
    asyncio.run(program.work(until_done=True))
    assert states(postgres_url) == ["succeeded"] * 3
    assert select(postgres_url, HISTORIES) == [(each,) for each in range(1, 13)]
    asyncio.run(program.enqueue())  # what has changed of late is fetched again
    assert states(postgres_url) == ["succeeded"] * 3 + ["todo"]
    asyncio.run(program.work(until_done=True))
    assert select(postgres_url, HISTORIES) == [(each,) for each in range(1, 13)]


def test_a_job_that_is_put_off_is_no_failed_attempt(program, postgres_url, sandbox):
    asyncio.run(program.enqueue())
    sandbox.fault("get", status=429, retry_after="600")
    asyncio.run(program.work(until_done=True))
    jobs = select(postgres_url, JOBS)
    put_off = [(attempts, at) for state, attempts, at in jobs if state == "todo"]
    assert put_off
    assert all(attempts == 0 and (at - datetime.now(UTC)).total_seconds() > 500 for attempts, at in put_off)
    assert {state for state, *_ in jobs} == {"todo", "succeeded"}


def test_the_job_of_a_killed_worker_is_run_again(program, postgres_url, environment, sandbox, monkeypatch):
    asyncio.run(program.enqueue())
    sandbox.fault("get", nth=8, delay=60)
    settings = os.environ | environment | {"DATABASE_URL": postgres_url}
    with subprocess.Popen([sys.executable, EXAMPLE, "work"], env=settings) as worker:
        until = time.monotonic() + 60
        while "doing" not in states(postgres_url) or not select(postgres_url, HISTORIES):
            assert time.monotonic() < until
            time.sleep(0.01)
        worker.kill()
    assert "doing" in states(postgres_url)
    monkeypatch.setattr(program, "DEAD_AFTER", 0.0)
    asyncio.run(reap_and_work(program))
    assert set(states(postgres_url)) == {"succeeded"}
    assert select(postgres_url, HISTORIES) == [(each,) for each in range(1, 13)]


async def reap_and_work(program):
    async with program.app.open_async():
        with suppress(AlreadyEnqueued):  # by the worker that was killed
            await program.reap.defer_async(timestamp=0)
    await program.work(until_done=True)
    await program.work(until_done=True)
