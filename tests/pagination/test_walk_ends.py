"""How a walk ends: left, cancelled, or by an error, in front of a stand-in for the client."""

import asyncio

import anyio
import pytest
from anyio import wait_all_tasks_blocked
from fake_pages import FakePages, ids, walk_over

from fusedesk_async import ConfigurationError, RateLimitError, ServerError

pytestmark = pytest.mark.anyio


async def test_a_consumer_that_leaves_early_ends_the_calls():
    fake = FakePages(range(1000))
    fake.gates[9] = anyio.Event()
    async with walk_over(fake) as walk:
        async for _ in walk:
            await wait_all_tasks_blocked()
            break
        assert fake.in_flight > 0
    assert fake.in_flight == 0
    asked = len(fake.offsets)
    fake.gates[9].set()
    await wait_all_tasks_blocked()
    assert len(fake.offsets) == asked


async def test_what_was_about_to_be_asked_when_it_is_left_is_not():
    fake = FakePages(range(1000))
    async with walk_over(fake, concurrency=8) as walk:
        async for case in walk:
            if case.id == 200:
                asked = len(fake.offsets)
                break
    await wait_all_tasks_blocked()
    assert len(fake.offsets) == asked


async def test_what_was_asked_beyond_the_end_is_given_up_with_it():
    fake = FakePages(range(40))
    async with walk_over(fake, concurrency=8) as walk:
        fake.gates = {offset: anyio.Event() for offset in range(45, 1000)}
        assert await ids(walk) == list(range(40))
        await wait_all_tasks_blocked()
        assert fake.in_flight == 0


async def test_what_is_behind_the_last_row_is_given_up_when_that_is_seen():
    fake = FakePages(range(12))
    fake.gates = {offset: anyio.Event() for offset in range(11, 100)}
    async with walk_over(fake) as walk:
        assert [(await anext(walk)).id for _ in range(12)] == list(range(12))
        await wait_all_tasks_blocked()
        assert fake.most_in_flight > 1
        assert fake.in_flight == 0
        assert fake.last_call.query["orderby"] == "caseid desc", "it looked whether it is the end"
        assert await ids(walk) == []


async def test_answers_that_come_together_with_the_end_are_no_harm():
    fake, all_at_once = FakePages(range(12)), anyio.Event()
    fake.gates = dict.fromkeys(range(1, 100), all_at_once)
    async with walk_over(fake) as walk:
        seen = [(await anext(walk)).id for _ in range(10)]
        await wait_all_tasks_blocked()
        assert fake.in_flight > 1
        all_at_once.set()
        assert seen + await ids(walk) == list(range(12))


@pytest.mark.parametrize("error", [ValueError("a"), KeyboardInterrupt(), ServerError("b", None, 500), SystemExit(3)])
async def test_what_the_body_raises_passes_as_it_is(error):
    fake = FakePages(range(1000))
    fake.gates[9] = anyio.Event()

    async def work():
        async with walk_over(fake) as walk:
            async for _ in walk:
                await wait_all_tasks_blocked()
                raise error

    with pytest.raises(type(error)) as caught:
        await work()
    assert caught.value is error
    assert fake.in_flight == 0


async def test_a_cancelled_scope_ends_it():
    fake = FakePages(range(1000))
    fake.gates[9] = anyio.Event()
    with anyio.CancelScope() as scope:
        async with walk_over(fake) as walk:
            async for case in walk:
                if case.id == 8:
                    scope.cancel()
        raise AssertionError
    assert scope.cancelled_caught
    assert fake.in_flight == 0
    assert walk.bookmark.id == 9


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_cancelled_task_ends_it():
    fake = FakePages(range(1000))
    fake.gates[9] = anyio.Event()

    async def work():
        async with walk_over(fake) as walk:
            await ids(walk)

    task = asyncio.ensure_future(work())
    await wait_all_tasks_blocked()
    assert fake.in_flight > 0
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert fake.in_flight == 0


@pytest.mark.parametrize("anyio_backend", ["trio"], indirect=True)
async def test_an_interrupt_that_hits_one_of_its_tasks_passes_as_it_is():
    """On asyncio an interrupt goes to the main task, or ends the event loop."""
    fake = FakePages(range(1000))
    fake.failures[9] = BaseExceptionGroup("of a task group further down", [KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        async with walk_over(fake) as walk:
            await ids(walk)
    assert fake.in_flight == 0


async def test_an_error_comes_after_the_pages_before_it_as_it_is_and_once():
    fake, error = FakePages(range(1000)), ServerError("down", None, 500)
    fake.failures[27] = error
    seen = []
    async with walk_over(fake) as walk:
        with pytest.raises(ServerError) as caught:
            await ids(walk, seen)
        assert caught.value is error
        assert seen == list(range(28))
        await wait_all_tasks_blocked()
        assert fake.in_flight == 0, "what lies beyond is given up"
        with pytest.raises(ConfigurationError, match="this walk has failed"):
            await anext(walk)
    fake.failures, fake.outage = {}, None
    async with walk_over(fake, after=walk.bookmark) as later:
        assert await ids(later) == list(range(28, 1000))


async def test_an_error_waits_for_pages_before_it_that_are_on_their_way():
    fake = FakePages(range(1000))
    fake.failures = {18: ServerError("later", None, 500), 27: ServerError("later still", None, 500)}
    fake.gates[9] = anyio.Event()
    seen = []
    async with walk_over(fake, concurrency=4) as walk, anyio.create_task_group() as group:

        async def consume():
            with pytest.raises(ServerError, match="later "):
                await ids(walk, seen)

        group.start_soon(consume)
        await wait_all_tasks_blocked()
        assert seen == list(range(10))
        fake.gates[9].set()
    assert seen == list(range(19))


@pytest.mark.parametrize("order", [(9, 18), (18, 9)])
async def test_the_earliest_of_several_errors_counts(order):
    fake = FakePages(range(1000))
    fake.gates = {offset: anyio.Event() for offset in order}
    fake.failures = {9: ServerError("first", None, 500), 18: ServerError("second", None, 500)}
    async with walk_over(fake) as walk, anyio.create_task_group() as group:

        async def consume():
            with pytest.raises(ServerError, match="first"):
                await ids(walk)

        group.start_soon(consume)
        await wait_all_tasks_blocked()
        for offset in order:
            fake.gates[offset].set()


async def test_a_page_that_failed_behind_the_end_does_not_count():
    fake = FakePages(range(15))
    fake.failures = {offset: RateLimitError("enough", None, 429) for offset in range(18, 60)}
    async with walk_over(fake) as walk:
        assert await ids(walk) == list(range(15))


async def test_it_is_used_inside_its_block_and_once():
    walk = walk_over(FakePages(range(5)))
    with pytest.raises(ConfigurationError, match="open the walk first"):
        await anext(walk)
    async with walk:
        with pytest.raises(ConfigurationError, match="opened before"):
            async with walk:
                pass
        assert await ids(walk) == list(range(5))
    with pytest.raises(ConfigurationError, match="was left"):
        await anext(walk)
    with pytest.raises(ConfigurationError, match="opened before"):
        async with walk:
            pass


async def test_who_still_waits_when_the_block_is_left_is_told():
    fake = FakePages(range(50))
    fake.gates[0] = anyio.Event()

    async def wait(walk):
        with pytest.raises(ConfigurationError, match="was left"):
            await anext(walk)

    async with anyio.create_task_group() as group, walk_over(fake) as walk:
        group.start_soon(wait, walk)
        await wait_all_tasks_blocked()
