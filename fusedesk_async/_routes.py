"""The kind of a call: its path without what differs from call to call."""

_WORDS = frozenset(
    {
        *("v1", "v2"),
        *("cases", "casetags", "chats", "contacts", "departments", "emails", "integrations", "reps", "session"),
        *("usage", "webhooks"),
        *("addnote", "all", "archived", "close", "doask", "dontask", "feedback", "history", "permissions", "poweredby"),
        *("reply", "request", "restore", "snooze", "tag", "unassigned", "untag", "update"),
    }
)
"""The words that public sources show in paths."""
_LONGEST = 7
"""Parts of the longest path that any source shows, and one more."""


def route_of(path: str) -> str:
    """The path with `{id}` for each part that is no word of the API: `v1/cases/{id}/tag/{id}`.

    So nothing personal gets through, such as an address in the place of an id, and there are few different routes,
    whatever is asked for.
    """
    parts = path.strip("/").split("/")
    shown = [part if part in _WORDS else "{id}" for part in parts[:_LONGEST]]
    return "/".join(shown if len(parts) <= _LONGEST else [*shown, "…"])
