"""The way from a process to the store of its shared quota, and what it goes by while the store is out of reach."""

import logging
import math
import random
from collections.abc import Callable
from functools import partial

import attrs

from fusedesk_async._events import Observers, QuotaStoreBack, QuotaStoreLost
from fusedesk_async._ratelimit.quota_store import StoreUnreachable
from fusedesk_async._ratelimit.shared_quota import (
    Inquiry,
    QuotaSettings,
    Reply,
    Report,
    SharedQuota,
    Throttle,
    transition,
)
from fusedesk_async._ratelimit.store_access import StoreAccess

POLLS_UNTIL_RETRY = 4
"""A store that is out of reach is asked again after so many polls."""
OFFLINE = -1
"""The generation of numbers that no store has given."""

logger = logging.getLogger("fusedesk_async")


@attrs.define(eq=False, repr=False)
class StoreLink:
    """Asks the store; while that is out of reach, goes on from what was known last, fed by this process alone.

    Args:
        access: The way to the store.
        settings: What the rules are made with.
        source: Where jitter comes from.
        observers: Who is notified when the store is lost, and when it is back.

    Attributes:
        quota: All that is known, as of the last reply.
        is_up: Whether the store answered when it was last asked.
        retry_at: When it is asked again if it did not, in seconds.
        lead: Seconds by which the time of the store is ahead of the clock of the process.
    """

    access: StoreAccess
    settings: QuotaSettings
    source: random.Random
    observers: Observers
    quota: SharedQuota = attrs.field(init=False)
    is_up: bool = True
    retry_at: float = -math.inf
    lead: float = 0.0
    _lost_at: float = 0.0
    _kept: Inquiry = attrs.field(factory=partial(Inquiry, process=0))

    def __attrs_post_init__(self) -> None:
        self.quota = SharedQuota.fresh(self.settings, self.source)

    @property
    def generation(self) -> int:
        """That of the numbers of the last reply."""
        return self.quota.generation if self.is_up else OFFLINE

    @property
    def processes(self) -> int:
        """How many processes use the quota."""
        return self.quota.throttle.processes if self.quota.throttle else max(1, len(self.quota.members))

    async def ask(self, inquiry: Inquiry, clock: Callable[[], float]) -> Reply:
        """Ask the store, or, if it is out of reach, what is known.

        Args:
            inquiry: What there is to say and to ask.
            clock: Brings the time of the process, in seconds.

        Raises:
            ConfigurationError: The state is not one of ours, or another process has other settings. What there is to
                say is said with the next inquiry.
        """
        if clock() >= self.retry_at:
            try:
                reply = await self._ask_store(inquiry)
            except StoreUnreachable as error:
                self._on_unreachable(error, clock())
            except BaseException:
                self._kept = self._with_kept(inquiry)
                raise
            else:
                self._on_reply(reply, clock())
                return reply
        return self._answer_alone(inquiry, clock())

    def preview(self, reports: tuple[Report, ...], process: int, now: float) -> None:
        """Take in at once what the store will hear of a moment later; twice does no harm."""
        self.quota.take_in(self._as_here(reports), process, now + self.lead)

    def _as_here(self, reports: tuple[Report, ...]) -> tuple[Report, ...]:
        """Reports of calls that the quota as it is known here has in flight, whoever granted them."""
        return tuple(attrs.evolve(report, generation=self.quota.generation) for report in reports)

    async def _ask_store(self, inquiry: Inquiry) -> Reply:
        whole = attrs.evolve(self._with_kept(inquiry), wanted=inquiry.wanted)
        change = partial(transition, inquiry=whole, settings=self.settings, source=self.source)
        return await self.access.change(change)

    def _with_kept(self, inquiry: Inquiry) -> Inquiry:
        """What there is to say to the store since it was last heard of, without what is wanted."""
        kept, reports = self._kept, inquiry.reports
        offline = [report for report in reports if report.generation == OFFLINE and report.ending != "not_sent"]
        online = tuple(report for report in reports if report.generation != OFFLINE)
        return attrs.evolve(
            inquiry,
            reports=kept.reports + online,
            told=kept.told + inquiry.told,
            unreported=kept.unreported + len(offline),
            window=inquiry.window or kept.window,
            wanted=(),
        )

    def _on_reply(self, reply: Reply, now: float) -> None:
        self.quota, self.lead, self._kept = reply.quota, reply.now - now, Inquiry(process=0)
        self.retry_at = -math.inf
        if not self.is_up:
            self.is_up = True
            seconds = now - self._lost_at
            logger.info("the store of the shared quota is back after %.0f s", seconds)
            self.observers.notify(QuotaStoreBack(seconds=seconds))

    def _on_unreachable(self, error: StoreUnreachable, now: float) -> None:
        self.retry_at = now + POLLS_UNTIL_RETRY * self.quota.poll
        if not self.is_up:
            return
        self.is_up, self._lost_at = False, now
        processes = len(self.quota.members)
        if processes > 1:
            self.quota.throttle = Throttle.of(self.quota, now + self.lead, self.source)
        pace = f"at the pace of one of {processes} processes" if processes > 1 else "alone"
        logger.warning("the store of the shared quota cannot be reached (%s); this process goes on %s", error, pace)
        self.observers.notify(QuotaStoreLost(error=error))

    def _answer_alone(self, inquiry: Inquiry, now: float) -> Reply:
        self._kept = self._with_kept(inquiry)
        reports = self._as_here(inquiry.reports)
        return self.quota.answer(attrs.evolve(inquiry, reports=reports), now + self.lead - self.quota.ahead)
