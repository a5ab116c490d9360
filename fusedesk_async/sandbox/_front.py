"""From request to answer: authentication, rate limit, scripted faults, endpoint. Nothing here knows of sockets."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal
from urllib.parse import unquote

import orjson

from ._calendar import http_date
from ._call import Call
from ._clock import Clock
from ._endpoints import Endpoint, find_endpoint
from ._faults import Answer, Headers, Script, refusal
from ._limits import RateLimit
from ._parameters import Parameters, decode_json, decode_pairs
from ._refusals import Refused, bad_key, no_scope, not_found, over_limit
from ._state import State


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


@dataclass(frozen=True)
class Settings:
    """What the real server is not known to do; see `Sandbox`."""

    limit_header: str | None
    remaining_header: str | None
    retry_after: Literal["seconds", "date"] | None
    page_cap: int | None


Churn = Callable[[], object]


WINDOW_HEADER, HOUR = "X-Simulated-Window", 3_600.0
"""How long an "hour" lasts, in seconds, where that is no hour. FuseDesk sends nothing like it."""


class Front:
    """Answers requests.

    Args:
        state: the desk.
        keys: key to scopes.
        limit: cloned for each key; None: nothing is counted.
        settings: headers and page size.
        clock: for dates and limits.
    """

    def __init__(
        self,
        state: State,
        keys: Mapping[str, Collection[str]],
        limit: RateLimit | None,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self.script = Script()
        self.churn: list[tuple[str, Churn]] = []
        self._state = state
        self._keys = keys
        self._limits = {key: limit.clone() for key in keys} if limit else {}
        self._settings = settings
        self._clock = clock
        self._started = clock.monotonic()

    def answer(self, received: Received) -> Answer:
        """Carry a request out; sets its operation and status."""
        found = find_endpoint(received.method, unquote(received.path))
        received.operation = found[0].operation if found else "any"
        try:
            answer = self._counted(received, found)
        except Refused as refused:
            answer = refusal(refused)
        received.status = 0 if answer.drop else answer.status
        return answer

    def _counted(self, received: Received, found: tuple[Endpoint, dict[str, str]] | None) -> Answer:
        query, form = decode_pairs(received.query), _form(received)
        key = self._key(received, query, form)
        limit, now = self._limits.get(key), received.at - self._started
        if limit is not None and not limit.admit(now):
            refused = refusal(over_limit())
            return replace(refused, headers=[*refused.headers, *self._wait(limit, now)])
        usage = None if limit is None else (limit.limit, limit.remaining(now))
        endpoint, path = found or (None, {})
        call = Call(path, query, form, int(self._clock.time()), self._keys[key], usage, self._settings.page_cap)
        answer = self._scripted(received.operation, endpoint, call)
        return replace(answer, headers=[*(self._usage(limit, now) if limit else []), *answer.headers])

    def _scripted(self, operation: str, endpoint: Endpoint | None, call: Call) -> Answer:
        fault = self.script.next(operation)
        if fault is None:
            return self._carried_out(operation, endpoint, call)
        return fault.spoil(self._carried_out(operation, endpoint, call) if fault.carried_out else Answer())

    def _carried_out(self, operation: str, endpoint: Endpoint | None, call: Call) -> Answer:
        try:
            if endpoint is None:
                what = "Path"
                raise not_found(what)
            if endpoint.scope not in {None, *call.scopes}:
                raise no_scope()
            for wanted, action in self.churn:
                if wanted in {"any", operation}:
                    action()
            return Answer(200, orjson.dumps(endpoint.handler(self._state, call)))
        except Refused as refused:
            return refusal(refused)

    def _key(self, received: Received, query: Parameters, form: Parameters) -> str:
        """S1 knows header and parameter; that the header wins is assumed."""
        given = [value for name, value in received.headers if name == "x-fusedesk-api-key"]
        for key in [*given, query.get("apikey"), form.get("apikey")]:
            if isinstance(key, str):
                if key in self._keys:
                    return key
                break
        raise bad_key()

    def _usage(self, limit: RateLimit, now: float) -> Headers:
        pairs = (
            (self._settings.limit_header, limit.limit),
            (self._settings.remaining_header, limit.remaining(now)),
        )
        said = [(name, str(value)) for name, value in pairs if name is not None]
        window = getattr(limit, "window", HOUR)  # a limit of one's own may not have one
        return said if window == HOUR else [*said, (WINDOW_HEADER, f"{window:g}")]

    def _wait(self, limit: RateLimit, now: float) -> Headers:
        headers = self._usage(limit, now)
        wait = ceil(limit.retry_after(now))
        if self._settings.retry_after == "seconds":
            headers.append(("Retry-After", str(wait)))
        if self._settings.retry_after == "date":
            headers.append(("Retry-After", http_date(ceil(self._clock.time()) + wait)))
        return headers


def _form(received: Received) -> Parameters:
    # S1's curl sample sends JSON under curl's default content type, so the body's first letter decides.
    if received.body.lstrip().startswith(b"{"):
        return decode_json(received.body)
    return decode_pairs(received.form)
