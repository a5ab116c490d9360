"""Cancelled callers: nothing is poisoned, few of their requests reach the server, writes end and are logged."""

import asyncio
import logging
from contextlib import ExitStack, suppress

import anyio
import anyio.abc
import pytest
from loopback import plain, serving
from tenacity import stop_after_attempt

from fusedesk_async import ConfigurationError, FuseDesk, FuseDeskError, OutcomeUnknownError, RateLimiter, RetryPolicy
from fusedesk_async._http.in_flight import InFlight

LATENCY = 0.1
SLOTS = 4


def client(url, **settings):
    policy = RetryPolicy(stop=stop_after_attempt(1))
    return FuseDesk("acme", api_key="key", base_url=url, concurrency=SLOTS, retry=policy, **settings)


async def slow(stream, _):
    await anyio.sleep(LATENCY)
    await stream.send(plain(b"[]"))
    return True


async def native_cancel(call, seconds):
    task = asyncio.create_task(call())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def asyncio_timeout(call, seconds):
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await call()


async def asyncio_wait_for(call, seconds):
    with suppress(TimeoutError):
        await asyncio.wait_for(call(), seconds)


async def anyio_scope(call, seconds):
    with anyio.move_on_after(seconds):
        await call()


WAYS = [native_cancel, asyncio_timeout, asyncio_wait_for, anyio_scope]


@pytest.mark.anyio
@pytest.mark.parametrize("way", [*WAYS, None], ids=lambda way: getattr(way, "__name__", "all at once"))
async def test_a_plain_call_works_at_once_after_bursts_of_cancelled_ones(way, anyio_backend):
    if anyio_backend == "trio" and way is not anyio_scope:
        return  # the other ways exist on asyncio only
    async with serving(slow) as server, client(server.url) as desk:

        async def call():
            await desk.call("GET", "cases")

        for burst in range(3):
            async with anyio.create_task_group() as group:
                for number in range(40):
                    cancel = way or WAYS[number % len(WAYS)]
                    group.start_soon(cancel, call, LATENCY * (0.2 + 0.3 * burst))
            with anyio.fail_after(4 * LATENCY):
                assert await desk.call("GET", "cases") == []
        assert server.most_open <= SLOTS


@pytest.mark.anyio
async def test_few_of_many_abandoned_calls_reach_the_server():
    async def slower(stream, _):
        await anyio.sleep(0.3)
        await stream.send(plain(b"[]"))
        return True

    async with serving(slower) as server, client(server.url) as desk:
        async with anyio.create_task_group() as group:
            for _ in range(480):
                group.start_soon(anyio_scope, lambda: desk.call("GET", "cases"), 0.05)
        await desk.call("GET", "cases")
        assert len(server.requests) < 60
        assert server.most_open <= SLOTS


@pytest.mark.anyio
async def test_a_write_whose_caller_is_cancelled_ends_and_is_done_once(anyio_backend, caplog):
    async with serving(slow) as server:
        with caplog.at_level(logging.WARNING, "fusedesk_async"):
            async with client(server.url) as desk:
                with anyio.move_on_after(LATENCY / 5):
                    await desk.call("POST", "cases/1", form={"status": "closed"})
            assert len(server.requests) == 1
    if anyio_backend == "asyncio":
        assert "POST v1/cases/1, tried once, whose caller was cancelled, was answered with status 200" in caplog.text


@pytest.mark.anyio
async def test_a_write_whose_caller_is_cancelled_and_whose_response_is_lost_is_logged(anyio_backend, caplog):
    async def behave(stream, _):
        await anyio.sleep(LATENCY)

    async with serving(behave) as server, client(server.url) as desk:
        with caplog.at_level(logging.WARNING, "fusedesk_async"):
            with anyio.move_on_after(LATENCY / 5), ExitStack() as stack:
                if anyio_backend == "trio":  # it holds its caller, so it can tell
                    stack.enter_context(pytest.raises(OutcomeUnknownError))
                await desk.call("POST", "cases/1", form={"status": "closed"})
            await desk.aclose()
    if anyio_backend == "asyncio":
        assert "failed (no complete response (RemoteProtocolError" in caplog.text
        assert "it may have happened" in caplog.text


@pytest.mark.anyio
async def test_closing_does_not_wait_for_reads_that_were_left_behind():
    async def never(stream, _):
        await anyio.sleep(60)

    async with serving(never) as server:
        with anyio.fail_after(5):
            async with client(server.url) as desk:
                await anyio_scope(lambda: desk.call("GET", "cases"), 0.05)


@pytest.mark.anyio
async def test_closing_that_is_cancelled_still_closes_the_connections():
    async with serving(slow) as server:
        desk = await client(server.url).__aenter__()
        await desk.call("GET", "cases")
        with anyio.CancelScope() as scope:
            scope.cancel()
            await desk.aclose()
        with anyio.fail_after(5):
            while server.open_now:  # noqa: ASYNC110 - the server has no event for it
                await anyio.sleep(0.01)


@pytest.mark.anyio
async def test_closing_ends_reads_and_what_waits_and_lets_writes_end():
    endings = {}

    async def act(name, call):
        try:
            endings[name] = await call
        except FuseDeskError as error:
            endings[name] = error

    async with serving(slow) as server:
        desk = await FuseDesk("acme", api_key="key", base_url=server.url, concurrency=2).__aenter__()
        await desk.call("GET", "cases")  # the first call goes alone
        async with anyio.create_task_group() as group:
            group.start_soon(act, "write", desk.call("POST", "cases/1"))
            group.start_soon(act, "read", desk.call("GET", "cases"))
            while len(server.requests) < 3:  # noqa: ASYNC110 - the server has no event for it
                await anyio.sleep(0.005)
            group.start_soon(act, "waiting write", desk.call("POST", "cases/2"))
            await anyio.sleep(0.01)
            await desk.aclose()
        assert len(server.requests) == 3
    assert endings["write"] == []
    for name in ("read", "waiting write"):
        assert isinstance(endings[name], ConfigurationError)
        assert "was closed before" in str(endings[name])


def test_a_loop_that_ends_with_a_write_under_way_says_so(caplog):
    async def main():
        task = asyncio.create_task(
            InFlight().run(asyncio.Event().wait, writes="POST v1/cases", on_abandoned=pytest.fail)
        )
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with caplog.at_level(logging.WARNING, "fusedesk_async"):
        asyncio.run(main())
    assert "POST v1/cases, whose caller was cancelled, was cut off when the event loop ended" in caplog.text
    assert "Exception in callback" not in caplog.text


def test_an_exchange_that_never_begins_gives_its_permit_back():
    limiter = RateLimiter()

    async def main():
        desk = await FuseDesk("acme", api_key="key", base_url="http://127.0.0.1:1", limiter=limiter).__aenter__()
        asyncio.get_running_loop().call_soon(asyncio.create_task(desk.call("GET", "cases")).cancel)

    asyncio.run(main())

    async def again():
        async with FuseDesk("acme", api_key="key", base_url="http://127.0.0.1:1", limiter=limiter):
            pass

    asyncio.run(again())


@pytest.mark.anyio
async def test_a_client_may_be_opened_in_one_task_and_closed_in_another():
    async with serving(slow) as server:
        desk = client(server.url)
        async with anyio.create_task_group() as group:
            group.start_soon(desk.__aenter__)
        async with anyio.create_task_group() as group:
            group.start_soon(desk.call, "GET", "cases")
        async with anyio.create_task_group() as group:
            group.start_soon(desk.__aexit__, None, None, None)


def test_a_loop_that_ends_with_a_read_under_way_is_silent(capfd):
    async def main():
        async with serving(slow) as server:
            desk = await client(server.url).__aenter__()
            task = asyncio.create_task(desk.call("GET", "cases"))
            await asyncio.sleep(LATENCY / 5)
            task.cancel()
            await asyncio.sleep(0)
            await desk.aclose()

    asyncio.run(main())
    assert capfd.readouterr().err == ""
