"""What is shown of progress, plans and reports, and how text is made fit for a terminal."""

import io
import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from rich.console import Console

from fusedesk_async import Allowance, Case, Estimate
from fusedesk_async.cli._case_view import case_table
from fusedesk_async.cli._progress import Bar, LogLines
from fusedesk_async.cli._status import outlook, plan_text, summary
from fusedesk_async.cli._text import clean, duration, one_line, size_text, terminal_json
from fusedesk_async.export import ExportPlan, ExportProgress, ExportReport


def progress(**known: Any) -> ExportProgress:
    """Progress with what is known of it."""
    usual: dict[str, Any] = dict.fromkeys((field.name for field in attrs.fields(ExportProgress)), 0)
    return ExportProgress(
        **usual
        | {
            "phase": "cases",
            "expected": None,
            "blocked_until": None,
            "outage": "",
            "allowance": Allowance(),
            "plan": None,
        }
        | known
    )


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def test_lines_come_once_a_minute_and_at_each_wait() -> None:
    printed: list[str] = []
    with LogLines(print_line=printed.append) as lines:
        for known in (
            {"seconds": 59.0},
            {"seconds": 60.0, "fresh": 500},
            {"seconds": 70.0, "blocked_until": soon(30)},
            {"seconds": 80.0, "blocked_until": soon(60)},
            {"seconds": 90.0},
            {"seconds": 100.0, "outage": "no route"},
            {"seconds": 159.0},
            {"seconds": 160.0, "phase": "complete"},
        ):
            lines.show(progress(cases=500, calls=1, **known))
    assert [re.sub(r"\d\d:\d\d:\d\d \(.*\)", "T", line) for line in printed] == [
        "500 cases, 1 call, 8 cases/s",
        "500 cases, 1 call, waiting for quota until T",
        "500 cases, 1 call, FuseDesk is out of reach, trying again: no route",
        "500 cases, 1 call, finishing",
    ]


@pytest.mark.parametrize(
    ("allowance", "expected"),
    [
        (Allowance(), ""),
        (Allowance(limit=1800), ", 1,800 calls an hour"),
        (Allowance(remaining=3), ", 3 left"),
        (Allowance(limit=1800, remaining=3), ", 3 of 1,800 calls left"),
    ],
)
def test_the_allowance_is_reported_as_far_as_it_is_known(allowance: Allowance, expected: str) -> None:
    known = progress(allowance=allowance, cases=250, fresh=200, expected=1250, seconds=100.0)
    assert outlook(known) == f"2 cases/s{expected}, 8 min to go"


def test_the_bar_fits_into_eighty_columns() -> None:
    screen = io.StringIO()
    allowance = Allowance(limit=1800, remaining=1559)
    bar = Bar(Console(file=screen, force_terminal=True, width=80))
    with bar:
        bar.show(progress(cases=120_500, expected=130_000, calls=241, allowance=allowance, seconds=10))
    last = [line for line in screen.getvalue().split("\r") if "calls" in line][-1]
    assert "120,500 of about 130,000 cases, 241 calls" in last


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"at_least": 700, "at_most": 700}, "700 cases: 9 calls, 3 s to 2 min at the present allowance"),
        ({"at_most": None}, "about 700 cases: about 9 calls, 3 s to 2 min at the present allowance"),
        ({"at_most": 1_100}, "1 to 1,100 cases: about 9 calls, 3 s to 2 min at the present allowance"),
        ({"done": 7, "duration": None}, "1 to 900 cases, 7 of them here already: about 9 calls"),
        ({"duration": Estimate(0.4, 8.2)}, "1 to 900 cases: about 9 calls, up to 9 s at the present allowance"),
        (
            {"duration": Estimate(7_500, math.inf)},
            "1 to 900 cases: about 9 calls, at least 2 h 05 min at the present allowance",
        ),
    ],
)
def test_a_plan_is_reported_in_one_line(known: dict[str, Any], expected: str) -> None:
    usual: dict[str, Any] = {
        "done": 0,
        "cases": 700,
        "at_least": 1,
        "at_most": 900,
        "calls": 9,
        "duration": Estimate(3.9, 110.0),
    }
    assert plan_text(ExportPlan(**usual | known), history=False) == expected


def test_a_report_is_reported_in_one_line() -> None:
    usual: dict[str, Any] = dict.fromkeys((field.name for field in attrs.fields(ExportReport)), 0)
    report = ExportReport(
        **usual
        | {"to": "out.db", "cases": 9, "fresh": 4, "calls": 3, "runs": 22, "refused": 1, "waits": 2, "tombstones": 1}
    )
    assert summary(report) == (
        "9 cases, 4 of them in this run, the 22nd, 3 calls (1 refused), 0.0 s, 2 waits for quota (0.0 s), "
        "1 case gone before the history came, out.db 0 bytes"
    )


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(3.6, "4 s"), (99, "99 s"), (540, "9 min"), (7_500, "2 h 05 min"), (198_000, "2 d 07 h")],
)
def test_durations(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


def test_a_table_shows_text_as_it_is() -> None:
    screen = io.StringIO()
    console = Console(file=screen, width=90)
    console.print(case_table([Case(id=1234567, case_number="ABCD1234", status="open", summary="[red]x[/red]\x1b[1m")]))
    assert "1234567   ABCD1234   open" in screen.getvalue()
    assert "[red]x[/red]\\x1b[1m" in screen.getvalue()


def test_text_for_terminals() -> None:
    assert clean("a\tb\r\nc\x07\ud800é") == "a\tb\nc\\x07\\ud800é"
    assert one_line(" a\n\tb\x1b ") == "a b\\x1b"
    assert terminal_json('{"a":"\x9bé\x7f"}'.encode()) == '{"a":"\\u009bé\\u007f"}'.encode()


def test_sizes() -> None:
    sizes = [size_text(size) for size in (0, 999, 11_200, 20_041_873, 3.21e9)]
    assert sizes == ["0 bytes", "999 bytes", "11.2 kB", "20.0 MB", "3.2 GB"]
