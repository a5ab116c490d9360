"""Fixtures that join a client and a sandbox, for the tests of your own code.

Turn them on with one line in your `conftest.py`:

    pytest_plugins = ["fusedesk_async.pytest_plugin"]

They need the extra `sandbox`. A fault that was scripted and never happened fails the test. Nothing waits: pauses pass
on a virtual clock. The client is handed out unopened, so that it works with every async test plugin:
`async with fusedesk_client as desk: …`.
"""

from collections.abc import Generator

import httpx
import pytest

from fusedesk_async._client import FuseDesk
from fusedesk_async.sandbox import Sandbox, VirtualClock


@pytest.fixture
def fusedesk_clock() -> VirtualClock:
    """Time for client and sandbox alike; `waited` says how many seconds were slept."""
    return VirtualClock()


@pytest.fixture
def fusedesk_sandbox(fusedesk_clock: VirtualClock) -> Sandbox:
    """A FuseDesk in this process, with 200 cases. Override the fixture for another one."""
    return Sandbox(clock=fusedesk_clock)


@pytest.fixture(autouse=True)
def _faults_happen(request: pytest.FixtureRequest) -> Generator[None, None, None]:
    """Fail a test if a fault of its `fusedesk_sandbox`, whichever that is, never happened: it has tested nothing."""
    yield
    sandbox = request.node.funcargs.get("fusedesk_sandbox")
    if isinstance(sandbox, Sandbox):
        sandbox.assert_all_faults_happened()


@pytest.fixture
def fusedesk_client(fusedesk_sandbox: Sandbox, fusedesk_clock: VirtualClock) -> FuseDesk:
    """A client of that sandbox, not yet opened."""
    return FuseDesk(
        "sandbox",
        api_key=fusedesk_sandbox.api_key,
        transport=httpx.ASGITransport(fusedesk_sandbox.app),
        clock=fusedesk_clock,
    )
