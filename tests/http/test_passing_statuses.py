"""Statuses that pass: reads go on, and a write is in doubt exactly if it may have been carried out."""

import httpx
import pytest

from fusedesk_async import FuseDesk, OutcomeUnknownError, ServerError

pytestmark = pytest.mark.anyio

STATUSES = [408, 425, 500, 502, 503, 504, *range(520, 528)]


def client(clock, *responses):
    left, sent = list(responses), []

    def handler(request):
        sent.append(request.method)
        return left.pop(0) if left else httpx.Response(200, content=b"[]")

    return FuseDesk("acme", api_key="key", clock=clock, transport=httpx.MockTransport(handler)), sent


@pytest.mark.parametrize("status", STATUSES)
async def test_a_read_is_tried_again(status, clock):
    desk, sent = client(clock, httpx.Response(status, content=b"<html>oops</html>"))
    async with desk:
        assert await desk.call("GET", "cases") == []
    assert len(sent) == 2


@pytest.mark.parametrize("status", STATUSES)
async def test_a_write_is_in_doubt_by_what_the_status_means(status, clock):
    desk, sent = client(clock, httpx.Response(status))
    async with desk:
        with pytest.raises(ServerError if status == 425 else OutcomeUnknownError):
            await desk.call("POST", "cases")
    assert len(sent) == 1


@pytest.mark.parametrize("text", ["90.0", "soon"])
async def test_no_read_comes_back_sooner_than_the_server_asked(text, clock):
    desk, _ = client(clock, httpx.Response(503, headers={"Retry-After": text}))
    async with desk:
        await desk.call("GET", "cases")
    assert clock.waited >= (90.0 if text == "90.0" else 60.0)


class BrokenClock:
    """As a caller's own may be."""

    def __init__(self, clock, error):
        self.monotonic, self.time, self._error = clock.monotonic, clock.time, error

    async def sleep(self, _):
        raise self._error


@pytest.mark.parametrize(
    ("anyio_backend", "error"),
    [("asyncio", RuntimeError("my clock")), ("trio", RuntimeError("my clock")), ("trio", KeyboardInterrupt())],
    ids=["asyncio-error", "trio-error", "trio-interrupt"],
)
async def test_what_goes_wrong_while_a_call_waits_comes_out_as_it_is(clock, error):
    desk, _ = client(BrokenClock(clock, error), httpx.Response(429, headers={"Retry-After": "100"}))
    async with desk:
        with pytest.raises(type(error)) as caught:
            await desk.with_options(priority="bulk").call("GET", "cases")
    assert caught.value is error
