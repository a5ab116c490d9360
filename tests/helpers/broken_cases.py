"""A server in which some cases are broken."""

from collections.abc import Collection

import httpx

from fusedesk_async.sandbox import Sandbox


class Broken(httpx.AsyncBaseTransport):
    """A server that answers with an error when it is asked for certain cases."""

    def __init__(self, sandbox: Sandbox, ids: Collection[int], status: int = 500) -> None:
        self._inner, self._ids, self._status = httpx.ASGITransport(sandbox.app), ids, status

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass it on, if it is for none of them."""
        last = request.url.path.rpartition("/")[2]
        if last.isdecimal() and int(last) in self._ids:
            return httpx.Response(self._status, json={"error": "broken"})
        return await self._inner.handle_async_request(request)
