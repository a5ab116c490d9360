"""One way to send a call: retry → limiter → exchange → decode.

The order matters. Each attempt asks the limiter for leave, so each attempt pays; a 429 is waited for inside an
attempt, so it uses none; the key is added below all of this.
"""

import logging
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any, Literal, TypeAlias, TypeVar

import attrs

from fusedesk_async._clock import Clock, utc
from fusedesk_async._events import CallAnswered, CallEnded, CallLost, CallRetried, CallStarted, Observers
from fusedesk_async._http.exchange import Exchange
from fusedesk_async._http.in_flight import Shelter
from fusedesk_async._http.redaction import scrub
from fusedesk_async._http.retry import RetryPolicy
from fusedesk_async._ratelimit.limiter import RateLimiter
from fusedesk_async._ratelimit.queues import Grant, Patience, Places
from fusedesk_async._wire.answer import TOO_MANY_REQUESTS, UNAUTHORIZED, Answer
from fusedesk_async._wire.call import Call
from fusedesk_async._wire.decode import decode, refusal
from fusedesk_async._wire.encode import Parts, encode, fields_of
from fusedesk_async._wire.headers import ServerClock
from fusedesk_async.errors import (
    AnswerLostError,
    AuthenticationError,
    FuseDeskError,
    NotSentError,
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


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Options:
    """What may differ from call to call; see `FuseDesk.with_options`."""

    timeout: float = 30.0
    retry: RetryPolicy = attrs.field(factory=RetryPolicy)
    priority: Priority | None = None
    on_rate_limit: OnRateLimit = "wait"

    def patience(self, call: Call[Any], held_back: float = 0.0) -> Patience:
        """How a call waits for its turn that was held back for so many seconds already."""
        bulk = call.bulk if self.priority is None else self.priority == "bulk"
        if self.on_rate_limit == "raise":
            return Patience(bulk=bulk, seconds=0.0)
        if bulk:
            return Patience(bulk=True)
        return Patience(seconds=max(0.0, self.retry.patience - held_back))


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
        self.server_clock = ServerClock(clock)
        self._numbers = count(1)
        self.observers = Observers()

    async def send(self, call: Call[T], options: Options) -> T:
        """The result of a call.

        Raises:
            FuseDeskError: Whatever went wrong. If a write may have been carried out, `OutcomeUnknownError`.
        """
        trial = _Trial(call, encode(call), options, next(self._numbers), self._clock.monotonic())
        if not self.observers:
            return await self._carry_out(call, trial)
        self.observers.tell(CallStarted(call=trial.number, request=trial.request))
        try:
            result = await self._carry_out(call, trial)
        except BaseException as error:
            self._tell_end(trial, error)
            raise
        self._tell_end(trial)
        return result

    async def aclose(self) -> None:
        """Let writes end, end reads and what waits, close the connections."""
        self._limiter.detach(self._places)
        try:
            await self._shelter.drain()
        finally:
            await self._exchange.aclose()

    async def _carry_out(self, call: Call[T], trial: "_Trial") -> T:
        options = trial.options
        try:
            return await options.retry.run(
                partial(self._attempt, call, trial),
                repeatable=call.repeatable,
                patience=options.patience(call).seconds,
                clock=self._clock,
                queued=lambda: trial.queued,
                failed=partial(self._tell_retry, trial),
            )
        except FuseDeskError as error:
            if not trial.doubtful:
                raise
            raise self._unknown(trial, error) from error

    async def _attempt(self, call: Call[T], trial: "_Trial") -> T:
        try:
            answer = await self._answer(trial)
            return decode(call, answer, trial.request, self._notice, strict=self._strict)
        except FuseDeskError as error:
            scrub(error, self._redact)
            trial.doubtful = trial.doubtful or (call.writes and _leaves_a_doubt(error))
            raise

    async def _answer(self, trial: "_Trial") -> Answer:
        """The answer to one attempt, however often the server says to come back later."""
        while True:
            grant = await self._leave(trial)
            await self._announce(grant, trial)
            trial.sent += 1
            trial.left_at = self._clock.time()
            answer = await self._shelter.run(
                partial(self._exchange_with, grant, trial),
                writes=str(trial.request) if trial.call.writes else "",
                abandon=partial(self._limiter.finish, grant, None),
            )
            logger.debug("%s: %s", trial.request, answer.status)
            if answer.status != TOO_MANY_REQUESTS:
                return answer
            if not trial.may_come_back:
                raise self._limiter.refusal(trial.request, refusal(answer, trial.request))

    async def _leave(self, trial: "_Trial") -> Grant:
        asked_at = self._clock.monotonic()
        patience = trial.options.patience(trial.call, trial.held_back)
        grant = await self._limiter.acquire(self._places, patience, trial.request)
        trial.waited = self._clock.monotonic() - asked_at
        trial.queued += trial.waited
        trial.held_back += grant.held_back
        return grant

    async def _announce(self, grant: Grant, trial: "_Trial") -> None:
        """Say that the call leaves now, to whoever wants to know it before it does."""
        if trial.call.before_sending is None:
            return
        try:
            await trial.call.before_sending()
        except BaseException:
            self._limiter.finish(grant, None, sent=False)
            raise

    async def _exchange_with(self, grant: Grant, trial: "_Trial") -> Answer:
        """One exchange, which gives its grant back itself, as its caller may have left."""
        answer, sent, left_at, request = None, True, self._clock.monotonic(), trial.request
        number, waited = trial.number, trial.waited
        try:
            answer = await self._exchange(trial.parts, trial.options.timeout, request)
        except FuseDeskError as error:
            sent = not isinstance(error, NotSentError)
            scrub(error, self._redact)
            seconds = self._clock.monotonic() - left_at
            self.observers.tell(CallLost(call=number, request=request, error=error, seconds=seconds, waited=waited))
            raise
        else:
            seconds, status = self._clock.monotonic() - left_at, answer.status
            self.server_clock.hear(answer.headers, answer.received_at)
            self.observers.tell(
                CallAnswered(call=number, request=request, status=status, seconds=seconds, waited=waited)
            )
            return answer
        finally:
            self._limiter.finish(grant, answer, sent=sent)

    def _tell_retry(self, trial: "_Trial", error: FuseDeskError, pause: float) -> None:
        self.observers.tell(CallRetried(call=trial.number, request=trial.request, error=error, pause=pause))

    def _tell_end(self, trial: "_Trial", error: BaseException | None = None) -> None:
        failure = error if isinstance(error, FuseDeskError) else None
        self.observers.tell(
            CallEnded(
                call=trial.number,
                request=trial.request,
                seconds=self._clock.monotonic() - trial.began,
                waited=trial.queued,
                error=failure,
                cancelled=error is not failure,
            )
        )

    def _unknown(self, trial: "_Trial", error: FuseDeskError) -> OutcomeUnknownError:
        """The error for a write that left a doubt, with all that it takes to look whether it happened."""
        message = f"whether the write was carried out is unknown: {error.message}"
        fields = {name: self._redact(text) for name, text in fields_of(trial.parts).items()}
        return OutcomeUnknownError(message, error.request, fields, utc(trial.left_at), utc(self._clock.time()))

    def _notice(self, error: UnexpectedResponseError) -> None:
        if self._strict:
            raise error
        warn(str(error))


def _leaves_a_doubt(error: FuseDeskError) -> bool:
    """Whether what was asked may have been done all the same. A login page may have come after the deed, too."""
    if isinstance(error, AuthenticationError):
        return error.status != UNAUTHORIZED
    return isinstance(error, AnswerLostError | ServerError | UnexpectedResponseError)


@attrs.define(eq=False, repr=False)
class _Trial:
    """One call on its way through its attempts.

    Attributes:
        number: What tells it from other calls.
        began: When it began.
        sent: How often it was sent.
        queued: Seconds spent waiting for leave.
        waited: Seconds of these before it was last sent.
        held_back: Seconds of these that the quota kept it waiting.
        left_at: When it was last sent, in seconds since 1970.
        doubtful: Whether an attempt may have changed something on the server although its answer did not say so.
    """

    call: Call[Any]
    parts: Parts
    options: Options
    number: int
    began: float
    sent: int = 0
    queued: float = 0.0
    waited: float = 0.0
    held_back: float = 0.0
    left_at: float = 0.0
    doubtful: bool = False

    @property
    def request(self) -> Request:
        """What was asked so far, in the form that errors carry."""
        return Request(self.call.method, self.call.path, self.sent)

    @property
    def may_come_back(self) -> bool:
        """Whether the call is sent again after a 429."""
        resent = not self.call.writes or self.options.retry.resend_refused_writes
        return resent and self.options.on_rate_limit == "wait"
