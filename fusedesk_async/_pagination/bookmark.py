"""How far a walk has come, small enough for a text file."""

import re
from hashlib import sha256
from typing import Any, Self

import attrs

from fusedesk_async._exports import public
from fusedesk_async._wire.call import Call
from fusedesk_async._wire.encode import encode
from fusedesk_async.errors import ConfigurationError

_TEXT = r"fusedesk-walk/1 (?:-|(-?[0-9]{1,4300})) ([0-9]{1,19}) ([0-9a-f]{16})( descending)?"


@public
@attrs.frozen
class Bookmark:
    """How far a walk has come. `str(bookmark)` is one line of text, and `Bookmark.parse` reads it back.

    A case counts as done once it was handed out. So take the bookmark when your work on the case is done, too.

    Attributes:
        id: The id of the last case handed out; None if none was.
        rank: The offset at which that case was in the list. Only a hint: the list may have moved since.
        job: A fingerprint of the filters, since a bookmark says nothing about any other list.
        descending: Whether the server gives the highest ids first, so that smaller ones are still to come.
    """

    id: int | None
    rank: int
    job: str
    descending: bool = False

    def __str__(self) -> str:
        """`fusedesk-walk/1 <id> <rank> <job>`, with `-` for no id, and ` descending` behind it if ids descend."""
        text = f"fusedesk-walk/1 {'-' if self.id is None else self.id} {self.rank} {self.job}"
        return f"{text} descending" if self.descending else text

    @classmethod
    def parse(cls, text: str) -> Self:
        """The bookmark that a text was made from, blanks around it aside.

        Raises:
            ConfigurationError: The text is not a bookmark.
        """
        match = re.fullmatch(_TEXT, text.strip()) if isinstance(text, str) else None
        if match is None:
            message = f"not a walk bookmark: {text!r:.80}"
            raise ConfigurationError(message)
        number = None if match[1] is None else int(match[1])
        return cls(number, int(match[2]), match[3], match[4] is not None)


def job_of(call: Call[Any]) -> str:
    """The fingerprint of what a call asks for, in whatever order its parameters stand.

    Raises:
        ConfigurationError: A value has no spelling on the wire.
    """
    asked = "&".join(sorted(encode(call).query.split("&")))
    return sha256(f"{call.path}?{asked}".encode()).hexdigest()[:16]


def resumed_from(after: Bookmark | None, job: str | None) -> Bookmark:
    """Where a walk starts. If the job is not known yet, whether the bookmark belongs to it is left open.

    Raises:
        ConfigurationError: The bookmark belongs to other filters, or it is not one.
    """
    if after is None:
        return Bookmark(None, 0, job or "")
    if not isinstance(after, Bookmark):
        message = f"after is a Bookmark, from `walk.bookmark` or `Bookmark.parse`, not {type(after).__name__}"
        raise ConfigurationError(message)
    if job is not None and after.job != job:
        message = "this bookmark belongs to a walk with other filters; use the same ones, or start without it"
        raise ConfigurationError(message)
    return after
