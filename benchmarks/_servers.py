"""The servers of the experiment: the sandbox's three ways to count an hour, who else takes from it, and its answers."""

import math
import random
from collections.abc import Callable, Iterable
from typing import Literal, Protocol

import attrs

from fusedesk_async.sandbox import FixedHour, SlidingHour, TokenBucket

HOUR = 3_600.0
LIMIT = 1_800
SMALL_LIMITS = (1, 2, 5, 10, 60, 240)
TOO_MANY, FINE = 429, 200

Headers = Literal["both", "limit", "none", "junk"]
Change = tuple[float, int]
"""When the limit changes, and what it is from then on."""

_JUNK = ("", "n/a", "-3", "1e3", "99999999999999999999", "12, 13", "\N{ARABIC-INDIC DIGIT SEVEN}")
_TOO_HIGH = "99999"


class Model(Protocol):
    """What the experiment asks of a way to count."""

    limit: int

    @property
    def capacity(self) -> int:
        """The most calls it can ever show to be left."""
        ...

    def admit(self, now: float) -> bool:
        """Count a call; false: refuse it."""
        ...

    def remaining(self, now: float) -> int:
        """Calls that would be admitted at this moment."""
        ...

    def wait_for(self, calls: int, now: float) -> float:
        """Seconds until so many calls are left if nobody calls; infinite if that will never be."""
        ...


class Fixed(FixedHour):
    """A fixed hour that tells when."""

    @property
    def capacity(self) -> int:
        """The most calls it can ever show to be left."""
        return self.limit

    def wait_for(self, calls: int, now: float) -> float:
        """Seconds until so many calls are left if nobody calls."""
        if self.remaining(now) >= calls:
            return 0.0
        return (self.phase - now) % self.window or self.window if calls <= self.limit else math.inf


class Sliding(SlidingHour):
    """A sliding hour that tells when, and that stands a change of its limit."""

    def __init__(self, limit: int = LIMIT, *, most: int = LIMIT, used: int = 0) -> None:
        super().__init__(max(limit, most), used=used)
        self.limit = limit

    @property
    def capacity(self) -> int:
        """The most calls it can ever show to be left."""
        return self.limit

    def wait_for(self, calls: int, now: float) -> float:
        """Seconds until so many calls are left if nobody calls."""
        missing = calls - self.remaining(now)
        if missing <= 0:
            return 0.0
        return self._calls[missing - 1] + self.window - now if calls <= self.limit else math.inf


class Bucket(TokenBucket):
    """A token bucket that tells when. A change of its limit is one of what flows in."""

    @property
    def capacity(self) -> int:
        """The most calls it can ever show to be left."""
        return self.burst

    def wait_for(self, calls: int, now: float) -> float:
        """Seconds until so many calls are left if nobody calls."""
        if self.remaining(now) >= calls:
            return 0.0
        return (calls - self._tokens) * self.window / self.limit if calls <= self.burst else math.inf


@attrs.frozen
class Kind:
    """A kind of server.

    Attributes:
        make: Makes a fresh one, with what is unknown to the client (a phase) drawn from a random source.
        changed_limit: What the limit becomes in mid-run; None if it stays.
    """

    make: Callable[[random.Random], Model]
    changed_limit: int | None = None


def fixed_at(phase: float, used: int = 0) -> Kind:
    """A fixed hour that begins anew so many seconds after the start."""
    return Kind(lambda _: Fixed(LIMIT, phase=phase, used=used))


def fixed(used: int = 0, changed_limit: int | None = None, limit: int = LIMIT) -> Kind:
    """A fixed hour of unknown phase."""
    return Kind(lambda source: Fixed(limit, phase=source.uniform(0, HOUR), used=used), changed_limit)


def sliding_of(limit: int) -> Kind:
    """A sliding hour with so many calls."""
    return Kind(lambda _: Sliding(limit, most=limit))


def bucket_of(limit: int) -> Kind:
    """A bucket into which so many calls flow in an hour."""
    return Kind(lambda _: Bucket(limit))


KINDS = {
    "fixed hour": fixed(),
    "sliding hour": Kind(lambda _: Sliding()),
    "bucket": Kind(lambda _: Bucket(LIMIT)),
    "bucket, burst 100": Kind(lambda _: Bucket(LIMIT, burst=100)),
    "fixed hour, 1500 used": fixed(used=1_500),
    "fixed hour, all used": fixed(used=LIMIT),
    "fixed hour, limit halved": fixed(changed_limit=LIMIT // 2),
    "fixed hour, limit doubled": fixed(changed_limit=LIMIT * 2),
    "sliding hour, limit halved": Kind(lambda _: Sliding(), LIMIT // 2),
    "sliding hour, limit doubled": Kind(lambda _: Sliding(most=LIMIT * 2), LIMIT * 2),
}


SMALL = {
    **{f"fixed hour of {limit}": fixed(limit=limit) for limit in SMALL_LIMITS},
    **{f"sliding hour of {limit}": sliding_of(limit) for limit in SMALL_LIMITS},
    **{f"bucket of {limit}": bucket_of(limit) for limit in SMALL_LIMITS},
}
"""Servers with few calls an hour."""


class Server:
    """A model in time, with the other programs that use the same key.

    Args:
        model: How it counts.
        others: When others' calls arrive, in order; may go on for ever. They take a call if there is one.
        change: When the limit changes.
    """

    def __init__(self, model: Model, others: Iterable[float] = (), change: Change | None = None) -> None:
        self._model = model
        self._others = iter(others)
        self._next_other = next(self._others, math.inf)
        self._change = change

    def at(self, now: float) -> Model:
        """The model, after all that happened up to this moment."""
        if self._change and self._change[0] <= now:
            self._take_others(self._change[0])
            self._model.limit = self._change[1]
            self._change = None
        self._take_others(now)
        return self._model

    @property
    def next_change(self) -> float:
        """When the limit changes next."""
        return self._change[0] if self._change else math.inf

    def _take_others(self, now: float) -> None:
        while self._next_other <= now:
            self._model.admit(self._next_other)
            self._next_other = next(self._others, math.inf)


def headers(model: Model, now: float, mode: Headers, source: random.Random) -> dict[str, str]:
    """The usage headers of an answer, as much of them as this server sends."""
    limit, remaining = str(model.limit), str(max(0, model.remaining(now)))
    luck = source.random() if mode == "junk" else 1.0
    if luck < 0.2:
        return {}
    if luck < 0.4:
        limit, remaining = source.choice((limit, *_JUNK)), source.choice((*_JUNK, _TOO_HIGH))
    wanted = {"x-fusedesk-usage-limit": limit} if mode != "none" else {}
    return wanted | ({"x-fusedesk-usage-remaining": remaining} if mode in {"both", "junk"} else {})
