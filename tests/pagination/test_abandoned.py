"""A walk or lookup in an async generator that is left half-way: it ends, and a warning says where it was opened."""

import gc
import warnings
from contextlib import aclosing
from contextvars import ContextVar
from inspect import currentframe

import anyio
import httpx
import pytest
from anyio.lowlevel import checkpoint

from fusedesk_async import FuseDesk, FuseDeskWarning
from fusedesk_async._background import BackgroundTasks

pytestmark = pytest.mark.anyio

CASES = 1_000


def answer(request):
    if request.url.path.endswith("cases"):
        offset, limit = int(request.url.params["offset"]), int(request.url.params["limit"])
        rows = [{"caseid": number} for number in range(1, CASES)[offset : offset + limit]]
        return httpx.Response(200, json=rows)
    return httpx.Response(200, json={"caseid": request.url.path.rpartition("/")[2]})


def is_late(request):
    """Whether it is none of the first pages or cases, in whatever order they are asked for."""
    if request.url.path.endswith("cases"):
        return int(request.url.params["offset"]) > 200
    return int(request.url.path.rpartition("/")[2]) > 3


class Slow(httpx.AsyncBaseTransport):
    """Answers the first pages and the first cases only."""

    def __init__(self):
        self.in_flight = 0

    async def handle_async_request(self, request):
        self.in_flight += 1
        try:
            await (anyio.sleep_forever() if is_late(request) else checkpoint())
        finally:
            self.in_flight -= 1
        return answer(request)


@pytest.fixture
def transport():
    return Slow()


@pytest.fixture
async def desk(transport):
    async with FuseDesk("acme", api_key="key", transport=transport) as desk:
        yield desk


def line_after(frame):
    return frame.f_lineno + 1


async def walked(desk, opened):
    opened.append(line_after(currentframe()))
    async with desk.cases.walk(status="all", page_size=100) as walk:
        async for case in walk:
            yield case.id


async def fetched(desk, opened):
    opened.append(line_after(currentframe()))
    async with desk.cases.get_many(range(1, CASES)) as lookup:
        async for number, _ in lookup:
            yield number


async def both(desk, opened):
    opened.append(line_after(currentframe()))
    async with desk.cases.walk(status="all", page_size=100) as walk, desk.cases.get_many(walk) as lookup:
        async for number, _ in lookup:
            yield number


@pytest.mark.parametrize("generator", [walked, fetched, both])
async def test_the_task_that_left_goes_on_and_the_client_closes(desk, transport, generator):
    opened = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        async for _ in generator(desk, opened):
            break
        gc.collect()
        for _ in range(50):
            await checkpoint()
    told = [warning for warning in caught if warning.category is FuseDeskWarning]
    assert {(warning.filename, warning.lineno) for warning in told} == {(__file__, opened[0])}
    assert len(told) == (2 if generator is both else 1)
    assert f"opened at {__file__}:{opened[0]}; close the async generator" in str(told[0].message)
    await desk.aclose()
    assert transport.in_flight == 0


@pytest.mark.parametrize("generator", [walked, fetched, both])
async def test_nothing_is_said_where_the_generator_is_closed(desk, generator):
    async with aclosing(generator(desk, [])) as numbers:
        async for _ in numbers:
            break
    for _ in range(20):
        await checkpoint()


async def test_tasks_end_together_in_the_context_they_were_started_in():
    variable, seen, ended = ContextVar("variable"), [], []

    async def work():
        seen.append(variable.get())
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await checkpoint()
            ended.append(1)

    tasks = BackgroundTasks(seen.append)
    variable.set("mine")
    for _ in range(3):
        tasks.start(work)
    await anyio.wait_all_tasks_blocked()
    tasks.start(work)  # never begins
    await tasks.end()
    assert seen == ["mine"] * 3
    assert len(ended) == 3


async def test_a_task_that_fails_harms_no_other():
    failures, ended = [], []

    async def fail():
        raise SystemExit

    async def work():
        await checkpoint()
        ended.append(1)

    tasks = BackgroundTasks(failures.append)
    tasks.start(fail)
    tasks.start(work)
    await anyio.wait_all_tasks_blocked()
    await tasks.end()
    assert [type(error) for error in failures] == [SystemExit]
    assert ended == [1]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_tasks_that_nobody_ends_end_with_the_loop(anyio_backend):
    ended = []

    async def main():
        async def work():
            try:
                await anyio.sleep_forever()
            finally:
                ended.append(1)

        BackgroundTasks(ended.append).start(work)
        await anyio.wait_all_tasks_blocked()

    anyio.run(main, backend=anyio_backend)
    assert ended == [1]
