"""What an operation of the library is: a Python call, what it sends, what comes of it, and how that is known."""

import inspect
import re
from collections.abc import Callable, Mapping
from functools import cache
from operator import attrgetter
from typing import Any, Literal, TypeAlias

import attrs

from fusedesk_async import FuseDesk, Lookup, Pages, Walk

Evidence: TypeAlias = Literal["seed page", "plugin", "third party", "assumed"]


def anything(answer: Any) -> bool:
    """What is all right where the type says all."""
    del answer
    return True


@cache
def unopened() -> FuseDesk:
    """A client to look at, not to use: made once, as that takes a while."""
    return FuseDesk("acme", api_key="key")


@attrs.frozen
class Operation:
    """One row of the table of operations.

    Attributes:
        call: The Python call below a client: `cases.get`.
        method: The HTTP method.
        path: The path below the API's root, with the call's arguments in braces: `v1/cases/{case_id}`.
        scope: The permission that the key needs; None if any key will do.
        evidence: Where the operation is known from.
        returns: The type of the answer; for lists and streams that of their elements.
        arguments: What the call is given, so that the sandbox takes it.
        query: What stands in the query string then.
        form: What stands in the form then.
        check: What else must be true of the answer.
        sent: Values of the path that are no arguments of the call.
        repeatable: Whether a write is sent again when its answer was lost.
    """

    call: str
    method: str
    path: str
    scope: str | None
    evidence: Evidence
    returns: type
    arguments: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    query: Mapping[str, str] = attrs.field(factory=dict[str, str], kw_only=True)
    form: Mapping[str, str] = attrs.field(factory=dict[str, str], kw_only=True)
    sent: Mapping[str, Any] = attrs.field(factory=dict[str, Any], kw_only=True)
    check: Callable[[Any], bool] = attrs.field(default=anything, kw_only=True)
    repeatable: bool = attrs.field(default=False, kw_only=True)

    @property
    def writes(self) -> bool:
        """Whether the answer is of a write."""
        return self.method != "GET"

    @property
    def path_sent(self) -> str:
        """The path as it is on the wire."""
        values = {**self.arguments, **self.sent}
        return "/api/" + re.sub(r"\{(\w+)\}", lambda match: str(values[match[1]]), self.path)

    def function(self) -> Any:
        """The method of the library."""
        owner, _, name = self.call.rpartition(".")
        desk = unopened()
        return getattr(type(attrgetter(owner)(desk) if owner else desk), name)

    async def carry_out(self, desk: FuseDesk) -> Any:
        """The answer, as a list if it is a list or a stream."""
        found = attrgetter(self.call)(desk)(**self.arguments)
        if isinstance(found, Pages):
            return await found.collect()
        if isinstance(found, Walk | Lookup):
            async with found as stream:
                return [each[1] if isinstance(each, tuple) else each async for each in stream]
        return await found if inspect.isawaitable(found) else found

    def fits(self, answer: Any) -> bool:
        """Whether an answer is of the type and as it should be."""
        elements = answer if isinstance(answer, list) else [answer]
        return bool(elements) and all(type(each) is self.returns for each in elements) and self.check(answer)
