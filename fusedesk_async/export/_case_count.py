"""How many cases match, found out with a few calls: the API gives no totals, but beyond the end it sends nothing."""

import math

import attrs

from fusedesk_async._client import FuseDesk
from fusedesk_async._pagination.pages import Pages
from fusedesk_async.errors import UnexpectedResponseError
from fusedesk_async.filters import CaseFilters, desc
from fusedesk_async.models import Case

CLOSE_BOUNDS = 0.02
"""Part of the number by which the bounds may differ for a probe to be superfluous."""
PROBE_DIVISOR = 16
"""The next offset is divided by this while no probe has met a row."""
UNREADABLE_ROWS = 3
"""Consecutive rows without a readable id after which a probe is given up."""


@attrs.define
class CaseCount:
    """What is known of the number of cases.

    Ids are given in order, so there are no more cases than the newest id says, and as many up to any id as its position
    in the list says. Between the two, ids are taken to be spread evenly.

    Attributes:
        newest: The highest id.
        at_least: Cases that were there for certain.
        at_most: No more than this many.
        likely: The best guess.
    """

    newest: int
    at_least: int = 1
    at_most: int = attrs.field(default=attrs.Factory(lambda count: count.newest, takes_self=True))
    likely: int = attrs.field(default=attrs.Factory(lambda count: count.newest, takes_self=True))

    @property
    def next_offset(self) -> int | None:
        """Where to look next; None if that would tell little."""
        if self.at_most - self.at_least <= CLOSE_BOUNDS * self.at_most:
            return None
        if self.at_least == 1:  # no row was met yet
            return self.at_most // (2 if self.at_most == self.newest else PROBE_DIVISOR)
        return (self.at_least + self.at_most) // 2

    def on_probe(self, offset: int, found: int | None) -> None:
        """Narrow the bounds: at this offset there is the case with this id, or none."""
        if found is None:
            self.at_most = max(offset, self.at_least)
            self.likely = math.isqrt(self.at_least * self.at_most) if self.at_least == 1 else self.likely
        else:
            self.at_least = min(offset + 1, self.at_most)
            self.likely = self.at_least + round((self.newest - found) * self.at_least / max(found, 1))
        self.likely = min(max(self.likely, self.at_least), self.at_most)


async def count_cases(desk: FuseDesk, filters: CaseFilters, *, probes: int) -> CaseCount:
    """Ask for the newest case and for those at a few offsets; `probes` calls and one more at the most.

    That the server honours `caseid desc` is known from the plugin only; if it does not, the guess is too low.
    """
    newest = await _first_id(desk.cases.search(order_by=desc("id"), **filters))
    if newest is None or newest < 1:
        return CaseCount(0, 0)
    known, by_id = CaseCount(newest), desk.cases.search(**filters)
    for _ in range(probes):
        offset = known.next_offset
        if not offset:
            break
        known.on_probe(offset, await _first_id(by_id, offset))
    return known


async def _first_id(cases: Pages[Case], offset: int = 0) -> int | None:
    """The id of the case at an offset, or of the next one with an id that can be read; None if there is none."""
    for at in range(offset, offset + UNREADABLE_ROWS):
        try:
            case = await cases.first(offset=at)
        except UnexpectedResponseError as error:
            if not error.path.startswith("$["):  # more than one record of the list
                raise
        else:
            return case.id if case else None
    return None
