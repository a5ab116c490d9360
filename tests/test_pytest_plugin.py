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


@pytest.mark.parametrize("overridden", [False, True])
def test_a_fault_that_never_happens_fails_the_test(pytester, overridden):
    own = """
import pytest
from fusedesk_async.sandbox import Sandbox

@pytest.fixture
def fusedesk_sandbox(fusedesk_clock):
    return Sandbox(3, clock=fusedesk_clock)
"""
    pytester.makeconftest(f'pytest_plugins = ["fusedesk_async.pytest_plugin"]\n{own if overridden else ""}')
    pytester.makepyfile(
        """
        import anyio

        async def ask(client):
            async with client as desk:
                await desk.cases.search().first()

        def test_met(fusedesk_client, fusedesk_sandbox):
            fusedesk_sandbox.fault("search", times=2, status=429, retry_after="1")
            anyio.run(ask, fusedesk_client)

        def test_never_met(fusedesk_client, fusedesk_sandbox):
            fusedesk_sandbox.fault("search", nth=4, status=429)
            anyio.run(ask, fusedesk_client)

        def test_cleared(fusedesk_sandbox):
            fusedesk_sandbox.fault("get", status=429)
            fusedesk_sandbox.clear_faults()

        def test_without_sandbox():
            pass
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:randomly")
    result.assert_outcomes(passed=4, errors=1)
    result.stdout.fnmatch_lines(["*AssertionError: some faults never happened: search, call 4 (1 came)"])
