import pytest
from limiter_calls import told

from fusedesk_async import RateLimiter
from fusedesk_async.sandbox import VirtualClock

pytest_plugins = ["fusedesk_async.pytest_plugin", "pytester"]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def clock():
    """Time that passes only when everybody waits for it."""
    return VirtualClock()


@pytest.fixture
async def limiter(clock):
    """A limiter that has heard one answer: the very first call goes alone."""
    limiter = RateLimiter()
    limiter.attach(clock)
    await told(limiter)
    return limiter
