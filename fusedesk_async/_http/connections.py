"""The connections of a client. A response is taken only from a connection that held nothing before it was asked.

HTTP/1.1 has no numbers for its responses: bytes behind one response, of a proxy or of PHP that sends more than it
announced, look like the next. httpcore closes an idle connection whose socket is readable. What came in the same packet
as a response is no longer in the socket, though: it is in the buffers of httpcore, of TLS or of the event loop. So its
streams are wrapped here, by its public interfaces.

A stream keeps back the last byte of all that was read until httpcore asks for more. It asks for no more when a response
is whole: what is then still kept back, whatever the framing is, was not part of it.

Nor is a request sent on a connection that has probably died meanwhile; see `reuse`.
"""

import ssl
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httpcore
import httpx

from fusedesk_async._clock import Clock
from fusedesk_async._http.reuse import KEEPALIVE_EXPIRY, Activity, Reuse
from fusedesk_async.errors import ConfigurationError

READ_SIZE = 256 * 1024
"""Bytes read at once: as many as asyncio does, so that nothing is left in its buffers, where nobody could see it."""


def make_transport(
    *, max_connections: int, proxy: str | None, verify: bool | str | ssl.SSLContext, clock: Clock
) -> "Connections":
    """The connections of a client: at most `max_connections` sockets, HTTP/1.1.

    Raises:
        ConfigurationError: The proxy's address cannot be right; it is not repeated, as it may hold a password. Or there
            are no certificates where `verify` says.
    """
    return Connections(max_connections, _tls(verify), None if proxy is None else _proxy(proxy), clock)


class Connections(httpx.AsyncBaseTransport):
    """Carries requests over sockets. Raises the errors of httpx, as every transport does."""

    def __init__(self, max_connections: int, tls: ssl.SSLContext, proxy: httpcore.Proxy | None, clock: Clock) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            proxy=proxy,
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=KEEPALIVE_EXPIRY,
            network_backend=_Backend(Reuse(clock)),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and begin to receive its response."""
        url = request.url
        with _errors_of_httpx():
            response = await self._pool.handle_async_request(
                httpcore.Request(
                    request.method,
                    httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                    headers=request.headers.raw,
                    content=request.content or None,
                    extensions=request.extensions,
                )
            )
        body = _Body(cast("AsyncIterable[bytes]", response.stream), response.aclose)
        extensions: Mapping[str, Any] = cast("Any", response).extensions  # partly untyped
        version = {"http_version": extensions.get("http_version", b"")}
        return httpx.Response(response.status, headers=response.headers, stream=body, extensions=version)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    """The body of a response, as it comes."""

    def __init__(self, chunks: AsyncIterable[bytes], close: Callable[[], Awaitable[None]]) -> None:
        self._chunks = chunks
        self._close = close

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _errors_of_httpx():
            async for chunk in self._chunks:
                yield chunk

    async def aclose(self) -> None:
        await self._close()


class _Backend(httpcore.AsyncNetworkBackend):
    """Sockets whose streams say what they hold."""

    def __init__(self, reuse: Reuse) -> None:
        self._reuse = reuse
        self._inner = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        return _Stream(stream, self._reuse)


class _Stream(httpcore.AsyncNetworkStream):
    """A stream that refuses to send a request while it holds bytes that came before, or when it may have died."""

    def __init__(self, inner: httpcore.AsyncNetworkStream, reuse: Reuse) -> None:
        self._inner = inner
        self._reuse = reuse
        self._activity = Activity(reuse)
        self._tls = cast("ssl.SSLObject | None", inner.get_extra_info("ssl_object"))
        self._held = b""
        self._used = False
        self._asked = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Some bytes of the response; the last one that came only if it is asked for."""
        self._asked = False
        if not self._held:
            with self._tracked():
                self._held = await self._inner.read(READ_SIZE, timeout)
            self._activity.on_response()
        size = min(max_bytes, max(1, len(self._held) - 1))  # who reads wants one byte at least
        given, self._held = self._held[:size], self._held[size:]
        return given

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes, the first of a request only if nothing came that answers nothing and the connection is alive.

        Raises:
            ConnectionNotAvailable: Something did, behind the last response, or it has been idle for too long; the pool
                takes another connection.
            ConnectError: Something did, before the first request.
        """
        if not self._asked:
            if self._used and (self._holds_bytes() or not self._activity.may_carry(write=_is_write(buffer))):
                raise httpcore.ConnectionNotAvailable
            if not self._used and self._holds_first_bytes():
                message = "the server sent something or closed the connection before it was asked"
                raise httpcore.ConnectError(message)
            self._used = self._asked = True
            self._activity.on_request()
        with self._tracked():
            await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        self._held = b""  # what is closed can no longer be read
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._inner.start_tls(ssl_context, server_hostname, timeout), self._reuse)

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks: before it uses an idle connection again, whether it is readable, which it must not be.

        One that may have died is said to be, so that the pool closes it.
        """
        if info == "is_readable":
            return self._holds_bytes() or not self._activity.may_carry(write=False)
        return self._inner.get_extra_info(info)

    @contextmanager
    def _tracked(self) -> Generator[None]:
        """Note if sending or receiving fails or is given up."""
        try:
            yield
        except BaseException:
            self._activity.on_failure()
            raise

    def _holds_bytes(self) -> bool:
        return bool(self._held) or self._holds_decrypted() or bool(self._inner.get_extra_info("is_readable"))

    def _holds_first_bytes(self) -> bool:
        """As `_holds_bytes`, but with TLS the socket may hold what still belongs to the handshake."""
        return self._holds_decrypted() if self._tls else self._holds_bytes()

    def _holds_decrypted(self) -> bool:
        """Whether TLS has received more than was read. If so, it is no longer to be read."""
        if self._tls is None:
            return False
        try:
            self._held = self._tls.read(1)
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError:
            pass
        return True


def _tls(verify: bool | str | ssl.SSLContext) -> ssl.SSLContext:  # noqa: FBT001 - as the client has it
    if not isinstance(verify, str):
        return httpx.create_ssl_context(verify=verify)
    try:
        if Path(verify).is_dir():
            return ssl.create_default_context(capath=verify)
        return ssl.create_default_context(cafile=verify)
    except (OSError, ValueError):
        message = f"verify: no certificates can be read from {verify!r:.200}"
        raise ConfigurationError(message) from None


def _is_write(request: bytes) -> bool:
    """Whether a request changes something on the server, by its first bytes."""
    return not request.startswith(b"GET ")


def _proxy(address: str) -> httpcore.Proxy:
    try:
        proxy = httpx.Proxy(address)
        url = proxy.url
        if url.scheme in {"http", "https"} and url.host:  # messages of SOCKS would have to be read whole
            return httpcore.Proxy(
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                auth=proxy.raw_auth,
                headers=proxy.headers.raw,
            )
    except (ValueError, TypeError, AttributeError, httpx.InvalidURL):
        pass
    message = "proxy must be an address such as http://host:8080"
    raise ConfigurationError(message)


@contextmanager
def _errors_of_httpx() -> Generator[None]:
    """Every transport raises the errors of httpx, which have the names of httpcore's."""
    try:
        yield
    except Exception as error:
        kind: type[httpx.TransportError] | None = getattr(httpx, type(error).__name__, None)
        if kind is None or not type(error).__module__.startswith("httpcore"):
            raise
        raise kind(str(error)) from error
