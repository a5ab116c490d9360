"""The fixtures as users have them: with pytest-asyncio in strict mode, and with anyio's own plugin."""

import pytest
import pytest_asyncio

from fusedesk_async import FuseDesk


@pytest_asyncio.fixture
async def desk(fusedesk_client):
    async with fusedesk_client as desk:
        yield desk


@pytest.fixture
async def anyio_desk(fusedesk_client):
    async with fusedesk_client as desk:
        yield desk


@pytest.mark.asyncio
async def test_with_pytest_asyncio(desk: FuseDesk, fusedesk_sandbox, fusedesk_clock):
    fusedesk_sandbox.fault("get", status=429, retry_after="30")
    assert (await desk.cases.get(1)).id == 1
    assert fusedesk_clock.waited >= 30


@pytest.mark.anyio
async def test_with_anyio(anyio_desk: FuseDesk, fusedesk_sandbox):
    assert len(await anyio_desk.cases.search().collect()) == len(fusedesk_sandbox.state.cases)


def test_one_line_in_conftest_is_enough(pytester):
    pytester.makeconftest('pytest_plugins = ["fusedesk_async.pytest_plugin"]')
    pytester.makepyfile(
        """
        import anyio

        def test_desk(fusedesk_client):
            async def main():
                async with fusedesk_client as desk:
                    return await desk.cases.search(status="open").first()

            assert anyio.run(main).status == "open"
        """
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
