"""The table of endpoints; a function joins it by its decorator."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

from fusedesk_async.sandbox._call import Call
from fusedesk_async.sandbox._state import State

Handler = Callable[[State, Call], object]

#: Scopes of section 2.1, and some whose names are assumed: `casetags`, `chats`, `contacts`, `emails` and `webhooks`.
ALL_SCOPES = frozenset(
    {
        "cases",
        "cases_create",
        "cases_update",
        "casetags",
        "chats",
        "contacts",
        "departments",
        "emails",
        "integrations",
        "reps",
        "webhooks",
    }
)


@dataclass(frozen=True)
class Endpoint:
    """A method and path, the operation's name for scripts, the scope it wants, and the function that does it."""

    method: str
    path: re.Pattern[str]
    operation: str
    scope: str | None
    handler: Handler


ENDPOINTS: list[Endpoint] = []


def endpoint(method: str, path: str, operation: str, scope: str | None = None) -> Callable[[Handler], Handler]:
    """Put a function into the table.

    Args:
        method: GET, POST or DELETE.
        path: below `/api/`, with placeholders like `{case}` that hold anything but a slash.
        operation: the name scripts know it by.
        scope: what the key must be allowed; None: any key will do.
    """
    pattern = re.compile("/api/" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + "/?")

    def register(handler: Handler) -> Handler:
        ENDPOINTS.append(Endpoint(method, pattern, operation, scope, handler))
        return handler

    return register


def check_operation(operation: str) -> None:
    """Refuse a name that no endpoint has.

    Raises:
        ValueError: It has none; the message names the nearest.
    """
    known = {"any", *(known.operation for known in ENDPOINTS)}
    if operation not in known:
        near = get_close_matches(operation, known, 1)
        meant = f"; did you mean {near[0]!r}?" if near else f", which are {', '.join(sorted(known))}"
        message = f"{operation!r} is none of the operations{meant}"
        raise ValueError(message)


def find_endpoint(method: str, path: str) -> tuple[Endpoint, dict[str, str]] | None:
    """The endpoint of a method and path (with or without a slash at its end) and the placeholders' values."""
    for candidate in ENDPOINTS:
        if candidate.method == method and (match := candidate.path.fullmatch(path)):
            return candidate, match.groupdict()
    return None
