"""The sandbox as an ASGI application. Starlette reads forms; all else is decided by the front desk."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ._calendar import http_date
from ._clock import Clock
from ._faults import Answer
from ._received import Received

_MOST_FIELDS, _LARGEST_FIELD = 10_000, 1 << 26


class ConnectionDroppedError(ConnectionError):
    """What a dropped connection looks like in process, where there is none to close."""


def make_app(answer: Callable[[Received], Answer], clock: Clock, latency: Callable[[], float]) -> Starlette:
    """The application.

    Args:
        answer: called with each request as soon as it is complete.
        clock: gives the time, and waits.
        latency: gives the seconds between carrying a request out and answering it.
    """
    return Starlette(routes=[Route("/{path:path}", _Handler(answer, clock, latency))])


class _Handler:
    def __init__(self, answer: Callable[[Received], Answer], clock: Clock, latency: Callable[[], float]) -> None:
        self._answer = answer
        self._clock = clock
        self._latency = latency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            received = await _read(Request(scope, receive), self._clock.monotonic)
        except ClientDisconnect:
            return
        answer = self._answer(received)
        if wait := self._latency() + answer.delay:
            await self._clock.sleep(wait)
        if answer.drop:
            if not await _disconnected(receive):
                raise ConnectionDroppedError
            return
        await self._send(answer, receive, send)

    async def _send(self, answer: Answer, receive: Receive, send: Send) -> None:
        headers = {
            "content-type": "application/json",
            "content-length": str(len(answer.body)),
            "date": http_date(self._clock.time()),
        }
        named = {name.lower() for name, _ in answer.headers}
        pairs = [pair for pair in headers.items() if pair[0] not in named] + answer.headers
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs if value]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        cut = answer.kept is not None and answer.kept < len(answer.body)
        await send({"type": "http.response.body", "body": answer.body[: answer.kept], "more_body": cut})
        if cut and not await _disconnected(receive):
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _read(request: Request, monotonic: Callable[[], float]) -> Received:
    body = await request.body()
    return Received(
        method=request.method,
        path=request.scope.get("raw_path", request.url.path.encode()).decode("latin-1"),
        query=parse_qsl(request.url.query, keep_blank_values=True),
        form=await _form(request),
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw],
        body=body,
        at=monotonic(),
    )


async def _form(request: Request) -> list[tuple[str, str]]:
    try:
        async with request.form(max_fields=_MOST_FIELDS, max_part_size=_LARGEST_FIELD) as form:
            return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    except HTTPException:
        return []  # PHP, too, goes on without the fields of a form it cannot read (assumed)


async def _disconnected(receive: Receive) -> bool:
    """Close the connection behind a request, if there is one; ASGI has no word for it, so uvicorn's own is used."""
    transport: Any = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        return False
    transport.close()
    await receive()  # comes back when the connection is gone
    return True
