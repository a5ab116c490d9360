"""The sandbox itself: puts the parts together and lets scripts act as the desk."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property, partial
from importlib import import_module
from typing import Any, TypedDict, Unpack

from ._asgi import ASGIApp
from ._calendar import HOUR
from ._churn import close_case, open_cases, pick, reopen_case, retag_case
from ._clock import Clock, SkewedClock, SystemClock
from ._endpoints import ALL_SCOPES, check_operation
from ._faults import Answer, Fault
from ._front import Front
from ._limits import RateLimit
from ._profile import USUAL, SandboxProfile
from ._received import Received
from ._state import State

_MAX_RECEIVED = 10_000  # requests kept in `received`


class FaultFields(TypedDict, total=False):
    """The fields of `Fault`."""

    status: int | None
    headers: Mapping[str, str]
    body: Any
    retry_after: str | None
    prefix: str | bytes
    truncate: int | None
    delay: float
    after: bool
    drop: bool


class Sandbox:
    """A FuseDesk on your own machine, for tests and demos.

    It answers as FuseDesk's pages (S1, S2) and its WordPress plugin say; where neither does, the docstring at the
    place says "assumed". Nothing of the client is used, so that the two cannot share a mistake.

    Args:
        cases: how many cases there are at first; their ids are 1 to `cases`.
        seed: decides every word, date and random choice.
        keys: API key to the scopes it has; by default one key, "sandbox-key", that may do everything.
        limit: how calls are counted, for each key by itself; None: not at all.
        profile: which of the servers that FuseDesk may be it is; by default one as the pages and the plugin show it.
        latency: a function that draws, for each call, the seconds between carrying it out and answering it; or these
            seconds. By default the profile's.
        clock: brings the time; the machine's by default. The past of the desk ends with the hour that it shows.
    """

    def __init__(
        self,
        cases: int = 200,
        *,
        seed: int = 1,
        keys: Mapping[str, Collection[str]] | None = None,
        limit: RateLimit | None = None,
        profile: SandboxProfile = USUAL,
        latency: float | Callable[[], float] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._clock = SkewedClock(clock or SystemClock(), profile.clock_skew or 0.0)
        self.state: State = State(seed, cases, ends=self._now - self._now % HOUR, profile=profile)
        self.received: deque[Received] = deque(maxlen=_MAX_RECEIVED)
        latency = (profile.latency or 0.0) if latency is None else latency
        self._latency = latency if callable(latency) else partial(float, latency)
        self._keys = keys or {"sandbox-key": ALL_SCOPES if profile.scopes is None else {*profile.scopes}}
        self._front = Front(self.state, self._keys, limit, self._clock)

    @property
    def api_key(self) -> str:
        """The first key."""
        return next(iter(self._keys))

    @cached_property
    def app(self) -> ASGIApp:
        """The ASGI application, for `httpx.ASGITransport` or any ASGI server; needs the extra `sandbox`."""
        try:
            import_module("python_multipart")  # Starlette reads forms with it, and misses it only at the first form
            from ._app import make_app  # noqa: PLC0415 - Starlette is an extra
        except ImportError as missing:
            message = f'the sandbox needs {missing.name}: pip install "fusedesk_async[sandbox]"'
            raise ImportError(message) from None
        return make_app(self._answer, self._clock, self._latency)

    def _answer(self, received: Received) -> Answer:
        self.received.append(received)
        return self._front.answer(received)

    def fault(self, operation: str = "any", *, nth: int = 1, times: int = 1, **fields: Unpack[FaultFields]) -> None:
        """Let calls go wrong: `fault("search", nth=3, status=429, retry_after="30")`.

        Calls that the limit refuses, or whose key is unknown, are not counted.

        Args:
            operation: search, get, create, update, addnote, tag, untag, history, update_many, reply, snooze, feedback,
                permissions, poweredby, usage, casetags, chats, contacts, departments, emails, integrations, reps,
                webhooks, or any.
            nth: the first call it happens to, counted from now, starting with 1.
            times: to how many calls in a row.
            fields: what happens; see `Fault`.

        Raises:
            ValueError: there is no such operation.
        """
        check_operation(operation)
        self._front.script.add(operation, nth, times, Fault(**fields))

    @property
    def unused_faults(self) -> tuple[str, ...]:
        """The faults that have not happened to any call by now, as text: `search, call 3 (1 came)`."""
        return tuple(self._front.script.unused)

    def assert_all_faults_happened(self) -> None:
        """Check that each fault has happened at least once: a test that never meets its fault tests nothing.

        The pytest plugin does so after each test with its `fusedesk_sandbox`; `serve` and `serve_in_thread` warn.

        Raises:
            AssertionError: Some have not; the message says which.
        """
        unused = self.unused_faults
        if unused:
            message = f"some faults never happened: {'; '.join(unused)}"
            raise AssertionError(message)

    def clear_faults(self) -> None:
        """Let none of the faults happen any more, and take none of them for unused."""
        self._front.script.clear()

    def churn(self, operation: str, action: Callable[["Sandbox"], object]) -> None:
        """Let something happen before each call of an operation that is carried out.

        `churn("search", lambda desk: desk.close_cases(5))` closes five cases between any two searches.

        Args:
            operation: as for `fault`.
            action: is given this sandbox.

        Raises:
            ValueError: there is no such operation.
        """
        check_operation(operation)
        self._front.churn.append((operation, lambda: action(self)))

    def open_cases(self, count: int = 1, **fields: Any) -> list[int]:
        """Open new cases; their ids.

        Args:
            count: how many.
            fields: members all of them get, named as in `state.cases`; dates in whole seconds since 1970.
        """
        return open_cases(self.state, self._now, count, fields)

    def close_cases(self, count: int = 1, *, ids: Iterable[int] | None = None) -> list[int]:
        """Close the cases of these ids, or `count` that are not closed, chosen by the seed; their ids."""
        return self._act(close_case, ids, count, lambda case: self._status(case) != "closed")

    def reopen_cases(self, count: int = 1, *, ids: Iterable[int] | None = None) -> list[int]:
        """Reopen the cases of these ids, or `count` that are closed, chosen by the seed; their ids."""
        return self._act(reopen_case, ids, count, lambda case: self._status(case) == "closed")

    def retag_cases(self, count: int = 1, *, ids: Iterable[int] | None = None) -> list[int]:
        """Change one tag on the cases of these ids, or on `count` chosen by the seed; their ids."""
        return self._act(retag_case, ids, count, lambda _: True)

    def delete_cases(self, count: int = 1, *, ids: Iterable[int] | None = None) -> list[int]:
        """Delete the cases of these ids, or `count` chosen by the seed; their ids."""
        return self._act(lambda state, _, case: state.remove(case), ids, count, lambda _: True)

    def _act(
        self,
        action: Callable[[State, int, int], None],
        ids: Iterable[int] | None,
        count: int,
        wanted: Callable[[int], bool],
    ) -> list[int]:
        chosen = pick(self.state, count, wanted) if ids is None else list(ids)
        for case in chosen:
            if case not in self.state.cases:
                raise KeyError(case)
            action(self.state, self._now, case)
        return chosen

    def _status(self, case: int) -> str:
        status: str = self.state.cases.value(case, "status")
        return status

    @property
    def _now(self) -> int:
        return int(self._clock.time())
