"""Rows with names in place of ids."""

import json

import pytest
from clients import client

from fusedesk_async import NewCase, PermissionDeniedError, RateLimiter
from fusedesk_async.importing import import_cases
from fusedesk_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio

ROW = {"summary": "Refund", "details": "Order 7.", "opened_by": "jo@example.com"}


@pytest.fixture
def sandbox(clock):
    return Sandbox(5, clock=clock)


@pytest.fixture
async def desk(sandbox, clock):
    async with client(sandbox, clock, limiter=RateLimiter(assumed_limit=100_000)) as desk:
        yield desk


async def test_departments_and_reps_are_looked_up_once_for_all_rows(desk, sandbox, tmp_path):
    rows = [
        NewCase(department="Billing", **ROW),
        ROW | {"department": "Sales", "rep": "Owen Pryce"},
        json.dumps(ROW | {"department": "Nowhere"}),
    ]
    rejects = tmp_path / "rejected.jsonl"
    for opened, skipped in ((2, 0), (0, 2)):
        report = await import_cases(desk, rows, journal=tmp_path / "journal", rejects=rejects)
        assert (report.opened, report.skipped, report.rejected) == (opened, skipped, 1)
    names = {department.id: department.name for department in sandbox.state.departments.values()}
    assert {names[sandbox.state.cases.value(case, "departmentid")] for case in (6, 7)} == {"Billing", "Sales"}
    assert sum(call.operation == "departments" for call in sandbox.received) == 1
    assert "Nowhere" in rejects.read_text()


async def test_a_lost_answer_to_a_row_with_names_is_found_out(desk, sandbox, tmp_path):
    sandbox.fault("create", status=500, after=True)
    report = await import_cases(desk, [NewCase(department="Billing", **ROW)], journal=tmp_path / "journal")
    assert (report.found, report.unknown) == (1, 0)
    assert sandbox.state.cases.newest == 6


async def test_a_key_that_may_not_read_names_stops_the_import(sandbox, clock, tmp_path):
    poor = Sandbox(5, clock=clock, keys={"poor": ["cases", "cases_create"]})
    async with client(poor, clock) as desk:
        with pytest.raises(PermissionDeniedError):
            await import_cases(desk, [NewCase(department="Billing", **ROW)], journal=tmp_path / "journal")
    assert poor.state.cases.newest == 5
