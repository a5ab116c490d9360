"""All operations: the Python call, what goes over the wire, what the sandbox says, and the typed answer."""

from urllib.parse import parse_qsl

import httpx
import pytest
from operations import Operation
from reference import OPERATIONS

from fusedesk_async import FuseDesk, NotFoundError, OutcomeUnknownError
from fusedesk_async.sandbox import Sandbox, VirtualClock

pytestmark = pytest.mark.anyio

WRITES = [operation for operation in OPERATIONS if operation.writes]


def named(operation):
    return f"{operation.call} {dict(operation.arguments)}"[:60]


@pytest.fixture
def sandbox():
    return Sandbox(60, clock=VirtualClock())


def pairs(found):
    """Names and values as sent; the values of one name are joined."""
    sent = {}
    for name, value in found:
        sent[name] = f"{sent[name]},{value}" if name in sent else value
    return sent


@pytest.mark.parametrize("auth", ["header", "query"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
async def test_a_call_goes_over_the_wire_as_it_should_and_its_answer_is_typed(operation: Operation, auth, sandbox):
    transport = httpx.ASGITransport(sandbox.app)
    async with FuseDesk("acme", api_key=sandbox.api_key, auth=auth, transport=transport) as desk:
        answer = await operation.carry_out(desk)
    assert operation.fits(answer), answer
    received = sandbox.received[0]
    assert (received.method, received.path, received.status) == (operation.method, operation.path_sent, 200)
    query, form = pairs(received.query), pairs(received.form)
    keys = [query.pop("apikey", None), form.pop("apikey", None), dict(received.headers).get("x-fusedesk-api-key")]
    place = 2 if auth == "header" else int(operation.method == "POST")
    assert keys == [sandbox.api_key if number == place else None for number in range(3)]
    assert (query, form) == (operation.query, operation.form)
    assert received.body == b"" or operation.method == "POST"
    assert pairs(parse_qsl(received.body.decode(), keep_blank_values=True)).keys() - {"apikey"} == form.keys()


class Cut(httpx.ASGITransport):
    """Carries every request out and loses the answers to the first of them."""

    def __init__(self, sandbox, times):
        super().__init__(sandbox.app)
        self.left = times

    async def handle_async_request(self, request):
        answer = await super().handle_async_request(request)
        self.left -= 1
        if self.left >= 0:
            message = "the connection was reset"
            raise httpx.ReadError(message)
        return answer


@pytest.mark.parametrize("operation", WRITES, ids=named)
async def test_a_write_whose_answer_is_cut_off_is_sent_once_unless_twice_is_as_once(operation: Operation, sandbox):
    clock = VirtualClock()
    async with FuseDesk("acme", api_key=sandbox.api_key, transport=Cut(sandbox, 99), clock=clock) as desk:
        with pytest.raises(OutcomeUnknownError) as caught:
            await operation.carry_out(desk)
    assert caught.value.request.method == operation.method
    assert f"/api/{caught.value.request.path}" == operation.path_sent
    assert len(sandbox.received) == caught.value.request.attempts == (4 if operation.repeatable else 1)
    assert sandbox.received[0].status == 200


REPEATED = [operation for operation in WRITES if operation.repeatable]


@pytest.mark.parametrize("operation", REPEATED, ids=named)
async def test_a_refusal_of_what_is_sent_again_counts_as_doubt(operation: Operation, sandbox):
    """The first one was carried out, so the second may be refused for that; some servers say yes again (assumed)."""
    clock = VirtualClock()
    async with FuseDesk("acme", api_key=sandbox.api_key, transport=Cut(sandbox, 1), clock=clock) as desk:
        sandbox.fault("any", nth=2, status=404)
        with pytest.raises(OutcomeUnknownError) as caught:
            await operation.carry_out(desk)
        assert isinstance(caught.value.__cause__, NotFoundError)
    assert [received.status for received in sandbox.received] == [200, 404]
