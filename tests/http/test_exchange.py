"""What a network does to a request, on real sockets."""

import gc
import gzip
import re
import socket
import ssl

import anyio
import httpx
import pytest
import trustme
from loopback import plain, serving
from tenacity import stop_after_attempt, wait_none

from fusedesk_async import (
    AnswerLostError,
    APIError,
    AuthenticationError,
    FuseDesk,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitError,
    RequestRejectedError,
    RetryPolicy,
    ServerError,
    UnexpectedResponseError,
)

pytestmark = pytest.mark.anyio

LEFT_TO_THE_COLLECTOR = pytest.mark.filterwarnings(
    "ignore::ResourceWarning",  # httpcore leaves the socket of a tunnel or a handshake that was cut off unclosed
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
ONCE = RetryPolicy(stop=stop_after_attempt(1))
AT_ONCE = RetryPolicy(wait=wait_none())


def client(url, **settings):
    settings = {"api_key": "key", "base_url": url, "retry": ONCE, "timeout": 5.0, **settings}
    return FuseDesk("acme", **settings)


def reset(stream):
    """Close with a reset instead of an orderly end."""
    stream.extra(anyio.abc.SocketAttribute.raw_socket).setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
    )


def says(data):
    async def behave(stream, _):
        await stream.send(data)

    return behave


async def nothing(stream, _):
    pass


async def hangs(stream, _):
    await stream.receive()


async def resets(stream, _):
    reset(stream)


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(nothing, id="closed without an answer"),
        pytest.param(resets, id="reset"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n[1,"), id="cut in mid-body"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1,2,\r\n"), id="cut chunk"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n"), id="broken chunk"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nContent-Le"), id="cut in mid-header"),
        pytest.param(says(b"SSH-2.0-OpenSSH_9.6\r\n"), id="another protocol"),
        pytest.param(says(plain(b"not gzip", "200 OK", "Content-Encoding: gzip")), id="corrupt gzip"),
        pytest.param(says(plain(gzip.compress(b"[]" * 999)[:-20], "200 OK", "Content-Encoding: gzip")), id="cut gzip"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n"), id="a megabyte of header"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nX: a\r\n y\0\r\n\r\n"), id="NUL in a header"),
    ],
)
async def test_an_answer_that_does_not_come_whole_is_lost(behave):
    async with serving(behave) as server, client(server.url) as desk:
        with pytest.raises((AnswerLostError, UnexpectedResponseError)) as caught:
            await desk.call("GET", "cases")
        assert caught.value.request.attempts == 1
        with pytest.raises(OutcomeUnknownError):
            await desk.call("POST", "cases/1", form={"status": "closed"})
        assert len(server.requests) == 2


async def test_a_body_longer_than_announced_is_cut_and_the_connection_not_used_again():
    async with (
        serving(says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]garbage")) as server,
        client(server.url) as desk,
    ):
        for _ in range(2):
            assert await desk.call("GET", "cases") == []
        assert len(server.requests) == 2


REFUSED = b'{"error": "no, because", "errorcode": "api_error_x"}'
ENDINGS = {
    "whole": (b"Content-Length: %d\r\n\r\n" % len(REFUSED) + REFUSED, "no, because"),
    "cut": (b"Content-Length: 100\r\n\r\n" + REFUSED, "no, because"),
    "cut in mid-text": (b'Content-Length: 100\r\n\r\n{"err', '{"err'),
    "no body": (b"Content-Length: 100\r\n\r\n", "no reason given"),
    "broken chunk": (b"Transfer-Encoding: chunked\r\n\r\n5\r\nsorry\r\nzz", "sorry"),
    "cut gzip": (
        b"Content-Encoding: gzip\r\nContent-Length: 100\r\n\r\n" + gzip.compress(REFUSED)[:-9],
        "no, because",
    ),
    "corrupt gzip": (b"Content-Encoding: gzip\r\nContent-Length: 7\r\n\r\n\x1f\x8bwrong", "no reason given"),
    "too long": (b"Content-Length: 2000000\r\n\r\n" + b"x" * 2_000_000, "x"),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("401 No", AuthenticationError),
        ("403 No", PermissionDeniedError),
        ("404 No", NotFoundError),
        ("405 No", RequestRejectedError),
        ("418 No", APIError),
        ("429 No", RateLimitError),
    ],
)
async def test_a_status_that_says_no_is_an_answer_whatever_becomes_of_its_body(status, kind, ending):
    body, text = ENDINGS[ending]
    answer = b"HTTP/1.1 %b\r\nRetry-After: 7\r\n%b" % (status.encode(), body)
    settings = {"retry": AT_ONCE, "max_body": 1_000_000, "on_rate_limit": "raise"}
    for method in ("GET", "POST"):
        async with serving(says(answer)) as server, client(server.url, **settings) as desk:
            with pytest.raises(kind, match=re.escape(text)) as caught:
                await desk.call(method, "cases")
            assert caught.value.status == int(status[:3])
            assert caught.value.retry_after == pytest.approx(7.0, abs=1.0)
            assert len(server.requests) == 1


async def test_a_refusal_whose_body_does_not_come_in_time_is_a_refusal():
    async def behave(stream, _):
        await stream.send(b"HTTP/1.1 405 No\r\nContent-Length: 100\r\n\r\nno such depart")
        await stream.receive()

    async with serving(behave) as server, client(server.url, timeout=0.1) as desk:
        with pytest.raises(RequestRejectedError, match="no such depart"):
            await desk.call("POST", "cases")


async def test_a_server_error_that_is_cut_is_one_and_a_write_may_have_happened():
    async def behave(stream, _):
        await stream.send(b"HTTP/1.1 502 Bad\r\nContent-Length: 100\r\n\r\n<html>")

    async with serving(behave) as server, client(server.url, retry=AT_ONCE) as desk:
        with pytest.raises(ServerError):
            await desk.call("GET", "cases")
        assert len(server.requests) == 4
        with pytest.raises(OutcomeUnknownError):
            await desk.call("POST", "cases")
        assert len(server.requests) == 5


async def test_a_read_is_tried_again_and_a_lost_write_is_not():
    async def behave(stream, number):
        if number % 2:
            return
        await stream.send(plain(b"[]"))

    async with serving(behave) as server, client(server.url, retry=AT_ONCE) as desk:
        assert await desk.call("GET", "cases") == []
        assert len(server.requests) == 2
        with pytest.raises(OutcomeUnknownError, match="unknown"):
            await desk.call("POST", "cases", form={"summary": "once"})
        assert len(server.requests) == 3


async def test_a_kept_connection_that_was_closed_is_replaced():
    async def behave(stream, number):
        if number in {1, 3}:
            await stream.send(plain(b"[1]"))
            return True
        return False

    async with serving(behave) as server, client(server.url, retry=RetryPolicy(wait=lambda _: 3600.0)) as desk:
        assert await desk.call("GET", "cases") == [1]
        assert await desk.call("GET", "cases") == [1]
        assert len(server.requests) == 3


async def test_a_server_that_drips_is_cut_off_by_the_deadline():
    async def behave(stream, _):
        await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            await stream.send(b" ")
            await anyio.sleep(0.01)

    async with serving(behave) as server, client(server.url, timeout=0.5) as desk:
        with pytest.raises(AnswerLostError, match=r"no complete response within 0\.5 s"):
            await desk.call("GET", "cases")


async def test_a_server_that_never_answers_is_cut_off_by_the_deadline():
    async def behave(stream, _):
        await stream.receive()

    async with serving(behave) as server, client(server.url) as desk:
        with pytest.raises(AnswerLostError, match="no complete response"):
            await desk.with_options(timeout=0.05).call("GET", "cases")


async def test_endless_informational_answers_are_cut_off_by_the_deadline():
    async def behave(stream, _):
        while True:
            await stream.send(b"HTTP/1.1 102 Processing\r\n\r\n")
            await anyio.lowlevel.checkpoint()

    async with serving(behave) as server, client(server.url, timeout=0.1) as desk:
        with pytest.raises(AnswerLostError):
            await desk.call("GET", "cases")


async def test_a_refused_connection_means_nothing_was_sent():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with client(url, retry=AT_ONCE) as desk:
            with pytest.raises(NotSentError, match="could not connect") as caught:
                await desk.call("POST", "cases", form={"summary": "never sent"})
            assert caught.value.request.attempts == 4
            assert not caught.value.permanent


async def test_a_certificate_that_cannot_be_verified_is_final():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    async with serving(nothing, tls=context) as server, client(server.url, retry=AT_ONCE) as desk:
        with pytest.raises(NotSentError, match="certificate verification failed; retrying will not help") as caught:
            await desk.call("GET", "cases")
        assert caught.value.permanent
        assert caught.value.request.attempts == 1
        assert server.requests == []


async def test_a_compressed_body_is_decompressed():
    packed = says(plain(gzip.compress(b"[1]"), "200 OK", "Content-Encoding: gzip"))
    async with serving(packed) as server, client(server.url) as desk:
        assert await desk.call("GET", "cases") == [1]


async def test_several_gzip_members_are_one_body_and_an_empty_body_is_empty():
    async def behave(stream, number):
        body = b"" if number == 2 else gzip.compress(b"[1,") + gzip.compress(b"2]")
        await stream.send(plain(body, "200 OK", "Content-Encoding: gzip"))

    async with serving(behave) as server, client(server.url) as desk:
        assert await desk.call("GET", "cases") == [1, 2]
        assert await desk.call("POST", "cases/1") is None


async def test_an_encoding_that_was_not_requested_is_an_error():
    async with serving(says(plain(b"x", "200 OK", "Content-Encoding: br"))) as server, client(server.url) as desk:
        with pytest.raises(
            UnexpectedResponseError, match=r"unsupported Content-Encoding 'br' \(only gzip was requested\)"
        ):
            await desk.call("GET", "cases")


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 5000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n4c4b40\r\n"]
)
async def test_a_body_that_is_too_long_is_not_read_to_its_end(framing):
    async def behave(stream, _):
        await stream.send(b"HTTP/1.1 200 OK\r\n" + framing)
        for _ in range(50):
            await stream.send(b"x" * 100_000)

    async with serving(behave) as server, client(server.url, max_body=1_000_000) as desk:
        with pytest.raises(UnexpectedResponseError, match="max_body"):
            await desk.call("GET", "cases")


@pytest.mark.parametrize(
    ("behave", "permanent"),
    [
        (hangs, False),
        (says(plain(b"", "407 Who are you")), True),
        (says(plain(b"", "502 No")), False),
    ],
)
@LEFT_TO_THE_COLLECTOR
async def test_a_proxy_that_makes_no_tunnel_means_nothing_was_sent(behave, permanent):
    async with serving(behave) as proxy:
        settings = {"api_key": "key", "proxy": proxy.url, "retry": ONCE, "timeout": 0.2}
        async with FuseDesk("acme", **settings) as desk:
            with pytest.raises(NotSentError) as caught:
                await desk.call("POST", "cases", form={"summary": "never sent"})
    assert caught.value.permanent is permanent
    assert proxy.requests[0].startswith(b"CONNECT acme.fusedesk.com:443")
    gc.collect()


@LEFT_TO_THE_COLLECTOR
async def test_a_handshake_that_hangs_means_nothing_was_sent():
    async with serving(hangs) as server, client(server.url.replace("http", "https"), timeout=0.1) as desk:
        with pytest.raises(NotSentError, match=r"no connection within 0\.1 s"):
            await desk.call("POST", "cases")
    gc.collect()


async def test_a_gzip_bomb_is_not_decompressed_to_its_end():
    bomb = gzip.compress(b"0" * 50_000_000)
    async with serving(says(plain(bomb, "200 OK", "Content-Encoding: gzip"))) as server:
        async with client(server.url, max_body=1_000_000) as desk:
            with pytest.raises(UnexpectedResponseError, match="max_body"):
                await desk.call("GET", "cases")
        assert len(server.requests) == 1


async def test_a_stand_in_transport_may_fail_in_any_way():
    def handler(request):
        if request.url.path.endswith("cases"):
            raise RuntimeError("a bug in the stand-in")
        raise httpx.ConnectError("no way")

    async with FuseDesk("acme", api_key="key", retry=ONCE, transport=httpx.MockTransport(handler)) as desk:
        with pytest.raises(AnswerLostError, match="a bug in the stand-in"):
            await desk.call("GET", "cases")
        with pytest.raises(NotSentError, match="no way"):
            await desk.call("GET", "other")


async def test_a_stand_in_transport_may_answer_with_a_whole_response():
    def handler(request):
        packed = gzip.compress(b'[{"a": 1}]')
        return httpx.Response(200, content=packed, headers={"Content-Encoding": "gzip"})

    async with FuseDesk("acme", api_key="key", transport=httpx.MockTransport(handler)) as desk:
        assert await desk.call("GET", "cases") == [{"a": 1}]


async def test_requests_look_as_they_should_on_the_wire():
    async def behave(stream, _):
        await stream.send(plain(b"{}"))
        return True

    async with serving(behave) as server, client(server.url) as desk:
        await desk.call("POST", "cases/1/tag/2", form={"a b": "ä&b", "list": [1, 2], "on": True, "off": False})
    head, _, body = server.requests[0].decode().partition("\r\n\r\n")
    lines = head.split("\r\n")
    assert lines[0] == "POST /api/v1/cases/1/tag/2 HTTP/1.1"
    assert "X-FuseDesk-API-Key: key" in lines
    assert "Content-Type: application/x-www-form-urlencoded" in lines
    assert any(line.startswith("User-Agent: fusedesk_async/") for line in lines)
    assert body == "a%20b=%C3%A4%26b&list%5B0%5D=1&list%5B1%5D=2&on=true"
