"""What could not be fetched is remembered, asked for first by an update, and told as long as it is missing."""

import httpx
import pytest
from exports import select
from tenacity import stop_after_attempt

from fusedesk_async import FuseDesk, RetryPolicy
from fusedesk_async.export import export_cases
from fusedesk_async.sandbox import Sandbox, VirtualClock

pytestmark = pytest.mark.anyio


class LosesHistories(httpx.ASGITransport):
    """A sandbox that fails whenever it is asked for one of these cases."""

    broken: frozenset[int] = frozenset()

    async def handle_async_request(self, request):
        if request.url.path.rpartition("/")[2] in {str(each) for each in self.broken}:
            return httpx.Response(500)
        return await super().handle_async_request(request)


def column(out, name):
    return dict(select(out, f"SELECT id, {name} FROM cases"))


def with_history(out):
    return {each for (each,) in select(out, "SELECT DISTINCT case_id FROM history")}


def opened(sandbox, transport):
    retry = RetryPolicy(stop=stop_after_attempt(1))
    return FuseDesk("acme", api_key=sandbox.api_key, transport=transport, retry=retry, clock=VirtualClock())


@pytest.mark.parametrize("filters", [{}, {"status": "open"}])
async def test_an_update_fetches_missing_histories_first_and_says_what_is_still_missing(filters, out):
    sandbox = Sandbox(60)
    transport = LosesHistories(sandbox.app)
    ids = [*sandbox.state.cases.ids()] if not filters else sorted(await open_ids(sandbox, transport))
    transport.broken = frozenset(ids[1:4])
    async with opened(sandbox, transport) as desk:
        first = await export_cases(desk, out, history=True, **filters)
        assert (first.history_errors, first.is_whole) == (3, False)
        transport.broken = frozenset(ids[1:2])
        sandbox.delete_cases(ids=ids[2:3])
        second = await export_cases(desk, out, history=True, update=True, **filters)
        assert (second.history_errors, second.is_whole) == (1, False)
        assert column(out, "history_error")[ids[2]] is None
        assert column(out, "tombstone")[ids[2]] == 1, "it is gone, so it is not missing any more"
        assert column(out, "summary")[ids[2]], "but stays as it was"
        assert ids[3] in with_history(out)
        transport.broken = frozenset()
        third = await export_cases(desk, out, history=True, update=True, **filters)
        assert (third.history_errors, third.is_whole) == (0, True)
        assert not any(column(out, "history_error").values())
        assert set(column(out, "matches").values()) == {1}


async def open_ids(sandbox, transport):
    async with opened(sandbox, transport) as desk:
        return [case.id async for case in desk.cases.search(status="open")]


async def test_many_missing_histories_are_kept_in_steps(out):
    sandbox = Sandbox(50)
    transport = LosesHistories(sandbox.app)
    transport.broken = frozenset([*sandbox.state.cases.ids()][1:-1])
    async with opened(sandbox, transport) as desk:
        assert (await export_cases(desk, out, history=True)).history_errors == 48
        transport.broken = frozenset()
        assert (await export_cases(desk, out, history=True, update=True)).is_whole
