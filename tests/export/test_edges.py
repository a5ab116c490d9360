"""Rare turns of exports."""

import sys
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from clients import client
from exports import ids_in, job, rows, sink

from fusedesk_async import (
    ConfigurationError,
    ExportError,
    FuseDeskWarning,
    QuotaWait,
    QuotaWaitOver,
    UnexpectedResponseError,
)
from fusedesk_async.export import export_cases, plan_export
from fusedesk_async.export._checkpoint import Checkpoint
from fusedesk_async.export._options import Options
from fusedesk_async.export._output import Output
from fusedesk_async.export._phases import ExportRun
from fusedesk_async.export._report import Meter
from fusedesk_async.export._sink import Replacement, check_target
from fusedesk_async.export._stream import StreamSink, stdout
from fusedesk_async.export._target import format_of, sink_for
from fusedesk_async.sandbox import Sandbox, SystemClock


def test_a_folder_is_no_output(tmp_path):
    with pytest.raises(ExportError, match="not a regular file"):
        check_target(tmp_path, overwrite=True)


def test_parquet_without_its_package_is_refused(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigurationError, match=r"fusedesk_async\[parquet\]"):
        sink(tmp_path / "out.parquet")


def test_streams_take_json_lines_only():
    assert format_of("-", None) == "jsonl"
    assert isinstance(
        sink_for("-", "jsonl", history=False, guard_formulas=False, update=False, replacement=Replacement()),
        StreamSink,
    )
    assert stdout() is sys.stdout.buffer
    with pytest.raises(ConfigurationError, match="needs a file"):
        format_of("-", "csv")
    with pytest.raises(ConfigurationError, match="format is one of"):
        format_of("a", "xml")
    with pytest.raises(ConfigurationError, match="cannot be resumed"):
        StreamSink(BytesIO()).find_checkpoint(job("a.jsonl"), resume="require", overwrite=False)


@pytest.mark.parametrize(("error", "reason"), [(BrokenPipeError(32, "x"), "closed"), (OSError(28, "full"), "output")])
def test_a_stream_that_fails_says_why(error, reason):
    class Failing(BytesIO):
        def write(self, _):
            raise error

    with pytest.raises(ExportError) as caught:
        StreamSink(Failing()).write(rows([1]), Checkpoint(job=job("a.jsonl")))
    assert caught.value.reason == reason


@pytest.mark.anyio
async def test_days_before_time_began_are_all_days(tmp_path):
    desk = client(Sandbox(0), SystemClock())
    options = await Options.read(desk, tmp_path / "out.db", {"look_back": timedelta(days=2)})
    run = ExportRun(desk, Output(desk, options.sink(), None), options)
    assert run._day_before("") == run._day_before("0001-01-01T00:00:00") == ""


@pytest.mark.anyio
async def test_an_empty_desk_is_an_empty_database_and_can_be_updated(out):
    async with client(Sandbox(0), SystemClock()) as desk:
        for update in (False, True):
            report = await export_cases(desk, out, update=update, on_progress=lambda _: None)
            assert report.cases == 0


def test_a_closed_output_keeps_what_it_has(tmp_path):
    output = sink(tmp_path / "out.csv")
    output.open(job("out.csv"), resume="auto", overwrite=False)
    output.close()
    assert not any(tmp_path.iterdir())


def test_waits_and_refusals_are_counted():
    meter = Meter()
    until = datetime(2026, 1, 1, tzinfo=UTC)
    for event in (QuotaWait(reason="quota", until=until, waiting=3), QuotaWait(reason="quota", until=until, waiting=4)):
        meter.on_event(event)
    assert (meter.waits, meter.blocked_until) == (1, until)
    meter.on_event(QuotaWaitOver(seconds=5.0))
    assert (meter.waited, meter.blocked_until) == (5.0, None)


@pytest.mark.parametrize("odd", [{}, {"caseid": "x"}, 7])
@pytest.mark.parametrize(("times", "cases"), [(1, 8), (2, 7), (3, 0)])
@pytest.mark.anyio
async def test_a_plan_passes_over_a_few_cases_without_an_id(odd, times, cases):
    sandbox = Sandbox(9)
    sandbox.fault("search", times=times, body=[odd])
    async with client(sandbox, SystemClock()) as desk:
        with pytest.warns(FuseDeskWarning):
            plan = await plan_export(desk, BytesIO())
    assert plan.cases == cases


@pytest.mark.anyio
async def test_a_response_that_is_no_list_fails_a_plan():
    sandbox = Sandbox(9)
    sandbox.fault("search", times=9, body={"count": 9})
    async with client(sandbox, SystemClock()) as desk:
        with pytest.raises(UnexpectedResponseError):
            await plan_export(desk, BytesIO())


def test_a_conversion_that_is_not_wanted_any_more_keeps_the_cases(tmp_path):
    output, whole = sink(tmp_path / "out.parquet"), Checkpoint(job=job("out.parquet"), phase="complete")
    output.open(job("out.parquet"), resume="auto", overwrite=False)
    output.write(rows([1, 2]), whole)
    output.interrupt()
    with pytest.raises(ExportError, match=r"cancelled before .*out.parquet.part was converted"):
        output.finish()
    output.close()
    again = sink(tmp_path / "out.parquet")
    again.open(job("out.parquet"), resume="require", overwrite=False)
    again.finish()
    again.forget()
    again.close()
    assert ids_in(tmp_path / "out.parquet") == [1, 2]


def test_a_database_that_cannot_be_opened_is_reported_with_its_name(tmp_path):
    (tmp_path / "out.db.part").mkdir()
    with pytest.raises(ExportError, match=r"cannot write .*out\.db\.part: unable to open") as caught:
        sink(tmp_path / "out.db").find_checkpoint(job("out.db"), resume="auto", overwrite=False)
    assert caught.value.reason == "output"
