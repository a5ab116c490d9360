"""Histories of single cases, fetched into an export in Postgres by jobs."""

import sys
import threading
import time

import anyio
import attrs
import httpx
import pytest
from broken_cases import Broken
from exports import bookmark, connected, job, rows, select, sink

from fusedesk_async import ConfigurationError, ExportError, FuseDesk, RateLimitError
from fusedesk_async.export import _history_work, _postgres_histories, export_cases, export_histories
from fusedesk_async.export._postgres_histories import HistoryTable
from fusedesk_async.export._row import Row
from fusedesk_async.export._target import destination
from fusedesk_async.models import CaseDetail
from fusedesk_async.sandbox import FixedHour, Sandbox

ITEMS = "SELECT case_id, count(*), max(position) + 1 FROM history GROUP BY 1 ORDER BY 1"
DUE = "SELECT id FROM cases WHERE history_until IS NOT NULL ORDER BY id"


def client(sandbox, clock, ids=(), status=500, **settings):
    transport = Broken(sandbox, ids, status)
    return FuseDesk("acme", api_key=sandbox.api_key, transport=transport, clock=clock, **settings)


def due_rows(ids):
    """Rows of an export with histories whose histories are due."""
    return [Row(row.case) for row in rows(ids)]


def being_filled(url, ids=(1, 2, 3)):
    output, wanted = sink(url), job(url, history=True)
    reached = output.open(wanted, resume="auto", overwrite=False)
    reached = output.write(due_rows(ids), attrs.evolve(reached, bookmark=bookmark(ids[-1]), cases=len(ids)))
    return output, reached


def whole(url, ids=(1, 2, 3)):
    output, reached = being_filled(url, ids)
    output.write([], attrs.evolve(reached, phase="complete"))
    output.finish()
    output.forget()
    output.close()


@pytest.fixture
def table(postgres_url):
    opened = []

    def table():
        made = HistoryTable(destination(postgres_url))
        made.open()
        opened.append(made)
        return made

    yield table
    for each in opened:
        each.close()


@pytest.mark.anyio
async def test_histories_of_an_export_that_is_whole(postgres_url, clock):
    sandbox = Sandbox(8, clock=clock)
    async with client(sandbox, clock, [4]) as desk:
        await export_cases(desk, postgres_url, status="all")
        assert select(postgres_url, ITEMS) == []
        sandbox.delete_cases(ids=[5])
        report = await export_histories(desk, postgres_url, [6, 5, 4, 3, 3, 999, 2**70], concurrency=2)
        assert report.fetched == (6, 3)
        assert report.tombstones == (5,)
        assert [number for number, _ in report.failed] == [4]
        assert "broken" in report.failed[0][1]
        assert report.not_in_export == (999, 2**70)
        assert not report.is_whole
        state = "SELECT id, tombstone, history_error IS NULL FROM cases WHERE tombstone OR history_error IS NOT NULL"
        assert sorted(select(postgres_url, state)) == [(4, False, False), (5, True, True)]
        before = select(postgres_url, ITEMS)
        assert [number for number, *_ in before] == [3, 6]
        assert all(count == end for _, count, end in before)
        desk_calls = len(sandbox.received)
        again = await export_histories(desk, postgres_url, (3, 4, 5, 6), missing_only=True)
        assert again.already_there == (3, 5, 6)
        assert [number for number, _ in again.failed] == [4]
        assert select(postgres_url, ITEMS) == before
        assert len(sandbox.received) == desk_calls + 1  # another case, which tells that it is case 4 that is broken
    async with client(sandbox, clock) as desk:
        assert (await export_histories(desk, postgres_url, [4], missing_only=True)).is_whole
    assert select(postgres_url, "SELECT id FROM cases WHERE history_error IS NOT NULL") == []


@pytest.mark.anyio
async def test_histories_of_an_export_that_is_being_filled(postgres_url, clock):
    sandbox = Sandbox(3, clock=clock)
    whole(postgres_url, [1])
    output = sink(postgres_url)
    reached = output.open(job(postgres_url, history=True), resume="auto", overwrite=True)
    reached = output.write(due_rows([1, 2, 3]), reached)
    assert select(postgres_url, DUE, "fusedesk_part") == [(1,), (2,), (3,)]
    async with client(sandbox, clock) as desk:
        report = await export_histories(desk, postgres_url, [2, 3])
    assert report.fetched == (2, 3)
    assert report.is_whole
    assert select(postgres_url, DUE, "fusedesk_part") == [(1,)]
    assert [number for number, *_ in select(postgres_url, ITEMS, "fusedesk_part")] == [2, 3]
    output.write([], attrs.evolve(reached, phase="complete"))  # who fills it goes on all the same
    output.finish()
    output.close()
    assert [number for number, *_ in select(postgres_url, ITEMS)] == [2, 3]


@pytest.mark.anyio
async def test_many_jobs_at_the_same_time_write_each_history_once(postgres_url, clock):
    sandbox = Sandbox(12, clock=clock)
    async with client(sandbox, clock) as desk:
        await export_cases(desk, postgres_url, status="all")
        async with anyio.create_task_group() as group:
            for ids in ([1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1], [7, 1, 8, 2, 9], [12, 11, 10, 9]):
                group.start_soon(export_histories, desk, postgres_url, ids)
    assert [number for number, *_ in select(postgres_url, ITEMS)] == [*range(1, 13)]
    assert all(count == end for _, count, end in select(postgres_url, ITEMS))


@pytest.mark.anyio
async def test_what_came_before_a_failure_is_written(postgres_url, clock):
    sandbox = Sandbox(9, clock=clock, limit=FixedHour(6))
    async with client(sandbox, clock, on_rate_limit="raise") as desk:
        whole(postgres_url, range(1, 10))
        with pytest.raises(RateLimitError) as caught:
            await export_histories(desk, postgres_url, range(1, 10), concurrency=2)
        assert caught.value.retry_at is not None
    there = [number for number, *_ in select(postgres_url, ITEMS)]
    assert there == [*range(1, len(there) + 1)]
    assert 0 < len(there) < 9


@pytest.mark.anyio
@pytest.mark.parametrize("status", [500, 403])
async def test_a_server_out_of_reach_is_no_fault_of_the_cases(status, postgres_url, clock):
    whole(postgres_url)
    sandbox = Sandbox(3, clock=clock)
    async with client(sandbox, clock, [1, 2, 3], status) as desk:
        with pytest.raises(Exception, match="broken"):
            await export_histories(desk, postgres_url, [1, 2, 3])
        assert select(postgres_url, DUE) == [(1,), (2,), (3,)]
    async with client(sandbox, clock) as desk:
        await export_histories(desk, postgres_url, [1])
    async with client(sandbox, clock, [1, 2, 3], status) as desk:
        with pytest.raises(Exception, match="broken"):  # the one that came before does not come either
            await export_histories(desk, postgres_url, [2, 3])
    assert select(postgres_url, DUE) == [(2,), (3,)]


@pytest.mark.anyio
async def test_what_is_no_export_is_told(postgres_url, clock, tmp_path):
    async with client(Sandbox(3, clock=clock), clock) as desk:
        with pytest.raises(ExportError, match=r"there is no export at postgresql://.*; make one first") as caught:
            await export_histories(desk, postgres_url, [1])
        assert caught.value.reason == "checkpoint"
        for wrong in (str(tmp_path / "out.db"), "out.jsonl"):
            with pytest.raises(ConfigurationError, match="give its address, postgresql://"):
                await export_histories(desk, wrong, [1])
        with pytest.raises(ConfigurationError, match="concurrency"):
            await export_histories(desk, postgres_url, [1], concurrency=0)


@pytest.mark.anyio
async def test_without_the_extra_it_says_what_to_install(postgres_url, clock, monkeypatch):
    monkeypatch.setitem(sys.modules, "fusedesk_async.export._postgres_histories", None)
    async with client(Sandbox(3, clock=clock), clock) as desk:
        with pytest.raises(ConfigurationError, match=r"pip install .fusedesk_async\[postgres\]"):
            await export_histories(desk, postgres_url, [1])


@pytest.mark.anyio
async def test_ids_beyond_64_bits_are_found_where_there_are_such(postgres_url, clock):
    whole(postgres_url, [1, 2**70])
    async with client(Sandbox(1, clock=clock), clock) as desk:
        report = await export_histories(desk, postgres_url, [1, 2**70, 2**71])
    assert report.fetched == (1,)
    assert report.tombstones == (2**70,)
    assert report.not_in_export == (2**71,)


@pytest.mark.anyio
async def test_claims_are_renewed_while_a_history_is_waited_for(postgres_url, clock, monkeypatch, table):
    monkeypatch.setattr(_history_work, "RENEW_AFTER", 0.02)
    whole(postgres_url, [1])
    sandbox, renewed = Sandbox(1, clock=clock), anyio.Event()

    async def respond(request):
        began = select(postgres_url, "SELECT history_until FROM cases")
        while select(postgres_url, "SELECT history_until FROM cases") == began:  # noqa: ASYNC110 - of another thread
            await anyio.sleep(0.01)
        renewed.set()
        return await httpx.ASGITransport(sandbox.app).handle_async_request(request)

    transport = httpx.MockTransport(respond)
    async with (
        FuseDesk("acme", api_key=sandbox.api_key, transport=transport, clock=clock, timeout=60) as desk,
        _history_work.HistoryWork(desk, HistoryTable(destination(postgres_url)), 2) as work,
    ):
        assert await work.take()
        assert not await work.take()
        assert work.written == 1
    assert renewed.is_set()
    assert select(postgres_url, DUE) == []


def fetched(*ids):
    return [Row(CaseDetail(id=each, summary="as it was asked for")) for each in ids]


def test_two_never_claim_the_same_and_what_expired_is_taken_over(postgres_url, monkeypatch, table):
    whole(postgres_url)
    first, second = table(), table()
    assert first.due() == 3
    assert first.claim(2) == [1, 2]
    assert second.claim(2) == [3]
    assert second.claim(2) == []
    monkeypatch.setattr(_postgres_histories, "CLAIM_SECONDS", -1.0)
    first.renew()
    monkeypatch.setattr(_postgres_histories, "CLAIM_SECONDS", 60.0)
    assert second.claim(3) == [1, 2]
    assert second.write_claimed(fetched(1)) == {1}
    assert first.write_claimed(fetched(1, 2)) == set()  # they are not ours any more
    first.renew()
    assert first.write_claimed(fetched(2)) == set()
    assert select(postgres_url, DUE) == [(2,), (3,)]
    assert second.write_claimed(fetched(2)) == {2}
    second.renew()
    second.release()
    assert first.due() == 1  # what was claimed by a call that was forgotten expires by itself


def test_who_ends_gives_back_what_it_claimed(postgres_url, table):
    whole(postgres_url)
    first, second = HistoryTable(destination(postgres_url)), table()
    first.open()
    assert first.claim(3) == [1, 2, 3]
    assert second.claim(3) == []
    first.close()
    assert second.claim(3) == [1, 2, 3]


def test_a_lost_connection_is_made_anew(postgres_url, table):
    whole(postgres_url)
    first = table()
    assert first.claim(2) == [1, 2]
    with connected(postgres_url) as database:
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname ="
            " current_database()"
        )
    assert first.write_claimed(fetched(1, 2)) == {1, 2}
    assert first.claim(2) == [3]


def test_an_export_may_take_its_name_meanwhile(postgres_url, table):
    output, _ = being_filled(postgres_url)
    first, claimed = table(), []
    with connected(postgres_url, "fusedesk_part") as leader:
        with leader.transaction():
            leader.execute("SELECT FROM fusedesk_export FOR UPDATE")
            leader.execute("ALTER SCHEMA fusedesk_part RENAME TO fusedesk")
            thread = threading.Thread(target=lambda: claimed.extend(first.claim(3)))
            thread.start()
            waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            with connected(postgres_url) as other:
                while not other.execute(waiting).fetchall():
                    time.sleep(0.01)
        thread.join()
    assert claimed == [1, 2, 3]
    output.close()


def test_where_there_is_no_export_nothing_is_due(postgres_url, table):
    first = table()
    assert first.due() == 0
    assert first.claim(3) == []
    assert first.progress().checkpoint is None
    first.interrupt()
