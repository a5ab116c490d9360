"""Exports of a desk at work that are killed again and again: nothing is lost or comes twice, few calls are wasted."""

import random

import anyio
import pytest
from clients import client
from exports import OUTPUTS, Killed, ids_in, left_beside

from fusedesk_async import ExportError, RateLimiter
from fusedesk_async.export import export_cases
from fusedesk_async.sandbox import Sandbox, SandboxProfile, SystemClock

pytestmark = pytest.mark.anyio

QUICK = {"assumed_limit": 1_000_000}


def busy_sandbox(seed):
    sandbox = Sandbox(60, seed=seed, profile=SandboxProfile(largest_limit=9, over_limit="cut"))
    chance = random.Random(seed)

    def churn(desk):
        if chance.random() < 0.3:
            desk.close_cases(1)
            desk.open_cases(1, status="open")
            desk.retag_cases(1)
            desk.delete_cases(1)

    sandbox.churn("search", churn)
    sandbox.churn("get", churn)
    return sandbox


async def run_until_whole(sandbox, out, chance, **options):
    """Run an export again and again; how often it was killed."""
    kills = 0
    while True:
        left = chance.randint(1, 12)

        def dies(progress):
            nonlocal left
            left -= 1
            if not left:
                raise Killed

        async with client(sandbox, SystemClock(), limiter=RateLimiter(**QUICK)) as desk:
            try:
                report = await export_cases(desk, out, status="all", on_progress=dies if kills < 4 else None, **options)
            except Killed:
                kills += 1
            else:
                return report, kills


@pytest.mark.parametrize("history", [False, True])
@pytest.mark.parametrize("name", OUTPUTS)
async def test_an_export_of_a_desk_at_work_survives_being_killed(name, history, place):
    seed, out = OUTPUTS.index(name) * 2 + history, place(name)
    sandbox = busy_sandbox(seed)
    before = set(sandbox.state.cases.ids())
    report, kills = await run_until_whole(sandbox, out, random.Random(seed), history=history)
    found = ids_in(out)
    assert report.cases == len(found) == len(set(found))
    assert set(found) >= before & set(sandbox.state.cases.ids())
    assert found == sorted(found)
    assert 1 <= report.runs <= kills + 1  # one that was killed before its first commit has left nothing
    assert report.is_whole
    assert left_beside(out) == []


@pytest.mark.parametrize("concurrency", [1, 2, 4, 7])
async def test_a_kill_wastes_no_more_histories_than_allowed(concurrency, tmp_path):
    sandbox = Sandbox(40)
    report, kills = await run_until_whole(
        sandbox, tmp_path / "out.jsonl", random.Random(concurrency), history=True, concurrency=concurrency
    )
    details = sum(call.path.count("/") > 3 or call.path.rsplit("/", 1)[-1].isdecimal() for call in sandbox.received)
    assert report.cases == 40
    assert 40 <= details <= 40 + kills * max(3, concurrency)


async def test_an_export_is_cancelled_at_any_moment(tmp_path):
    sandbox = Sandbox(30, profile=SandboxProfile(largest_limit=4, over_limit="cut"), latency=0.002)
    for number in range(12):
        async with client(sandbox, SystemClock(), limiter=RateLimiter(**QUICK)) as desk:
            with anyio.move_on_after(0.004 * number):
                await export_cases(desk, tmp_path / "out.jsonl", status="all", history=True)
                break
        assert not (tmp_path / "out.jsonl.lock").exists()
    async with client(sandbox, SystemClock(), limiter=RateLimiter(**QUICK)) as desk:
        if not (tmp_path / "out.jsonl").exists():
            await export_cases(desk, tmp_path / "out.jsonl", status="all", history=True)
        assert ids_in(tmp_path / "out.jsonl") == list(range(1, 31))
        with pytest.raises(ExportError, match=r"out\.jsonl exists already") as caught:
            await export_cases(desk, tmp_path / "out.jsonl", status="all", history=True)
        assert caught.value.reason == "exists"
