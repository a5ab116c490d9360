"""Where an update looks from, whatever this machine's clock and the dates of single cases say."""

import json
from datetime import UTC, datetime

import anyio
import attrs
import httpx
import pytest
from exports import select
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async import FuseDesk
from fusedesk_async.export import export_cases
from fusedesk_async.sandbox import Sandbox, VirtualClock

pytestmark = pytest.mark.anyio

DAY = 86_400


@attrs.frozen
class WrongClock:
    """A clock that is ahead of another by some seconds."""

    right: VirtualClock
    ahead: float

    def monotonic(self):
        return self.right.monotonic()

    def time(self):
        return self.right.time() + self.ahead

    async def sleep(self, seconds):
        await self.right.sleep(seconds)


class WithoutDate(httpx.ASGITransport):
    """A server whose responses do not say when they were made."""

    async def handle_async_request(self, request):
        response = await super().handle_async_request(request)
        del response.headers["date"]
        return response


def desk_of(sandbox, clock, *, dated):
    transport = (httpx.ASGITransport if dated else WithoutDate)(sandbox.app)
    return FuseDesk("acme", api_key=sandbox.api_key, transport=transport, clock=clock)


def mark_in(out):
    ((checkpoint,),) = select(out, "SELECT checkpoint FROM fusedesk_export")
    return json.loads(checkpoint)["started_after"]


@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize("future", [None, 6, 400])
@pytest.mark.parametrize("days", [-20_000, -30, -3, 0, 3, 10])
async def test_a_clock_that_is_off_hides_no_change(days, future, dated, clock, tmp_path, anyio_backend):
    if future == 6 and days > future and not dated:
        pytest.skip("nothing tells here that the date of this case is in the future")
    sandbox, out = Sandbox(40, clock=clock), tmp_path / "out.db"
    now = int(clock.time())
    sandbox.state.change(8, now, date_updated=now)
    if future:
        sandbox.state.change(7, now, date_updated=now + future * DAY)
    async with desk_of(sandbox, WrongClock(clock, days * DAY), dated=dated) as desk:
        for change in range(3):
            await export_cases(desk, out, update=True)
            sandbox.state.change(9, now + change, summary=f"change {change}", date_updated=now + change)
            mark = mark_in(out)
            assert not mark or datetime.fromisoformat(mark).timestamp() <= now + 2 * change + 2
            report = await export_cases(desk, out, update=True)
            assert select(out, "SELECT summary FROM cases WHERE id = 9") == [(f"change {change}",)]
            assert report.is_whole


@pytest.mark.parametrize("dated", [True, False])
async def test_dates_without_zone_and_cases_all_in_the_future(dated, clock, tmp_path, anyio_backend):
    for zone, days in (("", -1), ("+02:00", -1), ("", 90), ("+00:00", 90)):
        moment = datetime.fromtimestamp(clock.time() + days * DAY, UTC).replace(tzinfo=None, microsecond=0)
        rows = [{"caseid": number, "date_updated": f"{moment}{zone}"} for number in (1, 2)]

        def answer(request, rows=rows):
            offset, at = int(request.url.params["offset"]), datetime.fromtimestamp(clock.time(), UTC)
            headers = {"Date": f"{at:%a, %d %b %Y %H:%M:%S} GMT"} if dated else {}
            return httpx.Response(200, json=rows[offset : offset + 500], headers=headers)

        out = tmp_path / f"{days}{zone}.db"
        transport = httpx.MockTransport(answer)
        async with FuseDesk("acme", api_key="k", transport=transport, clock=WrongClock(clock, -3 * DAY)) as desk:
            await export_cases(desk, out)
        mark = mark_in(out)
        if dated:
            assert mark
            assert datetime.fromisoformat(mark).replace(tzinfo=UTC).timestamp() <= clock.time() + DAY
        else:
            assert mark == "", "our clock is behind, so all of them seem to be in the future"


@given(ahead=st.integers(-(10**9), 10**9))
def test_the_time_of_the_server_is_told_by_its_responses(ahead):
    clock = VirtualClock()
    sandbox = Sandbox(1, clock=clock)

    async def main():
        async with desk_of(sandbox, WrongClock(clock, ahead), dated=True) as desk:
            assert desk.server_time is None
            await desk.check()
            assert abs(desk.server_time.timestamp() - clock.time()) < 2

    anyio.run(main)
