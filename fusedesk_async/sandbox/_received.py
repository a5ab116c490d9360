"""A request as the sandbox keeps it."""

from dataclasses import dataclass


@dataclass
class Received:
    """A request as it came, key and all.

    Args:
        method: GET, POST, …
        path: as sent, still percent-encoded.
        query: names and values in their order.
        form: those of an urlencoded or multipart body.
        headers: with lower-case names.
        body: the bytes of it.
        at: when, seconds of the clock's `monotonic()`.
        operation: as scripts call it; "any" for a path nobody knows.
        status: of the answer, which may still wait for its latency; 0 for a dropped connection.
    """

    method: str
    path: str
    query: list[tuple[str, str]]
    form: list[tuple[str, str]]
    headers: list[tuple[str, str]]
    body: bytes
    at: float
    operation: str = "any"
    status: int = 0
