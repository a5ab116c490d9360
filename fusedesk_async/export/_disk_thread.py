"""Work on a disk that another thread does, while the event loop goes on."""

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from anyio import to_thread

from fusedesk_async.errors import ExportError

T = TypeVar("T")


class Worker:
    """Does one piece of work at a time, and leaves none behind: whoever is cancelled waits until it has ended.

    On asyncio a task may be cancelled in a way that leaves its thread at work. Then the event loop is held for the rest
    of a commit, which is brief, or until what takes long has noticed that it is not wanted any more.

    Args:
        interrupt: Tells work that takes long to stop.
    """

    def __init__(self, interrupt: Callable[[], None]) -> None:
        self._interrupt = interrupt
        self._at_work = Lock()
        self._is_over = False

    async def run(self, work: Callable[[], T]) -> T:
        """The result of the work."""

        def guarded() -> T:
            with self._at_work:
                if self._is_over:  # it was cancelled before the thread came to it
                    message = "the export was cancelled"
                    raise ExportError(message)
                return work()

        try:
            return await to_thread.run_sync(guarded)
        except Exception:
            raise
        except BaseException:
            self._interrupt()
            with self._at_work:
                self._is_over = True
            raise
