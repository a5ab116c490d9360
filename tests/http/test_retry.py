"""Which failures are tried again, how often, and after which pause."""

import random

import pytest
from tenacity import stop_after_attempt, stop_after_delay, stop_never, wait_fixed, wait_none

from fusedesk_async import (
    AnswerLostError,
    APIError,
    AuthenticationError,
    ConfigurationError,
    JitteredBackoff,
    NotFoundError,
    NotSentError,
    PermissionDeniedError,
    RateLimitError,
    RequestRejectedError,
    RetryPolicy,
    ServerError,
    UnexpectedResponseError,
)
from fusedesk_async.sandbox import VirtualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock():
    return VirtualClock()


class Flaky:
    """Fails with these errors, one after the other, then succeeds."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.attempts = []

    async def __call__(self):
        self.attempts.append(len(self.attempts) + 1)
        if self.errors:
            raise self.errors.pop(0)
        return "done"


async def run(policy, flaky, clock, *, repeatable=True, queued=0.0, patience=120.0, on_retry=lambda *_: None):
    return await policy.run(
        flaky, repeatable=repeatable, patience=patience, clock=clock, queued=lambda: queued, on_retry=on_retry
    )


@pytest.mark.parametrize(
    ("error", "read", "write"),
    [
        (NotSentError("could not connect"), True, True),
        (NotSentError("certificate", None, True), False, False),
        (AnswerLostError("reset"), True, False),
        (ServerError("oops", None, 503), True, False),
        (ServerError("oops", None, 503, "", 1000.0), False, False),
        (UnexpectedResponseError("not JSON"), True, False),
        (AuthenticationError("no", None, 401), False, False),
        (PermissionDeniedError("no", None, 403), False, False),
        (NotFoundError("no", None, 404), False, False),
        (RequestRejectedError("no", None, 405), False, False),
        (RequestRejectedError("busy", None, 405, "api_error_busy"), True, False),
        (RateLimitError("no", None, 429), False, False),
        (APIError("teapot", None, 418), False, False),
        (ConfigurationError("no"), False, False),
        (ValueError("not ours"), False, False),
    ],
    ids=str,
)
def test_what_is_tried_again(error, read, write):
    policy = RetryPolicy(codes={"api_error_busy"})
    assert policy.worth_repeating(error, 1, repeatable=True, patience=120.0) is read
    assert policy.worth_repeating(error, 1, repeatable=False, patience=120.0) is write


async def test_a_passing_failure_is_tried_again(clock):
    flaky = Flaky(ServerError("a", None, 500), AnswerLostError("b"))
    assert await run(RetryPolicy(), flaky, clock) == "done"
    assert flaky.attempts == [1, 2, 3]
    assert clock.waited > 0


async def test_it_gives_up_with_our_own_error(clock):
    flaky = Flaky(*[ServerError(str(number), None, 500) for number in range(9)])
    with pytest.raises(ServerError, match="3"):
        await run(RetryPolicy(stop=stop_after_attempt(4), wait=wait_none()), flaky, clock)
    assert flaky.attempts == [1, 2, 3, 4]


async def test_a_response_that_makes_no_sense_is_asked_for_once_more(clock):
    flaky = Flaky(*[UnexpectedResponseError("cut") for _ in range(9)])
    with pytest.raises(UnexpectedResponseError):
        await run(RetryPolicy(), flaky, clock)
    assert flaky.attempts == [1, 2]


async def test_the_server_says_how_long_to_wait(clock):
    flaky = Flaky(ServerError("later", None, 503, "", 7.0))
    await run(RetryPolicy(), flaky, clock)
    assert clock.waited == 7


async def test_no_server_makes_us_wait_longer_than_an_hour(clock):
    flaky = Flaky(ServerError("later", None, 503, "", 1e9))
    await run(RetryPolicy(), flaky, clock, patience=float("inf"))
    assert clock.waited == 3600


async def test_a_hint_beyond_the_patience_is_raised(clock):
    flaky = Flaky(RequestRejectedError("busy", None, 405, "busy", 1000.0))
    with pytest.raises(RequestRejectedError):
        await run(RetryPolicy(codes=["busy"]), flaky, clock)


async def test_a_connection_found_closed_is_replaced_at_once_but_only_once(clock):
    flaky = Flaky(AnswerLostError("a", None, True), AnswerLostError("b", None, True))
    await run(RetryPolicy(wait=wait_fixed(5)), flaky, clock)
    assert clock.waited == 5


async def test_a_delay_to_stop_after_is_measured_on_our_clock(clock):
    flaky = Flaky(*[ServerError("x", None, 500) for _ in range(99)])
    with pytest.raises(ServerError):
        await run(RetryPolicy(stop=stop_after_delay(120), wait=wait_fixed(10)), flaky, clock)
    assert len(flaky.attempts) == 13


async def test_time_spent_waiting_for_quota_does_not_count_towards_it(clock):
    flaky = Flaky(*[ServerError("x", None, 500) for _ in range(99)])
    with pytest.raises(ServerError):
        await run(RetryPolicy(stop=stop_after_delay(120), wait=wait_fixed(10)), flaky, clock, queued=60.0)
    assert len(flaky.attempts) == 19


async def test_a_policy_may_never_stop(clock):
    flaky = Flaky(*[ServerError("x", None, 500) for _ in range(50)])
    assert await run(RetryPolicy(stop=stop_never, wait=wait_none()), flaky, clock) == "done"


async def test_waits_double_up_to_a_bound_and_jitter_between_half_and_whole(clock):
    flaky = Flaky(*[ServerError("x", None, 500) for _ in range(8)])
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    clock.sleep = sleep
    wait = JitteredBackoff(first=1.0, most=8.0, source=random.Random(3))
    await run(RetryPolicy(stop=stop_never, wait=wait), flaky, clock)
    for seconds, bound in zip(slept, [1, 2, 4, 8, 8, 8, 8, 8], strict=True):
        assert bound / 2 <= seconds <= bound
    assert len(set(slept)) == 8


async def test_each_failure_after_which_it_is_tried_again_is_reported(clock):
    first, second = ServerError("x", None, 500), ServerError("y", None, 503, "", 7.0)
    reported = []
    flaky = Flaky(first, second)
    await run(RetryPolicy(wait=wait_fixed(5)), flaky, clock, on_retry=lambda *failure: reported.append(failure))
    assert reported == [(first, 5.0), (second, 7.0)]


async def test_the_failure_after_which_it_gives_up_is_raised_and_not_reported(clock):
    reported, policy = [], RetryPolicy(stop=stop_after_attempt(3), wait=wait_none())
    flaky = Flaky(*[ServerError("x", None, 500) for _ in range(9)])
    with pytest.raises(ServerError):
        await run(policy, flaky, clock, on_retry=lambda *failure: reported.append(failure))
    assert len(reported) == 2
