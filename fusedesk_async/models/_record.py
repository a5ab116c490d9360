"""What all records read from the server have in common."""

from collections.abc import Callable
from typing import Any

import attrs

from fusedesk_async import _json
from fusedesk_async._exports import public
from fusedesk_async.errors import UnexpectedResponseError


@public
@attrs.frozen
class OddField:
    """A field of a record that could not be read, and is empty for that reason.

    Attributes:
        record_id: The id of the record.
        field: The name of the field.
        path: Where it stood in the response, such as `$[3].date_opened`.
        text: Its JSON text as it was sent, in one line, without the key, cut to 200 characters.
    """

    record_id: int | str | None
    field: str
    path: str
    text: str


@public
@attrs.frozen(kw_only=True)
class Record:
    """A record as the server sent it, read into typed fields.

    Any field may be absent in an answer and is then None (lists: empty). So is one that cannot be read, which then is
    in `odd`, too. Members of the answer that this library does not know are kept: `extra` has them, and so has `raw`.

    Attributes:
        source: The JSON text of the record, exactly as it came. It takes no part in comparisons.
        odd: The fields that could not be read; nearly always none. It takes no part in comparisons either.
    """

    source: bytes = attrs.field(default=b"{}", repr=False, eq=False)
    odd: tuple[OddField, ...] = attrs.field(default=(), repr=False, eq=False)

    @property
    def raw(self) -> dict[str, Any]:
        """The record as the server sent it, under the API's own names; a fresh dict each time.

        Raises:
            UnexpectedResponseError: A member holds what is not JSON, such as a number beyond a float; `source` has it.
        """
        try:
            value: dict[str, Any] = _json.loads(self.source)
        except ValueError as error:
            raise UnexpectedResponseError(str(error), None, "$") from None
        return value

    @property
    def extra(self) -> dict[str, Any]:
        """The members that this library does not know, under the server's names, with the values that were sent.

            case.extra.get("priority")

        A fresh dict each time.

        Raises:
            UnexpectedResponseError: As for `raw`.
        """
        known = _known_members(type(self))
        return {name: value for name, value in self.raw.items() if name not in known}

    @property
    def json_line(self) -> bytes:
        """The record as the server sent it, on one line without its break, as JSON Lines want it.

        Only if it was sent over several lines, the line breaks and the indentation after them are dropped. That keeps
        its meaning and its spelling, since JSON allows raw line breaks between its tokens only.
        """
        if b"\n" in self.source or b"\r" in self.source:
            return b"".join(line.strip() for line in self.source.splitlines())
        return self.source


def _known_members(record: type[Record]) -> frozenset[str]:
    """The names under which the server may send the fields of a kind of record."""
    return frozenset(name for find in name_finders for name in find(record))


name_finders: list[Callable[[type[Record]], frozenset[str]]] = []
"""Whoever reads records adds how its names are found: the one mapping of names is none of the records' business."""


class Written:
    """A record that is written, whose fields have their names of requests."""

    __slots__ = ()
