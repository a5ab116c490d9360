"""Finding out whether a case was opened."""

import copy
import pickle
import random
from datetime import UTC, datetime, timedelta

import attrs
import httpx
import pytest
from clients import client, new_case

from fusedesk_async import (
    CannotTellError,
    Case,
    ConfigurationError,
    FuseDeskWarning,
    NewCase,
    NewNote,
    OutcomeUnknownError,
    RateLimiter,
    RateLimitError,
    RetryPolicy,
)
from fusedesk_async._reconcile.found import Found
from fusedesk_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio


@pytest.fixture
def sandbox(clock):
    return Sandbox(300, clock=clock)


@pytest.fixture
async def desk(sandbox, clock):
    async with client(sandbox, clock, limiter=RateLimiter(assumed_limit=100_000)) as desk:
        yield desk


async def lost(desk, case):
    with pytest.raises(OutcomeUnknownError) as caught:
        await desk.cases.create(case)
    return caught.value


def similar(case, number):
    """A case that differs in one thing; the sandbox's members."""
    fields = {
        "departmentid": case.department_id,
        "summary": case.summary,
        "details": case.details,
        "openedby": case.opened_by,
    }
    changes = (
        {"openedby": "ann@mail.example"},
        {"summary": f"{case.summary} again {number}"},
        {"details": f"another text {number}"},
        {"departmentid": 272},
    )
    return fields | changes[number % len(changes)]


@pytest.mark.filterwarnings("ignore::fusedesk_async.FuseDeskWarning")
async def test_it_is_right_in_100_of_100_runs_while_others_open_similar_cases(sandbox, desk, clock):
    dice = random.Random(7)
    base = new_case(sandbox)
    faults = [
        {"drop": True},
        {"status": 502},
        {"body": "<html>"},
        {"truncate": 9},
        {"prefix": "Warning: x", "body": "{"},
    ]
    opened, others = dict.fromkeys((True, False), 0), [{}]
    sandbox.churn("any", lambda desk: desk.open_cases(1, **dice.choice(others)))
    for run in range(100):
        case = attrs.evolve(base, summary=f"Login fails {run}", opened_by=dice.choice(["jo", "website"]))
        if run % 3 == 0:
            case = attrs.evolve(case, date_opened=datetime.fromtimestamp(clock.time() - dice.randrange(10**8), UTC))
        others[:] = [similar(case, number) for number in range(4)]
        fault = dice.choice(faults)
        happens = "truncate" in fault or dice.random() < 0.5
        sandbox.fault("create", **fault, after=happens)
        before = set(sandbox.state.cases.ids())
        clock.advance(10)
        error = await lost(desk, case)
        found = await desk.cases.find_created(error)
        sent = [each for each in sandbox.received if each.operation == "create"]
        assert len(sent) == run + 1
        assert (found is not None) is happens, run
        if found:
            assert found.id not in before
            assert (found.summary, found.opened_by, found.details) == (case.summary, case.opened_by, case.details)
        opened[happens] += 1
    assert min(opened.values()) > 20


async def test_it_works_from_a_copy_of_the_error_that_travelled(sandbox, desk):
    sandbox.fault("create", truncate=0)
    error = await lost(desk, new_case(sandbox))
    for twin in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert twin.args == error.args
        assert (await desk.cases.find_created(twin)).id == 301
    assert sandbox.api_key not in repr(error.args)


async def test_the_key_in_a_text_is_not_in_the_error_and_the_case_is_found_all_the_same(sandbox, desk):
    sandbox.fault("create", drop=True, after=True)
    error = await lost(desk, attrs.evolve(new_case(sandbox), details=f"use {sandbox.api_key} to log in"))
    assert sandbox.api_key not in repr(error.args)
    assert error.fields["details"] == "use *** to log in"
    assert (await desk.cases.find_created(error)).id == 301


async def test_a_new_case_and_the_time_it_was_sent_will_do(sandbox, desk, clock):
    case, sent_at = new_case(sandbox), datetime.fromtimestamp(clock.time(), UTC)
    await desk.cases.create(case)
    assert (await desk.cases.find_created(case, sent_at=sent_at)).id == 301
    assert await desk.cases.find_created(case, sent_at=sent_at, exclude={301}) is None
    assert await desk.cases.find_created(case, sent_at=sent_at + timedelta(days=8)) is None


async def test_none_is_said_only_when_the_request_must_have_ended(sandbox, desk, clock):
    sandbox.fault("create", drop=True)
    error = await lost(desk, new_case(sandbox))
    assert await desk.cases.find_created(error) is None
    assert 120 <= clock.waited <= 122
    assert await desk.cases.find_created(error) is None
    assert 130 <= clock.waited <= 132
    assert [each.operation for each in sandbox.received].count("create") == 1


async def test_a_request_that_is_carried_out_late_is_found(sandbox, desk, clock):
    case = new_case(sandbox)
    fields = {"departmentid": case.department_id, "summary": case.summary, "details": case.details}
    sandbox.fault("create", drop=True)
    error = await lost(desk, case)
    searched = []

    def open_late(desk):
        searched.append(1)
        if len(searched) == 4:
            desk.open_cases(1, openedby=case.opened_by, contactid=None, **fields)

    sandbox.churn("search", open_late)
    assert (await desk.cases.find_created(error)).id == 301


@pytest.mark.parametrize("early", [True, False])
async def test_several_equal_cases_are_not_chosen_from(sandbox, desk, clock, early):
    case = new_case(sandbox)
    fields = {"departmentid": case.department_id, "summary": case.summary, "details": case.details, "openedby": "jo"}
    sandbox.fault("create", drop=True, after=True)
    error = await lost(desk, case)
    sandbox.open_cases(1, **fields)
    if not early:
        clock.advance(40)
    with pytest.raises(CannotTellError, match="2 cases are equal") as caught:
        await desk.cases.find_created(error)
    assert caught.value.candidates == (301, 302)
    assert (await desk.cases.find_created(error, exclude=[302])).id == 301


async def test_a_case_that_was_moved_since_is_not_taken_for_absent(sandbox, desk, clock):
    case = new_case(sandbox)
    sandbox.fault("create", drop=True, after=True)
    error = await lost(desk, case)
    clock.advance(60)
    await desk.cases.transfer(301, department_id=272)
    with pytest.raises(CannotTellError, match="changed since") as caught:
        await desk.cases.find_created(error)
    assert caught.value.candidates == (301,)


async def test_a_case_that_cannot_be_read_leaves_a_doubt(sandbox, desk):
    sandbox.fault("create", drop=True)
    error = await lost(desk, new_case(sandbox))
    sandbox.fault("search", times=4, body=[{"departmentid": "x"}])
    with (
        pytest.warns(FuseDeskWarning),
        pytest.raises(CannotTellError, match="of the cases opened then could not be read"),
    ):
        await desk.cases.find_created(error, settle=0)


@pytest.mark.filterwarnings("ignore:the server does not keep the order")
async def test_pages_that_cannot_be_put_together_leave_a_doubt(sandbox, desk):
    sandbox.fault("create", drop=True)
    error = await lost(desk, new_case(sandbox))
    sandbox.fault("search", times=99, body=[{"caseid": number} for number in range(1, 501)])
    with pytest.raises(CannotTellError):
        await desk.cases.find_created(error, settle=0)


def test_one_that_agrees_wins_over_doubtful_ones():
    assert Found([Case(id=1)], [Case(id=2)], 3).the_one() == Case(id=1)
    assert Found().the_one() is None


async def test_only_the_opening_of_a_case_can_be_looked_for(sandbox, desk):
    writes = {
        "addnote": desk.cases.add_note(1, NewNote(title="T", note="N")),
        "update": desk.cases.transfer(1, rep_id=12),
        "history": desk.cases.import_history(1, [NewNote(title="T", note="N")]),
        "tag": desk.cases.tag(1, 5),
    }
    asked = {"addnote": "title", "update": "repid=12", "history": "history", "tag": "v1/cases/1/tag/5"}
    for operation, write in writes.items():
        sandbox.fault(operation, times=4, drop=True)
        with pytest.raises(OutcomeUnknownError, match=asked[operation]) as caught:
            await write
        with pytest.raises(ConfigurationError, match=r"this was POST v1/cases/1"):
            await desk.cases.find_created(caught.value)


async def test_what_must_be_known_is_asked_for(sandbox, desk):
    for given in ({}, {"sent_at": datetime(2026, 1, 1)}):  # noqa: DTZ001 - a slip
        with pytest.raises(ConfigurationError, match="sent_at with a time zone"):
            await desk.cases.find_created(new_case(sandbox), **given)
    with pytest.raises(ConfigurationError, match="no request"):
        await desk.cases.find_created(OutcomeUnknownError("odd"))
    relative = attrs.evolve(new_case(sandbox), date_opened="-30 days")
    with pytest.raises(CannotTellError, match="-30 days"):
        await desk.cases.find_created(relative, sent_at=datetime.now(UTC))


async def test_who_asks_is_told_right_before_a_request_leaves(sandbox, desk, clock):
    told = []

    async def leaving():
        told.append((clock.waited, len(sandbox.received)))

    sandbox.fault("create", status=429, retry_after="20")
    await desk.cases.create(new_case(sandbox), before_sending=leaving)
    assert [count for _, count in told] == [0, 1]
    assert told[1][0] >= 20
    await desk.cases.import_history(1, [NewNote(title="T", note="N")], before_sending=leaving)
    assert len(told) == 3


async def test_nothing_leaves_when_the_journal_fails(sandbox, desk):
    async def fail():
        raise OSError("disk full")

    for _ in range(6):  # more often than there are places
        with pytest.raises(OSError, match="disk full"):
            await desk.cases.create(new_case(sandbox), before_sending=fail)
    assert not sandbox.received
    await desk.cases.create(new_case(sandbox))


async def test_the_time_that_the_server_tells_counts(sandbox, clock):
    """Fault 62: the server's clock is an hour ahead of this machine's."""

    class Behind:
        monotonic, sleep = clock.monotonic, clock.sleep

        def time(self):
            return clock.time() - 3_600

    transport = httpx.ASGITransport(sandbox.app)
    async with client(sandbox, Behind()) as desk:
        sandbox.fault("create", drop=True, after=True)
        error = await lost(desk, new_case(sandbox))
        assert (await desk.cases.find_created(error)).id == 301
    await transport.aclose()


async def test_a_case_refused_with_429_was_not_opened(sandbox, clock):
    async with client(sandbox, clock, retry=RetryPolicy(resend_refused_writes=False)) as desk:
        sandbox.fault("create", status=429)
        with pytest.raises(RateLimitError):
            await desk.cases.create(NewCase(department_id=268, summary="a", details="b", opened_by="c"))


@pytest.mark.parametrize("names", [{"department": "Billing"}, {"department_id": 272, "rep": "Teresa Gallo"}])
async def test_a_case_with_names_is_looked_for_by_what_they_stand_for(desk, sandbox, clock, names):
    case = NewCase(summary="Refund", details="Order 7.", opened_by="jo", **names)
    sent_at = datetime.fromtimestamp(clock.time(), UTC)
    sandbox.fault("create", status=500, after=True)
    error = await lost(desk, case)
    assert error.fields["depid"] == "272"
    found = await desk.cases.find_created(case, sent_at=sent_at)
    assert found == await desk.cases.find_created(error)
    assert found.department_id == 272
