"""What the API can do, one function per endpoint; a new resource is a new file here and a name in this import."""

from . import cases, casetags, contacts, departments, reps, session, writes
from ._registry import ALL_SCOPES, Endpoint, find_endpoint

_RESOURCES = (cases, casetags, contacts, departments, reps, session, writes)  # each fills the table as it is imported

__all__ = ["ALL_SCOPES", "Endpoint", "find_endpoint"]
