"""From what an endpoint answers to bytes and headers, as the profile says: zone, types, compression, content type."""

import gzip
import re
import zlib
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import orjson

from ._call import NO_BODY
from ._faults import Answer
from ._profile import SandboxProfile
from ._received import Received

_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")


def written(value: object, profile: SandboxProfile) -> bytes:
    """The body for what an endpoint answers."""
    if value is NO_BODY:
        return b""
    return orjson.dumps(_adapted(value, profile) if profile.zone or profile.numbers_as_text else value)


def _adapted(value: Any, profile: SandboxProfile) -> Any:
    """A value with its dates in the profile's zone, and its numbers as text if it says so."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {name: _adapted(member, profile) for name, member in members.items()}
    if isinstance(value, list | tuple):
        return [_adapted(member, profile) for member in cast("list[Any]", value)]
    if isinstance(value, str) and profile.zone and _DATE.fullmatch(value):
        return datetime.fromisoformat(value).astimezone(profile.timezone).isoformat()
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number and profile.numbers_as_text else value


def packed(answer: Answer, profile: SandboxProfile, received: Received) -> Answer:
    """The answer with its content type, and compressed where the client takes that."""
    accepted = " ".join(value for name, value in received.headers if name == "accept-encoding")
    body, headers = answer.body, [*answer.headers]
    if profile.content_type is not None:
        headers.append(("content-type", profile.content_type))
    if body and profile.compression in {"gzip", "deflate"} and profile.compression in accepted:
        body = gzip.compress(body) if profile.compression == "gzip" else zlib.compress(body)
        headers.append(("content-encoding", profile.compression))
    return replace(answer, body=body, headers=headers)
