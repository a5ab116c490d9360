"""How many cases match, found out with a few calls: the API tells no totals, but beyond the end nothing comes."""

import math
from collections.abc import Mapping
from typing import Any

import attrs

from fusedesk_async import _json
from fusedesk_async._client import FuseDesk
from fusedesk_async._wire.php_values import whole_number
from fusedesk_async._wire.search_query import search_query
from fusedesk_async.filters import CaseFilters, desc

NEAR_ENOUGH = 0.02
"""Part of the number by which bounds may differ."""
FEWER = 16
"""By so much the next probe goes down while none has met a row."""


@attrs.define
class Estimate:
    """What is known of the number of cases.

    Ids are given in order, so there are no more cases than the newest id says, and as many up to any id as its place
    in the list says. Between the two, ids are taken to be spread evenly.

    Attributes:
        newest: The highest id.
        at_least: Cases that were surely there.
        at_most: No more than so many.
        likely: The best guess.
    """

    newest: int
    at_least: int = 1
    at_most: int = attrs.field(default=attrs.Factory(lambda estimate: estimate.newest, takes_self=True))
    likely: int = attrs.field(default=attrs.Factory(lambda estimate: estimate.newest, takes_self=True))

    @property
    def next_offset(self) -> int | None:
        """Where to look next; None if that would tell little."""
        if self.at_most - self.at_least <= NEAR_ENOUGH * self.at_most:
            return None
        if self.at_least == 1:  # no row was met yet
            return self.at_most // (2 if self.at_most == self.newest else FEWER)
        return (self.at_least + self.at_most) // 2

    def told(self, offset: int, found: int | None) -> None:
        """At an offset there is the case with this id, or none."""
        if found is None:
            self.at_most = max(offset, self.at_least)
            self.likely = math.isqrt(self.at_least * self.at_most) if self.at_least == 1 else self.likely
        else:
            self.at_least = min(offset + 1, self.at_most)
            self.likely = self.at_least + round((self.newest - found) * self.at_least / max(found, 1))
        self.likely = min(max(self.likely, self.at_least), self.at_most)


async def estimate(desk: FuseDesk, filters: CaseFilters, *, probes: int) -> Estimate:
    """Ask for the newest case and for those at a few offsets; `probes` calls and one more at the most.

    That the server honours `caseid desc` is known from the plugin only; if it does not, the guess is too low.
    """
    newest = await _first_id(desk, search_query(desc("id"), **filters), 0)
    if newest is None or newest < 1:
        return Estimate(0, 0)
    known, query = Estimate(newest), search_query(None, **filters)
    for _ in range(probes):
        offset = known.next_offset
        if not offset:
            break
        known.told(offset, await _first_id(desk, query, offset))
    return known


async def _first_id(desk: FuseDesk, query: Mapping[str, Any], offset: int) -> int | None:
    """The id of the case at an offset; None if there is none, or none that can be read."""
    answer: Any = await desk.call("GET", "cases", query={**query, "limit": 1, "offset": offset})
    case: Any = answer[0] if _json.is_list(answer) and answer else None
    if not _json.is_object(case):
        return None
    try:
        return whole_number(case.get("caseid") or case.get("id"))
    except ValueError:
        return None
