"""A response belongs to the call that asked for it."""

import gzip
import ssl
from contextlib import asynccontextmanager, suppress

import anyio
import httpx
import pytest
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loopback import plain, serving
from tenacity import stop_after_attempt, wait_none

from fusedesk_async import AnswerLostError, ConfigurationError, FuseDesk, NotSentError, RetryPolicy
from fusedesk_async._clock import SystemClock
from fusedesk_async._http.connections import READ_SIZE, make_transport

pytestmark = pytest.mark.anyio

ONCE = RetryPolicy(stop=stop_after_attempt(1))
AT_ONCE = RetryPolicy(wait=wait_none())
STRAY = plain(b'{"from": "nobody"}')
OTHER = {
    "another response": STRAY,
    "a refusal": plain(b'{"error": "no such department"}', "405 No"),
    "a byte": b"!",
    "a line break": b"\r\n",
    "as many bytes as are read at once": b"x" * READ_SIZE,
}


NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""It loads no certificates, which takes time."""


def client(url, **settings):
    usual = {"api_key": "key", "base_url": url, "retry": ONCE, "timeout": 5.0, "verify": NO_TLS}
    return FuseDesk("acme", **usual | settings)


def chunked(body, size=7):
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"


def numbered(number):
    return b'{"answer": %d}' % number


@pytest.fixture
def tls():
    """The contexts of a server on localhost and of a client that trusts it."""
    authority = trustme.CA()
    server, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(trusting)
    return server, trusting


@pytest.mark.parametrize("stray", [pytest.param(stray, id=name) for name, stray in OTHER.items()])
@pytest.mark.parametrize("frame", [plain, chunked])
async def test_bytes_in_the_packet_of_a_response_are_not_taken_for_the_next_one(frame, stray):
    async def behave(stream, number):
        await stream.send(frame(numbered(number)) + (stray if number == 1 else b""))
        return True

    async with serving(behave) as server, client(server.url) as desk:
        for number in (1, 2, 3):
            assert await desk.call("GET", "cases") == {"answer": number}
        assert len(server.requests) == 3
        assert server.connections == 2


async def test_bytes_between_two_responses_are_not_taken_for_the_second():
    sent = anyio.Event()

    async def behave(stream, number):
        await stream.send(plain(numbered(number)))
        try:
            if number == 1:
                await stream.send(STRAY)
        finally:  # the client may have seen a part of it and closed the connection
            sent.set()
        return True

    async with serving(behave) as server, client(server.url) as desk:
        assert await desk.call("GET", "cases") == {"answer": 1}
        await sent.wait()
        assert await desk.call("GET", "cases") == {"answer": 2}
        assert server.connections == 2


async def test_a_write_is_not_sent_where_bytes_are_left_and_its_answer_is_its_own():
    async def behave(stream, number):
        await stream.send(plain(numbered(number)) + plain(b'{"error": "no such department"}', "405 No"))
        return True

    async with serving(behave) as server, client(server.url) as desk:
        for number in (1, 2):
            assert await desk.call("POST", "cases", form={"summary": "mine"}) == {"answer": number}
        assert len(server.requests) == server.connections == 2


@given(
    pieces=st.lists(st.integers(1, 40), max_size=12),
    stray=st.binary(max_size=3),
    frame=st.sampled_from([plain, chunked]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
async def test_a_connection_is_used_again_exactly_if_nothing_is_left_in_it(pieces, stray, frame):
    sent = anyio.Event()

    async def behave(stream, number):
        data = frame(numbered(number)) + stray
        try:
            for size in pieces:
                await stream.send(data[:size])
                data = data[size:]
                await anyio.lowlevel.checkpoint()
            await stream.send(data)
        finally:  # the client closes the connection as soon as it sees what is left in it
            sent.set()
        return True

    async with serving(behave) as server, client(server.url) as desk:
        assert await desk.call("GET", "cases") == {"answer": 1}
        await sent.wait()
        assert await desk.call("GET", "cases") == {"answer": 2}
        assert server.connections == (2 if stray else 1)


async def test_a_connection_is_kept_whatever_the_framing(tls):
    server_side, trusting = tls
    large = b'"' + b"x" * 1_000_000 + b'"'
    answers = [
        plain(b"[]"),
        chunked(b"[1, 2, 3, 4, 5, 6]"),
        plain(large),
        chunked(large, 60_000),
        plain(gzip.compress(b"[]"), "200 OK", "Content-Encoding: gzip"),
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n" + plain(b"[]"),
        plain(b""),
    ]

    async def behave(stream, number):
        await stream.send(answers[number - 1])
        return True

    for side in (None, server_side):
        async with serving(behave, side) as server, client(server.url, verify=trusting) as desk:
            for _ in answers:
                await desk.call("GET", "cases")
            assert server.connections == 1


async def test_a_connection_that_the_server_closes_is_replaced():
    async def behave(stream, number):
        await stream.send(plain(numbered(number), "200 OK", "Connection: close"))

    async with serving(behave) as server, client(server.url) as desk:
        for number in (1, 2):
            assert await desk.call("GET", "cases") == {"answer": number}
        assert server.connections == 2


@pytest.mark.parametrize("size", [100, 16_384], ids=["in the same record", "in a record of its own"])
async def test_bytes_that_tls_holds_are_not_taken_for_the_next_response(tls, size):
    server_side, trusting = tls

    def filled(number):
        return plain(numbered(number) + b" " * (size - len(plain(numbered(number) + b" " * 50)) + 50))

    async def behave(stream, number):
        await stream.send(filled(number) + STRAY)  # a record holds 16 384 bytes
        return True

    async with serving(behave, server_side) as server, client(server.url, verify=trusting) as desk:
        for number in (1, 2):
            assert await desk.call("GET", "cases") == {"answer": number}
        assert server.connections == 2


class Meddling(httpx.AsyncBaseTransport):
    """Real connections, with something happening at one point of a request."""

    def __init__(self):
        self.inner = make_transport(max_connections=1, proxy=None, verify=NO_TLS, clock=SystemClock())
        self.events = {}

    async def handle_async_request(self, request):
        trace = request.extensions["trace"]

        async def meddle(event, info):
            await trace(event, info)
            if happening := self.events.pop(event, None):
                await happening()

        request.extensions["trace"] = meddle
        return await self.inner.handle_async_request(request)

    async def aclose(self):
        await self.inner.aclose()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_bytes_that_come_as_the_request_is_about_to_be_sent_send_it_elsewhere(method):
    streams, transport = [], Meddling()

    async def behave(stream, number):
        streams.append(stream)
        await stream.send(plain(numbered(number)))
        return True

    async def stray():
        await streams[0].send(STRAY)

    async with serving(behave) as server, client(server.url, transport=transport) as desk:
        assert await desk.call("GET", "cases") == {"answer": 1}
        transport.events["http11.send_request_headers.started"] = stray
        assert await desk.call(method, "cases") == {"answer": 2}
        assert server.connections == len(server.requests) == 2


async def test_what_was_sent_nowhere_was_not_sent():
    """As above, but there is no other connection to be had."""
    streams, transport = [], Meddling()

    async def behave(stream, number):
        streams.append(stream)
        await stream.send(plain(numbered(number)))
        return True

    async def stray():
        await streams[0].send(STRAY)
        transport.events["connection.connect_tcp.started"] = anyio.sleep_forever

    async with serving(behave) as server, client(server.url, transport=transport, timeout=0.2) as desk:
        assert await desk.call("GET", "cases") == {"answer": 1}
        transport.events["http11.send_request_headers.started"] = stray
        with pytest.raises(NotSentError):
            await desk.call("POST", "cases", form={"summary": "never sent"})
        assert len(server.requests) == 1


@pytest.mark.parametrize("greeting", [STRAY, b""], ids=["speaks", "closes"])
async def test_a_server_that_does_not_wait_to_be_asked_is_not_asked(greeting):
    received, spoken, transport = [], [], Meddling()

    async def greet(stream):
        async with stream:
            if greeting:
                await stream.send(greeting)
            else:
                await stream.send_eof()
            spoken.append(1)
            received.extend([chunk async for chunk in stream])

    async def heard():
        while not spoken:
            await anyio.lowlevel.checkpoint()

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, greet)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        transport.events["connection.connect_tcp.complete"] = heard
        async with client(f"http://127.0.0.1:{port}", transport=transport) as desk:
            with pytest.raises(NotSentError, match="before it was asked"):
                await desk.call("POST", "cases", form={"summary": "never sent"})
        group.cancel_scope.cancel()
    assert received == []


@asynccontextmanager
async def tunnelling(port):
    """A proxy that makes tunnels to a port of this machine."""

    async def forward(source, target):
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            async for chunk in source:
                await target.send(chunk)
        await target.aclose()

    async def tunnel(stream, _):
        await stream.send(b"HTTP/1.1 200 Go ahead\r\n\r\n")
        async with await anyio.connect_tcp("127.0.0.1", port) as target, anyio.create_task_group() as group:
            group.start_soon(forward, stream, target)
            group.start_soon(forward, target, stream)

    async with serving(tunnel) as proxy:
        yield proxy


async def test_a_tunnel_carries_calls_and_nothing_left_in_it_is_taken(tls):
    server_side, trusting = tls

    async def behave(stream, number):
        await stream.send(plain(numbered(number)) + (STRAY if number == 2 else b""))
        return True

    async with (
        serving(behave, server_side) as server,
        tunnelling(int(server.url.rpartition(":")[2])) as proxy,
        client(server.url, verify=trusting, proxy=proxy.url.replace("//", "//jo:secret@")) as desk,
    ):
        for number in (1, 2, 3):
            assert await desk.call("GET", "cases") == {"answer": number}
        assert server.connections == proxy.connections == 2
        assert b"Proxy-Authorization: Basic" in proxy.requests[0]


async def test_a_proxy_that_forwards_calls_is_asked_for_the_whole_address():
    async def behave(stream, number):
        await stream.send(plain(numbered(number)) + (STRAY if number == 2 else b""))
        return True

    async with serving(behave) as proxy, client("http://localhost:1", proxy=proxy.url) as desk:
        for number in (1, 2, 3):
            assert await desk.call("GET", "cases") == {"answer": number}
        assert proxy.connections == 2
        assert proxy.requests[0].startswith(b"GET http://localhost:1/api/v1/cases")


async def test_a_broken_tls_connection_is_not_used_again(tls):
    """What comes behind the response is no TLS, in the same packet: the record that is cut off cannot be read."""
    server_side, trusting = tls

    async def behave(stream, number):
        await stream.send(plain(numbered(number)))
        await stream.transport_stream.send(b"\x15\x03\x03\x00\x02\x01\x00" * 3)
        return True

    async with serving(behave, server_side) as server, client(server.url, verify=trusting, retry=AT_ONCE) as desk:
        for number in (1, 2):
            assert await desk.call("GET", "cases") == {"answer": number}
        assert server.connections == 2


async def test_garbage_in_place_of_tls_is_no_response(tls):
    server_side, trusting = tls

    async def behave(stream, _):
        await stream.transport_stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")

    async with serving(behave, server_side) as server, client(server.url, verify=trusting) as desk:
        with pytest.raises(AnswerLostError, match="SSL"):
            await desk.call("GET", "cases")


@pytest.mark.parametrize("proxy", ["http://", "socks5://127.0.0.1:1", "ftp://127.0.0.1", "127.0.0.1:80"])
def test_an_address_of_no_http_proxy_is_refused_and_not_repeated(proxy):
    with pytest.raises(ConfigurationError, match=r"^proxy must be an address such as"):
        make_transport(max_connections=1, proxy=proxy, verify=True, clock=SystemClock())
