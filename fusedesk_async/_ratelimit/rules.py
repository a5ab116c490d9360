"""Whether a call may go: the rules about cooldown, hourly pace and bursts as one. Numbers in, numbers out; no clock.

Theory of operation
===================

The one rule of this folder: whatever decides whether a call may go lives here. Callers ask for a permit, make one
exchange, and give the permit back with what came of it; they decide nothing. `limiter`, `queues` and `reporter` are
the shell, which has a clock, an event loop and observers. The other files are pure, and this one joins them.

Little is known of the server. Certain is only that there is an hourly limit, that `X-FuseDesk-Usage-Limit` has it
(example: 1800), and that a call beyond it gets a 429 (seed page). The name of the header with the calls remaining,
whether the hour is fixed, sliding or a bucket, whether there is a limit on bursts, and whether a 429 brings a
`Retry-After`, is not public. So the state below is inferred from responses, and none of it depends on the kind of hour.

States, in the order in which `AdmissionRules.delay` looks for them; the first that applies decides:

    state             applies while                          who may go                  ends with
    ----------------  -------------------------------------  --------------------------  -----------------------------
    cooldown          a 429 came, its deadline is ahead      others than the endpoint    the deadline: probing
                                                             that got it; after one of
                                                             a second one, nobody
    probing           the deadline is past                   one call, then nobody       its response: accepted, it is
                                                             until it has ended; one of  over, but for endpoints that
                                                             an endpoint that was not    were refused if its own was
                                                             refused, if any waits       not: these go on alone; 429, a
                                                                                         longer cooldown; lost, the
                                                                                         next call probes
    first call alone  calls are in flight, none ever got a   one more call for each      the first response
                      response                               moment the first one takes
    burst-paced       a 429 came while calls remained        as many as have slots,      never, but accepted calls add
                                                             later one each step         slots and shorten the step
    empty             no calls remain, or our own count is   nobody, but for a poll now  a response that says that
                      at the limit                           and then; no bulk call      more remain
                                                             polls if all calls of the
                                                             hour were ours, unless it
                                                             turned out to be shorter
    trickle           few remain: the reserve, a little and  interactive calls; a bulk   a response that says that
                      what other programs will take          call now and then           more than the floor remain
    free              otherwise                              everybody                   -

Burst-paced is looked at together with empty and trickle: the longer delay of the two counts. One more rule, that a slot
is kept free for interactive calls while some are active, is about slots, so the limiter applies it: until five minutes
after the last interactive call, also while the calls in all other slots hang and a bulk call waits for nothing else.
Such calls free their slots when they time out (after 30 s by default); if a bulk call took the last one and hung, too,
the next person would wait for as long.

What an event changes, in each part (accepted: any response but a 429; lost: no response):

    part               on_granted               on_accepted             on_rejected              on_lost
    -----------------  -----------------------  ----------------------  -----------------------  -----------------------
    Ledger             taken off what remains   limit, remaining,       the same, and the call   nothing; not sent: the
                                                refill and others, if   counts as never made     call counts as never
                                                it is the newest                                 made
    CountDirection     nothing                  looks whether the count  looks anew               nothing
                                                goes up or down
    CallLog            counts from now on       counts for an hour      counts no more           counts for an hour; not
                                                                                                 sent: counts no more
    BurstPacer         next step begins; after  more rate and slots     if a burst, and news:    nothing
                       a long pause the next                            half the slots, then
                       measurement is void                              the measured rate;
                                                                        always: idle until the
                                                                        deadline is no pause
    HourlyPacer        when the last call went  nothing (it reads the   nothing                  nothing
                                                ledger and the log)
    Cooldown           it is the probe, if one  the probe: it is over   begins, or the deadline  the probe: another may
                       is due                                           moves later              probe
    InteractiveCalls   noted                    nothing                 nothing                  nothing
    RetryTimes         nothing                  nothing                 nothing                  nothing

Calls that do not wait for quota change RetryTimes alone: one that asks takes the earliest moment that has come, one
that is put off is told a moment. The k-th of those that were put off is told when the k-th call from now may go, so
they come back one by one. They look less often than others whether calls have come back when none remained: first when
one call is back on the average, then after ten times as long as none was.

Two links between parts: a rejection is taken for one of a burst if calls remain or were accepted a moment ago, and then
the cooldown is brief, else it lasts at least as long as one call takes to come back on the average; and a cooldown that
seemed to be about a burst but lasted longer than one shows that our idea of the hour was wrong, so the burst pacer then
goes evenly, at the hour's average, for an hour.

The server's "hour" may be a second, of which nobody has told us. Three rules find that out, and cost no rejection where
it is an hour. The trickle looks first after a 36,000th of it, and then after a multiple of the time, such that what
remains lasts for an hour: the last call is not spent before, unless one of our own is an hour old, for that is back.
If more calls are accepted than any two hours allow, the hour is shorter than they took; then gaps and polls are parts
of that, and calls of our own are no reason not to poll. And a count that goes up is taken for one of calls used only if
the calls were not slower than those that made it go down, and if it never went down meanwhile. Where an hour has fewer
than five calls, no look can be spared; and where responses say the limit but not what remains, only rejections could
show it: there it is the user who says how long the hour is (`window`).

Where the constants come from. Almost all are parts of the hour or pure ratios, so that a sandbox whose hour lasts
seconds behaves alike. Only the limit of 1800 is FuseDesk's (its example). What trades speed against 429s was chosen
with the benchmark `quota.py`, whose bars are: no 429 under any kind of hour where the headers say enough, and no more
than 5 % above the least time that is possible. The rest is convention. Each constant says at its definition what it
does:

    constants                                            file      trade off
    ---------------------------------------------------  --------  ----------------------------------------------------
    FIRST_CALL_ALONE, TIME_EPSILON, LONGEST_BURST,       rules     a quick start against calls that know nothing
    LEAST_CREDIBLE_RATE
    TRICKLE_BUDGET, LONGEST_TRICKLE_GAP, OUTLAST_HOUR,   pacing    noticing soon that calls came back against using up
    QUICK_POLLS, GAP_GROWTH, FIRST_POLL, FIRST_LOOK, ...           the reserve by looking
    CAUTION, LEAST_TIME, SMOOTHED, HOPELESS              others,   speed beside other programs against people's calls
                                                         pacing    failing there
    LOOK_GROWTH, RETURN_SPREAD, EARLINESS,               pacing,   being put off often against 429s for job queues
    TIME_KEPT, PUNCTUALITY                               retry_times
    FIRST_GROWTH, MEASUREMENT_DECAY,                     burst     following a limit that is raised against 429s
    CALLS_PER_EXTRA_SLOT, ...
    FIRST_PAUSE, LONGEST_PAUSE, FIRST_BURST_PAUSE, ...   cooldown  convention: 1 to 15 minutes, from 0.25 s for a burst
    ACTIVE_FOR                                           call_log  a slot for the next interactive call against speed
    OVERDUE_FACTOR, MOST_CREDIBLE_ZEROS,                 allowance believing the headers against being misled
    CALLS_PER_OVERLAP, PART_SEEN, PART_RETURNED, ...     and
                                                         count_direction
"""

import math
import random
from typing import Any, Literal, TypeAlias

import attrs

from fusedesk_async._ratelimit.allowance import Ledger
from fusedesk_async._ratelimit.burst import BurstPacer
from fusedesk_async._ratelimit.call_log import CallLog, InteractiveCalls
from fusedesk_async._ratelimit.cooldowns import Cooldowns
from fusedesk_async._ratelimit.count_direction import CountDirection
from fusedesk_async._ratelimit.estimates import Estimate, ResponseTimes, cooldown_wait, quota_wait
from fusedesk_async._ratelimit.pacing import HourlyPacer
from fusedesk_async._ratelimit.retry_times import RetryTimes
from fusedesk_async._wire.headers import Usage

FIRST_CALL_ALONE = 1 / 12_000
"""Part of the hour for which the first call goes alone; for each further one that it takes, one more call may go."""
LEAST_CREDIBLE_RATE = 1_800
"""Calls an hour. A measured burst limit is not believed if it is less than this and than the hour allows."""
TIME_EPSILON = 1e-6
"""Seconds. Sums of floats miss their mark by less, and a clock may not move by so little."""
LONGEST_BURST = 1 / 40
"""Part of the hour: what is rejected for longer than this is not a burst, but the hour. It is more than a minute and
the last pause before a probe, as limits on bursts often count in minutes."""

DelayReason: TypeAlias = Literal["free", "first_call", "kept_slot", "burst", "reserve", "quota", "refused"]
REASON_TEXT = {
    "reserve": "the remaining calls of this hour are reserved for interactive work",
    "quota": "no calls remain this hour",
    "refused": "the server refused a call (429)",
}
"""The reasons that count as waiting for quota, as callers read them. The others delay only briefly."""


@attrs.frozen
class Delay:
    """How long calls are delayed, and why.

    Attributes:
        seconds: Until one may go; 0 for now; infinite if that depends on a response.
        reason: The rule that says so.
    """

    seconds: float
    reason: DelayReason

    @property
    def is_for_quota(self) -> bool:
        """Whether it is the quota that delays them."""
        return self.reason in REASON_TEXT


NO_DELAY = Delay(0.0, "free")


class AdmissionRules:
    """The rules, with all they have to remember.

    Args:
        reserve: Part of the hourly limit that bulk calls leave to interactive ones.
        window: How long the hour lasts, in seconds.
        assumed_limit: Calls per hour, as long as no response says.
        source: Where jitter comes from.

    Attributes:
        ledger: What responses say of the allowance.
        cooldowns: The pauses after a 429.
        interactive: The interactive calls of the last hour.
        direction: What the header with the calls remaining counts.
        response_times: How long responses took.
        in_flight: Calls that were granted and have not ended.
        next_number: The number the next call will get.
    """

    def __init__(self, *, reserve: float, window: float, assumed_limit: int, source: random.Random) -> None:
        self.ledger, self.cooldowns = Ledger(window), Cooldowns(window, source)
        self.interactive, self.direction = InteractiveCalls(window), CountDirection(window)
        self.in_flight = self.next_number = 0
        self._window = window
        self._call_log = CallLog(window)
        self._burst = BurstPacer(window)
        self._pacer = HourlyPacer(reserve, window, assumed_limit, self.ledger, self._call_log)
        self._retry_times = {bulk: RetryTimes(window) for bulk in (False, True)}
        self._endpoints: dict[int, str] = {}
        self.response_times = ResponseTimes()
        self._first_granted_at = math.inf
        self._had_response = False

    def delay(self, now: float, *, bulk: bool, polls: bool = True, endpoint: str = "") -> Delay:
        """How long calls of a kind are delayed.

        Args:
            now: The time, in seconds.
            bulk: Whether they are bulk calls.
            polls: Whether one may go only to find out whether calls have come back.
            endpoint: What they call.
        """
        if self.cooldowns.holds(endpoint):
            pause = self.cooldowns.delay(endpoint, now)
            return _delay(pause if polls else max(pause, self._pacer.delay(now, bulk=bulk, polls=False)), "refused")
        alone = self._first_granted_at + self.in_flight * FIRST_CALL_ALONE * self._window - now
        if self.in_flight and not self._had_response and alone > TIME_EPSILON:
            return Delay(alone, "first_call")
        hourly = self._pacer.delay(now, bulk=bulk, polls=polls)
        burst = self._burst.delay(now, self.in_flight)
        open_to_people = self._pacer.delay(now, bulk=False, polls=polls) == 0
        if burst > hourly:
            return _delay(burst, "refused" if self._steps_are_long else "burst")
        return _delay(hourly, "reserve" if bulk and open_to_people else "quota")

    def on_asked(self, now: float, *, bulk: bool, endpoint: str = "") -> Delay:
        """A call asks that does not wait for quota.

        Returns:
            What delays it.
        """
        self._retry_times[bulk].on_asked(now)
        return self.delay(now, bulk=bulk, polls=False, endpoint=endpoint)

    def retry_after(self, now: float, *, bulk: bool, endpoint: str = "") -> float:
        """Seconds until a call that does not wait any longer should come back.

        The k-th that asks is given the moment at which the k-th call may go from now on, so none but it comes then.
        """
        times, hinted = self._retry_times[bulk], self.cooldowns.hinted(endpoint, now)
        seconds = self._turn(times.next_turn(now), now, bulk=bulk, endpoint=endpoint)
        if self._pacer.is_empty(now):
            look = max(self._pacer.until_look(now), self.cooldowns.pause(endpoint, now))
            seconds = look if now + look < min(now + seconds, times.earliest) else seconds
        seconds = max(seconds, hinted, self.shortest_retry_after)
        return times.on_told(now + seconds) - now

    def _turn(self, turn: int, now: float, *, bulk: bool, endpoint: str) -> float:
        """Seconds until the `turn`-th call may go, counted from 1."""
        hourly, step = self._pacer.turn(turn, now, bulk=bulk), self._burst.step
        if not self.cooldowns.holds(endpoint):
            return max(hourly, (turn - 1) * step)
        returned = hourly == 0 and self._pacer.remaining(now) is not None
        step = self.shortest_retry_after if returned else max(step, self._pacer.average_gap)
        pause = self.cooldowns.pause(endpoint, now)
        return max(hourly, (pause if pause > 0 else step) + (turn - 1) * step)

    @property
    def shortest_retry_after(self) -> float:
        """Seconds; it makes no sense to ask again sooner."""
        return self.cooldowns.newest.shortest_retry_after

    @property
    def average_gap(self) -> float:
        """Seconds in which one call comes back, on the average of the hour."""
        return self._pacer.average_gap

    def is_unrestricted(self, now: float) -> bool:
        """Whether bulk calls need not trickle."""
        return not (self.cooldowns.active or self._steps_are_long) and self._pacer.is_unrestricted(now)

    @property
    def _steps_are_long(self) -> bool:
        """Whether even steps are so long that callers should know of them."""
        return self._burst.step >= self.shortest_retry_after

    def on_granted(self, now: float, *, bulk: bool, endpoint: str = "") -> int:
        """A call is granted.

        Returns:
            Its number.
        """
        number = self.next_number
        self.next_number += 1
        self.in_flight += 1
        self._first_granted_at = min(self._first_granted_at, now)
        self._call_log.on_granted()
        self.ledger.on_granted(number)
        self._endpoints[number] = endpoint
        self.response_times.on_granted(number, now)
        self.cooldowns.on_granted(number, endpoint)
        self.interactive.on_granted(now, bulk=bulk)
        self._pacer.on_granted(now, bulk=bulk)
        self._burst.on_granted(now)
        return number

    def on_lost(self, number: int, now: float, *, sent: bool) -> None:
        """A call got no response. If it was sent, the server may have counted it all the same."""
        self.in_flight -= 1
        self._call_log.on_ended(now, counted=sent)
        self.response_times.on_ended(number, now, accepted=False)
        self.cooldowns.on_lost(number, self._endpoints.pop(number))
        self.ledger.on_lost(number, sent=sent)

    def on_accepted(self, number: int, usage: Usage, now: float) -> None:
        """A call got a response other than 429."""
        self._on_response(number, usage, now, counted=True)
        endpoint, newest = self._endpoints.pop(number), self.cooldowns.newest
        if not self.cooldowns.predates(number, endpoint):  # else it belongs to what was accepted before the rejection
            self._burst.on_accepted(now)
        own, rejected_for = self.cooldowns.is_own(endpoint), now - newest.began
        probe_accepted = self.cooldowns.on_accepted(number, endpoint, now) and not own
        remaining = (self._pacer.remaining(now) or 0) > 0
        if probe_accepted and newest.seemed_burst and not remaining and rejected_for > LONGEST_BURST * self._window:
            # what we believed about the hour was wrong, so go evenly until it has certainly passed
            seconds = self._pacer.longest_window
            self._burst.on_hour_exhausted(now, rate=self._pacer.limit / seconds, seconds=seconds)

    def on_rejected(self, number: int, usage: Usage, now: float, *, hint: float | None) -> None:
        """A call got a 429; `hint` is the seconds the server said to wait, if it did."""
        self._on_response(number, usage, now, counted=False)
        burst, endpoint = self._is_probably_burst(now), self._endpoints.pop(number)
        own, cooldown = self.cooldowns.is_own(endpoint), self.cooldowns.on_rejected(endpoint)
        is_news = cooldown.on_rejected(
            number,
            now,
            next_number=self.next_number,
            hint=hint,
            burst=burst,
            certain=(self._pacer.remaining(now) or 0) > 0,
            min_pause=self._burst.pause if burst else self._pacer.average_gap,
            max_pause=self._pacer.until_calls_return(now),
        )
        if own:
            self.cooldowns.on_lost(number, endpoint)
        elif is_news and burst:
            least_rate = min(self._pacer.limit, LEAST_CREDIBLE_RATE) / self._window
            self._burst.on_rejected(now, self.in_flight, least_rate=least_rate)
        self._burst.on_paused(cooldown.until)

    def seconds_for(self, calls: int, now: float) -> float:
        """About how long so many bulk calls take: some may go at once, the others come at the hour's average rate."""
        return max(0.0, self.cooldowns.stops_all - now) + self._pacer.seconds_for(calls, now)

    def estimate(self, calls: int, now: float, *, at_once: int) -> Estimate:
        """How long so many bulk calls take, of which `at_once` may be in flight at once."""
        pause = cooldown_wait(self.cooldowns.stops_all - now, self._window)
        hourly, responses = quota_wait(calls, now, self._pacer), self.response_times.estimate(calls, at_once)
        steps = calls * self._burst.step
        at_least = max(pause.at_least, hourly.at_least, responses.at_least) if calls else 0.0
        return Estimate(at_least, pause.at_most + hourly.at_most + responses.at_most + steps if calls else 0.0)

    def set_window(self, window: float) -> None:
        """The hour lasts so many seconds; all that has to do with it scales."""
        self._window = window
        parts: list[Any] = [self.ledger, self.ledger.others, self.cooldowns, *self.cooldowns.all, self.interactive]
        parts += [self.direction, self._call_log, self._burst, self._pacer, *self._retry_times.values()]
        for part in parts:
            part.window = window

    @property
    def window(self) -> float:
        """How long the hour lasts, in seconds."""
        return self._window

    def on_told(self, moment: float, *, bulk: bool) -> None:
        """A call that does not wait any longer was told by somebody else to come back at a moment, in seconds."""
        self._retry_times[bulk].on_told(moment)

    def interactive_over_reserve(self, now: float) -> int:
        """How many interactive calls the last hour had, if more than the reserve and beside bulk calls; otherwise 0.

        Reports it once an hour.
        """
        return self.interactive.over_reserve(self._pacer.reserved, now)

    def _on_response(self, number: int, usage: Usage, now: float, *, counted: bool) -> None:
        self._had_response = True
        self.in_flight -= 1
        self._call_log.on_ended(now, counted=counted)
        self.response_times.on_ended(number, now, accepted=counted)
        remaining = self._remaining(number, usage, now, counted=counted)
        self.ledger.on_response(number, attrs.evolve(usage, remaining=remaining), now=now, counted=counted)
        self._pacer.on_response(now)

    def _remaining(self, number: int, usage: Usage, now: float, *, counted: bool) -> int | None:
        """Calls remaining, as a response says if its count is read as what it turned out to be."""
        limit = usage.limit or self.ledger.limit
        if not counted:
            self.direction.on_rejected()
        elif usage.remaining is not None and self.direction.on_accepted(
            number,
            usage.remaining,
            now=now,
            limit=self._pacer.limit,
            in_flight=self.in_flight,
            returned=self._call_log.returned,
        ):
            self.ledger.forget_remaining()
        return self.direction.remaining(usage.remaining, limit)

    def _is_probably_burst(self, now: float) -> bool:
        """Whether a rejection is about a burst: calls remain, or calls were accepted a moment ago.

        Not if we used up the hour ourselves and never saw calls come back.
        """
        if (self._pacer.remaining(now) or 0) > 0:
            return True
        ours = self._pacer.is_empty(now) and self._pacer.is_used_up_by_us(now)
        if ours and not self.ledger.refill.seconds_per_call:
            return False
        accepted = self._call_log.count(now) > self.in_flight
        return accepted and self.ledger.refill.overdue < LONGEST_BURST * self._window


def _delay(seconds: float, reason: DelayReason) -> Delay:
    return Delay(seconds, reason) if seconds > TIME_EPSILON else NO_DELAY
