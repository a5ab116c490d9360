"""What is found out about a server while it is used. No source says how FuseDesk orders and caps its lists."""

import logging
from typing import Any, Literal, TypeAlias

import attrs

logger = logging.getLogger("fusedesk_async")

OrderBy: TypeAlias = Literal["caseid asc", "caseid", ""]
"""Ways to ask for the order of ids, the best first; the last is to ask for none."""
Direction: TypeAlias = Literal["ascending", "descending", "none"]
Nothing: TypeAlias = Literal["list", "empty", "false", "null", "error", "404"]
"""Ways to say that there are no rows: `[]`, an empty body or text, `false`, `null`, an error that says so, a 404."""


@attrs.frozen(kw_only=True)
class ServerProfile:
    """What a server was found to do; None for what is not known yet.

    Attributes:
        order: How it is asked for the order of ids: the first way that it took.
        direction: How ids run when it is asked so.
        descending: Whether it sorts by `caseid desc` when it is asked to.
        page_limit: Rows. It refuses larger limits, or sends no more.
        nothing: How it says that a list is empty, if not by `[]`.
        short_pages: Whether pages come short in the middle of a list, as if it filtered them after it cut them out.
    """

    order: OrderBy | None = None
    direction: Direction | None = None
    descending: bool | None = None
    page_limit: int | None = None
    nothing: Nothing | None = None
    short_pages: bool | None = None


@attrs.define(eq=False)
class LearnedProfile:
    """The profile of a client's server, as it grows.

    Attributes:
        value: What is known by now.
        longest_page: The most rows that came in one page.
    """

    value: ServerProfile = attrs.field(factory=ServerProfile)
    longest_page: int = 0

    def learn(self, **changes: Any) -> None:
        """Take note of what was found out, and log what is new."""
        learned = attrs.evolve(self.value, **changes)
        for name in changes:
            new = getattr(learned, name)
            if new != getattr(self.value, name):
                logger.info("the server's %s: %s", name.replace("_", " "), "unknown" if new is None else repr(new))
        self.value = learned
