"""The one case of a diagnosis that may write: opened once, closed whatever happens, or told."""

import anyio
import httpx
import pytest
from clients import client

from fusedesk_async import ConfigurationError, FuseDesk
from fusedesk_async.diagnosis import diagnose
from fusedesk_async.diagnosis._scratch import DETAILS, SUMMARY
from fusedesk_async.diagnosis._writes import WRITE_QUESTIONS, changes_of
from fusedesk_async.sandbox import FixedHour, Sandbox

pytestmark = pytest.mark.anyio

STEPS = ["create", "addnote", "tag", "update"]
CASES = 1_200


def ours(sandbox):
    """What was opened: ids of cases."""
    return [case for case in sandbox.state.cases.ids() if case > CASES]


def status(sandbox, case):
    return sandbox.state.cases.value(case, "status")


def writes(sandbox):
    return [each for each in sandbox.received if each.method != "GET"]


async def test_one_case_is_opened_and_closed(sandbox, clock, found):
    async with client(sandbox, clock) as desk:
        diagnosis = await diagnose(desk, write_in=department(sandbox))
    (case,) = ours(sandbox)
    assert status(sandbox, case) == "closed"
    assert (diagnosis.open_case, diagnosis.lost_case) == (None, None)
    results = found(diagnosis)
    assert {results[name][0] for name in WRITE_QUESTIONS} == {"known"}
    assert results["notes_update"] == ("known", True)
    assert results["text_changes"] == ("known", [])
    assert results["keeps_date_opened"] == ("known", True)
    assert results["tags_twice"] == ("known", True)
    assert all(each.path.startswith(f"/api/v1/cases/{case}") for each in writes(sandbox)[1:])
    assert sandbox.state.cases.value(case, "departmentid") == department(sandbox)
    assert str(case) not in str(diagnosis.to_report()["findings"]["create_answer"])


def department(sandbox):
    return next(iter(sandbox.state.departments))


async def test_a_department_goes_by_itself_its_id_or_its_name(clock):
    for choose in (lambda all_: all_[1], lambda all_: all_[1].id, lambda all_: f" {all_[1].name.upper()} "):
        sandbox = Sandbox(CASES, clock=clock)
        async with client(sandbox, clock) as desk:
            departments = await desk.departments.active()
            await diagnose(desk, write_in=choose(departments))
        (case,) = ours(sandbox)
        assert sandbox.state.cases.value(case, "departmentid") == departments[1].id


async def test_a_name_that_no_department_has_ends_it_before_anything_is_written(sandbox, clock):
    async with client(sandbox, clock) as desk:
        with pytest.raises(ConfigurationError, match="0 departments have the name 'Nowhere'"):
            await diagnose(desk, write_in="Nowhere")
    assert writes(sandbox) == []
    assert len(sandbox.received) == 2


async def test_without_the_list_of_departments_a_name_says_nothing(sandbox, clock, found):
    sandbox.fault("departments", status=500)
    async with client(sandbox, clock) as desk:
        diagnosis = await diagnose(desk, write_in="Billing")
    assert writes(sandbox) == []
    assert {found(diagnosis)[name][0] for name in WRITE_QUESTIONS} == {"cannot tell"}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    "fault",
    [{"status": 500}, {"status": 500, "after": True}, {"drop": True, "after": True}, {"status": 405}, {"body": "x"}],
)
async def test_whatever_fails_the_case_is_closed(step, fault, sandbox, clock):
    sandbox.fault(step, **fault)
    async with client(sandbox, clock) as desk:
        diagnosis = await diagnose(desk, write_in=department(sandbox))
    assert len(ours(sandbox)) <= 1
    assert len([each for each in writes(sandbox) if each.operation == "create"]) == 1
    assert {status(sandbox, case) for case in ours(sandbox)} <= {"closed"}
    assert diagnosis.open_case is None
    assert (diagnosis.lost_case is None) == bool(ours(sandbox) or fault == {"status": 405})


async def test_a_case_that_cannot_be_closed_is_told_by_its_id_but_not_in_the_report(sandbox, clock):
    sandbox.fault("update", times=100, status=500)
    async with client(sandbox, clock) as desk:
        diagnosis = await diagnose(desk, write_in=department(sandbox))
    assert [diagnosis.open_case] == ours(sandbox)
    assert str(diagnosis.open_case) not in str(diagnosis.to_report())


async def test_a_case_that_cannot_be_found_is_told_by_its_summary(sandbox, clock):
    sandbox.fault("create", after=True, body={})
    sandbox.churn("create", lambda _: sandbox.fault("search", times=100, status=500))
    async with client(sandbox, clock) as desk:
        diagnosis = await diagnose(desk, write_in=department(sandbox))
    assert len(ours(sandbox)) == 1
    assert diagnosis.open_case is None
    assert diagnosis.lost_case.startswith(SUMMARY)
    assert diagnosis.lost_case == sandbox.state.cases.value(ours(sandbox)[0], "summary")


@pytest.mark.parametrize("step", ["addnote", "tag", "update"])
async def test_who_is_cancelled_closes_the_case_too(step, sandbox, clock):
    async with client(sandbox, clock) as desk:
        with anyio.CancelScope() as scope:
            sandbox.churn(step, lambda _: scope.cancel())
            await diagnose(desk, write_in=department(sandbox))
            pytest.fail("it was cancelled")
    assert [status(sandbox, case) for case in ours(sandbox)] == ["closed"]


async def test_a_case_is_closed_even_if_others_take_the_last_calls_of_the_hour(clock):
    sandbox = Sandbox(CASES, limit=FixedHour(60), clock=clock)
    sandbox.churn("addnote", lambda _: [each.admit(0.0) for each in sandbox._front._limits.values() for _ in range(25)])
    async with client(sandbox, clock) as desk:
        diagnosis = await diagnose(desk, write_in=department(sandbox))
    assert [status(sandbox, case) for case in ours(sandbox)] == ["closed"]
    assert diagnosis.open_case is None


LONG = DETAILS.strip()


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        (DETAILS, []),
        (LONG, ["trimmed"]),
        (DETAILS.rstrip(), ["trimmed"]),
        (DETAILS[:255], ["cut"]),
        (LONG[:255], ["trimmed", "cut"]),
        (DETAILS.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"), ["escaped"]),
        (DETAILS.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")[:255], ["escaped", "cut"]),
        (LONG.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")[:14], ["trimmed", "escaped", "cut"]),
        (DETAILS.upper(), None),
        (DETAILS.replace("<b>", "").replace("</b>", ""), None),
        ("", ["cut"]),
    ],
)
def test_changes_of_texts_are_named(text, changes):
    assert changes_of(text, DETAILS) == changes


async def test_what_a_created_case_does_not_show_cannot_be_told(clock, found):
    def respond(request):
        if request.url.path.endswith("/cases") and request.method == "POST":
            return httpx.Response(200, json={"caseid": 5})
        return httpx.Response(200, json={"caseid": 5, "date_updated": 7} if "/cases/5" in request.url.path else [])

    async with FuseDesk("acme", api_key="key", transport=httpx.MockTransport(respond), clock=clock) as desk:
        results = found(await diagnose(desk, write_in=3))
    names = ("keeps_date_opened", "text_changes", "notes_update", "tag_answer", "tags_twice")
    assert {results[name][0] for name in names} == {"cannot tell"}
