"""Work on a disk in another thread: nothing of it is left behind."""

import asyncio
import threading

import anyio
import pytest

from fusedesk_async import ExportError
from fusedesk_async.export._disk_thread import DiskThread


def nothing():
    """What has nothing to stop."""


@pytest.mark.anyio
async def test_what_the_work_gives_and_raises_comes_back():
    thread, here = DiskThread(nothing), threading.current_thread()
    assert await thread.run(threading.current_thread) is not here
    with pytest.raises(ZeroDivisionError):
        await thread.run(lambda: 1 // 0)
    assert await thread.run(lambda: 7) == 7


@pytest.mark.anyio
async def test_who_is_cancelled_leaves_when_the_work_has_ended():
    begun, going_on, done = threading.Event(), threading.Event(), []
    thread = DiskThread(nothing)

    def work():
        begun.set()
        assert going_on.wait(10)
        done.append(True)

    async with anyio.create_task_group() as group:
        group.start_soon(thread.run, work)
        await anyio.to_thread.run_sync(begun.wait)
        group.cancel_scope.cancel()
        going_on.set()
    assert done == [True]


@pytest.mark.asyncio
async def test_a_task_that_asyncio_cancels_interrupts_the_work_and_waits_for_it():
    begun, interrupted, done = threading.Event(), threading.Event(), []
    thread = DiskThread(interrupted.set)

    def work():
        begun.set()
        assert interrupted.wait(10)
        done.append(True)

    task = asyncio.create_task(thread.run(work))
    await asyncio.to_thread(begun.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == [True]
    with pytest.raises(ExportError, match="the export was cancelled"):
        await thread.run(lambda: done.append(False))
    assert done == [True]
