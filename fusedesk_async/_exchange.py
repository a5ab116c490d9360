"""One request and its answer: out through httpx, back as plain values, within one deadline."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, TypeAlias, cast

import anyio
import httpx

from fusedesk_async._clock import Clock
from fusedesk_async._encode import Parts
from fusedesk_async._secret import causes, scrub
from fusedesk_async._unpack import too_large, unpack
from fusedesk_async._wire import Answer
from fusedesk_async.errors import (
    AnswerLostError,
    FuseDeskError,
    NotSentError,
    Request,
    TransportError,
)

HttpTransport: TypeAlias = httpx.AsyncBaseTransport

_REQUEST_LEAVES = "send_request_headers.started"
_NEVER_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


def make_transport(*, places: int, proxy: str | None, verify: bool | ssl.SSLContext) -> HttpTransport:
    """The connections of a client: at most `places` sockets, HTTP/1.1, no proxy from the environment."""
    limits = httpx.Limits(max_connections=places, max_keepalive_connections=places, keepalive_expiry=30.0)
    return httpx.AsyncHTTPTransport(verify=verify, http1=True, http2=False, limits=limits, proxy=proxy)


class Exchange:
    """Carries requests to one server and brings back answers.

    Args:
        transport: The connections, adding the key.
        base_url: The server's address; the API's root is `/api/` below it.
        max_body: Bytes. A body that is longer after decompression is not read to its end.
        redact: Takes the key out of a text.
        clock: Says when an answer came.
        user_agent: How we name ourselves.
    """

    def __init__(
        self,
        transport: HttpTransport,
        base_url: str,
        *,
        max_body: int,
        redact: Callable[[str], str],
        clock: Clock,
        user_agent: str,
    ) -> None:
        self._transport = transport
        self._root = httpx.URL(base_url + "/api/")
        self._max_body = max_body
        self._redact = redact
        self._clock = clock
        self._headers = {
            "Host": self._root.netloc.decode(),
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Connection": "keep-alive",
            "User-Agent": user_agent,
        }

    async def __call__(self, parts: Parts, deadline: float, request: Request) -> Answer:
        """Send a request and read the whole answer within `deadline` seconds.

        Args:
            parts: What to send.
            deadline: Seconds for all of it, from connecting to the last byte read.
            request: The same as `parts`, in the form that errors carry.

        Raises:
            NotSentError: No connection came about.
            AnswerLostError: It went out, but the answer did not come whole.
            UnexpectedResponseError: The body is larger than `max_body`, or packed in a way we did not ask for.
        """
        journey = _Journey(request)
        try:
            with anyio.fail_after(deadline):
                return await self._exchange(self._request(parts, journey), request)
        except FuseDeskError:
            raise
        except Exception as error:  # a transport that was handed in may raise anything
            failure = self._failure(error, journey, deadline)
            scrub(error, self._redact)
            raise failure from error

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    async def _exchange(self, http_request: httpx.Request, request: Request) -> Answer:
        response = await self._transport.handle_async_request(http_request)
        chunks = aiter(cast("httpx.AsyncByteStream", response.stream))
        try:
            raw = await self._whole(chunks, request)
        finally:
            await response.aclose()
            with suppress(Exception):  # the connection is closed; this lets the generators of a body left half-read end
                await anext(chunks)
        headers = {name.lower(): value for name, value in response.headers.items()}
        body = unpack(raw, headers.get("content-encoding", ""), self._max_body, request)
        return Answer(response.status_code, headers, body, self._clock.time(), self._redact)

    async def _whole(self, chunks: AsyncIterator[bytes], request: Request) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for chunk in chunks:
            size += len(chunk)
            if size > self._max_body:
                raise too_large(self._max_body, request)
            parts.append(chunk)
        return b"".join(parts)

    def _request(self, parts: Parts, journey: "_Journey") -> httpx.Request:
        url = self._root.join(parts.path)
        if parts.query:
            url = url.copy_with(query=parts.query.encode())
        headers = dict(self._headers)
        if parts.form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Content-Length"] = str(len(parts.form))
        extensions = {"trace": journey.note}
        return httpx.Request(parts.method, url, headers=headers, content=parts.form, extensions=extensions)

    def _failure(self, error: Exception, journey: "_Journey", deadline: float) -> TransportError:
        if isinstance(error, TimeoutError):
            return journey.failure(f"no whole answer within {deadline:g} s")
        text = self._redact(f"{type(error).__name__}: {error}".removesuffix(": "))
        if isinstance(error, _NEVER_CONNECTED):
            certificate = any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes(error))
            advice = "; the certificate does not fit, so this will not pass" if certificate else ""
            return NotSentError(f"could not connect: {text}{advice}", journey.request, certificate)
        return journey.failure(f"the answer was lost: {text}")


class _Journey:
    """How far a request got, by the trace of the connection."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self._seen: set[str] = set()

    async def note(self, event: str, info: dict[str, Any]) -> None:
        del info  # it holds the request with the key
        self._seen.add(event.partition(".")[2])

    def failure(self, message: str) -> TransportError:
        """The error for a journey that ended here. Without a trace, as with a stand-in transport, it was sent."""
        if self._seen and _REQUEST_LEAVES not in self._seen:
            return NotSentError(message, self.request)
        reused = _REQUEST_LEAVES in self._seen and "connect_tcp.started" not in self._seen
        unanswered = "receive_response_headers.complete" not in self._seen
        return AnswerLostError(message, self.request, reused and unanswered)
