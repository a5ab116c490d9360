"""When others call: people of this program beside the bulk work, and another program with the same key."""

import random
from collections.abc import Iterator
from typing import Literal

import attrs
from _servers import HOUR

Manner = Literal["regular", "random", "bunched"]
BUNCH = 300.0
"""Seconds within which a bunch of calls is asked for."""


def poisson(rate: float, source: random.Random) -> Iterator[float]:
    """Moments that know nothing of each other; so many in a second on average, for ever."""
    now = 0.0
    while rate:
        now += source.expovariate(rate)
        yield now


@attrs.frozen
class People:
    """People who ask for something now and then.

    Attributes:
        per_hour: How many calls.
        manner: `regular`: evenly, give or take a quarter of the gap. `random`: Poisson, so in many an hour it is more
            than `per_hour`. `bunched`: those of an hour within five minutes, an hour after the last bunch.
    """

    per_hour: int
    manner: Manner = "regular"

    def moments(self, source: random.Random) -> Iterator[float]:
        """When they ask; for ever."""
        if self.manner == "random":
            yield from poisson(self.per_hour / HOUR, source)
            return
        gap = (HOUR if self.manner == "regular" else BUNCH) / self.per_hour
        now = source.uniform(0, HOUR if self.manner == "bunched" else gap)
        pattern = [gap * (number + source.uniform(0, 0.25)) for number in range(self.per_hour)]
        while True:
            yield from (now + offset for offset in pattern)
            now += HOUR
