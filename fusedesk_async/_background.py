"""Tasks that hang on no scope of whoever starts them.

A task group belongs to the task that opened it. An async generator that holds one open and is left half-way is ended
by the event loop in another task; the scope of the group then cancels the task that had iterated it, or the event loop
refuses. So these tasks are the event loop's own. Whoever starts them has to end them.
"""

import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context
from typing import Any, cast

import anyio
from anyio.lowlevel import checkpoint_if_cancelled


def on_asyncio() -> bool:
    """Whether the running event loop is asyncio's; else it is trio's."""
    return "asyncio" in sys.modules and _has_a_running_loop()


class BackgroundTasks:
    """Tasks that are started and ended together.

    Args:
        on_failure: Called with what a task raised. It is the loop's own otherwise, which would end with it.
    """

    def __init__(self, on_failure: Callable[[BaseException], None]) -> None:
        self._on_failure = on_failure
        self._running: dict[anyio.CancelScope, anyio.Event] = {}
        self._tasks: set[Any] = set()

    def start(self, work: Callable[[], Awaitable[None]]) -> anyio.CancelScope:
        """Let a task run.

        Returns:
            What cancels it.
        """
        scope = anyio.CancelScope()
        self._running[scope] = anyio.Event()

        async def scoped() -> None:
            try:
                with scope:
                    await checkpoint_if_cancelled()  # or what was cancelled before it began would still begin
                    await work()
            except anyio.get_cancelled_exc_class():
                raise  # the loop ends
            except BaseException as error:  # noqa: BLE001 - it is for whoever waits for the tasks
                self._on_failure(error)
            finally:
                self._running.pop(scope).set()

        self._spawn(scoped)
        return scope

    async def end(self) -> None:
        """Cancel them all, and wait until they have ended."""
        for scope in self._running:
            scope.cancel()
        with anyio.CancelScope(shield=True):
            while self._running:
                await next(iter(self._running.values())).wait()

    def _spawn(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if on_asyncio():
            import asyncio  # noqa: PLC0415 - its loop is running, so it is loaded; on trio it need not be

            task = asyncio.create_task(work())
            self._tasks.add(task)  # asyncio itself may forget it
            task.add_done_callback(self._tasks.discard)
        else:
            import trio  # noqa: PLC0415 - as above

            trio.lowlevel.spawn_system_task(work, context=copy_context())


def _has_a_running_loop() -> bool:
    import asyncio  # noqa: PLC0415 - as above

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def first_of(failure: BaseException) -> BaseException:
    """A failure itself; of a group, however deeply nested, the first failure that is not a group.

    Task groups raise groups; callers expect what went wrong.
    """
    while isinstance(failure, BaseExceptionGroup):
        failure = cast("BaseExceptionGroup[BaseException]", failure).exceptions[0]
    return failure
