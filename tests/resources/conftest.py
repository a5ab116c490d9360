import httpx
import pytest

from fusedesk_async import FuseDesk
from fusedesk_async.sandbox import Sandbox, VirtualClock


@pytest.fixture
def sandbox():
    return Sandbox(60, clock=VirtualClock())


@pytest.fixture
async def desk(sandbox):
    transport = httpx.ASGITransport(sandbox.app)
    async with FuseDesk("acme", api_key=sandbox.api_key, transport=transport, clock=VirtualClock()) as desk:
        yield desk
