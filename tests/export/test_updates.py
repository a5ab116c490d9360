"""Exports into databases that are brought up to date, also if that is cut off."""

from datetime import timedelta

import pytest
from clients import client
from exports import Killed, select

from fusedesk_async import ConfigurationError
from fusedesk_async.export import export_cases, plan_export
from fusedesk_async.sandbox import Sandbox, SandboxProfile, SystemClock

pytestmark = pytest.mark.anyio


def table(out):
    return {each[0]: each[1:] for each in select(out, "SELECT id, status, matches FROM cases")}


@pytest.mark.parametrize("killed_at", range(8))
async def test_an_update_that_is_cut_off_goes_on(killed_at, out):
    sandbox = Sandbox(60, profile=SandboxProfile(largest_limit=20, over_limit="cut"))
    async with client(sandbox, SystemClock()) as desk:
        await export_cases(desk, out, status="open")
        before = table(out)
        assert before
        closed = [*before][:3]
        sandbox.close_cases(ids=closed)
        fresh = sandbox.open_cases(2, status="open")
        left = killed_at

        def dies(progress):
            nonlocal left
            left -= 1
            if not left:
                raise Killed

        try:
            await export_cases(desk, out, status="open", update=True, on_progress=dies)
        except Killed:
            await export_cases(desk, out, status="open", update=True, look_back=timedelta(days=30))
    found = table(out)
    assert {each for each, (_, matches) in found.items() if matches} == {*before, *fresh} - {*closed}
    assert {found[each] for each in closed} == {("closed", 0)}


@pytest.mark.parametrize(
    "options",
    [
        {"look_back": timedelta(days=-1)},
        {"look_back": 5},
        {"date_updated": "2026-01-01"},
        {"concurrency": 0},
        {"guard_formulas": True},
        {"resume": "maybe"},
    ],
)
async def test_options_that_cannot_be_right_are_refused(options, tmp_path):
    sandbox = Sandbox(1)
    async with client(sandbox, SystemClock()) as desk:
        with pytest.raises(ConfigurationError):
            await plan_export(desk, tmp_path / "out.db", update=True, **options)
        with pytest.raises(ConfigurationError):
            await export_cases(desk, tmp_path / "out.csv", update=True)
    assert not sandbox.received


@pytest.mark.parametrize("cases", [0, 1, 7, 60, 300])
async def test_the_bounds_of_a_plan_are_right_on_a_quiet_desk(cases, tmp_path):
    sandbox = Sandbox(cases)
    sandbox.delete_cases(cases // 5)
    async with client(sandbox, SystemClock()) as desk:
        plan = await plan_export(desk, tmp_path / "out.jsonl", status="all", history=True)
    left = len(list(sandbox.state.cases.ids()))
    assert plan.at_least <= left <= plan.at_most
    assert plan.at_least <= plan.cases <= plan.at_most
    assert len(sandbox.received) <= 12
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("filters", [{}, {"status": "all"}, {"status": "open"}])
async def test_an_update_costs_what_was_planned_and_looks_at_other_cases_only_if_some_may_have_left(filters, out):
    sandbox = Sandbox(1_200)
    async with client(sandbox, SystemClock()) as desk:
        await export_cases(desk, out, **filters)
        sandbox.open_cases(40, status="open")
        before = len(sandbox.received)
        plan = await plan_export(desk, out, update=True, **filters)
        assert len(sandbox.received) - before <= 12
        report = await export_cases(desk, out, update=True, **filters)
    assert plan.at_least <= report.cases <= plan.at_most
    assert report.cases >= 40
    searched = [dict(call.query) for call in sandbox.received if call.operation == "search"][-report.calls :]
    walks = {query.get("status") for query in searched if "date_updated" in query}
    assert walks == ({"all", "open"} if filters == {"status": "open"} else {filters.get("status")})
    assert abs(plan.calls - report.calls) <= 2


async def test_a_plan_of_an_update_with_histories_counts_one_call_for_each(out):
    sandbox = Sandbox(30)
    async with client(sandbox, SystemClock()) as desk:
        await export_cases(desk, out, status="open", history=True)
        plan = await plan_export(desk, out, status="open", history=True, update=True)
    assert plan.calls >= plan.cases > 0
