"""Gives permits: the shell around the rules, with the queues of those who wait.

A call goes when its client has a free slot and the rules allow it, interactive calls before bulk calls, and first
come first served within each. The head of `rules` says how these decide.
"""

import math
import random
from asyncio import AbstractEventLoop
from functools import update_wrapper
from itertools import count
from typing import TYPE_CHECKING, Any, Self, cast
from weakref import WeakSet

from anyio.lowlevel import current_token

from fusedesk_async._checks import at_least_one, positive
from fusedesk_async._clock import Clock, SystemClock, utc
from fusedesk_async._events import Observers
from fusedesk_async._exports import public
from fusedesk_async._ratelimit.allowance import Allowance
from fusedesk_async._ratelimit.estimates import Estimate
from fusedesk_async._ratelimit.queues import Permit, Queue, Slots, Waiter, WaitPolicy, sleep_until_woken
from fusedesk_async._ratelimit.reporter import WaitReporter
from fusedesk_async._ratelimit.rules import NO_DELAY, REASON_TEXT, TIME_EPSILON, AdmissionRules, Delay
from fusedesk_async._wire.answer import TOO_MANY_REQUESTS, Answer
from fusedesk_async._wire.headers import retry_after, sandbox_window, usage
from fusedesk_async._wire.profile import ServerProfile, UsageCounts
from fusedesk_async.errors import APIError, ConfigurationError, RateLimitError, Request

if TYPE_CHECKING:
    from fusedesk_async._ratelimit.quota_store import QuotaStore

HOUR = 3_600.0
"""Seconds."""


@public
class RateLimiter:
    """What is known of the hourly quota, and who may go by it: one for each API key and event loop.

    A client makes its own unless it is given one; several clients of the same key in one process should share one.

    Neither the kind of hour the server keeps nor when it begins needs to be known. Bulk calls run freely until few
    calls remain, and trickle from there on, which shows when more have come back. Where responses do not say how
    many remain, no more calls are made in any hour than are allowed in one.

    Args:
        reserve: Part of the hour's calls that bulk calls leave to interactive ones, from 0 to below 1. Interactive
            calls wait for nothing as long as an hour brings no more of them than this.
        window: How long the server's hour lasts, in seconds. All pauses scale with it. None: what a sandbox says in its
            responses (`X-Simulated-Window`), else 3600.
        assumed_limit: Calls per hour, as long as no response has said.
        usage_header: The name of the header with the calls remaining, if you know it. By default any
            `X-FuseDesk-Usage-…` other than the limit is read.
        source: Where jitter comes from; hand in a seeded one for tests.
        shared: Where processes that use the same key share the quota, such as `fusedesk_async.fleet.SQLiteQuota`. All
            of them must have the same `reserve`, `window` and `assumed_limit`. While it is out of reach, each goes on
            from what it knew last, at its part of the pace. None: this process is the only one.

    Attributes:
        observers: Who is notified of waits for quota.

    Raises:
        ConfigurationError: One of these cannot be right.
    """

    def __new__(cls, *, shared: "QuotaStore | None" = None, **_: Any) -> Self:
        """One that asks the store, if there is one."""
        if shared is None or cls is not RateLimiter:
            return super().__new__(cls)
        from fusedesk_async._ratelimit.shared_limiter import SharedRateLimiter  # noqa: PLC0415 - loaded where needed

        return super().__new__(cast("type[Self]", SharedRateLimiter))

    def __init__(  # pyright: ignore[reportInconsistentConstructor] - it is given all that __new__ is
        self,
        *,
        reserve: float = 0.1,
        window: float | None = None,
        assumed_limit: int = 1_800,
        usage_header: str | None = None,
        source: random.Random | None = None,
        shared: "QuotaStore | None" = None,  # noqa: ARG002 - see __new__
    ) -> None:
        if isinstance(reserve, bool) or not (isinstance(reserve, int | float) and 0 <= reserve < 1):
            message = f"reserve is a part of the hour's calls, from 0 to below 1, not {reserve!r}"
            raise ConfigurationError(message)
        self._settings, self._learns_window = (reserve, window, assumed_limit), window is None
        window = HOUR if window is None else window
        if math.isinf(positive(window, "window")):
            message = "window is a number of seconds, not infinite"
            raise ConfigurationError(message)
        self._usage_header = usage_header
        self._likely_header: str | None = None
        self._rules = AdmissionRules(
            reserve=reserve,
            window=window,
            assumed_limit=at_least_one(assumed_limit, "assumed_limit"),
            source=source or random.Random(),
        )
        self._interactive = self._rules.interactive
        self.observers: Observers = Observers()
        self._reporter = WaitReporter(self.observers, min_wait=self._rules.shortest_retry_after)
        self._queues: dict[tuple[bool, Slots, str], Queue] = {}
        self._open = WeakSet[Slots]()
        self._arrivals = count()
        self._clock: Clock = SystemClock()
        self._loop: object = None

    update_wrapper(__new__, __init__, assigned=(), updated=())  # help shows the arguments of the latter

    def attach(self, clock: Clock, slots: Slots | None = None, account: str = "") -> None:  # noqa: ARG002 - see below
        """Take a client's clock. Called by the client when it is opened.

        Args:
            clock: Its clock.
            slots: Its slots, which count as in use until they are detached.
            account: Its host, and a fingerprint of its key; the name of what is shared with other processes.

        Raises:
            ConfigurationError: The limiter is in use in another event loop, or with another clock.
        """
        loop = getattr(self._loop, "native_token", self._loop)
        if isinstance(loop, AbstractEventLoop) and loop.is_closed():
            self._open.clear()  # clients that were not closed before their loop
        busy = self._open_calls or self._waiting or self._open
        if busy and (self._loop != current_token() or self._clock != clock):
            message = "a RateLimiter is for one event loop and one clock at a time; make another one"
            raise ConfigurationError(message)
        self._loop, self._clock = current_token(), clock
        if slots is not None:
            self._open.add(slots)

    def begin_with(self, profile: ServerProfile) -> None:
        """Take over what an earlier client has found out of the header that counts calls, until responses differ."""
        self._likely_header = self._likely_header or profile.usage_header
        self._rules.direction.expect(profile.usage_counts)

    @property
    def usage_header(self) -> str | None:
        """The name of the header that counts calls, in lower case; None as long as no response had it."""
        return self._likely_header

    @property
    def usage_counts(self) -> UsageCounts | None:
        """What that header counts, as far as that is known."""
        return self._rules.direction.known

    def detach(self, slots: Slots) -> None:
        """Forget a client that is closed. Its calls that wait for a permit fail."""
        slots.closed = True
        self._open.discard(slots)
        for key in [key for key in self._queues if slots in key]:
            self._queues.pop(key).wake_all()

    async def flush(self) -> None:
        """Let others know what they have to know, before a client ends. Called by the client; here it does nothing."""

    @property
    def allowance(self) -> Allowance:
        """What is known now."""
        rules, now = self._rules, self._rules_time
        delays = [rules.delay(now, bulk=queue.bulk, endpoint=queue.endpoint) for queue in self._waiting]
        seconds = min((delay.seconds for delay in delays if delay.is_for_quota), default=0.0)
        seconds = max(seconds if seconds < math.inf else 0.0, rules.cooldowns.stops_all - now)
        wall = self._clock.time()
        observed_at = rules.ledger.observed_at
        return Allowance(
            limit=rules.ledger.limit,
            remaining=rules.ledger.remaining,
            observed_at=None if math.isinf(observed_at) else utc(wall - (now - observed_at)),
            blocked_until=utc(wall + seconds) if TIME_EPSILON < seconds < math.inf else None,
        )

    def seconds_for(self, calls: int) -> float:
        """About how many seconds of waiting so many bulk calls take from now on, as far as is known now."""
        return self._rules.seconds_for(calls, self._rules_time)

    def estimate(self, calls: int, *, concurrency: int) -> Estimate:
        """How long so many bulk calls take from now on, waiting for quota included.

        The range holds for each kind of hour (fixed, sliding, a bucket), as long as responses take about as long as
        those before, no other program uses the key more than before, and interactive calls keep to the reserve. Where
        no response has said how many calls remain, calls that were made before count as none; and before any response
        came, the time that responses take is left out.

        Args:
            calls: How many calls.
            concurrency: How many of them are in flight at once.
        """
        return self._rules.estimate(calls, self._rules_time, at_once=at_least_one(concurrency, "concurrency"))

    @property
    def _open_calls(self) -> int:
        """How many permits were given and not given back."""
        return self._rules.in_flight

    @property
    def _rules_time(self) -> float:
        """The time as the rules have it, in seconds."""
        return self._clock.monotonic()

    async def acquire(
        self, slots: Slots, policy: WaitPolicy, request: Request, rejection: APIError | None = None
    ) -> Permit:
        """Wait for a permit to make one exchange.

        Args:
            slots: Where it takes a slot.
            policy: How it waits.
            request: What is asked.
            rejection: The error that the server's 429 means, if the call was rejected before.

        Raises:
            RateLimitError: The quota would delay it longer than it is willing to wait.
            ConfigurationError: Its client was closed meanwhile.
        """
        if not policy.max_wait:
            self._check_turn(policy, request, rejection)
        key = (policy.bulk, slots, endpoint_of(request))
        queue = self._queues.setdefault(key, Queue(*key))
        waiter = Waiter(next(self._arrivals), slots, policy, queue.delayed(self._clock.monotonic()))
        queue.add(waiter)
        try:
            while True:
                self._grant_ready()
                if waiter.permit is None:
                    self._check_patience(waiter, queue, request, rejection)
                    await self._wait(waiter, queue)
                elif self._rules.cooldowns.predates(waiter.permit.number, queue.endpoint):
                    self._release(waiter.permit, sent=False)  # a 429 came between the permit and this line
                    waiter.permit = None
                    queue.add(waiter)
                else:
                    return waiter.permit
        except BaseException:
            if waiter.permit is None:
                queue.remove(waiter)
            else:
                self._release(waiter.permit, sent=False)
            self._grant_ready()
            raise

    def finish(self, permit: Permit, answer: Answer | None, *, sent: bool = True) -> None:
        """Give back a permit.

        Args:
            permit: What `acquire` gave.
            answer: The response that came; None if none did.
            sent: Whether the request may have left; False only if it certainly did not.
        """
        if answer is None:
            self._release(permit, sent=sent)
        else:
            permit.slots.free += 1
            now, said = self._clock.monotonic(), usage(answer.headers, self._usage_header, self._likely_header)
            self._likely_header = said.header or self._likely_header
            self._learn_window(answer)
            if answer.status == TOO_MANY_REQUESTS:
                hint = retry_after(answer.headers, answer.received_at)
                self._rules.on_rejected(permit.number, said, now, hint=hint)
            else:
                self._rules.on_accepted(permit.number, said, now)
            self._reporter.on_response(counts_used=self._rules.direction.counts_used)
        self._grant_ready()

    def _learn_window(self, answer: Answer) -> None:
        """Believe a sandbox that says how long its hour lasts, unless the user has said it."""
        window = sandbox_window(answer.headers) if self._learns_window else None
        if window is not None and window != self._rules.window:
            self._rules.set_window(window)
            self._reporter.min_wait = self._rules.shortest_retry_after

    def rate_limit_error(
        self, request: Request, policy: WaitPolicy, rejection: APIError | None = None, delay: Delay = NO_DELAY
    ) -> RateLimitError:
        """The error for a call that does not wait for its turn; it says when to ask again.

        Args:
            request: What was asked.
            policy: How it waits.
            rejection: The error that the server's 429 means; None if the call was not sent.
            delay: What delays it, if it was not rejected.
        """
        seconds = self._rules.retry_after(self._rules_time, bulk=policy.bulk, endpoint=endpoint_of(request))
        return self._limit_error(request, rejection, delay, seconds)

    def _limit_error(
        self, request: Request, rejection: APIError | None, delay: Delay, seconds: float
    ) -> RateLimitError:
        message = rejection.message if rejection else f"would have to wait: {REASON_TEXT[delay.reason]}"
        status, code = (rejection.status, rejection.code) if rejection else (None, "")
        return RateLimitError(message, request, status, code, seconds, utc(self._clock.time() + seconds))

    def _check_turn(self, policy: WaitPolicy, request: Request, rejection: APIError | None) -> None:
        """Fail unless a call that does not wait for quota may go."""
        delay = self._rules.on_asked(self._clock.monotonic(), bulk=policy.bulk, endpoint=endpoint_of(request))
        if delay.is_for_quota:
            raise self.rate_limit_error(request, policy, rejection, delay)

    def _check_patience(self, waiter: Waiter, queue: Queue, request: Request, rejection: APIError | None) -> None:
        """Fail if it makes no sense to go on waiting."""
        if waiter.slots.closed:
            message = "this client was closed before the call could be sent"
            raise ConfigurationError(message, request)
        seconds = 0.0 if math.isinf(queue.delay.seconds) else queue.delay_left(self._clock.monotonic())
        longest = waiter.policy.max_wait - TIME_EPSILON
        if queue.delay.is_for_quota and self._delayed(waiter, queue) + seconds >= longest:
            raise self.rate_limit_error(request, waiter.policy, rejection, queue.delay)

    async def _wait(self, waiter: Waiter, queue: Queue) -> bool:
        """Wait until the waiter is woken or there is something to check again.

        Returns:
            Whether the time for that has come.
        """
        seconds = self._seconds_to_sleep(waiter, queue)
        if queue.delay.is_for_quota:
            seconds = min(seconds, waiter.policy.max_wait - self._delayed(waiter, queue))
        until = waiter.sleeps_until = self._clock.monotonic() + seconds
        try:
            await sleep_until_woken(waiter, seconds, self._clock)
        finally:
            waiter.sleeps_until = math.inf
        return self._clock.monotonic() >= until

    def _seconds_to_sleep(self, waiter: Waiter, queue: Queue) -> float:
        """How long a waiter sleeps if nobody wakes it: the first of a queue looks at the clock for all."""
        return queue.delay.seconds if queue.delay.seconds and queue.head is waiter else math.inf

    def _delayed(self, waiter: Waiter, queue: Queue) -> float:
        """Seconds for which the quota has delayed the waiter."""
        return queue.delayed(self._clock.monotonic()) - waiter.delayed_before

    def _grant_ready(self) -> None:
        """Grant all that may go now, and let the others wait for what there is to wait for now."""
        now = self._clock.monotonic()
        if self._rules.is_unrestricted(now):
            self._reporter.on_unrestricted(now)
        for bulk in (False, True):
            self._grant_kind([queue for queue in self._waiting if queue.bulk == bulk], now)
        for queue in self._waiting:
            queue.update(self._obstacle(queue, now) or NO_DELAY, now)
        self._report_waits(now)

    def _report_waits(self, now: float) -> None:
        """Let observers know until when calls wait for quota, if any do."""
        waiting = self._waiting
        delays = [queue.delay for queue in waiting if queue.delay.is_for_quota]
        if delays:
            delay = min(delays, key=lambda delay: delay.seconds)
            self._reporter.on_delayed(delay, now, wall=self._clock.time(), waiting=sum(map(len, waiting)))

    @property
    def _waiting(self) -> list[Queue]:
        """The queues in which somebody waits, interactive ones first."""
        return sorted((queue for queue in self._queues.values() if queue), key=lambda queue: queue.bulk)

    def _grant_kind(self, queues: list[Queue], now: float) -> None:
        """Grant what may go from queues of one kind, first come first served."""
        while queues:
            queue = min(queues, key=lambda queue: queue.head.arrival)
            if self._obstacle(queue, now) is not None:
                queues.remove(queue)
                continue
            waiter = queue.head
            queue.remove(waiter)
            waiter.permit = self._grant(waiter, queue, now)
            waiter.wake.set()
            if not queue:
                queues.remove(queue)

    def _obstacle(self, queue: Queue, now: float) -> Delay | None:
        """What delays the head of a queue; None if nothing does. Without a slot no time is known."""
        polls = queue.head.policy.max_wait > 0
        delay = self._rules.delay(now, bulk=queue.bulk, polls=polls, endpoint=queue.endpoint)
        if delay.seconds:
            return delay
        keep_for = self._interactive.active_for(now) if queue.bulk else 0.0
        if queue.slots.has_room(keep_one=keep_for > 0):
            return None
        return Delay(keep_for, "kept_slot") if queue.slots.has_room(keep_one=False) else NO_DELAY

    def _grant(self, waiter: Waiter, queue: Queue, now: float) -> Permit:
        number = self._rules.on_granted(now, bulk=queue.bulk, endpoint=queue.endpoint)
        if excess := self._rules.interactive_over_reserve(now):
            self._reporter.on_reserve_exceeded(excess)
        waiter.slots.free -= 1
        return Permit(number, waiter.slots, self._delayed(waiter, queue))

    def _release(self, permit: Permit, *, sent: bool) -> None:
        permit.slots.free += 1
        self._rules.on_lost(permit.number, self._clock.monotonic(), sent=sent)


def endpoint_of(request: Request) -> str:
    """What is called: the method and the first part of the path after the API's version."""
    return f"{request.method} {'/'.join(request.path.split('/')[:2])}"
