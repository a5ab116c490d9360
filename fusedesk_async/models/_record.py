"""What all records read from the server have in common."""

from typing import Any

import attrs

from fusedesk_async import _json
from fusedesk_async._exports import public
from fusedesk_async.errors import UnexpectedResponseError


@public
@attrs.frozen(kw_only=True)
class Record:
    """A record as the server sent it, read into typed fields.

    Any field may be absent in an answer and is then None (lists: empty). Members of the answer that this library
    does not know are kept and can be reached through `raw`.

    Attributes:
        source: The JSON text of the record, exactly as it came. It takes no part in comparisons.
    """

    source: bytes = attrs.field(default=b"{}", repr=False, eq=False)

    @property
    def raw(self) -> dict[str, Any]:
        """The record as the server sent it, under the API's own names; a fresh dict each time.

        Raises:
            UnexpectedResponseError: A member that no field reads holds a number beyond a float.
        """
        try:
            value: dict[str, Any] = _json.loads(self.source)
        except ValueError as error:
            raise UnexpectedResponseError(str(error), None, "$") from None
        return value

    @property
    def json_line(self) -> bytes:
        """The record as the server sent it, on one line without its break, as JSON Lines want it.

        Only if it was sent over several lines, the line breaks and the indentation after them are dropped. That keeps
        its meaning and its spelling, since JSON allows raw line breaks between its tokens only.
        """
        if b"\n" in self.source or b"\r" in self.source:
            return b"".join(line.strip() for line in self.source.splitlines())
        return self.source


class Written:
    """A record that is written, whose fields have their names of requests."""

    __slots__ = ()
