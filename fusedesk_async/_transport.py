"""One way to send a call: retry → limiter → exchange → decode.

The order matters. Each attempt asks the limiter for leave, so each attempt pays; a 429 is waited for inside an
attempt, so it uses none; the key is added below all of this.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, TypeAlias, TypeVar

import attrs

from fusedesk_async._call import Call, Notice
from fusedesk_async._clock import Clock
from fusedesk_async._encode import Parts, encode
from fusedesk_async._exchange import Exchange
from fusedesk_async._ratelimit import Grant, Patience, Places, RateLimiter
from fusedesk_async._retry import RetryPolicy
from fusedesk_async._secret import scrub
from fusedesk_async._shelter import Shelter
from fusedesk_async._wire import TOO_MANY_REQUESTS, UNAUTHORIZED, Answer, decode, refusal, with_request
from fusedesk_async.errors import (
    AnswerLostError,
    AuthenticationError,
    FuseDeskError,
    OutcomeUnknownError,
    Request,
    ServerError,
    UnexpectedResponseError,
    warn,
)

T = TypeVar("T")
Priority: TypeAlias = Literal["interactive", "bulk"]
OnRateLimit: TypeAlias = Literal["wait", "raise"]

logger = logging.getLogger("fusedesk_async")


@attrs.frozen(kw_only=True)
class Options:
    """What may differ from call to call; see `FuseDesk.with_options`."""

    timeout: float = 30.0
    retry: RetryPolicy = attrs.field(factory=RetryPolicy)
    priority: Priority = "interactive"
    on_rate_limit: OnRateLimit = "wait"

    def patience(self, queued: float) -> Patience:
        """How a call waits for its turn that has already waited so many seconds."""
        if self.on_rate_limit == "raise":
            return Patience(bulk=self.priority == "bulk", seconds=0.0)
        if self.priority == "bulk":
            return Patience(bulk=True)
        return Patience(seconds=max(0.0, self.retry.patience - queued))


class Transport:
    """Carries out calls against one server with one key.

    Args:
        exchange: Makes one request.
        limiter: Says when.
        clock: Measures and waits.
        places: How many exchanges may be on their way at once.
        redact: Takes the key out of a text.
        strict: Whether odd answers that could be dealt with are errors.
    """

    def __init__(
        self,
        exchange: Exchange,
        limiter: RateLimiter,
        clock: Clock,
        *,
        places: int,
        redact: Callable[[str], str],
        strict: bool,
    ) -> None:
        self._exchange = exchange
        self._limiter = limiter
        self._clock = clock
        self._places = Places(places)
        self._redact = redact
        self._strict = strict
        self._shelter = Shelter()

    async def send(self, call: Call[T], options: Options) -> T:
        """The result of a call.

        Raises:
            FuseDeskError: Whatever went wrong. If a write may have been carried out, `OutcomeUnknownError`.
        """
        trial = _Trial(call, encode(call), options)
        try:
            return await options.retry.run(
                partial(self._attempt, call, trial),
                repeatable=call.repeatable,
                clock=self._clock,
                queued=lambda: trial.queued,
            )
        except FuseDeskError as error:
            if not trial.doubtful:
                raise
            message = f"whether the write was carried out is unknown: {error.message}"
            raise OutcomeUnknownError(message, error.request) from error

    async def aclose(self) -> None:
        """Let writes end, end reads, close the connections."""
        try:
            await self._shelter.drain()
        finally:
            await self._exchange.aclose()

    async def _attempt(self, call: Call[T], trial: "_Trial", number: int) -> T:
        request = Request(call.method, call.path, number)
        try:
            answer = await self._answer(trial, request)
            return decode(call, answer, request, self._notice(request, answer), strict=self._strict)
        except FuseDeskError as error:
            scrub(error, self._redact)
            trial.doubtful = trial.doubtful or (call.writes and _leaves_a_doubt(error))
            raise

    async def _answer(self, trial: "_Trial", request: Request) -> Answer:
        """The answer to one attempt, however often the server says to come back later."""
        while True:
            grant = await self._leave(trial, request)
            exchange = partial(self._exchange_with, grant, trial, request)
            answer = await self._shelter.run(exchange, writes=f"{request}" if trial.call.writes else "")
            logger.debug("%s: %s", request, answer.status)
            if answer.status != TOO_MANY_REQUESTS:
                return answer
            if not trial.may_come_back:
                raise self._limiter.refusal(request, refusal(answer, request))

    async def _leave(self, trial: "_Trial", request: Request) -> Grant:
        asked_at = self._clock.monotonic()
        patience = trial.options.patience(trial.queued)
        try:
            return await self._limiter.acquire(self._places, patience, request)
        finally:
            trial.queued += self._clock.monotonic() - asked_at

    async def _exchange_with(self, grant: Grant, trial: "_Trial", request: Request) -> Answer:
        """One exchange, which gives its grant back itself, as its caller may have left."""
        answer = None
        try:
            answer = await self._exchange(trial.parts, trial.options.timeout, request)
            return answer
        finally:
            self._limiter.finish(grant, answer)

    def _notice(self, request: Request, answer: Answer) -> Notice:
        def notice(error: UnexpectedResponseError) -> None:
            error = with_request(error, request, answer)
            if self._strict:
                raise error
            warn(str(error))

        return notice


def _leaves_a_doubt(error: FuseDeskError) -> bool:
    """Whether what was asked may have been done all the same. A login page may have come after the deed, too."""
    if isinstance(error, AuthenticationError):
        return error.status != UNAUTHORIZED
    return isinstance(error, AnswerLostError | ServerError | UnexpectedResponseError)


@attrs.define
class _Trial:
    """One call on its way through its attempts.

    Attributes:
        queued: Seconds spent waiting for leave.
        doubtful: Whether an attempt may have changed something on the server although its answer did not say so.
    """

    call: Call[Any]
    parts: Parts
    options: Options
    queued: float = 0.0
    doubtful: bool = False

    @property
    def may_come_back(self) -> bool:
        """Whether the call is sent again after a 429."""
        resent = not self.call.writes or self.options.retry.resend_refused_writes
        return resent and self.options.on_rate_limit == "wait"
