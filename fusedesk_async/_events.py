"""What happens to calls that a program may want to show or count, and who is notified."""

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
"""Why calls wait: the remaining calls are reserved for interactive work; none remain; the server sent a 429."""


@public
@attrs.frozen(kw_only=True)
class CallStarted:
    """A call begins. Observers are called in the caller's task, as for the `CallEnded` that always follows.

    Attributes:
        call: The number of the call, which all events about it share. It means nothing beyond this client.
        request: What is asked; not sent so far.
    """

    call: int
    request: Request


@public
@attrs.frozen(kw_only=True)
class CallAnswered:
    """A response came, whatever it says. If the caller was cancelled, it may come after the end of the call.

    Attributes:
        call: The number of the call.
        request: What was asked.
        status: The HTTP status; 429 if the call was refused because of the rate limit.
        seconds: From sending to the last byte.
        waited: Seconds before that which were spent waiting for its turn.
    """

    call: int
    request: Request
    status: int
    seconds: float
    waited: float = 0.0


@public
@attrs.frozen(kw_only=True)
class CallLost:
    """No response came, or none that could be read to its end. This event, too, may come after the end of the call.

    Attributes:
        call: The number of the call.
        request: What was asked.
        error: How it failed.
        seconds: From sending to failing.
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
    """A call failed and is tried again after a pause. A 429 is not a failure and not among them.

    Attributes:
        call: The number of the call.
        request: What was asked.
        error: How it failed.
        pause: Seconds until it is tried again, without waiting for quota.
    """

    call: int
    request: Request
    error: FuseDeskError
    pause: float


@public
@attrs.frozen(kw_only=True)
class CallEnded:
    """A call has its result, failed for good, or was cancelled.

    Attributes:
        call: The number of the call.
        request: What was asked, and how often it was sent.
        seconds: From its beginning, all waits and pauses included.
        waited: Seconds of these which were spent waiting for its turn.
        error: What the caller gets; None if it gets a result or was cancelled.
        cancelled: Whether the caller was cancelled.
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
    """Calls wait for quota. Comes when that begins, and again when the moment changes at which the next call goes.

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
        seconds: How long they waited.
    """

    seconds: float


@public
@attrs.frozen(kw_only=True)
class QuotaStoreLost:
    """The store of the shared quota is out of reach; until it is back, this process goes on at its part of the pace.

    Attributes:
        error: What the store said; a `StoreUnreachable`.
    """

    error: Exception


@public
@attrs.frozen(kw_only=True)
class QuotaStoreBack:
    """The store of the shared quota answers again.

    Attributes:
        seconds: For how long it did not.
    """

    seconds: float


Event: TypeAlias = (
    CallStarted
    | CallAnswered
    | CallLost
    | CallRetried
    | CallEnded
    | QuotaWait
    | QuotaWaitOver
    | QuotaStoreLost
    | QuotaStoreBack
)
Observer: TypeAlias = Callable[[Event], object]


@public
class Observers:
    """Those who are notified. One that fails is logged, and disturbs neither the calls nor the others."""

    def __init__(self) -> None:
        self._all: list[Observer] = []

    @contextmanager
    def subscribed(self, observer: Observer) -> Generator[None, None, None]:
        """Notify the observer while the block lasts."""
        self._all.append(observer)
        try:
            yield
        finally:
            self._all.remove(observer)

    def __bool__(self) -> bool:
        """Whether there is anybody to notify."""
        return bool(self._all)

    def notify(self, event: Event) -> None:
        """Call all of them with the event."""
        for observer in tuple(self._all):
            try:
                observer(event)
            except Exception:
                logger.exception("an observer failed at %r", event)
