"""From request to answer: authentication, rate limit, scripted faults, endpoint. Nothing here knows of sockets."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from math import ceil
from urllib.parse import unquote, urlencode

from ._calendar import http_date
from ._call import Call
from ._clock import Clock
from ._endpoints import Endpoint, find_endpoint
from ._faults import Answer, Headers, Script, refusal
from ._limits import RateLimit
from ._packing import packed, written
from ._parameters import Parameters, decode_json, decode_pairs
from ._received import Received
from ._refusals import Refused, bad_key, no_scope, not_found, over_limit
from ._state import State

Churn = Callable[[], object]


WINDOW_HEADER, HOUR = "X-Simulated-Window", 3_600.0
"""How long an "hour" lasts, in seconds, where that is no hour. FuseDesk sends nothing like it."""


class Front:
    """Answers requests.

    Args:
        state: the desk.
        keys: key to scopes.
        limit: cloned for each key; None: nothing is counted.
        clock: for dates and limits.
    """

    def __init__(
        self,
        state: State,
        keys: Mapping[str, Collection[str]],
        limit: RateLimit | None,
        clock: Clock,
    ) -> None:
        self.script = Script()
        self.churn: list[tuple[str, Churn]] = []
        self._state = state
        self._keys = keys
        self._limits = {key: limit.clone() for key in keys} if limit else {}
        self._profile = state.profile
        self._clock = clock
        self._started = clock.monotonic()

    def answer(self, received: Received) -> Answer:
        """Carry a request out; sets its operation and status."""
        found = find_endpoint(received.method, unquote(received.path))
        received.operation = found[0].operation if found else "any"
        try:
            answer = self._without_slash(received) or self._counted(received, found)
        except Refused as refused:
            answer = refusal(refused)
        received.status = 0 if answer.drop else answer.status
        return packed(answer, self._profile, received)

    def _without_slash(self, received: Received) -> Answer | None:
        """What a path brings that ends with a slash, where it is not served."""
        if self._profile.trailing_slash not in {"redirect", "404"} or not received.path.endswith("/"):
            return None
        if self._profile.trailing_slash == "404":
            what = "Path"
            raise not_found(what)
        query = f"?{urlencode(received.query)}" if received.query else ""
        return Answer(301, headers=[("Location", received.path.rstrip("/") + query)])

    def _counted(self, received: Received, found: tuple[Endpoint, dict[str, str]] | None) -> Answer:
        query, form = decode_pairs(received.query), _form(received)
        key = self._key(received, query, form)
        limit, now = self._limits.get(key), received.at - self._started
        if limit is not None and not self._admitted(limit, now):
            refused = refusal(over_limit())
            return replace(refused, headers=[*refused.headers, *self._wait(limit, now)])
        usage = None if limit is None else (limit.limit, limit.remaining(now))
        endpoint, path = found or (None, {})
        call = Call(path, query, form, int(self._clock.time()), self._keys[key], usage, self._profile)
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
            return Answer(200, written(endpoint.handler(self._state, call), self._profile))
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

    def _admitted(self, limit: RateLimit, now: float) -> bool:
        cost = self._profile.call_cost or 1
        if 0 < limit.remaining(now) < cost:
            return False
        return all(limit.admit(now) for _ in range(cost))

    def _usage(self, limit: RateLimit, now: float) -> Headers:
        profile, left = self._profile, limit.remaining(now)
        limit_header = "X-FuseDesk-Usage-Limit" if profile.limit_header is None else profile.limit_header
        usage_header = "X-FuseDesk-Usage-Remaining" if profile.usage_header is None else profile.usage_header
        count = limit.limit - left if profile.usage_counts == "used" else left
        told = [(name, str(value)) for name, value in ((limit_header, limit.limit), (usage_header, count)) if name]
        window = getattr(limit, "window", HOUR)  # a limit of one's own may not have one
        return told if window == HOUR else [*told, (WINDOW_HEADER, f"{window:g}")]

    def _wait(self, limit: RateLimit, now: float) -> Headers:
        headers = self._usage(limit, now)
        wait = ceil(limit.retry_after(now))
        if self._profile.retry_after == "seconds":
            headers.append(("Retry-After", str(wait)))
        if self._profile.retry_after == "date":
            headers.append(("Retry-After", http_date(ceil(self._clock.time()) + wait)))
        return headers


def _form(received: Received) -> Parameters:
    # S1's curl sample sends JSON under curl's default content type, so the body's first letter decides.
    if received.body.lstrip().startswith(b"{"):
        return decode_json(received.body)
    return decode_pairs(received.form)
