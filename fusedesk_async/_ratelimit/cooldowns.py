"""Whom a 429 holds back: the endpoint that was refused, until a second one is, too, and then everybody.

An endpoint that always answers 429 has a limit of its own, and must hold up nobody else, and neither must several such
endpoints: after a pause of everybody an endpoint that was not refused probes first, and if that is accepted, each of
those that were refused goes on with a cooldown of its own. Numbers in, numbers out; no clock.
"""

import math
import random

import attrs

from fusedesk_async._ratelimit.cooldown import Cooldown

REFUSED_LATER = 1 / 3_600
"""Part of the hour by which endpoints that were refused probe later than others, if any of these waits."""


@attrs.define(eq=False, repr=False)
class Cooldowns:
    """The newest cooldown, and those of single endpoints that are still on from before.

    Args:
        window: The hour of the server's limit, in seconds.
        source: Where the jitter comes from.

    Attributes:
        newest: The newest cooldown.
        scope: The only endpoint that it holds back; None if it holds back all.
        others_accepted: Whether a call to another endpoint was accepted since it began.
    """

    window: float
    source: random.Random
    newest: Cooldown = attrs.field(init=False)
    scope: str | None = None
    others_accepted: bool = False
    _refused: set[str] = attrs.field(factory=set[str])
    _own: dict[str, Cooldown] = attrs.field(factory=dict[str, Cooldown])

    def __attrs_post_init__(self) -> None:
        self.newest = Cooldown(self.window, self.source)

    @property
    def active(self) -> bool:
        """Whether any endpoint is held back."""
        return any(cooldown.active for cooldown in self.all)

    @property
    def all(self) -> list[Cooldown]:
        """All that there are."""
        return [self.newest, *self._own.values()]

    def holds(self, endpoint: str) -> bool:
        """Whether calls to an endpoint are held back."""
        return any(cooldown.active for cooldown in self._of(endpoint))

    def delay(self, endpoint: str, now: float) -> float:
        """Seconds until a call may go; infinite while a probe is in flight, whose response decides."""
        later = self.newest.active and self.scope is None and endpoint in self._refused
        let_others_probe = max(0.0, self.newest.until + REFUSED_LATER * self.window - now) if later else 0.0
        return max(let_others_probe, *(cooldown.delay(now) for cooldown in self._of(endpoint)), 0.0)

    def pause(self, endpoint: str, now: float) -> float:
        """Seconds until the deadline."""
        return max((cooldown.until - now for cooldown in self._of(endpoint) if cooldown.active), default=0.0)

    def hinted(self, endpoint: str, now: float) -> float:
        """Seconds that the server said to wait."""
        return max((cooldown.hinted_until - now for cooldown in self._of(endpoint)), default=0.0)

    def predates(self, number: int, endpoint: str) -> bool:
        """Whether a call was granted before a present cooldown of its endpoint began."""
        return any(cooldown.predates(number) for cooldown in self._of(endpoint))

    def on_granted(self, number: int, endpoint: str) -> None:
        """A call was granted. During a cooldown that is the probe."""
        for cooldown in self._of(endpoint):
            cooldown.on_granted(number)

    def on_rejected(self, endpoint: str) -> Cooldown:
        """A call was rejected.

        Returns:
            The cooldown that must know.
        """
        if endpoint in self._own:
            return self._own[endpoint]
        if not self.newest.active:
            self.scope, self.others_accepted, self._refused = None if self._own else endpoint, False, set()
        elif self.scope not in {None, endpoint}:
            self._own[str(self.scope)] = self.newest
            self.newest, self.scope = Cooldown(self.window, self.source), None
        self._refused.add(endpoint)
        return self.newest

    def on_accepted(self, number: int, endpoint: str, now: float) -> bool:
        """A call got a response other than 429.

        Returns:
            Whether it was the probe and ended the newest cooldown.
        """
        own = self._own.get(endpoint)
        if own is not None and (own.on_accepted(number, now) or not own.active):
            del self._own[endpoint]
        if self.newest.active and self.scope not in {None, endpoint}:
            self.others_accepted = True
            return False
        ended = self.newest.on_accepted(number, now)
        if ended and self.scope is None and endpoint not in self._refused:
            for refused in self._refused - self._own.keys():  # it was not everybody's limit after all
                self._own[refused] = Cooldown(self.window, self.source)
        return ended

    def on_lost(self, number: int, endpoint: str) -> None:
        """A call got no response, or one that matters to its endpoint alone. If it was a probe, another may probe."""
        for cooldown in self._of(endpoint):
            cooldown.on_lost(number)

    def is_own(self, endpoint: str) -> bool:
        """Whether an endpoint is refused for reasons of its own, as others are not."""
        return endpoint in self._own or (self.newest.active and self.scope == endpoint and self.others_accepted)

    @property
    def stops_all(self) -> float:
        """Until when everybody is held back, in seconds, as far as is known; minus infinity if nobody knows."""
        everybody = self.newest.active and (self.scope is None or not self.others_accepted)
        return self.newest.until if everybody else -math.inf

    def _of(self, endpoint: str) -> list[Cooldown]:
        own = self._own.get(endpoint)
        found = [] if own is None else [own]
        return [*found, self.newest] if self.scope in {None, endpoint} else found
