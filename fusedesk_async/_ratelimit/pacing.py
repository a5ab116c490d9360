"""How fast the hourly allowance may be used.

Neither the kind of hour the server keeps (fixed, sliding, a bucket that fills) nor when it begins is known. So bulk
calls run freely down to a reserve, and from there on trickle: the response to each of these calls says whether more
have come back, whatever the reason. Numbers in, numbers out; no clock.
"""

import math

import attrs

from fusedesk_async._ratelimit.allowance import Ledger
from fusedesk_async._ratelimit.call_log import CallLog

TRICKLE_BUDGET, LEAST_TRICKLE_FLOOR = 1 / 25, 6
"""What the trickle is fed from, above the reserve: part of the hour's calls, enough for one a minute and a few more.

And the calls remaining at which it begins where the hour has very few."""
LONGEST_TRICKLE_GAP = 1 / 60
"""Part of the hour between two calls of the trickle; longer only where what remains would not last the hour."""
OUTLAST_HOUR, QUICK_POLLS = 1.1, 4
"""What remains, less the first quick polls, must outlast the hour by a tenth, or jitter makes it run out just before
its end."""
DEEP_RESERVE_USE = 4 / 3
"""The floor is this many times what remains when interactive calls took as much of the reserve as the trickle was to
get."""
HOPELESS = 2
"""Others that are expected to make this many times as many calls as the hour allows leave nothing to anybody."""
GAP_GROWTH = 3
"""If nothing has come back for some time, the next call of the trickle goes after this many times as long."""
FIRST_LOOK, LEAST_QUICK_LOOKS = 1 / 36_000, 4
"""Part of the hour after which the trickle first looks whether calls have come back, as what the server counts in may
be a second; and how many calls must remain for that. Where fewer do, a look is too dear to make it so soon."""
FEW_SHOWN, LEAST_SPREAD = 1 / 2, 5
"""Where no response ever showed more than this part of the limit, it is a bucket that holds little, the hour was used
by others, or the header counts calls used: then what remains says too little to be spread over the hour.

And calls an hour below which none can be spared for an early look."""
SHORT_HOUR = 1 / 2
"""Part of the hour. If more calls than two hours allow are accepted within it, the server's hour is shorter."""
FIRST_POLL, LONGEST_POLL_GAP = 1 / 3_600, 1 / 12
"""Parts of the hour until a call finds out whether more have come back when none remained."""
LOOK_GROWTH = 10
"""A call that does not wait finds it out after this many times as long as none had come back when one last looked."""
EARLINESS = 1 / 20
"""A call that does not wait may go if it waited long enough but for this part, as moments are known no better."""
RETURN_SPREAD = 1 / 10
"""Part of the time in which one call comes back on the average. Callers are asked to come back so far apart when no
more is known than that many are back by then."""


@attrs.define(eq=False, repr=False)
class HourlyPacer:
    """Says when the next call may go, by what remains of the hour.

    Args:
        reserve: Part of the hourly limit that bulk calls leave to interactive ones, from 0 to 1.
        window: How long the hour lasts, in seconds.
        assumed_limit: Calls per hour, as long as no response says.
        ledger: What responses have said.
        call_log: The calls of the last hour.
    """

    reserve: float
    window: float
    assumed_limit: int
    ledger: Ledger
    call_log: CallLog
    _last_bulk: float = -math.inf
    _last_call: float = -math.inf
    _returned_before: int = 0  # calls that were an hour old when a response last said how many remain
    _returning_at: float = math.inf  # when many of our own calls are an hour old, as of the last bulk call
    _shortest_seen: float = math.inf  # seconds within which more calls than two hours allow were accepted
    _seen_with_limit: int | None = None  # the limit at that time

    @property
    def limit(self) -> int:
        """Calls per hour, as far as known."""
        return self.ledger.limit or self.assumed_limit

    def remaining(self, now: float) -> int | None:
        """Calls that certainly remain; None if responses do not say, or none has for an hour."""
        return None if now - self.ledger.remaining_at > self.window else self.ledger.certainly_remaining

    def on_granted(self, now: float, *, bulk: bool) -> None:
        """A call was granted."""
        self._last_call = now
        if bulk:
            self._last_bulk, self._returning_at = now, now + self.until_calls_return(now)

    def on_response(self, now: float) -> None:
        """The ledger has got a response."""
        if self.limit != self._seen_with_limit:
            self._shortest_seen, self._seen_with_limit = math.inf, self.limit
        self._shortest_seen = min(self._shortest_seen, self.call_log.seconds_of(2 * self.limit + 1, now))
        if self.ledger.remaining_at == now:
            self.call_log.count(now)
            self._returned_before = self.call_log.returned

    @property
    def longest_window(self) -> float:
        """Seconds that the server's hour lasts at most.

        While one passes, no more than twice its calls can be accepted, whether it is fixed, sliding, or a bucket.
        """
        return self._shortest_seen if self._shortest_seen < SHORT_HOUR * self.window else self.window

    def delay(self, now: float, *, bulk: bool, polls: bool = True) -> float:
        """Seconds until a call may go; 0 for now; infinite if that depends on a response.

        Args:
            now: The time, in seconds.
            bulk: Whether it is a bulk call.
            polls: Whether it may find out, at the risk of being rejected, if more have come back when none remained.
        """
        remaining = self.remaining(now)
        if remaining is None:
            return self.call_log.delay(self.limit - self.reserved if bulk else self.limit, now)
        if remaining > (self._floor + self._others if bulk else 0):
            return 0.0
        if remaining >= 1:
            return max(0.0, self._next_trickle(remaining, now) - now)
        if polls and bulk and self.is_used_up_by_us(now) and not self._is_emptied_by_people:
            return self.call_log.delay(self.limit, now)  # no look is worth a rejection
        if polls:
            return max(0.0, max(self._last_call, self.ledger.remaining_at) + self._poll_gap(1 - remaining) - now)
        seconds = min(self._until_returned(1 - remaining, now), self.until_look(now))
        return seconds if seconds > EARLINESS * (now - self.ledger.remaining_at) else 0.0

    def turn(self, turn: int, now: float, *, bulk: bool) -> float:
        """Seconds until the `turn`-th call of those that do not wait may go, counted from 1, as far as is known."""
        remaining = self.remaining(now)
        if remaining is None:
            return self.call_log.turn(turn, self.limit - self.reserved if bulk else self.limit, now)
        kept = math.floor(self._floor + self._others) if bulk else 0
        if remaining - kept >= turn:
            return 0.0
        returned = self._until_returned(turn + kept - remaining, now)
        if not bulk:
            return returned
        first = (
            max(0.0, self._next_trickle(remaining, now) - now)
            if remaining >= 1
            else self._until_returned(1 - remaining, now)
        )
        least_gap = FIRST_POLL * self.window if self.ledger.refill.seconds_per_call else self.average_gap
        return min(returned, first + (turn - 1) * max(self._trickle_gap, least_gap))

    def until_look(self, now: float) -> float:
        """Seconds until a call that does not wait may find out whether more have come back when none remained."""
        since, looked_at = self.ledger.refill.since, self.ledger.remaining_at
        empty_for = looked_at - since
        if empty_for < self.average_gap:
            return max(0.0, looked_at + self.average_gap - now)
        return max(0.0, since + LOOK_GROWTH * empty_for - now)

    @property
    def average_gap(self) -> float:
        """Seconds in which one call comes back, on the average of the hour."""
        return self.window / self.limit

    def _until_returned(self, calls: int, now: float) -> float:
        """Seconds until so many calls are back: evenly unless that was seen to be wrong, else an hour after they went.

        Of calls that are not ours no more is known than that all are back an hour after the last one came back; these
        are spread a little.
        """
        refill, looked_at = self.ledger.refill, self.ledger.remaining_at
        self.call_log.count(now)
        missing = calls - (self.call_log.returned - self._returned_before)
        returned = self.call_log.until_returned(missing, now) if missing > 0 else 0.0
        if math.isinf(returned):
            hours, place = divmod(calls - 1, self.limit)
            spread = place * RETURN_SPREAD * self.average_gap
            returned = max(refill.since + (hours + 1) * self.window - now, 0.0) + spread
        step = refill.seconds_per_call or self.average_gap
        if looked_at - refill.since < step:
            returned = min(returned, max(0.0, looked_at + calls * step - now))
        return returned

    def seconds_for(self, calls: int, now: float) -> float:
        """Seconds until so many bulk calls are made, at the rate at which calls come back on the average."""
        return max(0.0, calls - max(0.0, self.free(now))) * self.window / self.limit

    def free(self, now: float) -> float:
        """How many bulk calls may go before they trickle; less than 0 if they do."""
        remaining = self.remaining(now)
        if remaining is None:
            return self.limit - self.reserved - self.call_log.count(now)
        return remaining - self._floor - self._others

    def hourly_share(self, now: float) -> float:
        """How many calls of each whole hour bulk calls get, those of the trickle not counted."""
        if self.remaining(now) is None:
            return self.limit - self.reserved
        return self.limit - self._floor_of(self.limit) - self.ledger.others.rate(now) * self.window

    @property
    def longest_trickle_gap(self) -> float:
        """Seconds between two calls of the trickle, at most."""
        return max(LONGEST_TRICKLE_GAP, OUTLAST_HOUR / max(self._floor - QUICK_POLLS, 1.0)) * self.longest_window

    def _next_trickle(self, remaining: int, now: float) -> float:
        """When the next call of the trickle may go. Interactive calls count, too, as their responses say the same."""
        as_expected = self._reserve_use <= DEEP_RESERVE_USE and not self.ledger.refill.overdue
        regular = max(self._last_bulk, -math.inf if as_expected else self.ledger.remaining_at) + self._trickle_gap
        if not self._shows_few:
            regular = max(regular, min(self._spread_look(remaining), self._next_own_return(now)))
        enough_to_look_again = min(2 * QUICK_POLLS, self._floor - QUICK_POLLS)
        return min(regular, self._returning_at) if remaining > enough_to_look_again else regular

    def _spread_look(self, remaining: int) -> float:
        """When the next look is due if those that remain are to last for an hour, each after a multiple of the time.

        The last one is left for when the hour has certainly passed.
        """
        since = self.ledger.refill.since
        looked_for = max(self._last_bulk, self.ledger.remaining_at) - since
        quick = remaining >= LEAST_QUICK_LOOKS
        first = (FIRST_LOOK if quick else FIRST_POLL) * self.window
        if quick and looked_for < first:
            return since + first
        looked_for = max(looked_for, first)
        return since + looked_for * math.pow(max(1.0, OUTLAST_HOUR * self.longest_window / looked_for), 1 / remaining)

    def _next_own_return(self, now: float) -> float:
        """When one of our own calls that counted at the newest look is an hour old, so that a look costs nothing."""
        self.call_log.count(now)
        missing = 1 - (self.call_log.returned - self._returned_before)
        return now + self.call_log.until_returned(missing, now) if missing > 0 else now

    def until_calls_return(self, now: float) -> float:
        """Seconds until many of our own calls are an hour old.

        That opens a sliding hour, and a fixed one in which we began as soon as it opened.
        """
        many = math.ceil(max(self._floor, 1))
        return self.call_log.delay(self.call_log.count(now) - many, now)

    def is_unrestricted(self, now: float) -> bool:
        """Whether bulk calls need not trickle."""
        remaining = self.remaining(now)
        if remaining is None:
            return self.call_log.count(now) < self.limit - self.reserved
        return remaining > self._floor + self._others

    def is_empty(self, now: float) -> bool:
        """Whether responses say that no call remains."""
        remaining = self.remaining(now)
        return remaining is not None and remaining < 1

    def is_used_up_by_us(self, now: float) -> bool:
        """Whether our own calls of the last hour are as many as it has, unless the server's is shorter."""
        return self.call_log.count(now) >= self.limit and self.longest_window == self.window

    @property
    def _is_emptied_by_people(self) -> bool:
        """Whether an interactive call was the last one, after calls were seen to come back: bulk calls leave one."""
        return self._last_call > self._last_bulk and self.ledger.refill.seconds_per_call > 0

    @property
    def _shows_few(self) -> bool:
        """Whether responses never showed much of the limit to remain, or it is hardly any."""
        return self.ledger.most_remaining <= FEW_SHOWN * self.limit or self.limit < LEAST_SPREAD

    @property
    def reserved(self) -> int:
        """Calls an hour that are kept for interactive calls."""
        return min(math.ceil(self.reserve * self.limit), self.limit - 1)

    @property
    def _floor(self) -> float:
        """Calls remaining at which bulk calls begin to trickle.

        Never more than half of what ever remained, unless bulk calls were left as many as a whole hour leaves them: a
        small bucket shows no more than it holds, and would be below any other reserve from the start.
        """
        return self._floor_of(self.ledger.most_remaining)

    def _floor_of(self, most: int) -> float:
        asked = (self.reserve + TRICKLE_BUDGET) * self.limit
        return min(max(asked, LEAST_TRICKLE_FLOOR), max(most / 2, most - max(self.limit - asked, 1)))

    @property
    def _others(self) -> float:
        """Calls that other programs will make, at their present rate, until an hour after one last came back.

        Bulk calls leave them, or interactive calls would miss them later. If others use up the hour anyway, that cannot
        be helped, and bulk calls leave nothing.
        """
        now, since = self.ledger.remaining_at, self.ledger.refill.since
        expected = self.ledger.others.rate(now) * max(0.0, since + self.window - now)
        return expected if expected < HOPELESS * self.limit else 0.0

    @property
    def _reserve_use(self) -> float:
        """The floor as a multiple of what remains, calls in flight included; above 1 if the reserve is being used."""
        return self._floor / (self.ledger.remaining or 1)

    @property
    def _trickle_gap(self) -> float:
        """Seconds between two calls of the trickle: what one call takes to come back, or longer if none does.

        As long as none ever did, the first is brief, but not nothing, or all would go at once where calls take no time.
        Less while only the calls in flight take what remains below the floor: a bucket that is full shows no more
        coming back than is taken from it. More while interactive calls use the reserve, so that it fills again.
        """
        refill = self.ledger.refill
        quick = not self._shows_few or (self.ledger.certainly_remaining or 0) >= LEAST_QUICK_LOOKS
        first = FIRST_LOOK * self.window if quick else self.average_gap
        usual = (refill.seconds_per_call or first) * min(self._reserve_use, self._reserve_use**2)
        return min(max(GAP_GROWTH * refill.overdue, usual), self.longest_trickle_gap)

    def _poll_gap(self, missing: int) -> float:
        """Seconds until so many calls may have come back."""
        refill = self.ledger.refill
        usual = refill.seconds_per_call * missing or FIRST_POLL * self.window
        if self.ledger.others.rate(self.ledger.remaining_at):  # they take what comes back, and so hide how much does
            usual = min(usual, LONGEST_TRICKLE_GAP * self.longest_window)
        return min(max(refill.overdue, usual), LONGEST_POLL_GAP * self.longest_window)
