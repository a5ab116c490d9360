"""Exports into Postgres that several processes work on."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing

import anyio
import attrs
import httpx
import psycopg
import pytest
from broken_cases import Broken
from clients import client
from exports import ids_in, job, left_beside, rows, select, sink

from fusedesk_async import ConfigurationError, ExportError, FuseDesk, ServerError
from fusedesk_async.export import _join, _postgres_session, export_cases
from fusedesk_async.export._options import Options
from fusedesk_async.export._output import Output
from fusedesk_async.export._row import Row
from fusedesk_async.export._target import destination
from fusedesk_async.sandbox import Sandbox, serve_in_thread

DUE = "SELECT count(*) FROM cases WHERE history_until IS NOT NULL"
WITH_HISTORY = "SELECT count(DISTINCT case_id) FROM history"
PROGRAM = """
import sys, anyio
from fusedesk_async import FuseDesk
from fusedesk_async.export import _join, _postgres_histories, export_cases
_postgres_histories.CLAIM_SECONDS = 1.0
_join.POLL = 0.1
async def main():
    async with FuseDesk.from_env() as desk:
        await export_cases(desk, sys.argv[1], status="all", history=True, join=True)
anyio.run(main)
"""


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(_postgres_session, "PAUSE", 0.001)
    monkeypatch.setattr(_postgres_session, "LOCK_ATTEMPTS", 3)


class RealPauses(httpx.AsyncBaseTransport):
    """A server that takes a moment for each history, so that others have their turn."""

    def __init__(self, sandbox):
        self.inner = httpx.ASGITransport(sandbox.app)

    async def handle_async_request(self, request):
        await anyio.sleep(0.005)
        return await self.inner.handle_async_request(request)


def slow_client(sandbox):
    return FuseDesk("acme", api_key=sandbox.api_key, transport=RealPauses(sandbox))


def details(sandbox):
    return Counter(call.path for call in sandbox.received if call.path.rpartition("/")[2].isdecimal())


async def joined(desk, url, reports, **options):
    async with desk:
        reports.append(await export_cases(desk, url, status="all", history=True, join=True, **options))


@pytest.mark.anyio
async def test_all_of_them_fetch_and_nothing_is_fetched_twice(postgres_url, monkeypatch):
    monkeypatch.setattr(_join, "POLL", 0.01)
    sandbox, reports = Sandbox(60), []
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(joined, slow_client(sandbox), postgres_url, reports)
    assert ids_in(postgres_url) == [*range(1, 61)]
    assert select(postgres_url, DUE) == [(0,)]
    assert select(postgres_url, WITH_HISTORY) == [(60,)]
    assert set(details(sandbox).values()) == {1}
    assert len(details(sandbox)) == 60
    assert {report.cases for report in reports} == {60}
    assert sum(0 < report.fresh < 60 for report in reports) == 2
    assert not any(report.was_whole for report in reports)
    assert all(report.size and report.is_whole for report in reports)
    assert left_beside(postgres_url) == []


@pytest.mark.anyio
async def test_who_comes_late_leaves_it_as_it_is(postgres_url, clock):
    sandbox, reports = Sandbox(5, clock=clock), []
    await joined(client(sandbox, clock), postgres_url, reports)
    calls = len(sandbox.received)
    await joined(client(sandbox, clock), postgres_url, reports)
    assert [report.was_whole for report in reports] == [False, True]
    assert len(sandbox.received) == calls
    async with client(sandbox, clock) as desk:
        with pytest.raises(ExportError, match="belongs to another export: its query is"):
            await export_cases(desk, postgres_url, status="open", history=True, join=True)


@pytest.mark.anyio
async def test_an_update_is_shared_as_well(postgres_url, clock, monkeypatch):
    monkeypatch.setattr(_join, "POLL", 0.01)
    sandbox, reports = Sandbox(30), []
    await joined(client(sandbox, clock), postgres_url, reports)
    sandbox.close_cases(ids=range(1, 31))
    async with anyio.create_task_group() as group:
        for _ in range(2):
            group.start_soon(update, slow_client(sandbox), postgres_url, reports)
    assert select(postgres_url, DUE) == [(0,)]
    assert select(postgres_url, WITH_HISTORY) == [(30,)]
    assert select(postgres_url, "SELECT DISTINCT status FROM cases") == [("closed",)]
    assert len(reports) == 3


async def update(desk, url, reports):
    await joined(desk, url, reports, update=True)


@pytest.mark.anyio
async def test_what_became_of_cases_is_in_the_report(postgres_url, clock):
    sandbox, seen = Sandbox(6, clock=clock), []
    sandbox.churn("get", lambda sandbox: sandbox.delete_cases(ids={5} & {*sandbox.state.cases.ids()}))
    transport = Broken(sandbox, [3])
    async with FuseDesk("acme", api_key=sandbox.api_key, transport=transport, clock=clock) as desk:
        report = await export_cases(
            desk, postgres_url, status="all", history=True, join=True, concurrency=2, on_progress=seen.append
        )
    assert (report.cases, report.history_errors, report.tombstones) == (6, 1, 1)
    assert not report.is_whole
    assert {each.histories_due for each in seen} >= {0, 2}
    assert seen[-1].histories_due == 0


@pytest.mark.anyio
async def test_an_outage_is_waited_for_and_reported(postgres_url, clock):
    sandbox, seen = Sandbox(4, clock=clock), []
    transport = Broken(sandbox, [1, 2, 3, 4])
    async with FuseDesk("acme", api_key=sandbox.api_key, transport=transport, clock=clock) as desk:
        began = clock.monotonic()
        with pytest.raises(ServerError, match="broken"):
            await export_cases(
                desk, postgres_url, status="all", history=True, join=True, outage=600, on_progress=seen.append
            )
        assert clock.monotonic() - began >= 600
    assert any(each.outage for each in seen)
    reports = []
    await joined(client(sandbox, clock), postgres_url, reports)
    assert reports[0].cases == 4
    assert reports[0].runs == 2
    assert select(postgres_url, WITH_HISTORY) == [(4,)]


@pytest.mark.anyio
async def test_who_helps_takes_over_from_one_who_ended(postgres_url, clock, monkeypatch):
    monkeypatch.setattr(_join, "POLL", 0.01)
    sandbox, reports = Sandbox(20), []
    leader = sink(postgres_url)
    wanted = attrs.evolve(job(postgres_url, history=True), query="status=all")
    reached = leader.open(wanted, resume="auto", overwrite=False)
    leader.write([Row(row.case) for row in rows([1, 2])], reached)
    async with anyio.create_task_group() as group:
        group.start_soon(joined, slow_client(sandbox), postgres_url, reports)
        while select(postgres_url, DUE, "fusedesk_part") != [(0,)]:  # noqa: ASYNC110 - of another thread
            await anyio.sleep(0.01)
        assert not any("cases?" in call.path for call in sandbox.received)
        leader.close()
    assert ids_in(postgres_url) == [*range(1, 21)]
    assert select(postgres_url, WITH_HISTORY) == [(20,)]


@pytest.mark.anyio
async def test_who_is_second_by_a_moment_helps(postgres_url, clock):
    wanted, options = job(postgres_url, history=True), {"history": True, "join": True}
    first = sink(postgres_url)
    first.open(wanted, resume="auto", overwrite=False)
    async with client(Sandbox(1, clock=clock), clock) as desk:
        checked = await Options.read(desk, destination(postgres_url), options)
        second = _join.SharedHistories(desk, Output(desk, checked.sink(), None), checked)
        assert not await second._try_to_open()  # the lock was free when it looked
        first.close()
        assert await second._try_to_open()
        second._output.close()


@pytest.mark.anyio
async def test_what_cannot_be_joined_is_refused(postgres_url, clock, tmp_path):
    async with client(Sandbox(1, clock=clock), clock) as desk:
        for to, options in [(tmp_path / "out.db", {"history": True}), (postgres_url, {})]:
            with pytest.raises(ConfigurationError, match="join is for exports into Postgres with history=True"):
                await export_cases(desk, to, join=True, **options)
        for options in ({"overwrite": True}, {"resume": "never"}):
            with pytest.raises(ConfigurationError, match="join does not go with overwrite or resume"):
                await export_cases(desk, postgres_url, join=True, history=True, **options)


@pytest.mark.anyio
async def test_a_database_that_cannot_be_used_is_told(postgres_url, clock):
    async with client(Sandbox(1, clock=clock), clock) as desk:
        with pytest.raises(ExportError, match="cannot open"):
            await export_cases(desk, postgres_url.replace("/test_", "/none_"), status="all", history=True, join=True)


@pytest.mark.anyio
async def test_what_another_one_has_claimed_is_waited_for(postgres_url, clock):
    sandbox = Sandbox(3, clock=clock)
    async with client(sandbox, clock) as desk:
        await export_cases(desk, postgres_url, status="all", history=True)
        with closing(psycopg.connect(postgres_url, autocommit=True)) as database:
            claim = "UPDATE fusedesk.cases SET history_until = clock_timestamp() + interval '100 ms' WHERE id = 2"
            database.execute(claim)
        sandbox.received.clear()
        await export_cases(desk, postgres_url, status="all", history=True, update=True, join=True)
    assert [call.path for call in sandbox.received].count("/api/v1/cases/2") == 1
    assert select(postgres_url, DUE) == [(0,)]


@pytest.mark.anyio
async def test_who_may_make_no_schema_is_told_so_at_once(postgres_url, clock):
    sandbox = Sandbox(1, clock=clock)
    read_only = f"{postgres_url}&options=-cdefault_transaction_read_only%3Don"
    async with client(sandbox, clock) as desk:
        with pytest.raises(ExportError, match="its user may make no schemas there"):
            await export_cases(desk, read_only, status="all", history=True, join=True)
    assert not sandbox.received


@pytest.mark.anyio
async def test_a_schema_of_others_is_not_joined(postgres_url, clock):
    with closing(psycopg.connect(postgres_url, autocommit=True)) as database:
        database.execute("CREATE SCHEMA fusedesk")
        database.execute("CREATE TABLE fusedesk.mine (id int)")
    async with client(Sandbox(1, clock=clock), clock) as desk:
        with pytest.raises(ExportError, match="is not a case export"):
            await export_cases(desk, postgres_url, status="all", history=True, join=True)


def test_real_kills_lose_nothing_and_write_nothing_twice(postgres_url):
    sandbox, chance, kills, processes = Sandbox(120, latency=0.01), random.Random(1), 4, 3
    with serve_in_thread(sandbox) as url:
        settings = {"FUSEDESK_APP": "acme", "FUSEDESK_BASE_URL": url, "FUSEDESK_API_KEY": sandbox.api_key}
        command = [sys.executable, "-c", PROGRAM, postgres_url]
        begin = lambda: subprocess.Popen(command, env=os.environ | settings)  # noqa: E731 - three times the same
        at_work = [begin() for _ in range(processes)]
        for kill in range(kills):
            until = 20 * (kill + 1)
            while len(details(sandbox)) < until and any(process.poll() is None for process in at_work):
                time.sleep(0.005)
            victim = chance.randrange(processes)
            at_work[victim].kill()
            at_work[victim].wait()
            at_work[victim] = begin()
        assert [process.wait(120) for process in at_work] == [0] * processes
    assert ids_in(postgres_url) == [*range(1, 121)]
    assert select(postgres_url, DUE) == [(0,)]
    assert select(postgres_url, WITH_HISTORY) == [(120,)]
    assert sum(details(sandbox).values()) <= 120 + kills * 4
    assert left_beside(postgres_url) == []
