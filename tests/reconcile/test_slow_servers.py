"""Look-ups at servers that are slow, that change what they store, and where others open similar cases meanwhile."""

from datetime import UTC, datetime

import anyio
import attrs
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_server import DAY, STORES, SlowServer

from fusedesk_async import CannotTellError, FuseDesk, NewCase, OutcomeUnknownError, RateLimiter
from fusedesk_async.sandbox import VirtualClock

TIMEOUT = 30.0
LONG = "The parcel was left with a neighbour whom nobody knows & the door in the photo is <green>. Please call."
CASE = NewCase(department_id=3, summary="Login fails since Monday", details=f"  {LONG}\n", opened_by="jo@mail.example")
DIFFERENCES = (
    {"details": f"{LONG} It is about another parcel"},
    {"details": "something else"},
    {"openedby": "ann@mail.example"},
    {"summary": "Login fails since Tuesday"},
    {"summary": "Login"},
    {"depid": "4"},
)


def server_of(clock, **settings):
    return SlowServer(clock, timeout=TIMEOUT, **settings)


def desk_of(server):
    return FuseDesk(
        "acme",
        api_key="secret-7731",
        transport=httpx.MockTransport(server),
        clock=server.clock,
        timeout=TIMEOUT,
        limiter=RateLimiter(assumed_limit=100_000),
    )


def dated(clock, days):
    return None if days is None else datetime.fromtimestamp(int(clock.time() - days * DAY), UTC)


async def open_others(desk, clock, asked):
    """Cases that are opened before, and answered."""
    for number, days in enumerate(asked):
        new = attrs.evolve(CASE, summary=f"Row {number}", opened_by="rows", date_opened=dated(clock, days))
        await desk.cases.create(new)
        clock.advance(20)


def open_similar(server, others):
    fields = {"summary": CASE.summary, "details": CASE.details.strip(), "openedby": CASE.opened_by, "depid": "3"}
    for seconds, which in others:
        server.open(seconds, **fields | DIFFERENCES[which])


async def lose(desk, case):
    with pytest.raises(OutcomeUnknownError) as caught:
        await desk.cases.create(case)
    return caught.value


async def look_up(server, days, duration, before, others):
    """What was found, and the truth."""
    clock = server.clock
    async with desk_of(server) as desk:
        await open_others(desk, clock, before)
        server.durations.append(duration)
        open_similar(server, others)
        error = await lose(desk, attrs.evolve(CASE, date_opened=dated(clock, days)))
        mine = [each for each in (*server.cases, *server.coming) if is_mine(each)]
        try:
            found = await desk.cases.find_created(error)
        except CannotTellError:
            return "unknown", mine
        return found and found.id, mine


def is_mine(stored):
    return stored.sender == "client" and stored.fields["openedby"] == CASE.opened_by


DURATIONS = st.none() | st.floats(TIMEOUT, 4 * TIMEOUT)
DAYS = st.none() | st.integers(0, 2_000)
OTHERS = st.lists(st.tuples(st.floats(0, 200), st.integers(0, len(DIFFERENCES) - 1)), max_size=3)
KNOWN = st.lists(DAYS, max_size=3)
STORE = st.sampled_from(sorted(STORES))
ZONE = st.sampled_from([0, -5, 10, None])


@pytest.mark.filterwarnings("ignore::fusedesk_async.FuseDeskWarning")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=60)
@given(
    days=DAYS,
    duration=DURATIONS,
    before=KNOWN,
    others=OTHERS,
    store=STORE,
    zone=ZONE,
    data=st.data(),
    old=st.sampled_from([0, 1, 60, 1_200]),
)
def test_what_is_said_is_true_whatever_the_server_makes_of_a_case(
    backend, days, duration, before, others, store, zone, data, old
):
    server = server_of(
        VirtualClock(),
        dates=data.draw(st.sampled_from(["kept", "ignored", "days", "odd"])),
        store=STORES[store],
        offset=zone,
        old=old,
        keeps_order=data.draw(st.sampled_from([True, True, True, False])),
        filters=data.draw(st.sampled_from(["work", "work", "work", "ignored", "empty"])),
        ahead=data.draw(st.sampled_from([0.0, 0.0, 7.0, -1_020.0, 100_000.0])),
        gives_time=data.draw(st.sampled_from([True, True, True, False])),
    )
    found, mine = anyio.run(look_up, server, days, duration, before, others, backend=backend)
    if found is None:
        assert not mine
    elif found != "unknown":
        assert [each.id for each in mine] == [found]


@pytest.mark.parametrize("dates", ["kept", "ignored"])
@given(
    days=st.none() | st.integers(5, 2_000),
    duration=DURATIONS,
    store=st.sampled_from(["as it is", "trimmed", "other white space", "escaped", "escaped twice"]),
    others=st.lists(st.tuples(st.floats(0, 200), st.integers(1, 3)), max_size=3),
)
@settings(max_examples=30)
def test_a_usual_server_leaves_no_doubt(dates, days, duration, store, others):
    server = server_of(VirtualClock(), dates=dates, store=STORES[store], offset=-5)
    found, mine = anyio.run(look_up, server, days, duration, [400], others)
    assert found == (mine[0].id if mine else None)


@pytest.mark.anyio
async def test_a_slow_write_is_waited_for(clock):
    server = server_of(clock, durations=[119.0])
    async with desk_of(server) as desk:
        error = await lose(desk, CASE)
        found = await desk.cases.find_created(error)
    assert found.id == 61
    assert clock.waited >= 119


@pytest.mark.anyio
async def test_waiting_counts_from_when_the_response_was_given_up(clock):
    async with desk_of(server_of(clock, durations=[None])) as desk:
        error = await lose(desk, CASE)
        assert await desk.cases.find_created(error) is None
        assert clock.waited == TIMEOUT + 120
        slow = desk.with_options(timeout=100)
        assert await slow.cases.find_created(CASE, sent_at=datetime.fromtimestamp(clock.time(), UTC)) is None
        assert clock.waited == TIMEOUT + 120 + 100 + 400


@pytest.mark.anyio
async def test_a_date_that_the_server_ignores_hides_no_case(clock):
    server = server_of(clock, dates="ignored", old=1_200)
    async with desk_of(server) as desk:
        await open_others(desk, clock, [900])
        server.durations += [40.0]
        error = await lose(desk, attrs.evolve(CASE, date_opened=dated(clock, 700)))
        assert (await desk.cases.find_created(error)).id == 1_202


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore:the server does not keep the order")
@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"filters": "empty", "keeps_order": False}, "searches by date were not seen"),
        ({"dates": "odd", "keeps_order": False}, "searches by date were not seen"),
        ({"filters": "empty", "old": 0}, "searches by date were not seen"),
    ],
)
async def test_what_would_not_have_been_seen_is_not_called_absent(clock, settings, why):
    server = server_of(clock, durations=[None], **settings)
    async with desk_of(server) as desk:
        error = await lose(desk, attrs.evolve(CASE, date_opened=dated(clock, 700)))
        with pytest.raises(CannotTellError, match=why):
            await desk.cases.find_created(error)


@pytest.mark.anyio
async def test_a_server_that_hides_cases_that_were_surely_opened_proves_nothing(clock):
    server = server_of(clock, old=5)
    async with desk_of(server) as desk:
        await open_others(desk, clock, [900, 800])
        del server.cases[-2:]
        server.durations += [None]
        error = await lose(desk, attrs.evolve(CASE, date_opened=dated(clock, 700)))
        with pytest.raises(CannotTellError, match="surely opened are not shown either"):
            await desk.cases.find_created(error)


@pytest.mark.anyio
async def test_a_case_without_a_date_is_no_control_of_searches_by_date(clock):
    server = server_of(clock, old=600, durations=[None], undated={600})
    async with desk_of(server) as desk:
        error = await lose(desk, CASE)
        clock.advance(4 * DAY)
        assert await desk.cases.find_created(error) is None
