"""A limiter that somebody brings along: all that the client asks of it is in the protocol."""

from itertools import count

import httpx
import pytest

from fusedesk_async import (
    Allowance,
    Answer,
    APIError,
    Clock,
    Estimate,
    FuseDesk,
    Limiter,
    Observers,
    Permit,
    RateLimiter,
    RateLimitError,
    Request,
    ServerProfile,
    Slots,
    WaitPolicy,
)
from fusedesk_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio


class Notes:
    """Lets every call go, and notes what it is asked."""

    usage_header = usage_counts = None

    def __init__(self):
        self.observers, self.allowance, self.numbers, self.said = Observers(), Allowance(limit=7), count(), []

    def begin_with(self, profile: ServerProfile):
        self.said.append(f"begin with {profile.usage_header}")

    def attach(self, clock: Clock, slots: Slots, account: str):
        assert (clock.monotonic() > 0, slots.total) == (True, 4)
        self.said.append(account.partition("/")[0])

    def detach(self, slots: Slots):
        self.said.append(f"detach {slots.total}")

    async def flush(self):
        self.said.append("flush")

    def estimate(self, calls: int, *, concurrency: int):
        return Estimate(calls, calls * concurrency)

    async def acquire(self, slots: Slots, policy: WaitPolicy, request: Request, rejection: APIError | None = None):
        slots.free -= 1
        assert rejection is None
        self.said.append(f"acquire {request.path}, {policy.timeout:.0f} s")
        return Permit(next(self.numbers), slots, 0.0)

    def finish(self, permit: Permit, answer: Answer | None, *, sent: bool = True):
        permit.slots.free += 1
        self.said.append(f"finish {permit.number}: {answer and answer.status}, {sent}")

    def rate_limit_error(self, request: Request, policy: WaitPolicy, rejection: APIError):
        return RateLimitError(f"come back, {policy.bulk}", request, rejection.status, rejection.code, 5.0)


async def test_the_client_asks_what_the_protocol_has(anyio_backend):
    sandbox, limiter = Sandbox(2), Notes()
    sandbox.fault("get", nth=2, status=429)
    transport = httpx.ASGITransport(sandbox.app)
    async with FuseDesk(
        "acme", api_key=sandbox.api_key, limiter=limiter, transport=transport, on_rate_limit="raise", timeout=7
    ) as desk:
        assert (await desk.cases.get(1)).id == 1
        with pytest.raises(RateLimitError, match="come back, False"):
            await desk.cases.get(2)
        assert desk.allowance.limit == 7
        assert desk.estimate(3).at_least == 3
        assert desk.profile.usage_header is None
    assert limiter.said == [
        "begin with None",
        "acme.fusedesk.com",
        "acquire v1/cases/1, 7 s",
        "finish 0: 200, True",
        "acquire v1/cases/2, 7 s",
        "finish 1: 429, True",
        "detach 4",
        "flush",
    ]


def test_the_limiters_of_the_package_are_such_limiters():
    asked = {name for name in vars(Limiter) if not name.startswith("_")}
    for limiter in (Notes(), RateLimiter()):
        assert asked <= set(dir(limiter))
