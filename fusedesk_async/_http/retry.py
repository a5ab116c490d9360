"""When to try again: a policy in tenacity's vocabulary.

tenacity's `stop` and `wait` objects say how often and how long; whether a failure is worth another try is decided
here, by what surely did or did not happen on the server.
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

MALFORMED_ANSWER_ATTEMPTS = 2
LONGEST_PAUSE = 3_600.0
"""Seconds. Whatever the server says, it is asked again after this."""


@public
@attrs.frozen
class JitteredBackoff:
    """Waits that double, each a random part of its bound between a half and the whole.

    Args:
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

    Reads and writes that do no harm twice (tag, untag) are tried again after a 5xx or a lost answer, and once more
    after an answer that makes no sense. Every call is tried again if it could not be sent. 401, 403, 404, 405 and a
    certificate that does not fit are final.

    A 429 is no failure: it uses no attempt and is waited for, see `RateLimiter`.

    Attributes:
        stop: When to give up: any of tenacity's stop objects. Time spent waiting for quota does not count.
        wait: How long to wait between attempts: any of tenacity's wait objects. A `Retry-After` of the server comes
            first.
        patience: Seconds. An interactive call that would have to wait longer than this, for quota or because the
            server says so, fails at once.
        codes: Error codes that FuseDesk sends with a 405 and that mean a passing trouble. Reads only. None is known.
        resend_refused_writes: Whether a write that was refused with 429 is sent again after the wait. FuseDesk does
            not say, but by the meaning of that status a refused write was not carried out.
    """

    stop: "StopBaseT" = attrs.field(factory=lambda: stop_after_attempt(4))
    wait: "WaitBaseT" = attrs.field(factory=JitteredBackoff)
    patience: float = 120.0
    codes: frozenset[str] = attrs.field(default=frozenset(), converter=_frozen)
    resend_refused_writes: bool = True

    def worth_repeating(
        self, error: BaseException, attempt: int, *, repeatable: bool, patience: float | None = None
    ) -> bool:
        """Whether to try again after this failure.

        Args:
            error: How the attempt failed.
            attempt: The number of that attempt, from 1.
            repeatable: Whether the call does no harm when it is carried out twice.
            patience: Seconds that the server may ask to wait; the policy's own by default.
        """
        most = self.patience if patience is None else patience
        if isinstance(error, APIError) and (error.retry_after or 0.0) > most:
            return False
        match error:
            case NotSentError():
                return not error.permanent
            case ServerError() | AnswerLostError():
                return repeatable
            case UnexpectedResponseError():
                return repeatable and attempt < MALFORMED_ANSWER_ATTEMPTS
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
        failed: Callable[[FuseDeskError, float], None],
    ) -> T:
        """Call `attempt` until it succeeds or trying again makes no sense.

        Args:
            attempt: Makes one attempt.
            repeatable: Whether the call does no harm when it is carried out twice.
            patience: Seconds that the server may ask to wait.
            clock: Measures and waits.
            queued: How many seconds the call has spent waiting for quota so far.
            failed: Told of each failure after which it is tried again, with the seconds until then.

        Raises:
            FuseDeskError: What the last attempt raised.
        """
        started = clock.monotonic()

        def give_up(state: RetryCallState) -> bool:
            # tenacity reads its own clock, which knows neither ours nor the time spent waiting for quota
            state.start_time = started
            state.outcome_timestamp = clock.monotonic() - queued()
            return bool(self.stop(state))

        def again(state: RetryCallState) -> bool:
            error = state.outcome.exception() if state.outcome else None
            number = state.attempt_number
            return error is not None and self.worth_repeating(error, number, repeatable=repeatable, patience=patience)

        def tell(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            failed(cast("FuseDeskError", error), state.upcoming_sleep)  # no other one is worth repeating

        retrying = AsyncRetrying(
            stop=give_up, wait=self._pause, retry=again, sleep=clock.sleep, before_sleep=tell, reraise=True
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
