"""Lists that come empty although there are cases: nothing is taken away for them."""

import httpx
import pytest
from exports import select

from fusedesk_async import ExportError, FuseDesk
from fusedesk_async.export import export_cases
from fusedesk_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio


class SaysNothing(httpx.ASGITransport):
    """A sandbox that has nothing to say to lists in the order of ids, as long as `is_mute`."""

    is_mute = False
    statuses = ("all", "open", "")

    async def handle_async_request(self, request):
        response = await super().handle_async_request(request)
        if self.is_mute and request.url.params.get("status", "") in self.statuses and by_id(request):
            return httpx.Response(200, content=b"[]")
        return response


class HasNoChanges(SaysNothing):
    """The same for the list of all changed cases only."""

    statuses = ("all",)


def by_id(request):
    return request.url.params.get("orderby", "").startswith("caseid")


def matches(out):
    return dict(select(out, "SELECT id, matches FROM cases"))


@pytest.mark.parametrize("kind", [SaysNothing, HasNoChanges])
@pytest.mark.parametrize("filters", [{"status": "open"}, {}])
async def test_an_update_whose_lists_come_empty_changes_nothing(kind, filters, out):
    sandbox = Sandbox(300)
    transport = kind(sandbox.app)
    async with FuseDesk("acme", api_key=sandbox.api_key, transport=transport) as desk:
        await export_cases(desk, out, **filters)
        before = matches(out)
        closed = [each for each in before if each][:40]
        sandbox.close_cases(ids=closed)
        fresh = sandbox.open_cases(3, status="open")
        transport.is_mute = True
        if kind is SaysNothing or filters:
            for _ in range(2):
                with pytest.raises(ExportError, match="no cases in one response and some in another") as caught:
                    await export_cases(desk, out, update=True, **filters)
                assert caught.value.reason == "empty"
                assert matches(out) == before
        transport.is_mute = False
        report = await export_cases(desk, out, update=True, **filters)
    assert report.is_whole
    assert {each for each, is_match in matches(out).items() if is_match} >= {*fresh}
    if filters:
        assert not {each for each, is_match in matches(out).items() if is_match} & {*closed}


async def test_an_export_that_was_to_have_cases_is_not_done_without_any(tmp_path):
    sandbox, out = Sandbox(40), tmp_path / "out.jsonl"
    transport = SaysNothing(sandbox.app)
    async with FuseDesk("acme", api_key=sandbox.api_key, transport=transport) as desk:
        planned = []

        def on_progress(progress):
            planned.append(progress.expected)
            transport.is_mute = True

        with pytest.raises(ExportError, match="no cases in one response and some in another"):
            await export_cases(desk, out, on_progress=on_progress)
        assert 40 in planned
        assert not out.exists()
        transport.is_mute = False
        assert (await export_cases(desk, out)).cases == 40


async def test_an_empty_list_is_an_empty_export(out, tmp_path):
    sandbox = Sandbox(0)
    async with FuseDesk("acme", api_key=sandbox.api_key, transport=httpx.ASGITransport(sandbox.app)) as desk:
        for to in (tmp_path / "out.jsonl", out):
            assert (await export_cases(desk, to)).cases == 0
        assert (await export_cases(desk, out, update=True)).cases == 0
