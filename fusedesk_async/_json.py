"""JSON text to values and back. All JSON of the package is read and written here."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn, TypeGuard

import msgspec

_UNREAD = object()
BEGINNING = 1024
"""Bytes that are looked at to see whether JSON may begin somewhere."""
LONGEST_TOKEN_PART = 64
"""Characters by which a reader may stop before the end of a text that is cut off."""

NOTHING = frozenset({b"", b"null", b"false", b'""'})
"""What PHP sends where there is no list and no record."""


class JSONText:
    """A JSON text whose value is read when it is first asked for, and only once.

    Args:
        text: The text.
        value: Its value, if it is known already.
    """

    __slots__ = ("_value", "text")

    def __init__(self, text: bytes, value: Any = _UNREAD) -> None:
        self.text = text
        self._value = value

    @property
    def value(self) -> Any:
        """The value of the text. It belongs to all who ask for it, so it is not to be changed.

        Raises:
            ValueError: It is not JSON; see `loads`.
        """
        if self._value is _UNREAD:
            self._value = loads(self.text)
        return self._value


def loads(text: bytes) -> Any:
    """The value of a JSON text.

    msgspec reads it. What msgspec refuses and Python's own reader can take without losing anything, such as lone
    surrogates that some programs escape, is read by the latter.

    Raises:
        ValueError: It is not JSON: the message says where. NaN, infinities and numbers beyond a float are refused,
            as are whole numbers of more than 4300 digits and nesting too deep to follow.
    """
    try:
        return msgspec.json.decode(text)
    except ValueError as error:
        return _loads_slowly(text, error)
    except RecursionError:
        message = "nested too deep"
        raise ValueError(message) from None


def may_begin(text: bytes, start: int) -> bool:
    """Whether a JSON value may begin there and run to the end of the text: a quick look at its first characters.

    Args:
        text: The text.
        start: Where in it.
    """
    beginning = text[start : start + BEGINNING].decode(errors="replace")
    is_whole = start + BEGINNING >= len(text)
    try:
        _, end = _decoder.raw_decode(beginning)
    except json.JSONDecodeError as error:
        return is_whole or "Unterminated" in error.msg or error.pos > len(beginning) - LONGEST_TOKEN_PART
    except (ValueError, RecursionError):
        return True
    return not beginning[end:].strip()


def named_twice(text: bytes) -> list[str]:
    """The members that an object anywhere in a JSON text names more than once; none if it is no JSON."""
    found: set[str] = set()

    def look(pairs: list[tuple[str, Any]]) -> None:
        times = Counter(name for name, _ in pairs)
        if len(times) < len(pairs):
            found.update(name for name in times if times[name] > 1)

    try:
        json.loads(text.decode(), object_pairs_hook=look)
    except (ValueError, RecursionError):
        return []
    return sorted(found)


def elements(text: bytes) -> list[bytes]:
    """The elements of a JSON array, each as its own text, exactly as it stands there.

    What stands in them is not looked at yet, so bytes that are no UTF-8 come to light when an element is read.

    Raises:
        ValueError: It is no JSON array.
    """
    try:
        return list(map(bytes, _raw_elements.decode(text)))
    except (msgspec.DecodeError, RecursionError):
        value = _structure(text)
    if not is_list(value):
        message = f"expected a list, got {shown(value)}"
        raise ValueError(message)
    return list(_slices(text))


def members(text: bytes) -> dict[str, bytes]:
    """The members of a JSON object, each as its own text, exactly as it stands there.

    What stands in them is not looked at yet, as with `elements`.

    Raises:
        ValueError: It is no JSON object, or a name is not in UTF-8.
    """
    try:
        return {name: bytes(raw) for name, raw in _raw_members.decode(text).items()}
    except (msgspec.DecodeError, RecursionError):
        value = _structure(text)
    if not is_object(value):
        message = f"expected an object, got {shown(value)}"
        raise ValueError(message)
    names_and_values = list(_slices(text))
    return dict(zip(map(loads, names_and_values[::2]), names_and_values[1::2], strict=True))


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether a JSON value is an array."""
    return isinstance(value, list)


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def shown(value: Any) -> str:
    """A JSON value as a message may show it: its start, or only its kind, since it may be large and deep."""
    if is_list(value):
        return "a list"
    return "an object" if is_object(value) else f"{value!r:.80}"


def dumps(value: Any) -> str:
    """The JSON text of a value, without blanks.

    Raises:
        UnicodeEncodeError: A text holds a lone surrogate.
    """
    return msgspec.json.encode(value).decode()


def _loads_slowly(text: bytes, reason: ValueError) -> Any:
    decoded = text.decode()
    try:
        return json.loads(decoded, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        raise ValueError(str(reason)) from None


def _structure(text: bytes) -> Any:
    """The value of a text that msgspec refuses to cut. Numbers that nothing can hold are left as texts.

    Raises:
        ValueError: It is not JSON.
    """
    try:
        return loads(text)
    except ValueError as error:
        reason = str(error)
    try:
        return _decoder.decode(text.decode(errors="surrogateescape"))
    except (ValueError, RecursionError):
        raise ValueError(reason) from None


def _slices(text: bytes) -> Iterator[bytes]:
    """The values directly inside of an array, or the names and values of an object, of a text known to be JSON."""
    decoded = text.decode(errors="surrogateescape")
    start = _end_of_separator(decoded, 0)
    while start < len(decoded):
        _, end = _decoder.raw_decode(decoded, start)
        yield decoded[start:end].encode(errors="surrogateescape")
        start = _end_of_separator(decoded, end)


def _end_of_separator(text: str, start: int) -> int:
    separator = _SEPARATOR.match(text, start)
    return separator.end() if separator else start


def _refuse(constant: str) -> NoReturn:
    message = f"{constant} is no JSON"
    raise ValueError(message)


def _finite(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        _refuse(digits)
    return value


_SEPARATOR = re.compile(r"\s*(?:[\[{]\s*[\]}]?|[,:\]}])\s*")
_decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_refuse)
_raw_elements = msgspec.json.Decoder(list[msgspec.Raw])
_raw_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
