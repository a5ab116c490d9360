"""One request and its response: out through httpx, back as plain values, within one deadline."""

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Any, TypeAlias, cast

import anyio
import attrs
import httpx

from fusedesk_async._clock import Clock
from fusedesk_async._http.decompress import decompress, decompress_beginning, too_large
from fusedesk_async._http.redaction import causes, scrub
from fusedesk_async._version import __version__
from fusedesk_async._wire.answer import MULTIPLE_CHOICES, OK, Answer
from fusedesk_async._wire.encode import Parts
from fusedesk_async.errors import (
    AnswerLostError,
    FuseDeskError,
    NotSentError,
    Request,
    TransportError,
)

HttpTransport: TypeAlias = httpx.AsyncBaseTransport

_REQUEST_STARTED = "send_request_headers.started"
_NOT_AVAILABLE = "ConnectionNotAvailable"
_CONNECT_ERRORS = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
_PROXY_AUTH_REQUIRED = "407"


class Exchange:
    """Carries requests to one server and brings back responses.

    Args:
        transport: The connections, adding the key.
        base_url: The server's address; the API's root is `/api/` below it.
        max_body: Bytes. A body that is longer after decompression is not read to its end.
        redact: Takes the key out of a text.
        clock: Says when a response came.
        connect_note: What else is to be said where no connection came about.
    """

    def __init__(
        self,
        transport: HttpTransport,
        base_url: str,
        *,
        max_body: int,
        redact: Callable[[str], str],
        clock: Clock,
        connect_note: str,
    ) -> None:
        self._transport = transport
        self._root = httpx.URL(base_url + "/api/")
        self._max_body = max_body
        self._redact = redact
        self._clock = clock
        self._connect_note = connect_note
        self._headers = {
            "Host": self._root.netloc.decode(),
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Connection": "keep-alive",
            "User-Agent": f"fusedesk_async/{__version__}",
        }

    async def __call__(self, parts: Parts, deadline: float, request: Request) -> Answer:
        """Send a request and read the whole response within `deadline` seconds.

        Args:
            parts: What to send.
            deadline: Seconds for all of it, from connecting to the last byte read.
            request: The same as `parts`, in the form that errors carry.

        Raises:
            NotSentError: No connection came about.
            AnswerLostError: It was sent, but no response came, or one of success that is not whole. A status that says
                no is an answer, whatever becomes of its body.
            UnexpectedResponseError: The body of a success is larger than `max_body`, or compressed in a way that was
                not requested.
        """
        trace, received = _ConnectionTrace(request), _Received()
        try:
            with anyio.fail_after(deadline):
                await self._exchange(self._request(parts, trace), received, request)
            return self._answer(received, decompress(*received.compressed, self._max_body, request))
        except FuseDeskError:
            if not received.is_rejection:
                raise
        except Exception as error:  # noqa: BLE001 - a transport that was handed in may raise anything
            if not received.is_rejection:
                failure = self._failure(error, trace, deadline)
                raise failure from scrub(error, self._redact)
        except BaseException as error:  # cancelled: its frames have the key all the same
            error.__traceback__ = None
            raise
        return self._answer(received, decompress_beginning(*received.compressed, self._max_body))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    async def _exchange(self, http_request: httpx.Request, received: "_Received", request: Request) -> None:
        """Send a request, and fill in what comes back as it comes."""
        response = await self._transport.handle_async_request(http_request)
        received.status = response.status_code
        received.http_version = response.extensions.get("http_version", b"").decode(errors="replace")
        redact = self._redact  # whoever repeats the key, it goes no further than here
        received.headers = {redact(name).lower(): redact(value) for name, value in response.headers.items()}
        chunks = aiter(cast("httpx.AsyncByteStream", response.stream))
        try:
            await self._read_body(chunks, received.chunks, request)
        finally:
            await response.aclose()
            with suppress(Exception):  # the connection is closed; this lets the generators of a body left half-read end
                await anext(chunks)

    async def _read_body(self, chunks: AsyncIterator[bytes], into: list[bytes], request: Request) -> None:
        size = 0
        async for chunk in chunks:
            size += len(chunk)
            if size > self._max_body:
                raise too_large(self._max_body, request)
            into.append(chunk)

    def _answer(self, received: "_Received", body: bytes) -> Answer:
        now, version = self._clock.time(), received.http_version
        return Answer(received.status, received.headers, body, now, self._redact, version)

    def _request(self, parts: Parts, trace: "_ConnectionTrace") -> httpx.Request:
        url = self._root.join(parts.path)
        if parts.query:
            url = url.copy_with(query=parts.query.encode())
        headers = dict(self._headers)
        if parts.form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Content-Length"] = str(len(parts.form))
        extensions = {"trace": trace.on_event}
        return httpx.Request(parts.method, url, headers=headers, content=parts.form, extensions=extensions)

    def _failure(self, error: Exception, trace: "_ConnectionTrace", deadline: float) -> TransportError:
        if isinstance(error, TimeoutError):
            return trace.failure(f"within {deadline:g} s", self._connect_note)
        text = self._redact(f"{type(error).__name__}: {error}".removesuffix(": "))
        if isinstance(error, _CONNECT_ERRORS):
            certificate = any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes(error))
            advice = "; certificate verification failed; retrying will not help" if certificate else ""
            permanent = certificate or _PROXY_AUTH_REQUIRED in text
            return NotSentError(f"could not connect: {text}{advice}{self._connect_note}", trace.request, permanent)
        return trace.failure(f"({text})", self._connect_note)


@attrs.define(eq=False)
class _Received:
    """What has come of a response so far."""

    status: int = 0
    http_version: str = ""
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    chunks: list[bytes] = attrs.field(factory=list[bytes], repr=False)  # tracebacks may show local variables

    @property
    def is_rejection(self) -> bool:
        """Whether its status says no, which it does whatever becomes of its body."""
        return bool(self.status) and not OK <= self.status < MULTIPLE_CHOICES

    @property
    def compressed(self) -> tuple[bytes, str]:
        """The body as far as it came, and its `Content-Encoding`."""
        return b"".join(self.chunks), self.headers.get("content-encoding", "")


class _ConnectionTrace:
    """How far a request got, by the events of its connection."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self._seen: set[str] = set()

    async def on_event(self, event: str, info: dict[str, Any]) -> None:
        if getattr(info.get("request"), "method", b"") == b"CONNECT":
            return  # asks a proxy for a tunnel; our request is not sent yet
        if type(info.get("exception")).__name__ == _NOT_AVAILABLE:
            self._seen.clear()  # nothing was sent there; the pool takes another connection
            return
        self._seen.add(event.partition(".")[2])

    def failure(self, reason: str, connect_note: str) -> TransportError:
        """The error for an exchange that ended here. Without events, as from a stand-in transport, it was sent."""
        if self._seen and _REQUEST_STARTED not in self._seen:
            return NotSentError(f"no connection {reason}{connect_note}", self.request)
        reused = _REQUEST_STARTED in self._seen and "connect_tcp.started" not in self._seen
        no_response = "receive_response_headers.complete" not in self._seen
        return AnswerLostError(f"no complete response {reason}", self.request, reused and no_response)
