"""What the processes of one key know together, and what they ask of it. Values in, values out; no clock.

The rules are those of one process; only their memory is shared. A store keeps it and runs `transition` on it, which is
given the store's own time. Each permit is a lease: if its process does not say in time what came of it, the call
counts as sent and lost, so that nothing is wrong for long when a process is killed. What is reported later is ignored.
"""

import random
from typing import Any, Literal, NamedTuple, TypeAlias
from zlib import crc32

import attrs
import msgspec

from fusedesk_async._ratelimit.rules import NO_DELAY, AdmissionRules, Delay
from fusedesk_async._ratelimit.rules_memory import load, save
from fusedesk_async._wire.headers import Usage
from fusedesk_async._wire.profile import UsageCounts
from fusedesk_async.errors import ConfigurationError

MAGIC, VERSION = b"FuseDesk quota", 1
"""What a state begins with. Another layout of what follows needs another version."""
POLL, SHORTEST_POLL = 1 / 360, 0.25
"""Part of the hour after which a process that waits asks again, and the same at least in seconds."""
MEMBER_FOR = 1 / 12
"""Part of the hour for which a process counts as one that uses the quota, from when it last asked."""
LEASE_MARGIN, SHORTEST_MARGIN = 1 / 120, 1.0
"""Part of the hour by which a lease lasts longer than the call may take, and the same at least in seconds."""
HOUR = 3_600.0
"""Seconds."""

Ending: TypeAlias = Literal["accepted", "rejected", "lost", "not_sent"]


class QuotaSettings(NamedTuple):
    """What all processes must agree on; see `RateLimiter`."""

    reserve: float
    window: float | None
    assumed_limit: int


@attrs.frozen(kw_only=True)
class Report:
    """What came of a call.

    Attributes:
        number: Its number.
        generation: The generation of the state that the number is from.
        ending: `accepted` for any response but a 429; `lost` if no response came; `not_sent` if it certainly was not.
        usage: What the response said.
        hint: Seconds to wait, if a 429 said.
    """

    number: int
    generation: int
    ending: Ending
    usage: Usage = attrs.field(factory=Usage)
    hint: float | None = None


@attrs.frozen(kw_only=True)
class Wanted:
    """A call that wants a permit.

    Attributes:
        bulk: Whether it lets interactive calls go first.
        endpoint: What it calls.
        seconds: How long it may take once it has a permit.
        waits: Whether it waits for quota.
        is_new: Whether it asks for the first time.
        has_slot: Whether it can go at once; else it only wants to know whether the quota delays it.
    """

    bulk: bool
    endpoint: str = ""
    seconds: float = 30.0
    waits: bool = True
    is_new: bool = True
    has_slot: bool = True


@attrs.frozen(kw_only=True)
class Inquiry:
    """All that a process has to say and to ask at once.

    Attributes:
        process: Its number, which no other process has.
        reports: What came of its calls.
        wanted: Its calls that want permits.
        told: Whether it was a bulk call, and for which moment, of each of its calls that were told to come back.
        unreported: Calls that it sent while the store was out of reach.
        window: How long a sandbox said that its hour lasts, in seconds.
        leaves: Whether the process is about to end.
        usage_counts: What it expects the header that counts calls to count, should nobody know.
    """

    process: int
    reports: tuple[Report, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    told: tuple[tuple[bool, float], ...] = ()
    unreported: int = 0
    window: float | None = None
    leaves: bool = False
    usage_counts: UsageCounts | None = None


@attrs.frozen
class Decision:
    """What becomes of a call that wants a permit.

    Attributes:
        number: The number of its permit; None if it has to wait.
        delay: How long it has to wait, and why.
        retry_after: Seconds after which it is to come back, if it does not wait.
    """

    number: int | None
    delay: Delay = NO_DELAY
    retry_after: float = 0.0


@attrs.frozen(kw_only=True)
class Reply:
    """What a process learns.

    Attributes:
        decisions: What becomes of the calls that wanted permits, in the same order.
        quota: All that is known now.
        now: The time of the store, in seconds, which never goes back.
        over_reserve: How many interactive calls the last hour had, if they are more than the reserve and that is news.
    """

    decisions: tuple[Decision, ...]
    quota: "SharedQuota"
    now: float
    over_reserve: int = 0


@attrs.define
class Member:
    """A process that uses the quota.

    Attributes:
        seen_at: When it last asked, in seconds.
        people_wait_until: Until when interactive calls of it are believed to wait for quota, in seconds.
    """

    seen_at: float
    people_wait_until: float = 0.0


@attrs.define(kw_only=True)
class SharedQuota:
    """The rules, and who uses them.

    Attributes:
        settings: What the rules are made with.
        rules: The rules, with all they remember.
        generation: Differs from that of a state that was lost.
        now: The newest time that the store had, in seconds, made to never go back.
        ahead: By how much that is ahead of the store's clock, which went back by so much.
        leases: The calls in flight by their numbers: the process that makes it, and when its lease ends, in seconds.
        members: The processes seen in the last twelfth of the hour.
        throttle: What else delays bulk calls, if anything does; it is not part of the state.
    """

    settings: QuotaSettings
    rules: AdmissionRules
    generation: int
    now: float = 0.0
    ahead: float = 0.0
    leases: dict[int, tuple[int, float]] = attrs.field(factory=dict[int, tuple[int, float]])
    members: dict[int, Member] = attrs.field(factory=dict[int, Member])
    throttle: "Throttle | None" = None

    @classmethod
    def fresh(cls, settings: QuotaSettings, source: random.Random, counts: UsageCounts | None = None) -> "SharedQuota":
        """One that knows nothing yet.

        Args:
            settings: What the rules are made with.
            source: Where jitter and the generation come from.
            counts: What the header that counts calls is expected to count.
        """
        rules = _make_rules(settings, source)
        rules.direction.expect(counts)
        return cls(settings=settings, rules=rules, generation=source.getrandbits(31))

    def with_settings(
        self, settings: QuotaSettings, process: int, clock: float, source: random.Random
    ) -> "SharedQuota":
        """The same with other settings, if none but one process uses the quota.

        Args:
            settings: These.
            process: The number of that process.
            clock: What the store's clock shows, in seconds.
            source: Where jitter comes from.

        Raises:
            ConfigurationError: Others use it, with the settings that it has.
        """
        oldest = clock + self.ahead - MEMBER_FOR * self.rules.window
        if any(other != process and member.seen_at > oldest for other, member in self.members.items()):
            raise ConfigurationError(_difference(self.settings, settings))
        rules = _make_rules(settings, source)
        load(save(self.rules), rules, source)
        rules.set_window(settings.window or rules.window)
        return attrs.evolve(self, settings=settings, rules=rules)

    @property
    def poll(self) -> float:
        """Seconds after which a process that waits asks again."""
        return max(SHORTEST_POLL, POLL * self.rules.window)

    @property
    def lease_margin(self) -> float:
        """Seconds after which a permit that was not used may not be used any more."""
        return max(SHORTEST_MARGIN, LEASE_MARGIN * self.rules.window)

    def answer(self, inquiry: Inquiry, clock: float) -> Reply:
        """Take in what a process says, and decide about what it wants.

        Args:
            inquiry: That.
            clock: What the store's clock shows, in seconds.
        """
        now = self._advance(clock)
        self._end_leases(now)
        member = self._note_member(inquiry, now)
        self.take_in(inquiry.reports, inquiry.process, now)
        for _ in range(inquiry.unreported):  # they count as in flight at no time that matters
            self.rules.on_lost(self.rules.on_granted(now, bulk=True), now, sent=True)
        for bulk, moment in inquiry.told:
            self.rules.on_told(moment, bulk=bulk)
        if inquiry.window is not None and inquiry.window != self.rules.window:
            self.rules.set_window(inquiry.window)
        decisions = self._decide(inquiry, now)
        starved = any(
            not wanted.bulk and decision.delay.reason == "quota"
            for wanted, decision in zip(inquiry.wanted, decisions, strict=True)
        )
        member.people_wait_until = now + 2 * self.poll if starved else 0.0
        excess = self.rules.interactive_over_reserve(now) if any(made.number is not None for made in decisions) else 0
        return Reply(decisions=decisions, quota=self, now=now, over_reserve=excess)

    def take_in(self, reports: tuple[Report, ...], process: int, now: float) -> None:
        """Let calls of a process end, each once: not if its lease has ended, or if the state that has it was lost."""
        for report in reports:
            if report.generation == self.generation and self.leases.get(report.number, (None,))[0] == process:
                del self.leases[report.number]
                self._on_ended(report, now)

    def _advance(self, clock: float) -> float:
        """The time: that of the store's clock, but where this went back it goes on from where it was."""
        self.ahead = max(self.ahead, self.now - clock)
        self.now = clock + self.ahead
        return self.now

    def _end_leases(self, now: float) -> None:
        for number in [number for number, (_, until) in self.leases.items() if until <= now]:
            del self.leases[number]
            self.rules.on_lost(number, now, sent=True)

    def _note_member(self, inquiry: Inquiry, now: float) -> Member:
        oldest = now - MEMBER_FOR * self.rules.window
        self.members = {process: member for process, member in self.members.items() if member.seen_at > oldest}
        member = self.members.setdefault(inquiry.process, Member(now))
        member.seen_at = now
        if inquiry.leaves:
            del self.members[inquiry.process]
        return member

    def _on_ended(self, report: Report, now: float) -> None:
        if report.ending == "accepted":
            self.rules.on_accepted(report.number, report.usage, now)
        elif report.ending == "rejected":
            self.rules.on_rejected(report.number, report.usage, now, hint=report.hint)
        else:
            self.rules.on_lost(report.number, now, sent=report.ending == "lost")

    def _decide(self, inquiry: Inquiry, now: float) -> tuple[Decision, ...]:
        """Decide about interactive calls first, and then in the order they came."""
        order = sorted(range(len(inquiry.wanted)), key=lambda place: inquiry.wanted[place].bulk)
        decided = {place: self._decide_one(inquiry.wanted[place], inquiry.process, now) for place in order}
        return tuple(decided[place] for place in range(len(order)))

    def _decide_one(self, wanted: Wanted, process: int, now: float) -> Decision:
        if wanted.is_new and not wanted.waits:
            self.rules.on_asked(now, bulk=wanted.bulk, endpoint=wanted.endpoint)
        delay = self._delay(wanted, process, now)
        if delay.seconds:
            seconds = 0.0
            if delay.is_for_quota and not wanted.waits:
                seconds = self.rules.retry_after(now, bulk=wanted.bulk, endpoint=wanted.endpoint)
            return Decision(None, delay, seconds)
        if not wanted.has_slot:
            return Decision(None)
        number = self.rules.on_granted(now, bulk=wanted.bulk, endpoint=wanted.endpoint)
        self.leases[number] = (process, now + wanted.seconds + self.lease_margin)
        if self.throttle and wanted.bulk:
            self.throttle.on_granted(self.rules, now)
        return Decision(number)

    def _delay(self, wanted: Wanted, process: int, now: float) -> Delay:
        delay = self.rules.delay(now, bulk=wanted.bulk, polls=wanted.waits, endpoint=wanted.endpoint)
        if delay.seconds or not wanted.bulk:
            return delay
        waits = (member.people_wait_until > now for other, member in self.members.items() if other != process)
        if any(waits):
            return Delay(self.poll, "reserve")
        return self.throttle.delay(now) if self.throttle else delay


@attrs.define
class Throttle:
    """Lets one process, which cannot hear of the others, take one bulk call where all of them would take as many.

    Attributes:
        processes: How many processes there are.
        next_at: When the next bulk call may go, in seconds.
    """

    processes: int
    next_at: float

    @classmethod
    def of(cls, quota: SharedQuota, now: float, source: random.Random) -> "Throttle":
        """One for a process of those that a quota knows. They begin at different moments."""
        processes = max(1, len(quota.members))
        return cls(processes, now + processes * quota.rules.average_gap * source.random() * (processes > 1))

    def delay(self, now: float) -> Delay:
        """How long a bulk call has to wait."""
        return Delay(self.next_at - now, "quota") if self.next_at > now else NO_DELAY

    def on_granted(self, rules: AdmissionRules, now: float) -> None:
        """A bulk call was granted. The next goes after the pause that all would make, times their number."""
        pause = rules.delay(now, bulk=True).seconds
        step = rules.average_gap
        self.next_at = now + self.processes * max(step, pause if pause <= rules.window else step)


def transition(
    state: bytes | None, clock: float, *, inquiry: Inquiry, settings: QuotaSettings, source: random.Random
) -> tuple[bytes, Reply]:
    """Take in what a process says, and decide about what it wants: all that a store has to do, in one transaction.

    Args:
        state: What the store holds; None if nothing.
        clock: What the store's clock shows, in seconds.
        inquiry: What the process says.
        settings: Those of the process.
        source: Where jitter comes from.

    Returns:
        What the store is to hold, and what the process learns.

    Raises:
        ConfigurationError: The state is of a newer version, or damaged; or another process that uses the quota has
            other settings. The store must hold what it held.
    """
    if state is None:
        quota = SharedQuota.fresh(settings, source, inquiry.usage_counts)
        quota.now = clock
    else:
        quota = unpack(state, source)
        if quota.settings != settings:
            quota = quota.with_settings(settings, inquiry.process, clock, source)
    reply = quota.answer(inquiry, clock)
    return pack(quota), reply


def pack(quota: SharedQuota) -> bytes:
    """A quota as bytes."""
    values = [
        list(quota.settings),
        quota.generation,
        quota.now,
        quota.ahead,
        [[quota.rules.next_number - number, *lease] for number, lease in quota.leases.items()],
        [[process, member.seen_at, member.people_wait_until] for process, member in quota.members.items()],
        save(quota.rules),
    ]
    body = msgspec.msgpack.encode(values)
    return MAGIC + bytes([VERSION]) + crc32(body).to_bytes(4) + body


def unpack(state: bytes, source: random.Random) -> SharedQuota:
    """What `pack` made of a quota, as the quota again.

    Args:
        state: That.
        source: Where jitter comes from.

    Raises:
        ConfigurationError: As `transition`.
    """
    shared, generation, now, ahead, leases, members, rules = _values(state)
    settings = QuotaSettings(*shared)
    quota = SharedQuota(
        settings=settings, rules=_make_rules(settings, source), generation=generation, now=now, ahead=ahead
    )
    load(rules, quota.rules, source)
    following = quota.rules.next_number
    quota.leases = {following - distance: (process, until) for distance, process, until in leases}
    quota.members = {process: Member(*times) for process, *times in members}
    return quota


def _values(state: bytes) -> list[Any]:
    version, checksum, body = state[len(MAGIC) : len(MAGIC) + 1], state[len(MAGIC) + 1 :][:4], state[len(MAGIC) + 5 :]
    if not state.startswith(MAGIC) or not version:
        message = "what the store holds is no state of a shared quota; give the quota another place"
        raise ConfigurationError(message)
    if version[0] != VERSION:
        message = (
            f"the shared quota was written by another version of fusedesk_async (format {version[0]}, here {VERSION}); "
            "use one version in all processes"
        )
        raise ConfigurationError(message)
    if crc32(body).to_bytes(4) != checksum:
        message = "the state of the shared quota is damaged; delete it, and the next response fills a new one"
        raise ConfigurationError(message)
    values: list[Any] = msgspec.msgpack.decode(body)
    return values


def _difference(found: QuotaSettings, settings: QuotaSettings) -> str:
    names = [name for name in settings._fields if getattr(found, name) != getattr(settings, name)]
    theirs = ", ".join(f"{name}={getattr(found, name)!r}" for name in names)
    ours = ", ".join(f"{name}={getattr(settings, name)!r}" for name in names)
    return (
        f"other processes share this quota with RateLimiter({theirs}), this one has {ours}; "
        "give all of them the same, and let the others end first"
    )


def _make_rules(settings: QuotaSettings, source: random.Random) -> AdmissionRules:
    return AdmissionRules(
        reserve=settings.reserve,
        window=HOUR if settings.window is None else settings.window,
        assumed_limit=settings.assumed_limit,
        source=source,
    )
