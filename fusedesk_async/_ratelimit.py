"""When a call may go: the shell around the pure rules, with the queue of those who wait.

A call goes when its client has a free place and the rules let it, interactive calls before bulk calls, and first
come first served within each.
"""

import logging
import math
import random
from datetime import datetime, timedelta

import anyio
import attrs
from anyio.lowlevel import current_token

from fusedesk_async._allowance import Allowance, Ledger
from fusedesk_async._clock import Clock, SystemClock
from fusedesk_async._cooldown import Cooldown
from fusedesk_async._hints import retry_after, usage
from fusedesk_async._wire import EPOCH, TOO_MANY_REQUESTS, Answer
from fusedesk_async.errors import APIError, ConfigurationError, RateLimitError, Request

logger = logging.getLogger("fusedesk_async")


@attrs.define(eq=False)
class Places:
    """How many exchanges a client may have on their way at once."""

    free: int


@attrs.frozen
class Patience:
    """How a call waits for its turn.

    Attributes:
        bulk: Whether it lets interactive calls go first.
        seconds: It fails rather than be held back longer than this; infinite to wait as long as it takes.
    """

    bulk: bool = False
    seconds: float = math.inf


@attrs.frozen(eq=False)
class Grant:
    """Leave for one exchange. It must be given back with `RateLimiter.finish`."""

    number: int
    places: Places


@attrs.define(eq=False)
class _Waiter:
    places: Places
    woken: anyio.Event = attrs.field(factory=anyio.Event)
    grant: Grant | None = None


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
        self._interactive: list[_Waiter] = []
        self._bulk: list[_Waiter] = []
        self._next_number = 0
        self._in_flight = 0
        self._clock: Clock = SystemClock()
        self._loop: object = None

    def attach(self, clock: Clock) -> None:
        """Take a client's clock. Called by the client when it is opened.

        Raises:
            ConfigurationError: The limiter is in use in another event loop, or with another clock.
        """
        busy = self._in_flight or self._interactive or self._bulk
        if busy and (self._loop != current_token() or self._clock is not clock):
            message = "a RateLimiter is for one event loop and one clock at a time; make another one"
            raise ConfigurationError(message)
        self._loop, self._clock = current_token(), clock

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
        waiter, queue = _Waiter(places), self._bulk if patience.bulk else self._interactive
        queue.append(waiter)
        give_up_at = self._clock.monotonic() + patience.seconds
        try:
            while True:
                delay = self._let_go()
                if waiter.grant is not None:
                    if not self._cooldown.outdated(waiter.grant.number):
                        return waiter.grant
                    self._take_back(waiter.grant)  # a 429 came between the grant and this line
                    waiter.grant = None
                    queue.insert(0, waiter)
                else:
                    self._check_patience(give_up_at, request)
                    await _woken(waiter, delay, self._clock)
        except BaseException:
            if waiter.grant is None:
                queue.remove(waiter)
            else:
                self._take_back(waiter.grant)
            self._let_go()
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
        self._let_go()

    def refusal(self, request: Request, answer: APIError | None = None) -> RateLimitError:
        """The error for a call that does not wait for its turn; it says when to ask again."""
        delay = self._held_back()
        message = answer.message if answer else "held back, since the server refused a call"
        status, code = (answer.status, answer.code) if answer else (None, "")
        return RateLimitError(message, request, status, code, delay, _utc(self._clock.time() + delay))

    def _check_patience(self, give_up_at: float, request: Request) -> None:
        if self._cooldown.active and self._clock.monotonic() + self._held_back() >= give_up_at:
            raise self.refusal(request)

    def _held_back(self) -> float:
        """Seconds until the deadline of the cooldown, if there is one."""
        return max(0.0, self._cooldown.until - self._clock.monotonic()) if self._cooldown.active else 0.0

    def _refused(self, grant: Grant, answer: Answer) -> None:
        late = self._cooldown.outdated(grant.number)
        self._cooldown.refused(
            grant.number,
            self._clock.monotonic(),
            next_number=self._next_number,
            hint=retry_after(answer.headers, answer.received_at),
            calls_left=(self._ledger.left or 0) > 0,
        )
        if not late:
            logger.info("FuseDesk refused a call (429); the next one leaves at %s", self.allowance.blocked_until)
            for waiter in self._interactive + self._bulk:
                waiter.woken.set()

    def _let_go(self) -> float:
        """Grant all that may go now; the seconds until the next may, infinite if that depends on an answer."""
        now = self._clock.monotonic()
        for queue in (self._interactive, self._bulk):
            for waiter in list(queue):
                delay = self._cooldown.delay(now)
                if delay > 0:
                    return delay
                if waiter.places.free > 0:
                    queue.remove(waiter)
                    waiter.grant = self._grant(waiter.places)
                    waiter.woken.set()
        return math.inf

    def _grant(self, places: Places) -> Grant:
        grant = Grant(self._next_number, places)
        self._next_number += 1
        self._in_flight += 1
        places.free -= 1
        self._ledger.granted()
        self._cooldown.granted(grant.number)
        return grant

    def _take_back(self, grant: Grant) -> None:
        self._in_flight -= 1
        grant.places.free += 1
        self._cooldown.lost(grant.number)


async def _woken(waiter: _Waiter, seconds: float, clock: Clock) -> None:
    """Wait until the waiter is woken, or for so many seconds."""
    waiter.woken = anyio.Event()
    if math.isinf(seconds):
        await waiter.woken.wait()
        return
    async with anyio.create_task_group() as group:

        async def alarm() -> None:
            await clock.sleep(seconds)
            waiter.woken.set()

        group.start_soon(alarm)
        await waiter.woken.wait()
        group.cancel_scope.cancel()


def _utc(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)
