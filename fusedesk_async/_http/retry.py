"""When to try again: a policy in tenacity's vocabulary.

What is left of tenacity is the vocabulary and the loop. Its `stop` and `wait` objects say how often and how long, so
that callers can combine those they know (`stop_after_attempt(5) | stop_after_delay(60)`), and its `AsyncRetrying` keeps
their state. The rest is ours: whether a failure is worth another try depends on what certainly did or did not happen
on the server; time and sleep are those of the client's clock; the server's `Retry-After` comes before any `wait`; and
time spent waiting for quota does not count, so `run` sets the two moments from which tenacity's `stop_after_delay`
computes.
"""

import random
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, TypeVar, cast

import attrs
from tenacity import AsyncRetrying, RetryCallState, stop_after_attempt

from fusedesk_async._clock import Clock
from fusedesk_async._exports import public
from fusedesk_async.errors import (
    AnswerLostError,
    APIError,
    FuseDeskError,
    NotSentError,
    RequestRejectedError,
    ServerError,
    UnexpectedResponseError,
)

if TYPE_CHECKING:
    from tenacity.stop import StopBaseT
    from tenacity.wait import WaitBaseT

T = TypeVar("T")

MALFORMED_RESPONSE_ATTEMPTS = 2
"""How often a read is sent whose response makes no sense."""
LONGEST_PAUSE = 3_600.0
"""Seconds. Whatever the server says, the call is retried after this."""


@public
@attrs.frozen
class JitteredBackoff:
    """Waits that double, each a random part of its bound between a half and the whole.

    Attributes:
        first: The first bound, in seconds.
        most: No bound is longer than this, in seconds.
        source: Where the jitter comes from; hand in a seeded one for tests.
    """

    first: float = 0.5
    most: float = 30.0
    source: random.Random = attrs.field(factory=random.Random, repr=False, eq=False)

    def __call__(self, retry_state: RetryCallState) -> float:
        """Seconds to wait after this attempt."""
        bound = min(self.most, self.first * 2.0 ** min(retry_state.attempt_number - 1, 30))
        return bound * self.source.uniform(0.5, 1.0)


def _frozen(codes: Iterable[str]) -> frozenset[str]:
    return frozenset(codes)


@public
@attrs.frozen(kw_only=True)
class RetryPolicy:
    """When a call that failed is tried again.

    Reads and idempotent writes (tag, untag) are tried again after a 5xx, a 408, a 425 or a lost response, and once more
    after a response that makes no sense. Every call is tried again if it could not be sent. 401, 403, 404, 405 and a
    certificate that cannot be verified are final. Each retry is logged at INFO, with its reason and pause.

    A 429 is not a failure: it uses no attempt and is waited for, see `RateLimiter`.

    Attributes:
        stop: When to give up: any of tenacity's stop objects. Time spent waiting for quota does not count.
        wait: How long to wait between attempts: any of tenacity's wait objects. A `Retry-After` of the server comes
            first.
        patience: Seconds. An interactive call that would have to wait longer than this, for quota or because the
            server says so, fails at once.
        codes: Error codes that FuseDesk sends with a 405 and that mean passing trouble. For idempotent calls only;
            none is known.
        resend_refused_writes: Whether a write that was refused with 429 is sent again after the wait. FuseDesk does
            not say, but by the meaning of that status a refused write was not carried out.
    """

    stop: "StopBaseT" = attrs.field(factory=lambda: stop_after_attempt(4))
    wait: "WaitBaseT" = attrs.field(factory=JitteredBackoff)
    patience: float = 120.0
    codes: frozenset[str] = attrs.field(default=frozenset(), converter=_frozen)
    resend_refused_writes: bool = True

    def worth_repeating(self, error: BaseException, attempt: int, *, repeatable: bool, patience: float) -> bool:
        """Whether to try again after this failure.

        Args:
            error: How the attempt failed.
            attempt: The number of that attempt, from 1.
            repeatable: Whether the call is idempotent.
            patience: Seconds that the server may ask to wait.
        """
        if isinstance(error, APIError) and (error.retry_after or 0.0) > patience:
            return False
        match error:
            case NotSentError():
                return not error.permanent
            case ServerError() | AnswerLostError():
                return repeatable
            case UnexpectedResponseError():
                return repeatable and attempt < MALFORMED_RESPONSE_ATTEMPTS
            case RequestRejectedError():
                return repeatable and error.code in self.codes
            case _:
                return False

    async def run(
        self,
        attempt: Callable[[], Awaitable[T]],
        *,
        repeatable: bool,
        patience: float,
        clock: Clock,
        queued: Callable[[], float],
        on_retry: Callable[[FuseDeskError, float], None],
        attempts: int | None = None,
    ) -> T:
        """Call `attempt` until it succeeds or trying again makes no sense.

        Args:
            attempt: Makes one attempt.
            repeatable: Whether the call is idempotent.
            patience: Seconds that the server may ask to wait.
            clock: Measures and waits.
            queued: How many seconds the call has spent waiting for quota so far.
            on_retry: Called with each failure after which it is tried again, and the seconds until then.
            attempts: It is not tried more often than this, whatever the policy.

        Raises:
            FuseDeskError: What the last attempt raised.
        """
        started = clock.monotonic()

        def give_up(state: RetryCallState) -> bool:
            # tenacity reads its own clock, which knows neither ours nor the time spent waiting for quota
            state.start_time = started
            state.outcome_timestamp = clock.monotonic() - queued()
            return state.attempt_number == attempts or bool(self.stop(state))

        def again(state: RetryCallState) -> bool:
            error = state.outcome.exception() if state.outcome else None
            number = state.attempt_number
            return error is not None and self.worth_repeating(error, number, repeatable=repeatable, patience=patience)

        def before_sleep(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            on_retry(cast("FuseDeskError", error), state.upcoming_sleep)  # no other one is worth repeating

        retrying = AsyncRetrying(
            stop=give_up, wait=self._pause, retry=again, sleep=clock.sleep, before_sleep=before_sleep, reraise=True
        )

        async def once() -> T:
            return await attempt()

        return await retrying(once)  # it looks whether it is given a coroutine function, which a partial may not be

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, APIError) and error.retry_after is not None:
            return min(error.retry_after, LONGEST_PAUSE)
        if isinstance(error, AnswerLostError) and error.stale and state.attempt_number == 1:
            return 0.0
        return self.wait(state)
