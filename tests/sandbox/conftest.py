"""Clients of a sandbox."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from fusedesk_async.sandbox import Sandbox

Connect = Callable[..., httpx.AsyncClient]


@pytest.fixture
def connect() -> Connect:
    """A function from sandbox to a client of it, which carries the first key."""

    def connect(sandbox: Sandbox, **options: Any) -> httpx.AsyncClient:
        headers = options.pop("headers", {"X-FuseDesk-API-Key": sandbox.api_key})
        transport = httpx.ASGITransport(sandbox.app)
        return httpx.AsyncClient(transport=transport, base_url="https://acme.fusedesk.com", headers=headers, **options)

    return connect
