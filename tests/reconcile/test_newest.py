"""What the newest cases show."""

from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from slow_server import SlowServer

from fusedesk_async import Case, FuseDesk, RateLimiter
from fusedesk_async._pagination.plans import Page
from fusedesk_async._reconcile.newest import Newest, newest_cases

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def newest_of(*ids, rejected=(), whole=False, opened=NOON):
    newest = Newest(is_whole=whole)
    cases = tuple(
        Case(id=number, case_number=f"N{number}" if number % 2 else None, date_opened=opened) for number in ids
    )
    newest.add(Page(cases, 0, len(cases), tuple(rejected)))
    return newest


def test_it_shows_all_cases_since_one_that_it_reaches():
    assert newest_of(9, 7, 5).shows_all_since(5)
    assert newest_of(9, 7, 5).shows_all_since(6)
    assert not newest_of(9, 7, 5).shows_all_since(4)
    assert newest_of(9, 7, 5, whole=True).shows_all_since(None)
    assert not newest_of(whole=True).shows_all_since(4)
    assert not newest_of(7, 9, 5, whole=True).shows_all_since(5)


def test_it_goes_back_before_a_moment_by_the_date_of_its_last_case():
    moment = (NOON + timedelta(days=3)).timestamp()
    assert newest_of(9, 7).goes_back_before(moment)
    assert newest_of(9, 7, opened=NOON.replace(tzinfo=None)).goes_back_before(moment)
    assert not newest_of(9, 7).goes_back_before(NOON.timestamp())
    assert not newest_of(7, 9).goes_back_before(moment)
    assert not newest_of().goes_back_before(moment)
    assert not newest_of(9, opened=None).goes_back_before(moment)


def test_it_hides_cases_if_it_shows_none_of_those_it_must_show():
    assert newest_of(9, 7, 5).hides({8, 6})
    assert not newest_of(9, 7, 5).hides({8, 7})
    assert not newest_of(9, 7, 5).hides({4})
    assert newest_of(9, 7, 5, whole=True).hides({4})
    assert not newest_of(7, 9).hides({8})
    assert not newest_of().hides({8})


def test_its_cases_are_known_by_id_number_and_day():
    newest = newest_of(9, 8, rejected=[ValueError()])
    assert [*newest.by_key] == [9, "N9", 8]
    assert newest.unread == 1
    assert newest.opened_on(date(2026, 3, 1), date(2026, 3, 2)) == {9, 8}
    assert newest.opened_on(date(2026, 3, 2), date(2026, 3, 2)) == set()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("old", "since", "calls", "seen"),
    [(3, None, 2, 3), (1_200, 600, 2, 1_000), (1_200, 900, 1, 500), (1_200, None, 1, 500)],
)
async def test_it_is_read_back_to_what_was_there_before(clock, old, since, calls, seen):
    server = SlowServer(clock, old=old)
    newest = await read(server, server, since)
    assert (len(newest.cases), newest.is_ordered) == (seen, True)
    assert len(server.calls) <= calls


@pytest.mark.anyio
async def test_a_server_that_refuses_the_order_shows_nothing(clock):
    def refuse(request):
        return httpx.Response(405, json={"error": "Unknown order"})

    newest = await read(SlowServer(clock), refuse, None)
    assert (newest.cases, newest.is_ordered) == ([], False)


async def read(server, handler, since):
    desk = FuseDesk(
        "acme",
        api_key="secret-7731",
        transport=httpx.MockTransport(handler),
        clock=server.clock,
        limiter=RateLimiter(assumed_limit=100_000),
    )
    async with desk:
        return await newest_cases(desk.cases.search, since, server.clock.time())
