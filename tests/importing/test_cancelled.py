"""Imports that are cancelled at any request, and run again."""

import anyio
import attrs
import httpx
import pytest
from clients import client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from import_rows import OLD, desk_over, once, opened, rows_for

from fusedesk_async import NewNote, RateLimiter
from fusedesk_async.importing import _history, _sending, import_cases
from fusedesk_async.sandbox import Sandbox, VirtualClock

pytestmark = pytest.mark.filterwarnings("ignore::fusedesk_async.FuseDeskWarning")


class Trap(httpx.AsyncBaseTransport):
    """Cancels an import at its nth request: before or after it is carried out, and with or without an answer."""

    def __init__(self, app, moment, *, after, silent):
        self.inner, self.moment, self.after, self.silent = httpx.ASGITransport(app), moment, after, silent
        self.scope, self.count = anyio.CancelScope(), 0

    async def handle_async_request(self, request):
        self.count += 1
        due = self.count == self.moment
        if due and not self.after:
            await self.spring()
        response = await self.inner.handle_async_request(request)
        if due and self.after:
            await self.spring()
        return response

    async def spring(self):
        self.scope.cancel()
        if self.silent:
            await anyio.Event().wait()


async def cancelled_and_run_again(folder, moments, backend_rows):
    clock = VirtualClock()
    sandbox = Sandbox(OLD, clock=clock)
    rows = rows_for(sandbox, backend_rows)
    rows[3] = attrs.evolve(rows[3], type="import", history=large_history())
    for moment, after, silent in [*moments, (0, False, False)]:
        trap = Trap(sandbox.app, moment, after=after, silent=silent)
        limiter = RateLimiter(assumed_limit=100_000)
        settings = {"limiter": limiter, "timeout": 0.05, "transport": trap}
        async with desk_over(sandbox, clock, **settings) as desk:
            with trap.scope:
                report = await import_cases(desk, rows, journal=folder / "journal", concurrency=3)
    assert report.skipped + report.opened + report.found == backend_rows
    assert opened(sandbox) == once(backend_rows)
    case = next(case for case in sandbox.state.cases.ids() if sandbox.state.cases.value(case, "summary") == "Row 3")
    assert [item["note"] for item in sandbox.state.history(case)] == [note.note for note in rows[3].history]


def large_history(count=5):
    return tuple(NewNote(title=f"Note {number}", note=f"{number} " + "x" * 1_500) for number in range(count))


@pytest.fixture(autouse=True)
def small_forms(monkeypatch):
    """Histories are sent separately beyond a hundredth of the size, which takes less time."""
    monkeypatch.setattr(_history, "DEFAULT_FORM_SIZE", 10_000)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moments=st.lists(st.tuples(st.integers(1, 8), st.booleans(), st.booleans()), max_size=4))
def test_cancelled_at_any_request_and_run_again_every_row_is_opened_once(backend, moments, tmp_path_factory):
    anyio.run(cancelled_and_run_again, tmp_path_factory.mktemp("kills"), moments, 8, backend=backend)


@pytest.mark.anyio
async def test_a_request_that_does_not_end_is_left_behind_and_looked_up_by_the_next_run(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(_sending, "CANCELLATION_GRACE", 0.01)
    sandbox = Sandbox(OLD, clock=clock)
    rows, trap = rows_for(sandbox, 3), Trap(sandbox.app, 2, after=True, silent=True)
    async with desk_over(sandbox, clock, timeout=0.3, transport=trap) as desk:
        with trap.scope:
            await import_cases(desk, rows, journal=tmp_path / "journal", concurrency=1)
        assert trap.scope.cancelled_caught
    async with client(sandbox, clock) as desk:
        report = await import_cases(desk, rows, journal=tmp_path / "journal")
    assert (report.skipped, report.found, report.opened) == (1, 1, 1)
    assert opened(sandbox) == once(3)
