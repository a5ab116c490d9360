"""What comes while tasks in the background fetch it: the life of these tasks is one `async with` block.

The tasks keep their failures for the consumer. They hang on no scope of the task that opened the block, so a block in
an async generator that is left half-way harms nobody.
"""

import warnings
from collections.abc import Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Any, Generic, Literal, NoReturn, Self, TypeVar

import anyio

from fusedesk_async._background import BackgroundTasks, first_of
from fusedesk_async._pagination.caller import caller
from fusedesk_async.errors import ConfigurationError, FuseDeskWarning

T = TypeVar("T")
U = TypeVar("U")


class Stream(Generic[T]):
    """Opened with `async with`, then iterated with `async for`, once. Leaving the block ends its calls."""

    _name = "stream"
    _tasks: BackgroundTasks
    _changed: anyio.Event
    _crash: BaseException | None = None
    _opened_by: int
    _opened_at: tuple[str, int]
    _state: Literal["new", "open", "failed", "closed"] = "new"

    async def __aenter__(self) -> Self:
        if self._state != "new":
            message = f"this {self._name} was opened before; make a new one"
            raise ConfigurationError(message)
        self._changed = anyio.Event()
        self._tasks = BackgroundTasks(self._on_crash)
        self._opened_by, self._opened_at = anyio.get_current_task().id, caller()
        self._state = "open"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._state = "closed"
        self._notify()
        await self._tasks.end()
        self._raise_crash()
        if kind is GeneratorExit and anyio.get_current_task().id != self._opened_by:
            self._warn_abandoned()

    @property
    def _open(self) -> bool:
        """Whether calls may still be made for it."""
        return self._state == "open"

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        return await self._wait_for(self._next)

    def _next(self) -> T | None:
        """What comes next; None if it is not there yet.

        Raises:
            StopAsyncIteration: Nothing comes any more.
        """
        raise AssertionError

    async def _wait_for(self, attempt: Callable[[], U | None]) -> U:
        """What an attempt gives once it gives something; it is tried again whenever something changed."""
        while True:
            self._raise_crash()
            if not self._open:
                self._refuse()
            ready = attempt()
            if ready is not None:
                return ready
            await self._wait_changed()

    async def _wait_changed(self) -> None:
        """Wait until something changed."""
        await self._changed.wait()

    def _notify(self) -> None:
        """Wake all who wait."""
        self._changed.set()
        self._changed = anyio.Event()

    def _start(self, work: Callable[..., Awaitable[None]], *arguments: Any) -> anyio.CancelScope:
        """Let a task run. It must keep its failures to itself."""
        return self._tasks.start(partial(work, *arguments))

    def _on_crash(self, error: BaseException) -> None:
        """A task raised all the same what no consumer can wait for, such as a KeyboardInterrupt."""
        self._crash = self._crash or first_of(error)
        self._notify()

    def _raise_crash(self) -> None:
        crash, self._crash = self._crash, None
        if crash is not None:
            raise crash

    def _warn_abandoned(self) -> None:
        """An async generator had it open and was left half-way, which only the event loop noticed."""
        where = "{}:{}".format(*self._opened_at)
        message = (
            f"a {self._name} was abandoned that was opened at {where}; "
            "close the async generator around it: async with contextlib.aclosing(…) as …: async for … in …"
        )
        warnings.warn_explicit(message, FuseDeskWarning, *self._opened_at)

    def _fail(self, error: Exception) -> NoReturn:
        """End with an error. It is raised once: were it raised again, an old failure would pass for a new one."""
        self._state = "failed"
        self._notify()
        raise error

    def _refuse(self) -> NoReturn:
        if self._state == "new":
            message = f"open the {self._name} first: async with … as {self._name}: async for … in {self._name}"
            raise ConfigurationError(message)
        if self._state == "closed":
            message = f"this {self._name} was left, so nothing comes any more; iterate inside its `async with`"
            raise ConfigurationError(message)
        message = f"this {self._name} has failed, so nothing comes any more; start a new one"
        raise ConfigurationError(message)
