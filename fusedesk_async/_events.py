"""What happens on the way that a program may want to show or count, and who is told."""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal, TypeAlias

import attrs

from fusedesk_async._exports import public
from fusedesk_async.errors import FuseDeskError, Request

logger = logging.getLogger("fusedesk_async")

WaitReason: TypeAlias = Literal["reserve", "quota", "refused"]
"""Why calls wait: what is left is kept for interactive calls; nothing is left; the server refused a call (429)."""


@public
@attrs.frozen(kw_only=True)
class CallStarted:
    """A call begins. Told in the caller's task, and so is the `CallEnded` that always follows.

    Attributes:
        call: The number of the call, which all events about it share. It means nothing beyond this client.
        request: What is asked; never sent so far.
    """

    call: int
    request: Request


@public
@attrs.frozen(kw_only=True)
class CallAnswered:
    """An answer came, whatever it says. If the caller was cancelled, it may come after the end of the call.

    Attributes:
        call: The number of the call.
        request: What was asked.
        status: The HTTP status; 429 if the call was refused for its number.
        seconds: From leaving to the last byte.
        waited: Seconds before that which were spent waiting for its turn.
    """

    call: int = 0
    request: Request
    status: int
    seconds: float
    waited: float = 0.0


@public
@attrs.frozen(kw_only=True)
class CallLost:
    """No answer came, or none that could be read to its end. It, too, may come after the end of the call.

    Attributes:
        call: The number of the call.
        request: What was asked.
        error: How it failed.
        seconds: From leaving to failing.
        waited: Seconds before that which were spent waiting for its turn.
    """

    call: int
    request: Request
    error: FuseDeskError
    seconds: float
    waited: float = 0.0


@public
@attrs.frozen(kw_only=True)
class CallRetried:
    """A call failed and is tried again after a pause. A 429 is no failure and is not among them.

    Attributes:
        call: The number of the call.
        request: What was asked.
        error: How it failed.
        pause: Seconds until it is tried again, without waiting for quota.
    """

    call: int = 0
    request: Request
    error: FuseDeskError
    pause: float


@public
@attrs.frozen(kw_only=True)
class CallEnded:
    """A call has its result, failed for good, or was left by its caller.

    Attributes:
        call: The number of the call.
        request: What was asked, and how often it was sent.
        seconds: From its beginning, all waits and pauses included.
        waited: Seconds of these which were spent waiting for its turn.
        error: What the caller gets; None if it gets a result or has left.
        cancelled: Whether the caller left.
    """

    call: int
    request: Request
    seconds: float
    waited: float
    error: FuseDeskError | None = None
    cancelled: bool = False


@public
@attrs.frozen(kw_only=True)
class QuotaWait:
    """Calls are held back. Told when it begins, and again when the moment changes at which the next call goes.

    Attributes:
        reason: Why.
        until: When the next call goes, in UTC.
        waiting: How many calls wait.
    """

    reason: WaitReason
    until: datetime
    waiting: int


@public
@attrs.frozen(kw_only=True)
class QuotaWaitOver:
    """Calls go freely again.

    Attributes:
        seconds: How long they were held back.
    """

    seconds: float


Event: TypeAlias = CallStarted | CallAnswered | CallLost | CallRetried | CallEnded | QuotaWait | QuotaWaitOver
Observer: TypeAlias = Callable[[Event], object]


class Observers:
    """Those who are told. One that fails is logged, and disturbs neither the calls nor the others."""

    def __init__(self) -> None:
        self._all: list[Observer] = []

    @contextmanager
    def told(self, observer: Observer) -> Generator[None, None, None]:
        """Tell the observer while the block lasts."""
        self._all.append(observer)
        try:
            yield
        finally:
            self._all.remove(observer)

    def __bool__(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self._all)

    def tell(self, event: Event) -> None:
        """Tell everybody."""
        for observer in tuple(self._all):
            try:
                observer(event)
            except Exception:
                logger.exception("an observer failed at %r", event)
