"""A raw server on loopback, for what no polite server does: resets, half answers, slow bodies."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import attrs
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSListener


@attrs.define
class Server:
    url: str = ""
    requests: list[bytes] = attrs.field(factory=list[bytes])
    connections: int = 0
    open_now: int = 0
    most_open: int = 0


Behave = Callable[[ByteStream, int], Awaitable[bool | None]]
"""Answers the nth request (from 1); True keeps the connection open for another one."""


def plain(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@asynccontextmanager
async def serving(behave: Behave, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server()

    async def handle(stream: ByteStream) -> None:
        server.connections += 1
        server.open_now += 1
        server.most_open = max(server.most_open, _open_sockets(server))
        try:
            async with stream:
                while request := await _request(stream):
                    server.requests.append(request)
                    if not await behave(stream, len(server.requests)):
                        return
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream):
            pass  # the client left
        finally:
            server.open_now -= 1

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as group:
        port = listener.extra(SocketAttribute.local_port)
        server.url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        group.start_soon(TLSListener(listener, tls, False).serve if tls else listener.serve, handle)
        yield server
        group.cancel_scope.cancel()


def _open_sockets(server: Server) -> int:
    """Connections that the client holds open; as Linux tells, since a server learns late that one was closed."""
    table = Path("/proc/self/net/tcp")
    if not table.exists():
        return server.open_now
    port, established = f":{int(server.url.rpartition(':')[2]):04X}", "01"
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    return sum(row[2].endswith(port) and row[3] == established for row in rows)


async def _request(stream: ByteStream) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            data += await stream.receive()
        except anyio.EndOfStream:
            return b""
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += await stream.receive()
    return head + b"\r\n\r\n" + body
