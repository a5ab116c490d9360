"""What comes while tasks in the background fetch it: the life of these tasks is one `async with` block.

A task group opened by hand, so that nothing leaves the block in an `ExceptionGroup`: the tasks keep their failures
for the consumer, and what the body raises, a cancellation too, passes by the group.
"""

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Generic, Literal, NoReturn, Self, TypeVar

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint_if_cancelled

from fusedesk_async._exception_groups import first_of
from fusedesk_async.errors import ConfigurationError

T = TypeVar("T")
U = TypeVar("U")


class Stream(Generic[T]):
    """Opened with `async with`, then iterated with `async for`, once. Leaving the block ends its calls."""

    _name = "stream"
    _group: TaskGroup
    _changed: anyio.Event
    _state: Literal["new", "open", "failed", "closed"] = "new"

    async def __aenter__(self) -> Self:
        if self._state != "new":
            message = f"this {self._name} was opened before; make a new one"
            raise ConfigurationError(message)
        self._changed = anyio.Event()
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        self._state = "open"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._state = "closed"
        self._notify()
        self._group.cancel_scope.cancel()
        try:
            await self._group.__aexit__(None, None, None)
        except BaseExceptionGroup as failures:  # what no consumer can wait for, such as a KeyboardInterrupt in a task
            raise first_of(failures) from None

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
        scope = anyio.CancelScope()

        async def scoped() -> None:
            with scope:
                await checkpoint_if_cancelled()  # or what was cancelled before it began would still send its call
                await work(*arguments)

        self._group.start_soon(scoped)
        return scope

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
