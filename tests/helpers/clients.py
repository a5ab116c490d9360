"""Clients of a sandbox in this process."""

from typing import Any

import httpx

from fusedesk_async import Clock, FuseDesk, NewCase
from fusedesk_async.sandbox import Sandbox


def client(sandbox: Sandbox, clock: Clock, **settings: Any) -> FuseDesk:
    """A client, not yet opened."""
    transport = httpx.ASGITransport(sandbox.app)
    return FuseDesk("acme", api_key=sandbox.api_key, transport=transport, clock=clock, **settings)


def new_case(sandbox: Sandbox) -> NewCase:
    """A case that the sandbox takes."""
    department = next(iter(sandbox.state.departments))
    return NewCase(department_id=department, summary="Login fails", details="since yesterday", opened_by="jo")
