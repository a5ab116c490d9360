"""A response as plain values."""

import re
from collections.abc import Callable, Mapping

import attrs

from fusedesk_async._exports import public
from fusedesk_async._text import one_line

SAMPLE_LENGTH = 200
"""Characters of an odd answer that an error shows."""


LONGEST_EXPLANATION = 1_000
"""Characters of the server's own explanation that an error shows."""


OK, MULTIPLE_CHOICES, BAD_REQUEST = 200, 300, 400


UNAUTHORIZED, FORBIDDEN, NOT_FOUND, OTHER_ERROR, TOO_MANY_REQUESTS, SERVER_ERROR = 401, 403, 404, 405, 429, 500


REQUEST_TIMEOUT, TOO_EARLY = 408, 425


@public
@attrs.frozen(eq=False)
class Answer:
    """What came back.

    Attributes:
        status: The HTTP status.
        headers: Names in lower case; a header that came several times has its values joined by a comma.
        body: The whole body, decompressed.
        received_at: When it came, in seconds since 1970.
        redact: Takes the key out of any of these before it gets into an error.
        http_version: `HTTP/1.1` or another; empty if the transport does not say.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
    received_at: float = 0.0
    redact: Callable[[str], str] = attrs.field(default=str, repr=False, eq=False)
    http_version: str = ""

    @property
    def sample(self) -> str:
        """The start of the body in one line; of an HTML page its title."""
        text = self.redact(self.body[:LONGEST_EXPLANATION].decode(errors="replace"))
        title = re.search(r"<title[^>]*>([^<]*)", text, re.IGNORECASE)
        return one_line(f"HTML page {title[1].strip()!r}" if title else text)[:SAMPLE_LENGTH]
