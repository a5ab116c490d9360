"""Imports whose task is cancelled by asyncio itself, which no scope shields from."""

import asyncio
import threading

import httpx
import pytest

from fusedesk_async import FuseDesk, NewCase, RateLimiter
from fusedesk_async.importing import import_cases
from fusedesk_async.importing._journal import Journal
from fusedesk_async.sandbox import Sandbox

pytestmark = pytest.mark.filterwarnings("ignore::fusedesk_async.FuseDeskWarning")


@pytest.mark.asyncio
async def test_a_journal_that_is_being_written_while_doubts_are_settled_is_waited_for(tmp_path, monkeypatch):
    begun, going_on, closed = threading.Event(), threading.Event(), threading.Event()
    mark, close = Journal.mark, Journal.close

    def slow_mark(self, entry, **fields):
        if fields.get("state") == "confirmed":
            begun.set()
            assert going_on.wait(20)
            assert not closed.is_set()
        mark(self, entry, **fields)

    monkeypatch.setattr(Journal, "mark", slow_mark)
    monkeypatch.setattr(Journal, "close", lambda self: (closed.set(), close(self)))
    sandbox = Sandbox(5)
    sandbox.fault("create", status=500, after=True)
    row = NewCase(department_id=272, summary="Refund", details="Order 7.", opened_by="jo@example.com")
    journal, limiter = tmp_path / "journal", RateLimiter(assumed_limit=1_000)
    settings = {"api_key": sandbox.api_key, "transport": httpx.ASGITransport(sandbox.app), "limiter": limiter}
    async with FuseDesk("acme", **settings) as desk:
        task = asyncio.create_task(import_cases(desk, [row], journal=journal, settle=0.01))
        await asyncio.to_thread(begun.wait, 20)
        task.cancel()
        for _ in range(10):
            await asyncio.sleep(0)
        assert not closed.is_set()
        going_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert closed.is_set()
        again = await import_cases(desk, [row], journal=journal)
    assert (again.opened, again.skipped, again.found) == (0, 1, 0)
    assert sandbox.state.cases.newest == 6
