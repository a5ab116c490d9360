"""Proxies and certificates by option and by the environment."""

import ssl

import click
import pytest
import trustme
from loopback import plain, serving
from tenacity import stop_after_attempt

from fusedesk_async import ConfigurationError, FuseDesk, NotSentError, RetryPolicy
from fusedesk_async._http.proxies import route_to
from fusedesk_async.cli._connection import connected

pytestmark = pytest.mark.anyio

ONCE = RetryPolicy(stop=stop_after_attempt(1))
SERVER = "https://acme.fusedesk.com"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("http", "https", "all", "no"):
        for spelling in (f"{name}_proxy", f"{name}_proxy".upper()):
            monkeypatch.delenv(spelling, raising=False)
    monkeypatch.setenv("FUSEDESK_APP", "acme")
    monkeypatch.setenv("FUSEDESK_API_KEY", "key")
    return monkeypatch


async def refuse(stream, _):
    await stream.send(plain(b"", "407 No"))


async def test_from_env_asks_the_proxy_of_the_environment_and_names_it(environment):
    async with serving(refuse) as proxy:
        environment.setenv("HTTPS_PROXY", proxy.url.replace("//", "//jo:s3cret@"))
        async with FuseDesk.from_env(retry=ONCE) as desk:
            with pytest.raises(NotSentError, match="the proxy of HTTPS_PROXY was asked") as caught:
                await desk.call("GET", "cases")
    assert proxy.requests[0].startswith(b"CONNECT acme.fusedesk.com:443")
    assert "s3cret" not in repr(caught.value)


async def test_a_client_that_ignores_the_environment_says_so(environment):
    environment.setenv("ALL_PROXY", "http://jo:s3cret@127.0.0.1:1")
    async with serving(refuse) as proxy, FuseDesk("acme", api_key="key", retry=ONCE, proxy=proxy.url) as desk:
        with pytest.raises(NotSentError) as caught:
            await desk.call("GET", "cases")
    assert "ALL_PROXY" not in str(caught.value)
    note = route_to(SERVER, None, trust_env=False).note
    assert note == "; ALL_PROXY is set but not used, as trust_env is off"


@pytest.mark.parametrize(
    ("variables", "server", "proxy"),
    [
        ({}, SERVER, None),
        ({"HTTPS_PROXY": "http://a:1"}, SERVER, "http://a:1"),
        ({"https_proxy": "http://b:1", "ALL_PROXY": "http://c:1"}, SERVER, "http://b:1"),
        ({"ALL_PROXY": "http://c:1"}, SERVER, "http://c:1"),
        ({"HTTP_PROXY": "http://a:1"}, SERVER, None),
        ({"HTTPS_PROXY": "http://a:1", "NO_PROXY": "x.example,.fusedesk.com"}, SERVER, None),
        ({"HTTPS_PROXY": "http://a:1", "NO_PROXY": "*"}, SERVER, None),
        ({"HTTP_PROXY": "http://a:1"}, "http://127.0.0.1:8080", None),
        ({"HTTP_PROXY": "http://a:1"}, "http://[::1]:8080", None),
    ],
)
def test_which_proxy_the_environment_names(environment, variables, server, proxy):
    for name, address in variables.items():
        environment.setenv(name, address)
    assert route_to(server, None, trust_env=True).proxy == proxy


async def test_certificates_of_a_file_are_trusted(tmp_path):
    authority, server_side = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server_side)
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)

    async def behave(stream, _):
        await stream.send(plain(b"[]"))

    async with (
        serving(behave, server_side) as server,
        FuseDesk("acme", api_key="key", base_url=server.url, verify=str(path)) as desk,
    ):
        assert await desk.call("GET", "cases") == []


async def test_a_folder_without_the_certificate_trusts_nobody(tmp_path):
    authority, server_side = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server_side)
    async with (
        serving(refuse, server_side) as server,
        FuseDesk("acme", api_key="key", base_url=server.url, verify=str(tmp_path), retry=ONCE) as desk,
    ):
        with pytest.raises(NotSentError, match="certificate") as caught:
            await desk.call("GET", "cases")
    assert caught.value.permanent


async def test_the_command_line_has_options_for_both(tmp_path):
    made = []

    @click.command()
    @connected
    def command(connection):
        made.append(connection)

    (tmp_path / "ca.pem").touch()
    async with serving(refuse) as proxy:
        command(["--proxy", proxy.url, "--ca", str(tmp_path)], standalone_mode=False)
        async with made[0].client() as desk:
            with pytest.raises(NotSentError, match="407"):
                await desk.with_options(retry=ONCE).call("GET", "cases")
        assert proxy.requests[0].startswith(b"CONNECT acme.fusedesk.com:443")
    command(["--ca", str(tmp_path / "ca.pem")], standalone_mode=False)
    with pytest.raises(ConfigurationError, match="no certificates"):
        made[1].client()


@pytest.mark.parametrize("name", ["missing.pem", "empty.pem", "a\0b"])
def test_certificates_that_cannot_be_read_are_refused(tmp_path, name):
    (tmp_path / "empty.pem").touch()
    with pytest.raises(ConfigurationError, match="no certificates can be read"):
        FuseDesk("acme", api_key="key", verify=str(tmp_path / name))
