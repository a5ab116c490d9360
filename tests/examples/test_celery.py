"""The worker of Celery: histories, tasks that are put off, tasks that fail."""

import time

import anyio
import pytest
from celery.contrib.testing.worker import start_worker
from exports import select

from fusedesk_async import FuseDesk
from fusedesk_async.export import export_cases

HISTORIES = "SELECT DISTINCT case_id FROM history ORDER BY 1"


@pytest.fixture
def program(load, postgres_url, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    anyio.run(export_list, postgres_url)
    return load("celery_worker", once=True)  # its tasks are known to each app of the process


async def export_list(url):
    async with FuseDesk.from_env() as desk:
        await export_cases(desk, url, status="all")


def test_a_worker_carries_out_tasks(program, postgres_url):
    until = time.monotonic() + 60
    with start_worker(program.app, pool="solo", perform_ping_check=False):
        for each in (1, 3, 5):
            program.fetch_histories.delay([each, each + 1])
        while select(postgres_url, HISTORIES) != [(each,) for each in range(1, 7)]:
            assert time.monotonic() < until
            time.sleep(0.02)


def test_a_task_is_put_off_more_often_than_it_may_fail(program, postgres_url, sandbox):
    sandbox.fault("get", status=429, retry_after="600", times=9)
    result = program.fetch_histories.apply(args=[[1, 2]])  # carried out at once, without its eta
    assert result.successful()
    assert select(postgres_url, HISTORIES) == [(1,), (2,)]


def test_a_task_that_fails_again_and_again_fails_in_the_end(program, postgres_url, sandbox):
    sandbox.fault("get", status=405, times=1000)
    with pytest.raises(Exception, match="1 histories could not be fetched"):
        program.fetch_histories.apply(args=[[1]]).get()
