"""What a walk does with its pages, in front of a stand-in for the client."""

import anyio
import pytest
from anyio import wait_all_tasks_blocked
from anyio.lowlevel import checkpoint
from fake_pages import FakePages, ids, walk_over

from fusedesk_async import Case, ConfigurationError, FuseDeskWarning, PaginationError, WalkReport

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("concurrency", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 95])
async def test_all_come_once_and_in_order(count, concurrency):
    fake = FakePages(range(count))
    async with walk_over(fake, concurrency=concurrency) as walk:
        assert await ids(walk) == list(range(count))
        assert await ids(walk) == [], "a walk that has ended has ended"
    assert fake.most_in_flight <= concurrency
    assert walk.report == WalkReport(calls=walk.report.calls, rows=count)
    assert len(fake.offsets) - concurrency < walk.report.calls <= len(fake.offsets)


async def test_nothing_is_asked_before_the_first_record_is():
    fake = FakePages(range(30))
    async with walk_over(fake):
        await wait_all_tasks_blocked()
    assert fake.offsets == []


async def test_pages_are_fetched_ahead_and_in_parallel():
    fake = FakePages(range(100))
    fake.gates = {offset: anyio.Event() for offset in range(9, 100)}
    async with walk_over(fake) as walk:
        assert (await anext(walk)).id == 0
        await wait_all_tasks_blocked()
        assert fake.in_flight == 3, "but the first, which may be all there is, goes alone"


async def test_a_slow_consumer_stops_the_asking():
    fake = FakePages(range(1000))
    async with walk_over(fake) as walk:
        async for case in walk:
            if case.id % 50 == 0:  # it takes a while
                await wait_all_tasks_blocked()
            assert len(fake.offsets) <= case.id // 9 + 1 + 2 * 3
            if case.id == 200:
                break


async def test_its_calls_are_bulk_work():
    fake = FakePages([])
    async with walk_over(fake, query={"status": "open"}) as walk:
        await ids(walk)
    assert fake.last_call.bulk
    assert fake.last_call.query == {"status": "open", "limit": 2, "offset": 0, "orderby": "caseid desc"}


async def test_pages_in_place_of_records():
    async with walk_over(FakePages(range(25)), concurrency=1) as walk:
        pages = [([case.id for case in page.items], page.offset, walk.bookmark) async for page in walk.pages()]
    assert [numbers for numbers, _, _ in pages] == [list(range(10)), list(range(10, 19)), list(range(19, 25))]
    assert [(bookmark.id, bookmark.rank) for _, _, bookmark in pages] == [(9, 9), (18, 18), (24, 24)]
    assert walk.report.rows == 25


async def test_pages_after_some_records_begin_with_the_rest_of_the_page():
    async with walk_over(FakePages(range(25))) as walk:
        assert (await anext(walk)).id == 0
        pages = [page async for page in walk.pages()]
    assert [case.id for page in pages for case in page.items] == list(range(1, 25))
    assert (walk.report.rows, walk.bookmark.rank) == (25, 24)


async def test_several_workers_may_share_a_walk():
    seen = []

    async def work(walk):
        async for case in walk:
            seen.append(case.id)
            await checkpoint()

    async with walk_over(FakePages(range(200))) as walk, anyio.create_task_group() as workers:
        for _ in range(5):
            workers.start_soon(work, walk)
    assert sorted(seen) == list(range(200))


@pytest.mark.parametrize("on_unordered", ["raise", "report"])
async def test_a_server_that_ignores_the_offset_is_an_error_not_a_loop(on_unordered):
    fake = FakePages([])

    async def send(call):
        return await fake(call) if fake.ids else type(await fake(call))(tuple(Case(id=n) for n in range(10)))

    async with walk_over(send, on_unordered=on_unordered) as walk:
        with pytest.raises(PaginationError, match="offset is ignored"):
            await ids(walk)
    assert fake.in_flight == 0


async def test_a_server_that_does_not_keep_the_order_is_an_error():
    async with walk_over(FakePages([3, 1, 2])) as walk:
        with pytest.raises(PaginationError, match="order"):
            await ids(walk)


async def test_without_order_it_goes_on_by_plain_paging_if_that_is_wanted():
    fake = FakePages([number * 7 % 45 for number in range(45)])
    async with walk_over(fake, on_unordered="report") as walk:
        with pytest.warns(FuseDeskWarning, match="order by id") as warned:
            assert await ids(walk) == fake.ids
        assert len(warned) == 1
        with pytest.raises(PaginationError, match="start a new one"):
            _ = walk.bookmark
    assert walk.report == WalkReport(calls=walk.report.calls, rows=45, unordered=True)
    assert not walk.report.is_whole
    assert walk.report.calls <= 2 * 6 + 4, "two passes"
    assert fake.most_in_flight == 1


async def test_a_warning_that_is_an_error_reaches_the_consumer():
    async with walk_over(FakePages([3, 1, 2]), on_unordered="report") as walk:
        with pytest.raises(FuseDeskWarning):
            await ids(walk)


async def test_an_order_that_breaks_later_is_an_error_or_told():
    fake = FakePages([*range(20), 30, 25])
    async with walk_over(fake) as walk:
        with pytest.raises(PaginationError, match="30 comes before 25"):
            await ids(walk)
    async with walk_over(fake, on_unordered="report") as walk:
        with pytest.warns(FuseDeskWarning, match="order by id"):
            assert sorted(await ids(walk)) == sorted(fake.ids)
    assert walk.report.unordered


async def test_a_resumed_walk_whose_order_is_lost_takes_what_is_before_its_bookmark_as_seen():
    fake = FakePages(range(22))
    async with walk_over(fake) as walk:
        seen = [(await anext(walk)).id for _ in range(15)]
    fake.ids.reverse()
    async with walk_over(fake, on_unordered="report", after=walk.bookmark) as later:
        with pytest.warns(FuseDeskWarning, match="order by id"):
            assert sorted(seen + await ids(later)) == list(range(22))


@pytest.mark.parametrize(
    "wrong", [{"page_size": 1}, {"page_size": 501}, {"concurrency": 0}, {"on_unordered": "ignore"}, {"after": "here"}]
)
def test_what_cannot_be_right_is_refused_at_once(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        walk_over(FakePages([]), **wrong)
