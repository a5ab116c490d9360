"""When a call may go: the shell around the rules, with the queues of those who wait.

A call goes when its client has a free place and the rules let it, interactive calls before bulk calls, and first
come first served within each.
"""

import math
import random
from itertools import count

from anyio.lowlevel import current_token

from fusedesk_async._checks import at_least_one, positive
from fusedesk_async._clock import Clock, SystemClock, utc
from fusedesk_async._events import Observers
from fusedesk_async._exports import public
from fusedesk_async._ratelimit.allowance import Allowance
from fusedesk_async._ratelimit.queues import Grant, Patience, Places, Queue, Waiter, woken
from fusedesk_async._ratelimit.reporter import WaitReport
from fusedesk_async._ratelimit.rules import FREE, GRAIN, IN_WORDS, Hold, Quota
from fusedesk_async._wire.answer import TOO_MANY_REQUESTS, Answer
from fusedesk_async._wire.headers import retry_after, usage
from fusedesk_async.errors import APIError, ConfigurationError, RateLimitError, Request


@public
class RateLimiter:
    """The shared sense of what the server allows: one for each API key and event loop.

    A client makes its own unless it is given one; several clients of the same key in one process should share one.

    Neither the kind of hour the server keeps nor when it begins needs to be known. Bulk calls run freely until few
    calls are left, and trickle from there on, which shows when more have come back. Where answers do not tell how
    many are left, no more calls are made in any hour than are allowed in one.

    Args:
        reserve: Part of the hour's calls that bulk calls leave to interactive ones, from 0 to below 1. Interactive
            calls wait for nothing as long as an hour brings no more of them than this.
        window: How long the server's hour lasts, in seconds. All pauses scale with it. Other than 3600 only in a
            sandbox.
        assumed_limit: Calls per hour, as long as no answer has told.
        usage_header: The name of the header with the calls left, if you know it. By default any `X-FuseDesk-Usage-…`
            other than the limit is read.
        source: Where jitter comes from; hand in a seeded one for tests.

    Raises:
        ConfigurationError: One of these cannot be right.
    """

    def __init__(
        self,
        *,
        reserve: float = 0.1,
        window: float = 3_600.0,
        assumed_limit: int = 1_800,
        usage_header: str | None = None,
        source: random.Random | None = None,
    ) -> None:
        if isinstance(reserve, bool) or not (isinstance(reserve, int | float) and 0 <= reserve < 1):
            message = f"reserve is a part of the hour's calls, from 0 to below 1, not {reserve!r}"
            raise ConfigurationError(message)
        if math.isinf(positive(window, "window")):
            message = "window is a number of seconds, not infinite"
            raise ConfigurationError(message)
        self._usage_header = usage_header
        self._quota = Quota(
            reserve=reserve,
            window=window,
            assumed_limit=at_least_one(assumed_limit, "assumed_limit"),
            source=source or random.Random(),
        )
        self.observers: Observers = Observers()
        self._waits = WaitReport(self.observers, least=self._quota.cooldown.shortest_pause)
        self._interactive, self._bulk = Queue(bulk=False), Queue(bulk=True)
        self._arrivals = count()
        self._known_places: set[Places] = set()
        self._clock: Clock = SystemClock()
        self._loop: object = None

    def attach(self, clock: Clock) -> None:
        """Take a client's clock. Called by the client when it is opened.

        Raises:
            ConfigurationError: The limiter is in use in another event loop, or with another clock.
        """
        busy = self._quota.in_flight or self._interactive or self._bulk
        if busy and (self._loop != current_token() or self._clock != clock):
            message = "a RateLimiter is for one event loop and one clock at a time; make another one"
            raise ConfigurationError(message)
        self._loop, self._clock = current_token(), clock

    def detach(self, places: Places) -> None:
        """Let a client go. Its calls that wait for leave fail."""
        places.closed = True
        self._known_places.discard(places)
        for queue in (self._interactive, self._bulk):
            queue.wake_all()

    @property
    def allowance(self) -> Allowance:
        """What is known now."""
        quota, now = self._quota, self._clock.monotonic()
        waiting = [queue for queue in (self._interactive, self._bulk) if queue]
        holds = [quota.hold(now, bulk=queue.bulk) for queue in waiting]
        delay = min((hold.seconds for hold in holds if hold.is_wait), default=0.0)
        if quota.cooldown.active:
            delay = max(0.0, quota.cooldown.until - now)
        wall = self._clock.time()
        news = quota.ledger.told_at
        return Allowance(
            limit=quota.ledger.limit,
            remaining=quota.ledger.remaining,
            observed_at=None if math.isinf(news) else utc(wall - (now - news)),
            blocked_until=utc(wall + delay) if 0 < delay < math.inf else None,
        )

    def seconds_for(self, calls: int) -> float:
        """About how many seconds of waiting so many bulk calls take from now on, as far as is known now."""
        return self._quota.seconds_for(calls, self._clock.monotonic())

    async def acquire(self, places: Places, patience: Patience, request: Request) -> Grant:
        """Wait for leave to make one exchange.

        Raises:
            RateLimitError: It would be held back longer than it has patience for.
        """
        queue = self._bulk if patience.bulk else self._interactive
        waiter = Waiter(next(self._arrivals), places, patience, queue.held(self._clock.monotonic()))
        queue.join(waiter)
        self._known_places.add(places)
        try:
            while True:
                self._let_go()
                if waiter.grant is None:
                    self._check(waiter, queue, request)
                    await self._wait(waiter, queue)
                elif self._quota.cooldown.outdated(waiter.grant.number):
                    self._take_back(waiter.grant, sent=False)  # a 429 came between the grant and this line
                    waiter.grant = None
                    queue.join(waiter)
                else:
                    return waiter.grant
        except BaseException:
            if waiter.grant is None:
                queue.leave(waiter)
            else:
                self._take_back(waiter.grant, sent=False)
            self._let_go()
            raise

    def finish(self, grant: Grant, answer: Answer | None, *, sent: bool = True) -> None:
        """Give back a grant, with the answer that came, or None if none did; not `sent` if it surely never left."""
        if answer is None:
            self._take_back(grant, sent=sent)
        else:
            grant.places.free += 1
            now, said = self._clock.monotonic(), usage(answer.headers, self._usage_header)
            if answer.status == TOO_MANY_REQUESTS:
                hint = retry_after(answer.headers, answer.received_at)
                self._quota.refused(grant.number, said, now, hint=hint)
            else:
                self._quota.answered(grant.number, said, now)
        self._let_go()

    def refusal(self, request: Request, answer: APIError | None = None, hold: Hold | None = None) -> RateLimitError:
        """The error for a call that does not wait for its turn; it says when to ask again."""
        hold = hold or self._quota.hold(self._clock.monotonic(), bulk=False)
        seconds = 0.0 if math.isinf(hold.seconds) else hold.seconds
        delay = max(seconds, self._quota.cooldown.shortest_pause)
        message = answer.message if answer else f"held back, since {IN_WORDS[hold.why]}"
        status, code = (answer.status, answer.code) if answer else (None, "")
        return RateLimitError(message, request, status, code, delay, utc(self._clock.time() + delay))

    def _check(self, waiter: Waiter, queue: Queue, request: Request) -> None:
        """Whether it makes sense to go on waiting."""
        if waiter.places.closed:
            message = "this client was closed before the call could leave"
            raise ConfigurationError(message, request)
        seconds = 0.0 if math.isinf(queue.hold.seconds) else queue.hold.seconds
        if queue.hold.is_wait and self._held(waiter, queue) + seconds >= waiter.patience.seconds - GRAIN:
            raise self.refusal(request, hold=queue.hold)

    async def _wait(self, waiter: Waiter, queue: Queue) -> None:
        """Wait until the waiter is woken or there is something to check again."""
        seconds = queue.hold.seconds if queue.hold.seconds and queue.is_head(waiter) else math.inf
        if queue.hold.is_wait:
            seconds = min(seconds, waiter.patience.seconds - self._held(waiter, queue))
        waiter.sleeps_until = self._clock.monotonic() + seconds
        try:
            await woken(waiter, seconds, self._clock)
        finally:
            waiter.sleeps_until = math.inf

    def _held(self, waiter: Waiter, queue: Queue) -> float:
        """Seconds for which the quota has held the waiter back."""
        return queue.held(self._clock.monotonic()) - waiter.held_before

    def _let_go(self) -> None:
        """Grant all that may go now, and let the others wait for what there is to wait for now."""
        now = self._clock.monotonic()
        if self._quota.goes_freely(now):
            self._waits.over(now)
        for queue in (self._interactive, self._bulk):
            queue.look(self._grant_from(queue, now), now)
        waiting = len(self._interactive) + len(self._bulk)
        hold = self._interactive.hold if self._interactive else self._bulk.hold
        if waiting and hold.is_wait:
            self._waits.held(hold, now, wall=self._clock.time(), waiting=waiting)

    def _grant_from(self, queue: Queue, now: float) -> Hold:
        """Grant what may go from a queue; what holds the rest of it back."""
        kept = FREE
        for waiter in queue:
            hold = self._quota.hold(now, bulk=queue.bulk)
            if hold.seconds:
                return hold
            spare = self._quota.people.about_for(now) if queue.bulk else 0.0
            if waiter.places.has_room(spare=spare > 0):
                queue.leave(waiter)
                waiter.grant = self._grant(waiter, queue, now)
                waiter.woken.set()
                continue
            kept = Hold(spare, "people") if waiter.places.has_room(spare=False) else kept
            if not any(places.has_room(spare=spare > 0) for places in self._known_places):
                break
        hold = self._quota.hold(now, bulk=queue.bulk)
        return hold if hold.seconds else kept

    def _grant(self, waiter: Waiter, queue: Queue, now: float) -> Grant:
        number = self._quota.granted(now, bulk=queue.bulk)
        if excess := self._quota.people_exceed_reserve(now):
            self._waits.reserve_exceeded(excess)
        waiter.places.free -= 1
        return Grant(number, waiter.places, self._held(waiter, queue))

    def _take_back(self, grant: Grant, *, sent: bool) -> None:
        grant.places.free += 1
        self._quota.lost(grant.number, self._clock.monotonic(), sent=sent)
