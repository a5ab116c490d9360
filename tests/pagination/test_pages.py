"""Lists in pages, in the order of ids and in any other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async import (
    Case,
    ConfigurationError,
    FuseDeskWarning,
    PaginationError,
    RateLimitError,
    UnexpectedResponseError,
)
from fusedesk_async._pagination.pages import Pages
from fusedesk_async._wire.call import get
from fusedesk_async._wire.profile import LearnedProfile
from fusedesk_async._wire.readers import Records, many

pytestmark = pytest.mark.anyio


class Server:
    """Pages a list of ids, up to a cap; `between` changes the list before each call but the first."""

    def __init__(self, ids, cap=500, between=None):
        self.ids = list(ids)
        self.cap = cap
        self.between = between
        self.asked = []

    async def __call__(self, call):
        limit, offset = call.query["limit"], call.query["offset"]
        if self.asked and self.between:
            self.between(self.ids)
        self.asked.append((limit, offset))
        ids = self.ids if call.query.get("orderby") != "caseid desc" else sorted(self.ids, reverse=True)
        return Records(tuple(Case(id=number) for number in ids[offset : offset + min(limit, self.cap)]))


def pages(server, page_size=10, *, ascending=True, profile=None):
    call = get("v1/cases", many(Case), {"status": "open"})
    return Pages(server, call, page_size=page_size, identity=lambda case: case.id, ascending=ascending, profile=profile)


async def ids(listing):
    return [case.id async for case in listing]


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 95])
async def test_all_come_once_and_in_order(count, ascending):
    server = Server(range(count))
    assert await ids(pages(server, ascending=ascending)) == list(range(count))


async def test_nothing_is_asked_before_it_is_iterated_and_each_iteration_starts_anew():
    server = Server(range(25))
    listing = pages(server)
    assert server.asked == []
    assert await ids(listing) == await ids(listing)
    assert server.asked[0] == server.asked[len(server.asked) // 2] == (10, 0)


async def test_the_other_parameters_go_along_with_each_page():
    seen = []

    async def send(call):
        seen.append(dict(call.query))
        return Records()

    await ids(pages(send))
    assert seen == [{"status": "open", "limit": 10, "offset": 0}]


async def test_a_server_that_caps_its_pages_is_followed_by_the_rows_received():
    server = Server(range(995), cap=100)
    assert await ids(pages(server, 500)) == list(range(995))
    assert [offset for _, offset in server.asked][:4] == [0, 0, 99, 198]


async def test_a_short_first_page_is_the_end_once_the_server_has_sent_a_longer_one():
    server, profile = Server(range(99)), LearnedProfile()
    assert await ids(pages(server, 500, profile=profile)) == list(range(99))
    assert server.asked == [(500, 0), (2, 0)]
    profile.longest_page = 100
    assert await ids(pages(server, 500, profile=profile)) == list(range(99))
    assert server.asked == [(500, 0), (2, 0), (500, 0)]


async def test_a_long_first_page_is_not_believed_to_be_the_end():
    server = Server(range(100))
    assert len(await ids(pages(server, 500))) == 100
    assert server.asked == [(500, 0), (2, 0)]


@pytest.mark.parametrize("ascending", [True, False])
async def test_rows_that_move_back_come_once(ascending):
    server = Server(range(100, 200), between=lambda rows: rows.insert(0, rows[0] - 1))
    seen = await ids(pages(server, ascending=ascending))
    assert len(seen) == len(set(seen))
    assert set(range(100, 200)) <= set(seen)


async def test_a_list_that_grows_at_its_end_is_followed():
    server = Server(range(30), between=lambda rows: rows.append(len(rows)) if len(rows) < 45 else None)
    seen = await ids(pages(server))
    assert seen == list(range(len(seen)))
    assert len(seen) >= 33


async def test_ids_in_no_order_are_told_and_all_come():
    with pytest.warns(FuseDeskWarning, match="order by id"):
        assert sorted(await ids(pages(Server([1, 3, 2])))) == [1, 2, 3]


async def test_equal_neighbours_come_once():
    assert await ids(pages(Server([1, 2, 2, 3]))) == [1, 2, 3]


@pytest.mark.parametrize("ascending", [True, False])
async def test_a_server_that_ignores_the_offset_is_an_error_not_a_loop(ascending):
    async def send(call):
        return Records(tuple(Case(id=number) for number in range(call.query["limit"])))

    with pytest.raises(PaginationError, match="offset is ignored"):
        await ids(pages(send, ascending=ascending))


async def test_pages_that_cannot_be_read_are_no_loop_either():
    async def send(call):
        rows = call.query["limit"]
        return Records((), (UnexpectedResponseError("expected a whole number"),) * rows)

    with pytest.raises(PaginationError, match=r"cannot be read|can be read"):
        await ids(pages(send))


async def test_a_first_record_that_cannot_be_read_is_not_none():
    async def send(_):
        return Records((), (UnexpectedResponseError("expected a whole number"),))

    with pytest.raises(UnexpectedResponseError):
        await pages(send).first()


async def test_rows_that_come_back_before_the_reader_are_no_ignored_offset():
    server = Server(range(10, 15), between=lambda rows: rows.insert(0, rows[0] - 1) if rows[0] > 8 else None)
    assert await ids(pages(server, 2)) == list(range(10, 15))
    server = Server(range(10, 15), between=lambda rows: rows.insert(0, rows[0] - 1) if rows[0] > 8 else None)
    assert await ids(pages(server, 1, ascending=False)) == list(range(10, 15))


async def test_first_asks_for_one_row():
    server = Server(range(7, 99))
    assert (await pages(server).first()).id == 7
    assert server.asked == [(1, 0)]
    assert await pages(Server([])).first() is None


@pytest.mark.parametrize(("wanted", "calls"), [(0, 0), (1, 1), (10, 1), (11, 2), (None, 5)])
async def test_collect_asks_for_no_more_than_it_takes(wanted, calls):
    server = Server(range(30))
    assert len(await pages(server).collect(wanted)) == (30 if wanted is None else wanted)
    assert len(server.asked) == calls


async def test_pages_say_what_came():
    server = Server(range(25))
    seen = [(page.offset, page.received, len(page.items)) async for page in pages(server).pages()]
    assert seen == [(0, 10, 10), (9, 10, 9), (18, 7, 6)]
    seen = [(page.offset, page.received, len(page.items)) async for page in pages(server, ascending=False).pages()]
    assert seen == [(0, 10, 10), (10, 10, 10), (20, 5, 5)]


@pytest.mark.parametrize("size", [0, -1, 1, 501, True, 2.0, "10"])
def test_a_page_size_the_server_does_not_know_is_refused(size):
    with pytest.raises(ConfigurationError, match=r"page_size is a whole number from 2 to 500, not"):
        pages(Server([]), size)


async def test_pages_of_one_row_will_do_where_they_need_not_join():
    assert await ids(pages(Server(range(5)), 1, ascending=False)) == list(range(5))


@given(st.integers(0, 900), st.integers(2, 500), st.integers(100, 500), st.booleans())
async def test_whatever_the_sizes_all_of_a_quiet_list_comes(count, page_size, cap, ascending):
    numbers = [number * 3 for number in range(count)]
    assert await ids(pages(Server(numbers, cap=cap), page_size, ascending=ascending)) == numbers


async def test_an_iteration_may_be_gone_on_with():
    records = aiter(pages(Server(range(30))))
    assert (await anext(records)).id == 0
    assert [case.id async for case in records] == list(range(1, 30))


@pytest.mark.parametrize("ascending", [True, False])
async def test_an_iteration_may_be_gone_on_with_after_an_error(ascending):
    server, failures = Server(range(30)), [RateLimitError("enough", None, 429)]

    async def send(call):
        if call.query["offset"] and failures:
            raise failures.pop()
        return await server(call)

    records = aiter(pages(send, ascending=ascending))
    seen = [(await anext(records)).id for _ in range(10)]
    with pytest.raises(RateLimitError):
        await anext(records)
    assert seen + [case.id async for case in records] == list(range(30))


async def test_an_iteration_may_be_left_half_way():
    async for case in pages(Server(range(30))):
        if case.id == 12:
            break
    assert case.id == 12
