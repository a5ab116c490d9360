"""The virtual clock: time passes only when everybody waits."""

import time
from random import Random

import anyio
import pytest
from anyio.lowlevel import checkpoint

from fusedesk_async.sandbox import SystemClock, VirtualClock

pytestmark = pytest.mark.anyio


async def test_an_hour_passes_at_once() -> None:
    clock = VirtualClock(start=1000.0)
    began = time.monotonic()
    await clock.sleep(3600)
    assert clock.waited == clock.monotonic() == 3600
    assert clock.time() == 4600
    assert time.monotonic() - began < 5


async def test_many_sleepers_wake_in_the_order_of_their_deadlines() -> None:
    clock = VirtualClock()
    random = Random(7)
    woken: list[tuple[float, float]] = []

    async def sleeper(naps: list[float]) -> None:
        for nap in naps:
            due = clock.monotonic() + nap
            await clock.sleep(nap)
            woken.append((due, clock.monotonic()))

    plans = [[random.choice((0.0, 0.5, 1.0, random.random() * 100)) for _ in range(5)] for _ in range(60)]
    async with anyio.create_task_group() as tasks:
        for plan in plans:
            tasks.start_soon(sleeper, plan)
    times = [at for _, at in woken]
    assert len(woken) == 300
    assert times == sorted(times)
    assert all(due == at for due, at in woken)
    assert clock.waited == max(sum(plan) for plan in plans)
    assert clock.sleeping == 0


async def test_time_waits_for_everything_that_can_still_run() -> None:
    clock = VirtualClock()
    seen: list[float] = []

    async def busy() -> None:
        for _ in range(30):
            await checkpoint()
        seen.append(clock.monotonic())
        for _ in range(30):
            await checkpoint()
        await clock.sleep(1)
        seen.append(clock.monotonic())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(busy)
        tasks.start_soon(clock.sleep, 50)
    assert seen == [0, 1]
    assert clock.waited == 50


async def test_a_cancelled_sleeper_leaves_and_the_next_one_takes_over() -> None:
    clock = VirtualClock()
    woken: list[float] = []

    async def nap(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(nap, 30)
        tasks.start_soon(nap, 20)
        async with anyio.create_task_group() as doomed:
            doomed.start_soon(nap, 10)
            doomed.start_soon(nap, 25)
            while clock.sleeping < 4:
                await checkpoint()
            doomed.cancel_scope.cancel()
        assert clock.sleeping == 2
        assert clock.waited == 0
    assert woken == [20, 30]
    assert clock.waited == 30


async def test_random_cancellations_leave_no_sleeper_behind() -> None:
    clock = VirtualClock()
    random = Random(3)

    async def give_up(after: int) -> None:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                for _ in range(5):
                    tasks.start_soon(clock.sleep, random.random())
                for _ in range(after):
                    await checkpoint()
                scope.cancel()

    last = 0.0
    async with anyio.create_task_group() as tasks:
        for turn in range(40):
            tasks.start_soon(give_up, turn * 7)
            assert clock.monotonic() >= last
            last = clock.monotonic()
            await clock.sleep(0.01)
    assert clock.sleeping == 0


async def test_an_earlier_deadline_that_comes_later_goes_first() -> None:
    clock = VirtualClock()
    woken: list[str] = []

    async def late() -> None:
        await clock.sleep(10)
        woken.append("late")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(late)
        while not clock.sleeping:
            await checkpoint()
        await checkpoint()
        await clock.sleep(3)
        woken.append("early")
    assert woken == ["early", "late"]


async def test_advance_wakes_who_is_due_and_never_goes_back() -> None:
    clock = VirtualClock()
    woken: list[tuple[int, float]] = []

    async def nap(seconds: int) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.monotonic()))

    async with anyio.create_task_group() as tasks:
        for seconds in (3, 1, 2, 100):
            tasks.start_soon(nap, seconds)
        while clock.sleeping < 4:
            await checkpoint()
        clock.advance(50)
    assert woken == [(1, 50), (2, 50), (3, 50), (100, 100)]
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


async def test_a_task_that_polls_the_clock_does_not_stop_it() -> None:
    clock = VirtualClock(quiet=5)
    turns = 0

    async def poll() -> None:
        nonlocal turns
        while clock.monotonic() < 10:
            turns += 1
            await checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(poll)
        await clock.sleep(10)
    assert turns > 5


async def test_sleeping_less_than_nothing_gives_way_once() -> None:
    clock = VirtualClock()
    await clock.sleep(-5)
    assert clock.waited == 0


async def test_the_system_clock_is_the_machines() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(0)
    assert clock.monotonic() >= before
    assert abs(clock.time() - time.time()) < 60
