"""The last step before the network: the key is put into a new request, for our own host only."""

from typing import Literal, TypeAlias

import httpx

from fusedesk_async._wire.api_key import MASK, ApiKey
from fusedesk_async.errors import ConfigurationError

AuthMode: TypeAlias = Literal["header", "query"]
KEY_HEADER = "X-FuseDesk-API-Key"
_RAW = KEY_HEADER.encode()
KEY_PARAMETER = "apikey"


class _HiddenValue(bytes):
    """The key as the value of a header, which no repr shows: not in tracebacks with local variables, not in logs."""

    def __repr__(self) -> str:
        return repr(MASK.encode())


class _Headers(httpx.Headers):
    """Headers that hide the key from whoever prints them."""

    def __repr__(self) -> str:
        return repr(httpx.Headers([(name, MASK.encode() if name == _RAW else value) for name, value in self.raw]))


class KeyTransport(httpx.AsyncBaseTransport):
    """Adds the key to a copy of each request, so that the request that errors and logs show never has it.

    In mode `header` the key goes into `X-FuseDesk-API-Key`, spelled so (seed page). In mode `query` it goes into the
    parameter `apikey`: of the query string for reads, of the form for writes.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, base_url: str, key: ApiKey, mode: AuthMode) -> None:
        self._inner = inner
        self._origin = _origin(httpx.URL(base_url))
        self._key = key
        self._mode = mode

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request with the key.

        Raises:
            ConfigurationError: It is for another host.
        """
        if _origin(request.url) != self._origin:
            message = "refused to send the API key to another host"
            raise ConfigurationError(message)
        return await self._inner.handle_async_request(self._with_key(request))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    def _with_key(self, request: httpx.Request) -> httpx.Request:
        url, headers, content = request.url, request.headers.copy(), request.content
        if self._mode == "header":
            headers = httpx.Headers([*headers.raw, (_RAW, _HiddenValue(self._key.reveal().encode()))])
        elif request.method == "POST":
            content = b"&".join(part for part in (content, _parameter(self._key)) if part)
            headers["Content-Length"] = str(len(content))
        else:
            query = b"&".join(part for part in (url.query, _parameter(self._key)) if part)
            url = url.copy_with(query=query)
        keyed = httpx.Request(request.method, url, headers=headers, content=content, extensions=request.extensions)
        keyed.headers = _Headers(keyed.headers)
        return keyed


def _parameter(key: ApiKey) -> bytes:
    return str(httpx.QueryParams({KEY_PARAMETER: key.reveal()})).encode()


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
