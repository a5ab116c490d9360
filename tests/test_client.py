import asyncio
import logging
import ssl

import anyio
import httpx
import pytest

from fusedesk_async import Access, ConfigurationError, FuseDesk, FuseDeskWarning, NotSentError, RetryPolicy
from fusedesk_async.sandbox import Sandbox, VirtualClock, serve_in_thread

ANSWERS = httpx.MockTransport(lambda _: httpx.Response(200, json=[]))


def client(**settings):
    return FuseDesk("acme", **{"api_key": "key", "transport": ANSWERS, **settings})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"api_key": ""}, "API key is empty"),
        ({"concurrency": 0}, "concurrency is a whole number above 0"),
        ({"concurrency": 0.5}, "concurrency"),
        ({"transport": None, "proxy": "h:1"}, "proxy must be an address"),
        ({"transport": None, "proxy": "socks5://127.0.0.1:1"}, "proxy must be an address"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": "30"}, "timeout"),
        ({"max_body": -1}, "max_body"),
        ({"base_url": "http://acme.fusedesk.com"}, "unencrypted"),
        ({"auth": "bearer"}, "auth"),
        ({"on_rate_limit": "explode"}, "on_rate_limit"),
    ],
)
def test_what_cannot_be_right_is_refused_when_the_client_is_made(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        client(**settings)


def test_its_repr_tells_where_it_goes():
    assert repr(client()) == "FuseDesk('https://acme.fusedesk.com')"


def test_it_warns_loudly_when_certificates_are_not_checked():
    with pytest.warns(FuseDeskWarning, match="certificates are not checked"):
        client(verify=False, transport=None)
    client(verify=ssl.create_default_context(), transport=None)


def test_it_is_made_from_the_environment(monkeypatch):
    monkeypatch.setenv("FUSEDESK_APP", "acme")
    monkeypatch.setenv("FUSEDESK_API_KEY", "key")
    monkeypatch.delenv("FUSEDESK_BASE_URL", raising=False)
    assert repr(FuseDesk.from_env(timeout=5.0)) == "FuseDesk('https://acme.fusedesk.com')"
    monkeypatch.setenv("FUSEDESK_BASE_URL", "http://127.0.0.1:8080/")
    assert repr(FuseDesk.from_env()) == "FuseDesk('http://127.0.0.1:8080')"
    monkeypatch.delenv("FUSEDESK_API_KEY")
    with pytest.raises(ConfigurationError, match="FUSEDESK_API_KEY"):
        FuseDesk.from_env()


@pytest.mark.anyio
async def test_it_is_used_between_opening_and_closing():
    desk = client()
    with pytest.raises(ConfigurationError, match="open the client first"):
        await desk.call("GET", "cases")
    async with desk:
        await desk.call("GET", "cases")
        with pytest.raises(ConfigurationError, match="open already"):
            await desk.__aenter__()
    with pytest.raises(ConfigurationError, match="is closed; make a new one"):
        await desk.call("GET", "cases")
    with pytest.raises(ConfigurationError, match="closed already"):
        await desk.__aenter__()
    await desk.aclose()


@pytest.mark.anyio
async def test_a_view_shares_connections_and_is_not_opened():
    async with client() as desk:
        view = desk.with_options(timeout=1, retry=RetryPolicy(), priority="bulk", on_rate_limit="raise")
        assert await view.call("GET", "cases") == []
        with pytest.raises(ConfigurationError, match="not opened"):
            await view.__aenter__()
        with pytest.raises(ConfigurationError, match="not opened or closed"):
            await view.aclose()
        with pytest.raises(ConfigurationError, match="method is one of"):
            await desk.call("PATCH", "cases")
        with pytest.raises(ConfigurationError, match="timeout"):
            desk.with_options(timeout=-1)
        with pytest.raises(ConfigurationError, match="priority"):
            desk.with_options(priority="urgent")
    with pytest.raises(ConfigurationError, match="closed"):
        await view.call("GET", "cases")


def test_it_belongs_to_one_event_loop():
    desk = client()
    anyio.run(desk.__aenter__)

    async def call():
        with pytest.raises(ConfigurationError, match="another event loop"):
            await desk.call("GET", "cases")

    anyio.run(call)
    anyio.run(call, backend="trio")
    asyncio.run(desk.aclose())


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["cases/../users", "//evil.example/x", "https://evil.example/", "", "cases//1"])
async def test_a_path_that_leads_elsewhere_is_refused(path):
    async with client() as desk:
        with pytest.raises(ConfigurationError, match="path"):
            await desk.call("GET", path)


@pytest.mark.anyio
async def test_check_tells_what_the_key_may_do():
    sandbox = Sandbox(keys={"reader": {"cases", "reps"}}, clock=VirtualClock())
    async with FuseDesk("acme", api_key="reader", transport=httpx.ASGITransport(sandbox.app)) as desk:
        access = await desk.check()
        assert access == Access(base_url="https://acme.fusedesk.com", scopes=frozenset({"cases", "reps"}))
    assert len(sandbox.received) == 1


@pytest.mark.anyio
async def test_real_connections_and_the_sandbox():
    with serve_in_thread(Sandbox(600)) as url:
        async with FuseDesk("acme", api_key="sandbox-key", base_url=url) as desk:
            assert len(await desk.cases.search().collect()) == 600


@pytest.mark.anyio
async def test_a_proxy_that_is_not_there():
    policy = RetryPolicy(wait=lambda _: 0.0)
    async with FuseDesk("acme", api_key="key", proxy="http://127.0.0.1:1", retry=policy) as desk:
        with pytest.raises(NotSentError):
            await desk.check()


@pytest.mark.anyio
async def test_proxies_of_the_environment_are_not_used(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with serve_in_thread(Sandbox(10)) as url:
        async with FuseDesk("acme", api_key="sandbox-key", base_url=url) as desk:
            assert (await desk.cases.get(3)).id == 3


@pytest.mark.anyio
async def test_the_log_guard_leaves_when_the_client_is_closed():
    before = list(logging.getLogger("httpcore.http11").filters)
    async with client():
        assert len(logging.getLogger("httpcore.http11").filters) == len(before) + 1
    assert logging.getLogger("httpcore.http11").filters == before
