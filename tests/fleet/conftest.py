"""The stores, each with nothing in it."""

import pytest

from fusedesk_async.fleet import shared_quota


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def address(request, tmp_path):
    """The address of an empty store of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'quota.db'}"
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def store(address):
    """A store with nothing in it."""
    store = shared_quota(address)
    yield store
    store.close()
