"""A call to the parts of a request: every kind of value has one spelling on the wire.

Reads carry their parameters in the query string, writes as an urlencoded form. Arrays are in PHP's form. Booleans are
`true` when set and left out when false, since a PHP server may take any text, "false" included, as true.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any, cast
from urllib.parse import parse_qsl, quote, urlencode
from uuid import UUID

import attrs

from fusedesk_async._wire.call import Call, Parameters
from fusedesk_async.errors import ConfigurationError
from fusedesk_async.filters import DateFilter, encode_day, lone_surrogate


@attrs.frozen
class Parts:
    """A request without its host and its key.

    Attributes:
        method: The HTTP method.
        path: Below the API's root, percent-encoded.
        query: The query string, percent-encoded, without `?`.
        form: The urlencoded body; None if there is none.
    """

    method: str
    path: str
    query: str
    form: bytes | None


def encode(call: Call[Any]) -> Parts:
    """The request of a call.

    Raises:
        ConfigurationError: A value has no spelling on the wire, the path leads elsewhere, or there is a form where
            none can be sent.
    """
    if call.form and call.method != "POST":
        message = f"a {call.method} has no form; give its parameters as query"
        raise ConfigurationError(message)
    if call.last_segment is not None:
        message = f"the id of {call.last_segment!r:.80} is not known"
        raise ConfigurationError(message)
    try:
        form = _urlencoded(call.form).encode() if call.method == "POST" else None
        return Parts(call.method, _path(call.path), _urlencoded(call.query), form)
    except UnicodeEncodeError as error:
        raise ConfigurationError(lone_surrogate(error)) from None


def fields_of(parts: Parts) -> dict[str, str]:
    """What a write asks for, as texts under the API's names, wherever in the request they stand."""
    sent = f"{parts.query}&{(parts.form or b'').decode()}"
    return dict(parse_qsl(sent, keep_blank_values=True))


def _urlencoded(parameters: Parameters) -> str:
    pairs = [pair for name, value in parameters.items() for pair in _pairs(name, value)]
    return urlencode(pairs, quote_via=quote)


def _pairs(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Sequence | AbstractSet) and not isinstance(value, str | bytes | bytearray):
        for index, element in enumerate(cast("Sequence[Any]", value)):
            yield from _pairs(name if name.endswith("[]") else f"{name}[{index}]", element)
    elif value is True:
        yield name, "true"
    elif value is not None and value is not False:
        yield name, _text(name, value)


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return str.__str__(value)  # an enum's own text is its name
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, DateFilter):
        return value.encode()
    if isinstance(value, date):  # datetimes are dates
        return encode_day(value)
    message = f"{name} cannot be {value!r:.80}"
    raise ConfigurationError(message)


def _path(path: str) -> str:
    segments = path.removesuffix("/").split("/")
    if len(segments) == 1 or any(segment in {"", ".", ".."} for segment in segments) or "://" in path:
        message = f"path {path!r} is not a path below the API's root, such as 'cases/42/snooze'"
        raise ConfigurationError(message)
    return "/".join(quote(segment, safe="") for segment in segments)
