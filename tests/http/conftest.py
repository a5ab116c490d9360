"""A sandbox in this process and an open client of it, on a clock that does not wait."""

import pytest
from clients import client

from fusedesk_async.sandbox import Sandbox


@pytest.fixture
def sandbox(clock):
    return Sandbox(700, clock=clock)


@pytest.fixture
async def desk(sandbox, clock):
    async with client(sandbox, clock) as desk:
        yield desk
