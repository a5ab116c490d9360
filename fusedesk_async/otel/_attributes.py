"""The attributes of calls. None has many different values, is personal, or holds the key."""

from typing import TypeAlias
from urllib.parse import urlsplit

from fusedesk_async._wire.answer import BAD_REQUEST
from fusedesk_async.errors import FuseDeskError, Request

Attributes: TypeAlias = dict[str, str | int | float | bool]

NAME = "fusedesk_async"
SCHEMA = "https://opentelemetry.io/schemas/1.30.0"
ERROR_TYPE = "error.type"
STATUS = "http.response.status_code"
_PORTS = {"http": 80, "https": 443}
_PATH_WORDS = frozenset(
    {
        *("v1", "v2"),
        *("cases", "casetags", "chats", "contacts", "departments", "emails", "integrations", "reps", "session"),
        *("usage", "webhooks"),
        *("addnote", "all", "archived", "close", "doask", "dontask", "feedback", "history", "permissions", "poweredby"),
        *("reply", "request", "restore", "snooze", "tag", "unassigned", "untag", "update"),
    }
)
"""The words that public sources show in paths."""
_MAX_PARTS = 7
"""Parts of the longest path that any source shows, and one more."""


def server_attributes(base_url: str) -> Attributes:
    """Where calls go."""
    address = urlsplit(base_url)
    return {"server.address": address.hostname or "", "server.port": address.port or _PORTS[address.scheme]}


def request_attributes(request: Request) -> Attributes:
    """What is called."""
    return {"http.request.method": request.method, "url.template": f"/api/{route_of(request.path)}"}


def status_attributes(status: int) -> Attributes:
    """The response."""
    attributes: Attributes = {STATUS: status}
    if status >= BAD_REQUEST:
        attributes[ERROR_TYPE] = str(status)
    return attributes


def error_attributes(error: FuseDeskError) -> Attributes:
    """How it failed."""
    return {ERROR_TYPE: type(error).__name__}


def route_of(path: str) -> str:
    """The path with `{id}` for each part that is no word of the API: `v1/cases/{id}/tag/{id}`.

    So nothing personal gets through, such as an email address for an id, and there are few different routes,
    whatever is asked for.
    """
    parts = path.strip("/").split("/")
    shown = [part if part in _PATH_WORDS else "{id}" for part in parts[:_MAX_PARTS]]
    return "/".join(shown if len(parts) <= _MAX_PARTS else [*shown, "…"])
