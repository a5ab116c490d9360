import pytest

pytest_plugins = ["fusedesk_async.pytest_plugin", "pytester"]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param
