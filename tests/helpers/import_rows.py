"""What tests of imports share: rows, and what became of them."""

from collections import Counter
from typing import Any

import attrs
from clients import new_case

from fusedesk_async import Clock, FuseDesk, NewCase
from fusedesk_async.sandbox import Sandbox

OLD = 40
"""Cases that a sandbox has before an import."""


def rows_for(sandbox: Sandbox, count: int) -> list[NewCase]:
    """So many rows."""
    return [attrs.evolve(new_case(sandbox), summary=f"Row {number}") for number in range(count)]


def opened(sandbox: Sandbox) -> Counter[str]:
    """The summaries of the cases that were opened, and how often each."""
    cases = sandbox.state.cases
    return Counter(cases.value(case, "summary") for case in cases.ids() if case > OLD)


def once(count: int) -> Counter[str]:
    """Each of so many rows, opened once."""
    return Counter(f"Row {number}" for number in range(count))


def desk_over(sandbox: Sandbox, clock: Clock, **settings: Any) -> FuseDesk:
    """A client with a transport of its own."""
    return FuseDesk("acme", api_key=sandbox.api_key, clock=clock, **settings)
