"""Connections that have died without a word: at most one call finds out, and no write."""

import socket
import ssl
import struct

import anyio
import pytest
from anyio.abc import SocketAttribute
from hypothesis import given
from hypothesis import strategies as st
from loopback import plain, serving
from tenacity import wait_none

from fusedesk_async import FuseDesk, OutcomeUnknownError, RetryPolicy
from fusedesk_async._http.reuse import KEEPALIVE_EXPIRY, WRITE_EXPIRY, Activity, Reuse
from fusedesk_async.sandbox import VirtualClock

pytestmark = pytest.mark.anyio

CONNECTIONS = 4


class MonotonicStandsStill(VirtualClock):
    """As on a machine whose monotonic clock does not count the time that it is asleep."""

    asleep = 0.0

    def time(self):
        return super().time() + self.asleep


class Network:
    """A server on a network that can be changed: connections from before no longer get an answer."""

    def __init__(self):
        self.streams, self.dead, self.sent_in_vain, self.resets = [], set(), 0, False
        self._all_are_here = anyio.Event()

    async def behave(self, stream, number):
        if id(stream) in self.dead:
            self.sent_in_vain += 1
            await (reset(stream) if self.resets else anyio.sleep_forever())
            return False
        self.streams.append(stream)
        if number == CONNECTIONS:
            self._all_are_here.set()
        await self._all_are_here.wait()
        await stream.send(plain(b"[]"))
        return True

    def change(self):
        self.dead = {id(stream) for stream in self.streams}


async def reset(stream):
    stream.extra(SocketAttribute.raw_socket).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await stream.aclose()


def client(url, clock):
    return FuseDesk(
        "acme",
        api_key="key",
        base_url=url,
        timeout=0.8,
        clock=clock,
        concurrency=CONNECTIONS,
        retry=RetryPolicy(wait=wait_none()),
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    )


@pytest.fixture
async def network():
    return Network()


@pytest.fixture
def clock():
    return MonotonicStandsStill()


@pytest.fixture
async def server(network):
    async with serving(network.behave) as server:
        yield server


@pytest.fixture
async def desk(server, clock):
    """A client with four idle connections."""
    async with client(server.url, clock) as desk:
        async with anyio.create_task_group() as group:
            for _ in range(CONNECTIONS):
                group.start_soon(desk.call, "GET", "cases")
        assert server.connections == CONNECTIONS
        yield desk


async def write(desk):
    return await desk.call("POST", "cases", form={"summary": "mine"})


@pytest.mark.parametrize("resets", [False, True], ids=["silent", "reset"])
async def test_a_read_costs_one_time_out_and_writes_go_through(desk, network, server, clock, resets):
    network.change()
    network.resets = resets
    clock.advance(WRITE_EXPIRY - 1)
    assert await desk.call("GET", "cases") == []
    for _ in range(CONNECTIONS):
        assert await write(desk) == []
    assert network.sent_in_vain == 1
    assert len(server.requests) == CONNECTIONS + 1 + 1 + CONNECTIONS


async def test_after_one_lost_write_the_others_go_through(desk, network, clock):
    network.change()
    with pytest.raises(OutcomeUnknownError):
        await write(desk)
    for _ in range(CONNECTIONS):
        assert await write(desk) == []
    assert network.sent_in_vain == 1


async def test_no_write_goes_where_nothing_was_heard_for_some_seconds(desk, network, clock):
    network.change()
    clock.advance(WRITE_EXPIRY + 1)
    for _ in range(CONNECTIONS):
        assert await write(desk) == []
    assert network.sent_in_vain == 0


async def test_the_time_that_the_machine_was_asleep_counts(desk, network, clock):
    network.change()
    clock.asleep = 60.0
    assert await desk.call("GET", "cases") == []
    assert await write(desk) == []
    assert network.sent_in_vain == 0


async def test_connections_that_answer_are_kept(desk, server, clock):
    for _ in range(3):
        clock.advance(WRITE_EXPIRY - 1)
        assert await write(desk) == []
        clock.advance(WRITE_EXPIRY + 1)
        assert await desk.call("GET", "cases") == []
    assert server.connections == CONNECTIONS


STEPS = st.one_of(
    st.sampled_from(["request", "response", "failure"]), st.floats(0, 40).map(lambda seconds: ("pass", seconds))
)


@given(steps=st.lists(st.tuples(st.integers(0, 2), STEPS)), write=st.booleans())
def test_what_may_carry_a_request_was_heard_lately_and_after_the_last_failure(steps, write):
    clock = MonotonicStandsStill()
    reuse = Reuse(clock)
    connections = [Activity(reuse) for _ in range(3)]
    heard, asked, suspect = [None] * 3, [0.0] * 3, -1.0
    for which, step in steps:
        now = clock.monotonic()
        if step == "request":
            connections[which].on_request()
            asked[which] = now
        elif step == "response":
            connections[which].on_response()
            heard[which] = now
        elif step == "failure":
            connections[which].on_failure()
            if heard[which] is not None and heard[which] <= asked[which]:
                suspect = max(suspect, asked[which])
        else:
            clock.advance(step[1])
    for connection, last in zip(connections, heard, strict=True):
        recent = last is None or clock.monotonic() - last <= (WRITE_EXPIRY if write else KEEPALIVE_EXPIRY)
        assert connection.may_carry(write=write) is (recent and (last is None or last > suspect))
