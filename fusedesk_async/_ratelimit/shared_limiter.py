"""The limiter of a process that shares the quota with others: asks the store for permits.

One task asks for all calls that wait, one time after the other, and says what came of earlier ones on the way. It
belongs to no caller, so that a caller that is cancelled takes no permit with it. Calls that wait for quota ask again
after a 360th of the hour at the latest, since other processes send no word when something has changed.
"""

import math
import random
import secrets
from functools import partial
from typing import Any, ClassVar

import anyio
import attrs
from anyio.lowlevel import checkpoint

from fusedesk_async._background import BackgroundTasks
from fusedesk_async._clock import Clock
from fusedesk_async._ratelimit.allowance import Allowance, StoreState
from fusedesk_async._ratelimit.call_log import InteractiveCalls
from fusedesk_async._ratelimit.estimates import ResponseTimes
from fusedesk_async._ratelimit.limiter import RateLimiter, endpoint_of
from fusedesk_async._ratelimit.open_permits import AskedCall, Lease, OpenPermits
from fusedesk_async._ratelimit.queues import Permit, Queue, Slots, Waiter, WaitPolicy
from fusedesk_async._ratelimit.quota_store import QuotaStore
from fusedesk_async._ratelimit.retry_times import PUNCTUALITY
from fusedesk_async._ratelimit.rules import NO_DELAY, Delay
from fusedesk_async._ratelimit.shared_quota import (
    Decision,
    Ending,
    Inquiry,
    QuotaSettings,
    Reply,
    Report,
)
from fusedesk_async._ratelimit.store_access import STORE_TIMEOUT, StoreAccess
from fusedesk_async._ratelimit.store_link import StoreLink
from fusedesk_async._wire.answer import TOO_MANY_REQUESTS, Answer
from fusedesk_async._wire.headers import Usage, retry_after, sandbox_window, usage
from fusedesk_async._wire.profile import ServerProfile, UsageCounts
from fusedesk_async.errors import APIError, ConfigurationError, RateLimitError, Request

PROCESSES_PER_DELAY = 8
"""Bulk calls ask again up to this much later, as a multiple of the delay, for each so many processes."""
MOST_WANTED = 64
"""The store is asked about no more calls at once, lest one process keep it busy."""


class SharedRateLimiter(RateLimiter):
    """What `RateLimiter(shared=…)` makes; see there."""

    _access_type: ClassVar[type[StoreAccess]] = StoreAccess

    def __init__(  # pyright: ignore[reportInconsistentConstructor] - as that of the class above
        self, *, shared: QuotaStore, source: random.Random | None = None, **settings: Any
    ) -> None:
        self._source = source = source or random.SystemRandom()  # which differs in forked processes
        super().__init__(source=source, **settings)
        self._link = StoreLink(self._access_type(shared), QuotaSettings(*self._settings), source, self.observers)
        self._response_times = ResponseTimes()
        self._interactive = InteractiveCalls(self._rules.window)
        self._expected_counts: UsageCounts | None = None
        self._observed_window: float | None = None
        self._permits = OpenPermits()
        self._reports: list[Report] = []
        self._told: list[tuple[bool, float]] = []
        self._unanswered: dict[Waiter, Queue] = {}  # of those that do not wait for quota
        self._denied: dict[Waiter, Decision] = {}
        self._asking: set[Waiter] = set()  # who have a slot; the others stay in their queues
        self._failure: BaseException | None = None
        self._failed_before = 0
        self._has_asked = self._leaves = False
        self._begin()

    def _begin(self) -> None:
        """Make ready for an event loop."""
        self._process = secrets.randbits(31)
        self._tasks = BackgroundTasks(partial(self._on_failed, []))
        self._link.access = self._access_type(self._link.access.store, self._link.access.account)
        self._has_news, self._talk_over = False, anyio.Event()
        self._talk_over.set()
        self._retries: anyio.CancelScope | None = None

    def attach(self, clock: Clock, slots: Slots | None = None, account: str = "") -> None:
        """Take a client's clock and account. Called by the client when it is opened.

        Args:
            clock: Its clock.
            slots: Its slots.
            account: Its host, and a fingerprint of its key.

        Raises:
            ConfigurationError: As `RateLimiter.attach`, or it was in use for another account.
        """
        known = self._link.access.account
        if known and account and known != account:
            message = "a RateLimiter with a shared quota is for one app and one key; make another one"
            raise ConfigurationError(message)
        loop = self._loop
        super().attach(clock, slots, account)
        self._link.access.account, self._leaves = account or known, False
        if loop != self._loop:
            self._begin()

    def begin_with(self, profile: ServerProfile) -> None:
        """Take over what an earlier client has found out of the header that counts calls, until responses differ."""
        super().begin_with(profile)
        self._expected_counts = profile.usage_counts

    @property
    def allowance(self) -> Allowance:
        """What is known now."""
        self._preview()
        store: StoreState = "up" if self._link.is_up else "down"
        return attrs.evolve(super().allowance, processes=self._link.processes, store=store)

    @property
    def _open_calls(self) -> int:
        return len(self._permits)

    @property
    def _rules_time(self) -> float:
        return self._clock.monotonic() + self._link.lead

    async def acquire(
        self, slots: Slots, policy: WaitPolicy, request: Request, rejection: APIError | None = None
    ) -> Permit:
        """Wait for a permit to make one exchange; see `RateLimiter.acquire`."""
        key = (policy.bulk, slots, endpoint_of(request))
        queue, now = self._queues.setdefault(key, Queue(*key)), self._clock.monotonic()
        if not queue:
            queue.update(NO_DELAY, now)  # what was known may be long ago
        waiter = Waiter(next(self._arrivals), slots, policy, queue.delayed(now))
        queue.add(waiter)
        if not policy.max_wait:
            self._unanswered[waiter] = queue
        self._has_news = True
        try:
            while True:
                permit = self._usable_permit(waiter, queue)
                self._talk_soon()
                if permit is not None:
                    return permit
                self._check_patience(waiter, queue, request, rejection)
                if await self._wait(waiter, queue):
                    self._has_news = True  # it is time to ask again
        except BaseException:
            self._on_left(waiter, queue)
            raise

    def finish(self, permit: Permit, answer: Answer | None, *, sent: bool = True) -> None:
        """Give back a permit; see `RateLimiter.finish`. The store hears of it a moment later."""
        permit.slots.free += 1
        ending: Ending = "lost" if sent else "not_sent"
        said, hint = Usage(), None
        if answer is not None:
            ending, said = "accepted", usage(answer.headers, self._usage_header, self._likely_header)
            self._likely_header = said.header or self._likely_header
            self._learn_window(answer)
            if answer.status == TOO_MANY_REQUESTS:
                ending, hint = "rejected", retry_after(answer.headers, answer.received_at)
        accepted = ending == "accepted"
        self._response_times.on_ended(~permit.number, self._clock.monotonic(), accepted=accepted)
        self._reports.append(self._permits.end(permit, ending, said, hint))
        self._has_news = True
        self._talk_soon()

    def rate_limit_error(
        self, request: Request, policy: WaitPolicy, rejection: APIError | None = None, delay: Delay = NO_DELAY
    ) -> RateLimitError:
        """The error for a call that does not wait for its turn; see `RateLimiter.rate_limit_error`."""
        self._preview()
        error = super().rate_limit_error(request, policy, rejection, delay)
        self._told.append((policy.bulk, self._rules_time + (error.retry_after or 0.0) - PUNCTUALITY))
        return error

    def _preview(self) -> None:
        """Let what is known here include what the store will hear of a moment later."""
        self._link.preview(tuple(self._reports), self._process, self._clock.monotonic())

    async def flush(self) -> None:
        """Say what came of the last calls; and if no client is open any more, that this process goes."""
        if not (self._has_asked or self._reports):
            return
        self._leaves, self._has_news = not self._open, True
        with anyio.move_on_after(STORE_TIMEOUT, shield=True):
            self._talk_soon()
            await self._talk_over.wait()
            if self._leaves:
                self._has_asked = False
                await self._tasks.end()
                await self._link.access.close()

    def _learn_window(self, answer: Answer) -> None:
        window = sandbox_window(answer.headers) if self._learns_window else None
        self._observed_window = window or self._observed_window

    def _usable_permit(self, waiter: Waiter, queue: Queue) -> Permit | None:
        """The permit of a call, if it has one; but if a 429 came since, or the permit is old, the call asks again."""
        permit = waiter.permit
        if permit is None:
            return None
        if self._permits.is_valid(permit, self._clock.monotonic()):
            return permit
        waiter.permit = None
        queue.add(waiter)
        self.finish(permit, None, sent=False)
        return None

    def _check_patience(self, waiter: Waiter, queue: Queue, request: Request, rejection: APIError | None) -> None:
        if waiter.arrival < self._failed_before and self._failure is not None:
            raise _copy(self._failure, request)
        decision = self._denied.pop(waiter, None)
        if decision is not None:
            raise self._limit_error(request, rejection, decision.delay, decision.retry_after)
        if waiter not in self._unanswered or waiter.slots.closed:
            super()._check_patience(waiter, queue, request, rejection)

    def _on_left(self, waiter: Waiter, queue: Queue) -> None:
        """A call does not wait any longer."""
        self._unanswered.pop(waiter, None)
        self._denied.pop(waiter, None)
        self._asking.discard(waiter)
        if waiter.permit is not None:
            self.finish(waiter.permit, None, sent=False)
        elif waiter.queued:
            queue.remove(waiter)
            if queue:
                queue.head.wake.set()

    def _seconds_to_sleep(self, waiter: Waiter, queue: Queue) -> float:
        if not (waiter.queued and queue.delay.seconds and queue.head is waiter):
            return math.inf  # the store is being asked about it, or there is no slot, or another one looks at the clock
        seconds = queue.delay.seconds
        if queue.bulk:  # only one of all that wait will be granted the next call, so not all need ask for it
            seconds *= self._source.uniform(1.0, 1.0 + self._link.processes / PROCESSES_PER_DELAY)
        return min(seconds, self._link.quota.poll)

    def _talk_soon(self) -> None:
        """Let the store be asked, unless there is nothing new, or it is being asked."""
        if self._has_news and self._talk_over.is_set():
            self._talk_over = anyio.Event()
            self._tasks.start(self._talk)

    async def _talk(self) -> None:
        """Ask the store until there is nothing new."""
        try:
            await checkpoint()  # who gets a response often makes another call at once
            while self._has_news:
                self._has_news = False
                await self._ask(self._collect())
        finally:
            self._talk_over.set()
        if not (self._link.is_up or self._leaves or self._retries):
            self._retries = self._tasks.start(self._retry)

    async def _retry(self) -> None:
        """Ask the store now and then until it is back: it has to hear of calls that were made meanwhile."""
        while not self._link.is_up:
            await self._clock.sleep(max(self._link.quota.poll, self._link.retry_at - self._clock.monotonic()))
            self._has_news = True
            self._talk_soon()
            await self._talk_over.wait()
        self._retries = None

    async def _ask(self, asked: list[AskedCall]) -> None:
        """Ask the store about calls, and say what came of others."""
        reports, told = len(self._reports), len(self._told)
        lease = Lease(until=self._clock.monotonic(), rejections=self._permits.rejections)
        inquiry = Inquiry(
            process=self._process,
            reports=tuple(self._reports),
            wanted=tuple(one.wanted for one in asked),
            told=tuple(self._told),
            window=self._observed_window,
            leaves=self._leaves,
            usage_counts=self._expected_counts,
        )
        self._has_asked = True
        try:
            reply = await self._link.ask(inquiry, self._clock.monotonic)
        except Exception as error:  # noqa: BLE001 - it is for those who wait
            self._on_failed(asked, error)
        else:
            self._on_reply(asked, reply, lease)
        finally:
            del self._reports[:reports], self._told[:told]

    def _collect(self) -> list[AskedCall]:
        """The calls that have a slot, which they take, and of the others those that do not wait for quota."""
        asked: list[AskedCall] = []
        for bulk in (False, True):
            queues = [queue for queue in self._waiting if queue.bulk == bulk]
            keep_one = bulk and self._interactive.active_for(self._rules_time) > 0
            while queues and len(asked) < MOST_WANTED:
                queue = min(queues, key=lambda queue: queue.head.arrival)
                if not queue.slots.has_room(keep_one=keep_one):
                    queues.remove(queue)
                    continue
                waiter = queue.head
                queue.remove(waiter)
                waiter.slots.free -= 1
                asked.append(AskedCall(waiter, queue, is_new=waiter in self._unanswered))
                if not queue:
                    queues.remove(queue)
        self._asking = {one.waiter for one in asked}
        rest = [(waiter, queue) for waiter, queue in self._unanswered.items() if waiter not in self._asking]
        others = [AskedCall(*one, is_new=True, has_slot=False) for one in rest[: max(0, MOST_WANTED - len(asked))]]
        return asked + others

    def _on_reply(self, asked: list[AskedCall], reply: Reply, lease: Lease) -> None:
        """Grant permits, and note what delays the others."""
        self._rules = reply.quota.rules
        self._rules.response_times = self._response_times
        self._interactive.window, self._reporter.min_wait = self._rules.window, self._rules.shortest_retry_after
        if reply.over_reserve:
            self._reporter.on_reserve_exceeded(reply.over_reserve)
        self._reporter.on_response(counts_used=self._rules.direction.counts_used)
        delays: dict[Queue, Delay] = {}
        for one, decision in zip(asked, reply.decisions, strict=True):
            self._unanswered.pop(one.waiter, None)
            if decision.number is not None:
                self._grant_asked(one, attrs.evolve(lease, number=decision.number))
                continue
            self._put_back(one)
            if decision.delay.seconds:
                delays.setdefault(one.queue, decision.delay)
            if decision.delay.is_for_quota and one.waiter.queued and not one.wanted.waits:
                self._denied[one.waiter] = decision
        granted_all = len(asked) >= MOST_WANTED and reply.decisions[-1].number is not None
        self._has_news = self._has_news or granted_all or bool(self._unanswered)
        self._update_queues(delays)

    def _grant_asked(self, one: AskedCall, lease: Lease) -> None:
        waiter, queue, quota = one.waiter, one.queue, self._link.quota
        lease = attrs.evolve(lease, generation=self._link.generation, until=lease.until + quota.lease_margin)
        permit = self._permits.add(lease, waiter.slots, self._delayed(waiter, queue))
        self._response_times.on_granted(~permit.number, self._clock.monotonic())  # numbers of the rules are positive
        self._interactive.on_granted(self._rules_time, bulk=queue.bulk)
        waiter.wake.set()
        if waiter in self._asking and not waiter.slots.closed:
            waiter.permit = permit
        else:
            self.finish(permit, None, sent=False)

    def _put_back(self, one: AskedCall) -> None:
        """Let a call that was asked about wait on, unless it has left."""
        if one.has_slot:
            one.waiter.slots.free += 1
        if one.waiter in self._asking:
            one.queue.add(one.waiter)
        one.waiter.wake.set()

    def _update_queues(self, delays: dict[Queue, Delay]) -> None:
        """Let those that wait do so until it is time to ask again."""
        now = self._clock.monotonic()
        if self._rules.is_unrestricted(self._rules_time):
            self._reporter.on_unrestricted(now)
        for queue in self._waiting:
            queue.update(delays.get(queue) or self._obstacle(queue, self._rules_time) or NO_DELAY, now)
        self._report_waits(now)

    def _on_failed(self, asked: list[AskedCall], error: BaseException) -> None:
        """The store can be asked, but not be used: all that wait fail."""
        self._failure, self._failed_before = error, next(self._arrivals)
        for one in asked:
            self._put_back(one)
        for queue in self._waiting:
            queue.wake_all()


def _copy(error: BaseException, request: Request) -> BaseException:
    """An error for one more caller."""
    return ConfigurationError(error.message, request) if isinstance(error, ConfigurationError) else error
