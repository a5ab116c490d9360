"""Makes the calls of a diagnosis, one at a time and not too many, and keeps what came of each."""

from typing import Any

import attrs
from anyio.lowlevel import checkpoint

from fusedesk_async._client import SendOnce
from fusedesk_async._clock import Clock
from fusedesk_async._wire.answer import TOO_MANY_REQUESTS
from fusedesk_async._wire.call import Call
from fusedesk_async._wire.encode import Parts
from fusedesk_async.diagnosis._limits import calls_left, limit_of
from fusedesk_async.diagnosis._seen import Answers, Seen, not_asked, seen
from fusedesk_async.errors import NotSentError, RateLimitError, TransportError, UnexpectedResponseError

KEPT = "the calls that are left this hour are kept for others"
PART_LEFT, LEAST_LEFT = 1 / 100, 5
"""Part of the hour's calls, or how many at least, that a diagnosis does not touch."""
MOST_FAILURES = 3
"""Calls in a row that get no response, or no permit of the limiter, before no more are made."""


@attrs.define(eq=False, repr=False)
class Asker:
    """Makes calls as long as it makes sense.

    Attributes:
        send: Sends a request.
        clock: Measures.
        budget: How many calls may be made.
        answers: What came of them.
        calls: How many were made.
    """

    send: SendOnce
    clock: Clock
    budget: int
    answers: Answers = attrs.field(factory=Answers)
    calls: int = 0
    _lost: int = 0
    _delayed: int = 0
    _is_persistent: bool = False

    async def ask(self, name: str, call: Call[Any], parts: Parts | str) -> Seen:
        """Make a call and keep what came of it.

        Args:
            name: What questions call it.
            call: The call as the log and observers show it.
            parts: The request; or why there is none.
        """
        came = not_asked(parts) if isinstance(parts, str) else await self._exchange(call, parts)
        self.answers.by_call[name] = came
        return came

    def be_persistent(self, calls: int) -> None:
        """Make so many more calls whatever came of those before."""
        self.budget, self._lost, self._delayed, self._is_persistent = self.calls + calls, 0, 0, True

    async def _exchange(self, call: Call[Any], parts: Parts) -> Seen:
        """One request; a read that is refused with a 429 is made once more, after the wait of the limiter."""
        came = await self._once(call, parts)
        if came.answer is None or came.answer.status != TOO_MANY_REQUESTS:
            return came
        self.answers.refused_by_quota.append(came.answer)
        return came if call.writes else await self._once(call, parts)

    async def _once(self, call: Call[Any], parts: Parts) -> Seen:
        await checkpoint()  # nothing begins for who is cancelled
        if why := self._why_not():
            return not_asked(why)
        began = self.clock.monotonic()
        try:
            answer = await self.send(call, parts)
        except RateLimitError:
            self._delayed += 1
            return not_asked(KEPT)
        except (TransportError, UnexpectedResponseError) as error:
            self.calls += 1
            self._delayed = 0
            self._lost += isinstance(error, TransportError)
            return _lost(error)
        self.calls += 1
        self._lost = self._delayed = 0
        return seen(call, answer, self.clock.monotonic() - began)

    def _why_not(self) -> str:
        if self.calls >= self.budget:
            return "no more calls than were planned are made"
        if self._lost >= MOST_FAILURES:
            return f"{self._lost} calls in a row got no response"
        if self._delayed >= MOST_FAILURES or not (self._is_persistent or self.has_left(1)):
            return KEPT
        return ""

    def has_left(self, calls: int) -> bool:
        """Whether so many more calls leave enough of the hour to others, as far as is known."""
        left = calls_left(self.answers)
        return left is None or left - calls >= max(LEAST_LEFT, PART_LEFT * limit_of(self.answers))


def _lost(error: TransportError | UnexpectedResponseError) -> Seen:
    if isinstance(error, UnexpectedResponseError):
        return Seen(kind="odd", problem="the response is too large, or compressed in a way that was not asked for")
    unsent = isinstance(error, NotSentError)
    return Seen(kind="lost", problem="no connection came about" if unsent else "no response came", is_unsent=unsent)
