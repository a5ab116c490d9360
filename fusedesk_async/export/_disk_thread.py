"""Work on a disk in a thread of its own, which does not block the event loop."""

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from anyio import to_thread

from fusedesk_async.errors import ExportError

T = TypeVar("T")


class DiskThread:
    """Does one piece of work at a time, and leaves none running: a task that is cancelled waits until it has ended.

    On asyncio a task may be cancelled in a way that leaves its thread running. Then the event loop is blocked for the
    rest of a commit, which is brief, or until work that takes long has noticed that it was interrupted.

    Args:
        interrupt: Makes work that takes long stop.
    """

    def __init__(self, interrupt: Callable[[], None]) -> None:
        self._interrupt = interrupt
        self._working = Lock()
        self._is_closed = False

    async def run(self, work: Callable[[], T]) -> T:
        """The result of the work."""

        def guarded() -> T:
            with self._working:
                if self._is_closed:  # cancelled before the thread began with it
                    message = "the export was cancelled"
                    raise ExportError(message)
                return work()

        try:
            return await to_thread.run_sync(guarded)
        except Exception:
            raise
        except BaseException:
            self._interrupt()
            with self._working:
                self._is_closed = True
            raise
