"""Imports into a sandbox: each row is opened exactly once."""

import json
import sqlite3
from collections import Counter
from datetime import UTC, datetime

import attrs
import httpx
import pytest
from clients import client, new_case
from import_rows import OLD, desk_over, once, opened, rows_for

from fusedesk_async import (
    AuthenticationError,
    ConfigurationError,
    ExportError,
    NotSentError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimiter,
    RateLimitError,
)
from fusedesk_async.importing import ImportReport, import_cases
from fusedesk_async.sandbox import Sandbox

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::fusedesk_async.FuseDeskWarning")]


@pytest.fixture
def sandbox(clock):
    return Sandbox(OLD, clock=clock)


@pytest.fixture
async def desk(sandbox, clock):
    async with client(sandbox, clock, limiter=RateLimiter(assumed_limit=100_000)) as desk:
        yield desk


def counts(report):
    return {name: number for name, number in report.as_dict().items() if number and name not in {"calls", "seconds"}}


async def numbers(rows):
    for row in rows:
        yield row


async def test_rows_are_opened_once_and_skipped_from_then_on(desk, sandbox, tmp_path):
    rows, reported = rows_for(sandbox, 9), []
    report = await import_cases(desk, [*rows, *rows], journal=tmp_path / "journal", on_progress=reported.append)
    assert counts(report) == {"rows": 18, "opened": 9, "skipped": 9}
    assert isinstance(report, ImportReport)
    assert report.calls == 9
    assert (reported[-1].rows, reported[-1].opened, reported[-1].phase) == (18, 9, "settling")
    again = await import_cases(desk, numbers(rows), journal=tmp_path / "journal")
    assert counts(again) == {"rows": 9, "skipped": 9}
    assert opened(sandbox) == once(9)
    dates = {sandbox.state.cases.value(case, "date_opened") for case in range(OLD + 1, OLD + 10)}
    assert dates <= {int(sandbox._clock.time()), int(sandbox._clock.time()) - 1}


async def test_rows_without_an_answer_are_looked_up_last_and_sent_again_only_if_they_are_absent(
    desk, sandbox, tmp_path, clock
):
    sandbox.fault("create", nth=2, drop=True, after=True)
    sandbox.fault("create", nth=4, drop=True)
    sandbox.churn("create", lambda desk: desk.open_cases(1, summary="Row 1", openedby="jo", details="other"))
    report = await import_cases(desk, rows_for(sandbox, 6), journal=tmp_path / "journal", concurrency=1)
    assert counts(report) == {"rows": 6, "opened": 5, "found": 1}
    assert clock.waited >= 120
    operations = [each.operation for each in sandbox.received]
    assert operations[:6] == ["create"] * 6
    assert operations[6:] == ["search"] * (len(operations) - 7) + ["create"]
    mine = Counter(
        sandbox.state.cases.value(case, "summary")
        for case in sandbox.state.cases.ids()
        if case > OLD and sandbox.state.cases.value(case, "details") != "other"
    )
    assert mine == once(6)


async def test_what_gets_lost_again_and_again_is_left_to_the_next_run(desk, sandbox, tmp_path):
    sandbox.fault("create", times=6, drop=True)
    report = await import_cases(desk, rows_for(sandbox, 1), journal=tmp_path / "journal", rejects=tmp_path / "rejects")
    assert counts(report) == {"rows": 1, "unknown": 1}
    assert "each of 5 attempts" in (tmp_path / "rejects").read_text()
    again = await import_cases(desk, rows_for(sandbox, 1), journal=tmp_path / "journal", rejects=tmp_path / "rejects")
    assert counts(again) == {"rows": 1, "opened": 1}
    assert not (tmp_path / "rejects").exists()


async def test_what_cannot_be_told_is_never_sent_again(desk, sandbox, tmp_path):
    row = attrs.evolve(rows_for(sandbox, 1)[0], date_opened=datetime(2025, 1, 2, tzinfo=UTC))
    sandbox.fault("create", drop=True, after=True)
    twin = {
        "summary": "Row 0",
        "openedby": row.opened_by,
        "details": row.details,
        "departmentid": row.department_id,
        "date_opened": int(datetime(2025, 1, 2, tzinfo=UTC).timestamp()),
    }
    sandbox.open_cases(1, **twin)
    for _ in range(2):
        report = await import_cases(desk, [row], journal=tmp_path / "journal", rejects=tmp_path / "rejects")
        assert counts(report) == {"rows": 1, "unknown": 1}
    (line,) = (tmp_path / "rejects").read_text().splitlines()
    assert "2 cases are equal" in json.loads(line)["reason"] or "differs" in json.loads(line)["reason"]
    assert [each.operation for each in sandbox.received].count("create") == 1


async def test_equal_rows_of_different_source_ids_are_all_opened(desk, sandbox, tmp_path):
    row = {"department_id": 268, "summary": "Row", "details": "same", "opened_by": "jo"}
    rows = [row | {"source_id": number} for number in range(5)]
    sandbox.fault("create", nth=2, times=2, drop=True, after=True)
    sandbox.fault("create", nth=4, drop=True)
    report = await import_cases(desk, rows, journal=tmp_path / "journal", concurrency=1)
    assert counts(report) == {"rows": 5, "opened": 3, "found": 2}
    assert opened(sandbox) == {"Row": 5}


async def test_bad_rows_go_to_the_reject_file_and_the_others_go_on(desk, sandbox, tmp_path):
    good = {"department_id": 268, "summary": "Row 0", "details": "b", "opened_by": "c", "source_id": "x"}
    rows = [good, good | {"details": "else"}, good | {"department_id": 1, "source_id": 2}, b" \n", b"{", 7]
    report = await import_cases(desk, rows, journal=tmp_path / "journal", rejects=tmp_path / "rejects", concurrency=1)
    assert counts(report) == {"rows": 5, "opened": 1, "rejected": 4}
    lines = [json.loads(line) for line in (tmp_path / "rejects").read_text().splitlines()]
    assert [line["row"] for line in lines] == [2, 3, 4, 5]
    assert "sent before with different content, as case" in lines[0]["reason"]
    assert "Unknown department" in lines[1]["reason"]
    assert lines[1]["original"]["department_id"] == 1
    assert lines[2]["original"] == "{"
    fixed = await import_cases(desk, [rows[2] | {"department_id": 268}], journal=tmp_path / "journal")
    assert counts(fixed) == {"rows": 1, "opened": 1}


async def test_a_dry_run_says_what_would_happen(desk, sandbox, tmp_path):
    rows = rows_for(sandbox, 3)
    dry = await import_cases(desk, [*rows, rows[0]], journal=tmp_path / "journal", dry_run=True)
    assert counts(dry) == {"rows": 4, "to_open": 3, "skipped": 1}
    assert not any(tmp_path.iterdir())
    sandbox.fault("create", nth=2, times=9, drop=True)
    await import_cases(desk, rows[:2], journal=tmp_path / "journal", concurrency=1)
    named = {"department_id": 268, "summary": "a", "details": "b", "opened_by": "c", "source_id": 1}
    dry = await import_cases(desk, [*rows, named, named], journal=tmp_path / "journal", dry_run=True)
    assert counts(dry) == {"rows": 5, "to_open": 2, "skipped": 2, "to_look_up": 1}


@pytest.mark.parametrize(
    ("fault", "error", "left"),
    [
        ({"status": 401}, AuthenticationError, "intended"),
        ({"status": 403}, PermissionDeniedError, "intended"),
        ({"body": "<html><title>Log in</title><form><input type='password'></form>"}, OutcomeUnknownError, "sent"),
    ],
)
async def test_what_would_be_the_same_for_all_stops_the_import(desk, sandbox, tmp_path, fault, error, left):
    sandbox.fault("create", nth=3, **fault)
    with pytest.raises(error):
        await import_cases(desk, rows_for(sandbox, 9), journal=tmp_path / "journal", concurrency=1)
    states = [state for (state,) in sqlite3.connect(tmp_path / "journal").execute("SELECT state FROM rows ORDER BY id")]
    assert states == ["confirmed", "confirmed", left]
    assert len(sandbox.received) == 3
    report = await import_cases(desk, rows_for(sandbox, 9), journal=tmp_path / "journal")
    assert (report.skipped, report.opened) == (2, 7)
    assert opened(sandbox) == once(9)


async def test_an_outage_stops_the_import_and_leaves_nothing_open_twice(desk, sandbox, tmp_path):
    sandbox.fault("create", nth=3, times=30, status=502, after=True)
    with pytest.raises(OutcomeUnknownError):
        await import_cases(desk, rows_for(sandbox, 40), journal=tmp_path / "journal", concurrency=1)
    assert len(sandbox.received) == 12
    sandbox._front.script._scripted.clear()
    report = await import_cases(desk, rows_for(sandbox, 40), journal=tmp_path / "journal")
    assert counts(report) == {"rows": 40, "skipped": 2, "found": 10, "opened": 28}
    assert opened(sandbox) == once(40)


async def test_without_a_server_the_rows_stay_unsent(clock, tmp_path, sandbox):
    def refuse(request):
        raise httpx.ConnectError("no route")

    async with desk_over(sandbox, clock, transport=httpx.MockTransport(refuse)) as desk:
        with pytest.raises(NotSentError):
            await import_cases(desk, rows_for(sandbox, 3), journal=tmp_path / "journal", concurrency=1)
    states = [state for (state,) in sqlite3.connect(tmp_path / "journal").execute("SELECT state FROM rows")]
    assert states == ["intended"]


async def test_a_worker_that_must_not_wait_stops_at_the_limit(desk, sandbox, tmp_path):
    sandbox.fault("create", nth=2, status=429)
    worker = desk.with_options(on_rate_limit="raise")
    with pytest.raises(RateLimitError):
        await import_cases(worker, rows_for(sandbox, 3), journal=tmp_path / "journal", concurrency=1)
    states = [state for (state,) in sqlite3.connect(tmp_path / "journal").execute("SELECT state FROM rows ORDER BY id")]
    assert states == ["confirmed", "intended"]


async def test_a_closed_client_a_held_journal_and_slips_are_refused(desk, clock, sandbox, tmp_path):
    with pytest.raises(ConfigurationError):
        await import_cases(client(sandbox, clock), rows_for(sandbox, 1), journal=tmp_path / "journal")
    for wrong in ({"rows": b"{}"}, {"rows": {}}, {"rows": 7}, {"settle": -1}, {"settle": True}, {"concurrency": 0}):
        with pytest.raises(ConfigurationError):
            await import_cases(desk, **{"rows": [], "journal": tmp_path / "journal"} | wrong)

    async def second():
        with pytest.raises(ExportError, match="is in use by process") as caught:
            await import_cases(desk, [], journal=tmp_path / "journal")
        assert caught.value.reason == "locked"
        yield new_case(sandbox)

    await import_cases(desk, second(), journal=tmp_path / "journal")
    assert not sandbox.received or len(sandbox.received) == 1


async def test_trouble_of_the_source_of_rows_comes_out_as_it_is(desk, sandbox, tmp_path):
    def rows():
        yield from rows_for(sandbox, 2)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        await import_cases(desk, rows(), journal=tmp_path / "journal", concurrency=1)
    assert opened(sandbox) == once(2)


async def test_a_journal_that_cannot_be_written_stops_everything_before_it_is_sent(desk, sandbox, tmp_path):
    await import_cases(desk, [], journal=tmp_path / "journal")
    with sqlite3.connect(tmp_path / "journal") as other:
        other.execute(
            "CREATE TRIGGER full BEFORE UPDATE OF state ON rows WHEN NEW.state = 'sent' "
            "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    with pytest.raises(ExportError, match="disk full"):
        await import_cases(desk, rows_for(sandbox, 3), journal=tmp_path / "journal")
    assert not sandbox.received


async def test_a_file_of_other_content_is_not_taken_for_rejects(desk, tmp_path):
    (tmp_path / "rejects").write_text("precious")
    with pytest.raises(ExportError, match="not a file of rejected rows") as caught:
        await import_cases(desk, [], journal=tmp_path / "journal", rejects=tmp_path / "rejects")
    assert caught.value.reason == "exists"
    assert (tmp_path / "rejects").read_text() == "precious"
