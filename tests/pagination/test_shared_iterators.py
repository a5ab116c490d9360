"""Iterators that several tasks share: whatever kind of list, each row goes to exactly one of them."""

import random

import anyio
import pytest
from anyio.lowlevel import checkpoint
from fake_pages import FakePages, walk_over
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async import Case, NotSentError
from fusedesk_async._pagination.lookup import Lookup
from fusedesk_async._pagination.pages import Pages
from fusedesk_async._wire.call import get
from fusedesk_async._wire.readers import many, one

pytestmark = pytest.mark.anyio


def listing(send, *, ascending=True):
    call = get("v1/cases", many(Case), {})
    return Pages(send, call, page_size=10, identity=lambda case: case.id, ascending=ascending)


async def shared(iterator, workers, received, *, pause=checkpoint):
    """Let workers take from one iterator until its end."""

    async def work():
        async for each in iterator:
            received.append(each)
            await pause()

    async with anyio.create_task_group() as group:
        for _ in range(workers):
            group.start_soon(work)


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("workers", [1, 2, 4, 30])
async def test_workers_share_the_records_of_a_search(workers, ascending):
    fake, received = FakePages(range(95)), []
    await shared(aiter(listing(fake, ascending=ascending)), workers, received)
    assert sorted(case.id for case in received) == list(range(95))
    assert fake.most_in_flight == 1


@pytest.mark.parametrize("ascending", [True, False])
async def test_workers_share_the_pages_of_a_search(ascending):
    fake, received = FakePages(range(95)), []
    await shared(listing(fake, ascending=ascending).pages(), 4, received)
    assert sorted(case.id for page in received for case in page.items) == list(range(95))


async def test_workers_share_the_pages_of_a_walk():
    received = []
    async with walk_over(FakePages(range(95))) as walk:
        await shared(walk.pages(), 4, received)
    assert sorted(case.id for page in received for case in page.items) == list(range(95))


async def test_workers_share_a_lookup_whose_ids_come_from_a_shared_search():
    async def send(call):
        await checkpoint()
        return Case(id=int(call.path.rsplit("/", 1)[-1]))

    ids, received = aiter(listing(FakePages(range(95)))), []

    async def look_up():
        async with Lookup(send, lambda number: get(f"v1/cases/{number:d}", one(Case)), ids, concurrency=3) as lookup:
            await shared(lookup, 3, received)

    async with anyio.create_task_group() as group:
        group.start_soon(look_up)
        group.start_soon(look_up)
    assert sorted(number for number, _ in received) == list(range(95))


@given(seed=st.integers(0, 2**32), workers=st.integers(2, 6), failing=st.integers(1, 9))
@pytest.mark.parametrize("ascending", [True, False])
def test_a_failure_goes_to_one_worker_and_costs_the_others_nothing(seed, workers, failing, ascending):
    chance = random.Random(seed)
    fake, received, failures, calls = FakePages(range(95)), [], [], []

    async def send(call):
        calls.append(call)
        if len(calls) == failing:
            await checkpoint()
            raise NotSentError("no network", None)
        return await fake(call)

    async def work(iterator):
        try:
            async for case in iterator:
                received.append(case.id)
                for _ in range(chance.randrange(4)):
                    await checkpoint()
        except NotSentError as error:
            failures.append(error)

    async def main():
        iterator = aiter(listing(send, ascending=ascending))
        async with anyio.create_task_group() as group:
            for _ in range(workers):
                group.start_soon(work, iterator)

    anyio.run(main)
    assert sorted(received) == list(range(95))
    assert len(failures) == 1


async def test_a_worker_that_is_cancelled_takes_no_record_with_it():
    fake, received = FakePages(range(40)), []
    fake.gates[0] = anyio.Event()
    iterator = aiter(listing(fake))
    async with anyio.create_task_group() as group:
        with anyio.CancelScope() as scope:
            group.start_soon(shared, iterator, 2, received)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
            await anext(iterator)
        fake.gates[0].set()
    assert scope.cancelled_caught
    assert [case.id for case in received] == list(range(40))
