"""Cases against the sandbox: what comes of each operation."""

import json
from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest

from fusedesk_async import (
    ConfigurationError,
    FuseDesk,
    NewCase,
    NewEmail,
    NewNote,
    OutcomeUnknownError,
    RequestRejectedError,
    after,
    desc,
)
from fusedesk_async.sandbox import Sandbox, VirtualClock

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 3, 1, 12, 30, 5, tzinfo=timezone(timedelta(hours=-5)))
NOTE = NewNote(title="Called", note="She says:\n\tit works", type="call", date_added=NOON)


@pytest.fixture
def sandbox():
    return Sandbox(60, clock=VirtualClock())


@pytest.fixture(params=["header", "query"])
async def desk(request, sandbox):
    transport = httpx.ASGITransport(sandbox.app)
    async with FuseDesk("acme", api_key=sandbox.api_key, auth=request.param, transport=transport) as desk:
        yield desk


def first(of):
    return next(iter(of))


async def test_what_is_written_can_be_read(desk, sandbox):
    department, tag = first(sandbox.state.departments), first(sandbox.state.tags)
    new = NewCase(
        department_id=department,
        summary="Login fails",
        details="since\n\tyesterday — ünïcode & more",
        opened_by="jo@example.com",
        date_opened=NOON,
        history=[NOTE, NewEmail(to="a@example.com", sender="b@example.com", subject="c", body="d", date_sent=NOON)],
        skip_infusionsoft=True,
        status="open",
        tags=[tag],
        type="import",
    )
    created = await desk.cases.create(new)
    case = await desk.cases.get(created.id)
    assert case.case_number == created.case_number
    assert (case.summary, case.details, case.opened_by) == (new.summary, new.details, new.opened_by)
    assert (case.department_id, case.status, case.tags) == (department, "open", (tag,))
    assert case.date_opened == case.date_updated == NOON
    note, email = case.history
    assert (note.type, note.title, note.note, note.date_added) == ("call", NOTE.title, NOTE.note, NOON)
    assert (email.type, email.to, email.sender, email.subject, email.body, email.date_sent) == (
        "email",
        "a@example.com",
        "b@example.com",
        "c",
        "d",
        NOON,
    )
    assert case.raw["casenum"] == case.raw["casenumber"] == case.case_number


async def test_a_case_through_its_life(desk, sandbox):
    tag, other = list(sandbox.state.tags)[:2]
    case = await desk.cases.search(status="open").first()
    await desk.cases.add_note(case.id, NewNote(title="Called", note="All good", type="call"))
    await desk.cases.tag(case.id, tag)
    await desk.cases.tag(case.id, other)
    await desk.cases.untag(case.id, other)
    await desk.cases.update(case.id, summary="Renamed")
    await desk.cases.close(case.id)
    closed = await desk.cases.get(case.id)
    assert (closed.status, closed.summary) == ("closed", "Renamed")
    assert closed.date_closed is not None
    assert tag in closed.tags
    assert other not in closed.tags
    assert closed.history[-1].title == "Called"
    await desk.cases.reopen(case.id, status="open")
    assert (await desk.cases.get(case.id)).status == "open"


async def test_transfer_and_link(desk, sandbox):
    case, *others = await desk.cases.search().collect()
    other = next(other for other in others if other.contact_uuid and other.contact_uuid != case.contact_uuid)
    await desk.cases.transfer(case.id, department_id=other.department_id, rep_id=other.rep_id)
    await desk.cases.link_contact(case.id, contact_uuid=other.contact_uuid)
    moved = await desk.cases.get(case.id)
    assert (moved.department_id, moved.rep_id) == (other.department_id, other.rep_id)
    assert moved.contact_uuid == other.contact_uuid


async def test_filters_and_orders_do_what_they_say(desk):
    every = await desk.cases.search().collect()
    assert [case.id for case in every] == list(range(1, 61))
    found = await desk.cases.search(status="closed", date_opened=after("2026-01-01")).collect()
    assert found
    assert found == [c for c in every if c.status == "closed" and c.date_opened >= datetime(2026, 1, 1, 5, tzinfo=UTC)]
    newest = await desk.cases.search(order_by=desc("date_opened"), page_size=10).collect()
    assert [case.id for case in newest] == [
        case.id for case in sorted(every, key=lambda case: (case.date_opened, -case.id), reverse=True)
    ]


async def test_a_long_history_goes_in_several_forms(desk, sandbox):
    before_it = len((await desk.cases.get(1)).history)
    history = [NewNote(title=f"Note {number}", note="x" * 500) for number in range(40)]
    answers = await desk.cases.import_history(1, history, form_size=4_000)
    forms = [request for request in sandbox.received if request.operation == "history"]
    assert len(answers) == len(forms) > 4
    assert max(len(request.body) for request in forms) <= 4_000
    added = (await desk.cases.get(1)).history[-40:]
    assert len((await desk.cases.get(1)).history) == before_it + 40
    assert {note.title for note in added} == {f"Note {number}" for number in range(40)}


async def test_a_history_that_fails_in_the_middle_says_how_far_it_got(desk, sandbox):
    history = [NewNote(title=f"Note {number}", note="x" * 500) for number in range(12)]
    sandbox.fault("history", nth=2, status=500)
    with pytest.raises(OutcomeUnknownError) as caught:
        await desk.cases.import_history(1, history, form_size=4_000)
    form = next(request for request in sandbox.received if request.operation == "history").form
    assert caught.value.completed == len(json.loads(dict(form)["history"])) > 0


async def test_a_refusal_says_why(desk):
    with pytest.raises(RequestRejectedError, match=r"Unknown department.*405.*POST v1/cases, tried once"):
        await desk.cases.create(NewCase(department_id=999_999, summary="a", details="b", opened_by="c"))


@pytest.mark.parametrize("wrong", ["1/../../users", "42", -1, 4.0, True, None])
async def test_an_id_that_is_no_number_is_refused_before_anything_is_sent(desk, sandbox, wrong):
    for act in (desk.cases.get, desk.cases.close):
        with pytest.raises(ConfigurationError, match="a case id is a whole number"):
            await act(wrong)
    with pytest.raises(ConfigurationError, match="a tag id is a whole number"):
        await desk.cases.tag(1, wrong)
    assert not sandbox.received


async def test_a_change_of_nothing_is_refused_before_anything_is_sent(desk, sandbox):
    for act in (desk.cases.transfer, desk.cases.link_contact, desk.cases.update):
        with pytest.raises(ConfigurationError, match="nothing to change: give at least one of"):
            await act(42)
    assert not sandbox.received
