"""One way to send a call: retry → limiter → exchange → decode. It reads from top to bottom, in the order of the calls.

The order matters. Each attempt asks the limiter for a permit, so each attempt pays; a 429 is waited for inside an
attempt, so it uses none; the key is added below all of this.

Logging: the whole package logs to `fusedesk_async`, and never a key, a body or a query.

- INFO: each retry, with its reason and pause; the beginning of each wait for quota.
- DEBUG: each permit, each response, what becomes of a 429, and a write whose outcome is unknown.
- WARNING: how a write ended whose caller was cancelled meanwhile; more interactive calls than the reserve.
- ERROR: an observer that failed.
"""

import logging
import math
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import attrs

from fusedesk_async._clock import Clock, utc
from fusedesk_async._events import CallAnswered, CallEnded, CallLost, CallRetried, CallStarted, Observers
from fusedesk_async._http.exchange import Exchange
from fusedesk_async._http.in_flight import InFlight
from fusedesk_async._http.redaction import scrub
from fusedesk_async._http.retry import RetryPolicy
from fusedesk_async._ratelimit.queues import Permit, Slots, WaitPolicy
from fusedesk_async._text import one_line
from fusedesk_async._wire.answer import TOO_EARLY, TOO_MANY_REQUESTS, UNAUTHORIZED, Answer
from fusedesk_async._wire.call import Call
from fusedesk_async._wire.decode import decode, error_for_status
from fusedesk_async._wire.encode import Parts, encode, fields_of
from fusedesk_async._wire.headers import ServerClock
from fusedesk_async.errors import (
    AnswerLostError,
    APIError,
    AuthenticationError,
    FuseDeskError,
    NotSentError,
    OutcomeUnknownError,
    Request,
    ServerError,
    UnexpectedResponseError,
    warn,
)

if TYPE_CHECKING:
    from fusedesk_async._ratelimit.protocol import Limiter

T = TypeVar("T")
Priority: TypeAlias = Literal["interactive", "bulk"]
OnRateLimit: TypeAlias = Literal["wait", "raise"]

logger = logging.getLogger("fusedesk_async")

MAX_FIELD_WARNINGS = 100
"""Warnings of a client about fields that cannot be read. Python keeps each text it has warned of."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Options:
    """What may differ from call to call; see `FuseDesk.with_options`.

    Attributes:
        timeout: Seconds for one attempt.
        retry: When a failed call is tried again.
        priority: Whether calls are interactive or bulk; None if each call says so itself.
        on_rate_limit: Whether calls wait for quota or raise.
        bulk_patience: Seconds. A bulk call fails rather than let the quota delay it longer than this.
    """

    timeout: float = 30.0
    retry: RetryPolicy = attrs.field(factory=RetryPolicy)
    priority: Priority | None = None
    on_rate_limit: OnRateLimit = "wait"
    bulk_patience: float = math.inf

    def wait_policy(self, call: Call[Any], delayed: float = 0.0) -> WaitPolicy:
        """How a call waits for its turn that the quota has delayed for so many seconds already."""
        bulk = call.bulk if self.priority is None else self.priority == "bulk"
        if self.on_rate_limit == "raise":
            return WaitPolicy(bulk, 0.0, self.timeout)
        patience = self.bulk_patience if bulk else self.retry.patience
        return WaitPolicy(bulk, max(0.0, patience - delayed), self.timeout)


class Pipeline:
    """Carries out calls against one server with one key.

    Args:
        exchange: Makes one request.
        limiter: Says when.
        clock: Measures and waits.
        concurrency: How many exchanges may be in flight at once.
        redact: Takes the key out of a text.
        strict: Whether odd responses that could be dealt with are errors.

    Attributes:
        server_clock: What responses say of the server's time.
        observers: Who is notified of calls.
    """

    def __init__(
        self,
        exchange: Exchange,
        limiter: "Limiter",
        clock: Clock,
        *,
        concurrency: int,
        redact: Callable[[str], str],
        strict: bool,
    ) -> None:
        self._http = exchange
        self._limiter = limiter
        self._clock = clock
        self._slots = Slots(concurrency)
        self._redact = redact
        self._strict = strict
        self._in_flight = InFlight()
        self.server_clock = ServerClock(clock)
        self._numbers = count(1)
        self.observers = Observers()
        self._field_warnings = 0

    async def send(self, call: Call[T], options: Options) -> T:
        """The result of a call.

        Raises:
            FuseDeskError: Whatever went wrong. If a write may have been carried out, `OutcomeUnknownError`.
        """
        state = _CallState(call, encode(call), options, next(self._numbers), self._clock.monotonic())
        return await self._observed(state, partial(self._send_with_retries, call, state))

    async def send_once(self, call: Call[Any], parts: Parts, options: Options) -> Answer:
        """The response to one attempt, whatever it says, a 429 included.

        Args:
            call: What is asked, as events, errors and the log show it.
            parts: What is sent.
            options: How it is sent.

        Raises:
            RateLimitError: The quota would delay it longer than `options` allow. Nothing was sent.
            TransportError: No response came.
        """
        state = _CallState(call, parts, options, next(self._numbers), self._clock.monotonic())
        return await self._observed(state, partial(self._one_answer, state))

    async def _observed(self, state: "_CallState", send: Callable[[], Awaitable[T]]) -> T:
        if not self.observers:
            return await send()
        self.observers.notify(CallStarted(call=state.number, request=state.request))
        try:
            result = await send()
        except BaseException as error:
            self._notify_end(state, error)
            raise
        self._notify_end(state)
        return result

    async def _send_with_retries(self, call: Call[T], state: "_CallState") -> T:
        """As many attempts as the retry policy makes; a write that may have been carried out ends in its own error."""
        options = state.options
        try:
            return await options.retry.run(
                partial(self._attempt, call, state),
                repeatable=call.repeatable,
                patience=options.wait_policy(call).max_wait,
                clock=self._clock,
                queued=lambda: state.queued,
                on_retry=partial(self._on_retry, state),
                attempts=call.attempts,
            )
        except FuseDeskError as error:
            if not state.outcome_unknown:
                raise
            logger.debug("%s: outcome unknown", state.request)
            raise self._outcome_unknown(state, error) from error

    async def _attempt(self, call: Call[T], state: "_CallState") -> T:
        """One attempt: a response that is no 429, decoded. Notes if it may have changed something on the server."""
        try:
            answer = await self._accepted_answer(state)
            return decode(call, answer, state.request, self._on_notice, strict=self._strict)
        except FuseDeskError as error:
            scrub(error, self._redact)
            state.outcome_unknown = state.outcome_unknown or (call.writes and _may_have_happened(error))
            raise

    async def _accepted_answer(self, state: "_CallState") -> Answer:
        """The response to one attempt, however often the server rejects it with a 429 first."""
        while True:
            answer = await self._one_answer(state)
            if answer.status != TOO_MANY_REQUESTS:
                return answer
            state.rejection = error_for_status(answer, state.request)
            if not state.may_be_resent:
                logger.debug("%s: rejected, which is raised", state.request)
                policy = state.options.wait_policy(state.call, state.delayed)
                raise self._limiter.rate_limit_error(state.request, policy, state.rejection)
            logger.debug("%s: rejected, sent again after the cooldown", state.request)

    async def _one_answer(self, state: "_CallState") -> Answer:
        """The response to one request, once the limiter lets it go."""
        permit = await self._acquire_permit(state)
        await self._before_sending(permit, state)
        state.sent += 1
        state.sent_at = self._clock.time()
        return await self._in_flight.run(
            partial(self._exchange, permit, state),
            writes=str(state.request) if state.call.writes else "",
            on_abandoned=partial(self._limiter.finish, permit, None),
        )

    async def _acquire_permit(self, state: "_CallState") -> Permit:
        """Wait until the limiter lets the call go."""
        asked_at = self._clock.monotonic()
        policy = state.options.wait_policy(state.call, state.delayed)
        permit = await self._limiter.acquire(self._slots, policy, state.request, state.rejection)
        state.waited = self._clock.monotonic() - asked_at
        state.queued += state.waited
        state.delayed += permit.delayed
        logger.debug("%s: permit %d after %.1f s", state.request, permit.number, state.waited)
        return permit

    async def _before_sending(self, permit: Permit, state: "_CallState") -> None:
        """Let whoever wants to know it that the request is about to be sent; if that fails, it is not."""
        if state.call.before_sending is None:
            return
        try:
            await state.call.before_sending()
        except BaseException:
            self._limiter.finish(permit, None, sent=False)
            raise

    async def _exchange(self, permit: Permit, state: "_CallState") -> Answer:
        """One request and its response. Gives its permit back itself, as its caller may have been cancelled."""
        answer, sent, began, request = None, True, self._clock.monotonic(), state.request
        number, waited = state.number, state.waited
        try:
            answer = await self._http(state.parts, state.options.timeout, request)
        except FuseDeskError as error:
            sent = not isinstance(error, NotSentError)
            scrub(error, self._redact)
            seconds = self._clock.monotonic() - began
            self.observers.notify(CallLost(call=number, request=request, error=error, seconds=seconds, waited=waited))
            raise
        else:
            seconds, status = self._clock.monotonic() - began, answer.status
            logger.debug("%s: status %d after %.1f s", request, status, seconds)
            self.server_clock.observe_headers(answer.headers, answer.received_at)
            self.observers.notify(
                CallAnswered(call=number, request=request, status=status, seconds=seconds, waited=waited)
            )
            return answer
        finally:
            self._limiter.finish(permit, answer, sent=sent)

    def _on_notice(self, error: UnexpectedResponseError) -> None:
        """Something in a response could not be read but can be done without."""
        if self._strict:
            raise error
        self._field_warnings += bool(error.field)
        if not error.field or self._field_warnings < MAX_FIELD_WARNINGS:
            warn(self._redact(str(error)))
        elif self._field_warnings == MAX_FIELD_WARNINGS:
            warn(f"{self._redact(str(error))}. Further fields that cannot be read are in `odd` of their records only")

    def _on_retry(self, state: "_CallState", error: FuseDeskError, pause: float) -> None:
        """An attempt failed, and another one will follow after the pause."""
        request = state.request
        logger.info("%s %s failed (%s); retrying in %.1f s", request.method, request.path, _reason(error), pause)
        self.observers.notify(CallRetried(call=state.number, request=request, error=error, pause=pause))
        if state.call.on_retry:
            state.call.on_retry(error)

    def _outcome_unknown(self, state: "_CallState", error: FuseDeskError) -> OutcomeUnknownError:
        """The error for a write that may have been carried out, with all that it takes to find out."""
        message = f"whether the write was carried out is unknown: {error.message}"
        fields = {name: self._redact(text) for name, text in fields_of(state.parts).items()}
        return OutcomeUnknownError(message, error.request, fields, utc(state.sent_at), utc(self._clock.time()))

    def _notify_end(self, state: "_CallState", error: BaseException | None = None) -> None:
        failure = error if isinstance(error, FuseDeskError) else None
        self.observers.notify(
            CallEnded(
                call=state.number,
                request=state.request,
                seconds=self._clock.monotonic() - state.began,
                waited=state.queued,
                error=failure,
                cancelled=error is not failure,
            )
        )

    def open(self, account: str) -> None:
        """Make ready for calls in this event loop.

        Args:
            account: The host, and a fingerprint of the key.

        Raises:
            ConfigurationError: The limiter is in use in another event loop, with another clock or for another account.
        """
        self._limiter.attach(self._clock, self._slots, account)

    async def aclose(self) -> None:
        """Let writes end, end reads and what waits, close the connections."""
        self._limiter.detach(self._slots)
        try:
            await self._in_flight.drain()
            await self._limiter.flush()
        finally:
            await self._http.aclose()


def _may_have_happened(error: FuseDeskError) -> bool:
    """Whether a write that failed so may have been carried out. A login page may come after it, too.

    425 says that it was not. 408 should, but balancers send it on connections that they are about to close, whatever
    becomes of the request.
    """
    if isinstance(error, ServerError):
        return error.status != TOO_EARLY
    if isinstance(error, AuthenticationError):
        return error.status != UNAUTHORIZED
    return isinstance(error, AnswerLostError | UnexpectedResponseError)


def _reason(error: FuseDeskError) -> str:
    """An error in a few words, for the log."""
    status = f" {error.status}" if isinstance(error, APIError) else ""
    return one_line(f"{type(error).__name__}{status}: {error.message}")


@attrs.define(eq=False, repr=False)
class _CallState:
    """How far a call is.

    Attributes:
        call: What was asked.
        parts: The same as it is sent.
        options: How it is sent.
        number: Its number, which no other call of the client has.
        began: When it began, in seconds.
        sent: How often it was sent.
        queued: Seconds spent waiting for permits.
        waited: Seconds of these before it was last sent.
        delayed: Seconds of these for which the quota delayed it.
        sent_at: When it was last sent, in seconds since 1970.
        rejection: The error that the newest 429 means, if there was one.
        outcome_unknown: Whether an attempt may have changed something on the server although its response did not say
            so.
    """

    call: Call[Any]
    parts: Parts
    options: Options
    number: int
    began: float
    sent: int = 0
    queued: float = 0.0
    waited: float = 0.0
    delayed: float = 0.0
    sent_at: float = 0.0
    rejection: APIError | None = None
    outcome_unknown: bool = False

    @property
    def request(self) -> Request:
        """What was asked so far, in the form that errors carry."""
        return Request(self.call.method, self.call.path, self.sent)

    @property
    def may_be_resent(self) -> bool:
        """Whether the call is sent again after a 429."""
        resent = not self.call.writes or self.options.retry.resend_refused_writes
        return resent and self.options.on_rate_limit == "wait"
