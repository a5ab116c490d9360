"""One call as an endpoint sees it, and the reading of its fields. A field that cannot be read is refused with 405."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import orjson

from ._dates import UnreadableError, instant
from ._parameters import Parameters
from ._profile import USUAL, SandboxProfile
from ._refusals import not_found, refuse

#: Numbers beyond these do not fit a MySQL BIGINT.
_INTEGERS = range(-(1 << 63), 1 << 63)


#: What an endpoint answers whose body is empty.
NO_BODY = object()


@dataclass
class Call:
    """What was asked.

    Args:
        path: the placeholders of the path, by name.
        query: from the URL.
        form: from the body.
        now: when, whole seconds since 1970.
        scopes: what the key may do.
        usage: limit and calls left of the key, or None where nothing is counted.
        profile: which server is asked.
    """

    path: dict[str, str]
    query: Parameters
    form: Parameters
    now: int
    scopes: Collection[str] = ()
    usage: tuple[int, int] | None = None
    profile: SandboxProfile = USUAL
    fields: Parameters = field(init=False)

    def __post_init__(self) -> None:
        # PHP's $_REQUEST; MC has writes that take their fields from the query.
        self.fields = self.query | self.form

    def id(self, name: str) -> int:
        """A placeholder that must be a number; the words of a case number are found nowhere (assumed: 404)."""
        text = self.path[name]
        if text.isascii() and text.isdigit() and len(text) < len("9223372036854775807"):
            return int(text)
        raise not_found(text)

    def text(self, name: str) -> str | None:
        """A text, or None when it is missing or empty."""
        value = self.fields.get(name)
        if isinstance(value, list):
            message = f"{name} must not be an array"
            raise refuse(message)
        return value or None

    def required(self, name: str) -> str:
        """A text that must be there."""
        value = self.text(name)
        if value is None:
            message = f"Missing required field: {name}"
            raise refuse(message)
        return value

    def integer(self, name: str) -> int | None:
        """A whole number, or None when it is missing or empty."""
        value = self.text(name)
        return None if value is None else whole_number(name, value)

    def integers(self, name: str) -> list[int] | None:
        """One whole number or an array of them, or None."""
        value = self.fields.get(name)
        if isinstance(value, list):
            return [whole_number(name, part) for part in value]
        number = self.integer(name)
        return None if number is None else [number]

    def words(self, name: str) -> list[str]:
        """The parts of a comma-separated text or of an array."""
        value = self.fields.get(name, "")
        parts = value if isinstance(value, list) else value.split(",")
        return [part.strip() for part in parts if part.strip()]

    def flag(self, name: str) -> bool:
        """Any text that is not empty is true, "false" included: a PHP habit, assumed. "0" is PHP's exception."""
        return self.text(name) not in {None, "0"}

    def date(self, name: str) -> int | None:
        """An instant, or None when it is missing or empty."""
        value = self.text(name)
        return None if value is None else self.instant(name, value)

    def instant(self, name: str, text: str) -> int:
        """The instant a text names, refused when it names none."""
        try:
            return instant(text, self.now, self.profile.timezone)
        except UnreadableError:
            message = f"{name} is not a date"
            raise refuse(message) from None

    def json(self, name: str) -> Any:
        """A JSON value inside a field, or None when the field is missing or empty."""
        value = self.fields.get(name)
        try:
            return None if not value else orjson.loads(value if isinstance(value, str) else "")
        except orjson.JSONDecodeError:
            message = f"{name} is not valid JSON"
            raise refuse(message) from None


def whole_number(name: str, text: str) -> int:
    """The number a text holds, refused when it holds something else."""
    if text.removeprefix("-").isdecimal() and len(text) <= len("-9223372036854775808") and int(text) in _INTEGERS:
        return int(text)
    message = f"{name} must be an integer"
    raise refuse(message)
