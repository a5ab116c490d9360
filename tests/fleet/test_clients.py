"""Clients that share a quota: by an argument, by the environment and on the command line."""

import sqlite3
import subprocess
import sys
from contextlib import closing

import httpx
import pytest

from fusedesk_async import ConfigurationError, FuseDesk, RateLimiter
from fusedesk_async.fleet import SQLiteQuota, shared_quota
from fusedesk_async.sandbox import FixedHour, Sandbox, serve_in_thread

CANARY = "cAnArY/+K3y=%41&x"


def client(sandbox, store, **settings):
    transport = httpx.ASGITransport(sandbox.app)
    limiter = RateLimiter(shared=store)
    return FuseDesk("acme", api_key=sandbox.api_key, transport=transport, limiter=limiter, **settings)


@pytest.mark.anyio
async def test_two_clients_share_what_they_know_in_every_store(store, address, anyio_backend):
    sandbox = Sandbox(10, limit=FixedHour(100))
    other_store = shared_quota(address)
    async with client(sandbox, store) as one, client(sandbox, other_store) as other:
        for number in range(1, 6):
            await one.cases.get(number)
            await other.cases.get(number)
        assert other.allowance.remaining == 90
        await one.cases.get(1)
        assert (one.allowance.store, one.allowance.processes, other.allowance.processes) == ("up", 2, 2)
    async with client(sandbox, store) as one:
        await one.cases.get(1)
        assert one.allowance.processes == 1, "those that were closed have said so"


@pytest.mark.anyio
async def test_one_limiter_is_for_one_account(tmp_path, anyio_backend):
    sandbox, other = Sandbox(1), Sandbox(1, keys={"other-key": ["cases"]})
    limiter = RateLimiter(shared=SQLiteQuota(tmp_path / "quota.db"))
    transports = [httpx.ASGITransport(sandbox.app), httpx.ASGITransport(other.app)]
    async with FuseDesk("acme", api_key=sandbox.api_key, transport=transports[0], limiter=limiter):
        with pytest.raises(ConfigurationError, match="one app and one key"):
            async with FuseDesk("acme", api_key=other.api_key, transport=transports[1], limiter=limiter):
                pass


@pytest.mark.anyio
async def test_a_client_takes_its_store_from_the_environment(tmp_path, monkeypatch, anyio_backend):
    path = tmp_path / "quota.db"
    monkeypatch.setenv("FUSEDESK_APP", "acme")
    monkeypatch.setenv("FUSEDESK_API_KEY", "sandbox-key")
    monkeypatch.setenv("FUSEDESK_SHARED_QUOTA", f"sqlite:///{path}")
    sandbox = Sandbox(1)
    async with FuseDesk.from_env(transport=httpx.ASGITransport(sandbox.app)) as desk:
        await desk.cases.get(1)
        assert desk.allowance.store == "up"
    own = FuseDesk.from_env(transport=httpx.ASGITransport(sandbox.app), limiter=RateLimiter())
    assert own.allowance.store == "none"
    assert path.exists()
    monkeypatch.setenv("FUSEDESK_SHARED_QUOTA", "quota.db")
    with pytest.raises(ConfigurationError, match="a shared quota has an address"):
        FuseDesk.from_env()


@pytest.mark.anyio
async def test_nothing_of_the_key_is_in_the_store(tmp_path, anyio_backend):
    sandbox = Sandbox(1, keys={CANARY: ["cases"]})
    accounts = set()
    for key in (CANARY, "c" + CANARY[1:-1] + "y"):
        for host in ("https://acme.fusedesk.com", "https://other.example:8443"):
            store = SQLiteQuota(tmp_path / "quota.db")
            transport = httpx.ASGITransport(sandbox.app)
            desk = FuseDesk("acme", api_key=key, base_url=host, transport=transport, limiter=RateLimiter(shared=store))
            async with desk:
                await desk.call("GET", "cases/1") if key == CANARY else None
            accounts.add(desk._account)
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    with closing(sqlite3.connect(tmp_path / "quota.db")) as connection:
        names = {name for (name,) in connection.execute("SELECT account FROM fusedesk_quota")}
    assert len(accounts) == 4
    assert {name.partition("/")[0] for name in names} == {"acme.fusedesk.com", "other.example:8443"}
    assert all(len(name.partition("/")[2]) == 16 for name in accounts)
    assert names < accounts
    for part in (CANARY[:4], CANARY[4:8], CANARY[-5:]):
        assert part.encode() not in held


def test_the_command_line_shares(tmp_path):
    with serve_in_thread(Sandbox(5)) as url:
        environment = {"FUSEDESK_APP": "acme", "FUSEDESK_BASE_URL": url, "FUSEDESK_API_KEY": "sandbox-key"}
        program = "from fusedesk_async.cli import main; main()"
        command = [sys.executable, "-c", program, "check", "--share", f"sqlite:///{tmp_path}/quota.db"]
        subprocess.run(command, env=environment, check=True, capture_output=True)
        assert (tmp_path / "quota.db").exists()
        wrong = subprocess.run(
            [*command[:-1], "quota.db"], env=environment, check=False, capture_output=True, text=True
        )
    assert "a shared quota has an address" in wrong.stderr
