"""When a call may go: the shell around the pure rules, with the queue of those who wait.

A call goes when its client has a free place and the rules let it, interactive calls before bulk calls, and first
come first served within each.
"""

import logging
import math
import random
from bisect import insort
from datetime import datetime, timedelta
from itertools import count

from anyio.lowlevel import current_token

from fusedesk_async._allowance import Allowance, Ledger
from fusedesk_async._clock import Clock, SystemClock
from fusedesk_async._cooldown import Cooldown
from fusedesk_async._hints import retry_after, usage
from fusedesk_async._turns import Grant, Patience, Places, Waiter, woken
from fusedesk_async._wire import EPOCH, TOO_MANY_REQUESTS, Answer
from fusedesk_async.errors import APIError, ConfigurationError, RateLimitError, Request

logger = logging.getLogger("fusedesk_async")


class RateLimiter:
    """The shared sense of what the server allows: one for each API key and event loop.

    A client makes its own unless it is given one; several clients of the same key in one process should share one.

    Args:
        window: How long the server's hour lasts, in seconds. All pauses scale with it. Other than 3600 only in a
            sandbox.
        usage_header: The name of the header with the calls left, if you know it. By default any `X-FuseDesk-Usage-…`
            other than the limit is read.
        source: Where jitter comes from; hand in a seeded one for tests.
    """

    def __init__(
        self, *, window: float = 3_600.0, usage_header: str | None = None, source: random.Random | None = None
    ) -> None:
        if not 0 < window < math.inf:
            message = f"window is a number of seconds above 0, not {window!r}"
            raise ConfigurationError(message)
        self._usage_header = usage_header
        self._ledger = Ledger()
        self._cooldown = Cooldown(window, source or random.Random())
        self._interactive: list[Waiter] = []
        self._bulk: list[Waiter] = []
        self._arrivals = count()
        self._next_number = 0
        self._in_flight = 0
        self._known_places: set[Places] = set()
        self._clock: Clock = SystemClock()
        self._loop: object = None

    def attach(self, clock: Clock) -> None:
        """Take a client's clock. Called by the client when it is opened.

        Raises:
            ConfigurationError: The limiter is in use in another event loop, or with another clock.
        """
        busy = self._in_flight or self._interactive or self._bulk
        if busy and (self._loop != current_token() or self._clock != clock):
            message = "a RateLimiter is for one event loop and one clock at a time; make another one"
            raise ConfigurationError(message)
        self._loop, self._clock = current_token(), clock

    def detach(self, places: Places) -> None:
        """Let a client go. Its calls that wait for leave fail."""
        places.closed = True
        self._known_places.discard(places)
        self._wake_all()

    @property
    def allowance(self) -> Allowance:
        """What is known now."""
        ledger, blocked_until = self._ledger, None
        if (delay := self._held_back()) > 0:
            blocked_until = _utc(self._clock.time() + delay)
        observed_at = None if ledger.observed_at is None else _utc(ledger.observed_at)
        return Allowance(
            limit=ledger.limit, remaining=ledger.remaining, observed_at=observed_at, blocked_until=blocked_until
        )

    async def acquire(self, places: Places, patience: Patience, request: Request) -> Grant:
        """Wait for leave to make one exchange.

        Raises:
            RateLimitError: It would be held back longer than it has patience for.
        """
        queue = self._bulk if patience.bulk else self._interactive
        waiter = Waiter(next(self._arrivals), places)
        queue.append(waiter)
        self._known_places.add(places)
        try:
            while True:
                delay = self._let_go()
                if waiter.grant is None:
                    self._check(waiter, patience, request)
                    await self._wait(waiter, delay, patience)
                elif self._cooldown.outdated(waiter.grant.number):
                    self._take_back(waiter.grant)  # a 429 came between the grant and this line
                    waiter.grant = None
                    insort(queue, waiter, key=lambda waiter: waiter.arrival)
                else:
                    return waiter.grant
        except BaseException:
            if waiter.grant is None:
                queue.remove(waiter)
            else:
                self._take_back(waiter.grant)
            self._pass_on()
            raise

    def finish(self, grant: Grant, answer: Answer | None) -> None:
        """Give back a grant, with the answer that came, or None if none did."""
        if answer is None:
            self._take_back(grant)
        else:
            self._in_flight -= 1
            grant.places.free += 1
            said = usage(answer.headers, self._usage_header)
            self._ledger.observe(grant.number, said, now=answer.received_at, in_flight=self._in_flight)
            if answer.status == TOO_MANY_REQUESTS:
                self._refused(grant, answer)
            else:
                self._cooldown.answered(grant.number, self._clock.monotonic())
        self._pass_on()

    def refusal(self, request: Request, answer: APIError | None = None) -> RateLimitError:
        """The error for a call that does not wait for its turn; it says when to ask again."""
        delay = max(self._held_back(), self._cooldown.shortest_pause)
        message = answer.message if answer else "held back, since the server refused a call"
        status, code = (answer.status, answer.code) if answer else (None, "")
        return RateLimitError(message, request, status, code, delay, _utc(self._clock.time() + delay))

    def _check(self, waiter: Waiter, patience: Patience, request: Request) -> None:
        """Whether it makes sense to go on waiting."""
        if waiter.places.closed:
            message = "this client was closed before the call could leave"
            raise ConfigurationError(message, request)
        if self._cooldown.active and waiter.held_back + self._held_back() >= patience.seconds:
            raise self.refusal(request)

    async def _wait(self, waiter: Waiter, delay: float, patience: Patience) -> None:
        """Wait until the waiter is woken or there is something to check again."""
        began, held_back = self._clock.monotonic(), self._cooldown.active
        if held_back:
            delay = min(delay, patience.seconds - waiter.held_back)
        await woken(waiter, delay, self._clock)
        if held_back:
            waiter.held_back += self._clock.monotonic() - began

    def _held_back(self) -> float:
        """Seconds until the deadline of the cooldown, if there is one."""
        return max(0.0, self._cooldown.until - self._clock.monotonic()) if self._cooldown.active else 0.0

    def _refused(self, grant: Grant, answer: Answer) -> None:
        begins = self._cooldown.refused(
            grant.number,
            self._clock.monotonic(),
            next_number=self._next_number,
            hint=retry_after(answer.headers, answer.received_at),
            calls_left=(self._ledger.left or 0) > 0,
        )
        if begins:
            logger.info("FuseDesk refused a call (429); the next one leaves at %s", self.allowance.blocked_until)
            self._wake_all()

    def _pass_on(self) -> None:
        """Something was given back: grant what may go, and let the others wait for what there is to wait for now."""
        if self._let_go() < math.inf:
            self._wake_all()  # they may be waiting for an answer, while it is a deadline that matters

    def _wake_all(self) -> None:
        for waiter in self._interactive + self._bulk:
            waiter.woken.set()

    def _let_go(self) -> float:
        """Grant all that may go now; the seconds until the next may, infinite if that depends on an answer."""
        now = self._clock.monotonic()
        for queue in (self._interactive, self._bulk):
            for waiter in list(queue):
                delay = self._cooldown.delay(now)
                if delay > 0 or not any(places.free for places in self._known_places):
                    return delay or math.inf
                if waiter.places.free and not waiter.places.closed:
                    queue.remove(waiter)
                    waiter.grant = self._grant(waiter)
                    waiter.woken.set()
        return math.inf

    def _grant(self, waiter: Waiter) -> Grant:
        grant = Grant(self._next_number, waiter.places, waiter.held_back)
        self._next_number += 1
        self._in_flight += 1
        waiter.places.free -= 1
        self._ledger.granted()
        self._cooldown.granted(grant.number)
        return grant

    def _take_back(self, grant: Grant) -> None:
        self._in_flight -= 1
        grant.places.free += 1
        self._cooldown.lost(grant.number)


def _utc(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)
