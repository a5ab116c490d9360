"""What the API can do, one function per endpoint; a new resource is a new file here and a name in this import."""

from . import (
    attention,
    bulk,
    cases,
    casetags,
    chats,
    contacts,
    departments,
    emails,
    reps,
    session,
    webhooks,
    writes,
)
from ._registry import ALL_SCOPES, Endpoint, check_operation, find_endpoint

# Each fills the table as it is imported: bulk before writes, whose path of a case would match as well.
_RESOURCES = (
    attention,
    bulk,
    cases,
    casetags,
    chats,
    contacts,
    departments,
    emails,
    reps,
    session,
    webhooks,
    writes,
)

__all__ = ["ALL_SCOPES", "Endpoint", "check_operation", "find_endpoint"]
