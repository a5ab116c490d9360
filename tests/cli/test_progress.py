import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from fusedesk_async import Allowance, Case, QuotaWait, QuotaWaitOver
from fusedesk_async.cli._case_list import case_table
from fusedesk_async.cli._output import size_text
from fusedesk_async.cli._progress import Bar, Lines
from fusedesk_async.cli._status import Tally, pace, summary
from fusedesk_async.cli._text import clean, json_line, one_line, terminal_json


def held_back(seconds: float) -> QuotaWait:
    return QuotaWait(reason="quota", until=datetime.now(UTC) + timedelta(seconds=seconds), waiting=1)


def test_lines_come_now_and_then_and_at_each_wait() -> None:
    told: list[str] = []
    lines, tally = Lines(interval=0.0, tell=told.append), Tally(cases=500, calls=1)
    with lines:
        lines.show(tally)
        tally.told(held_back(30))
        lines.show(tally)
        tally.told(held_back(60))
        lines.show(tally)
        tally.told(QuotaWaitOver(seconds=60.0))
        tally.told(held_back(60))
        lines.show(tally)
    assert told[0].startswith("500 cases, 1 call, 0 s, ")
    assert [line.startswith("500 cases, 1 call, waiting for quota until ") for line in told[1:]] == [True, True]
    assert tally.waits == 2
    assert ", 2 waits for quota (60.0 s)" in summary(tally, "out.jsonl")


def test_lines_are_quiet_for_ten_seconds() -> None:
    told: list[str] = []
    Lines(tell=told.append).show(Tally())
    assert not told


@pytest.mark.parametrize(
    ("allowance", "end"),
    [
        (Allowance(), "cases/s"),
        (Allowance(limit=1800), "cases/s, 1,800 calls an hour"),
        (Allowance(remaining=3), "cases/s, 3 left"),
        (Allowance(limit=1800, remaining=3), "cases/s, 3 of 1,800 calls left"),
    ],
)
def test_the_allowance_is_told_as_far_as_it_is_known(allowance: Allowance, end: str) -> None:
    tally = Tally(allowance=allowance)
    assert pace(tally).endswith(end)


def test_the_bar_fits_into_eighty_columns() -> None:
    screen = io.StringIO()
    tally = Tally(cases=120_500, calls=241, allowance=Allowance(limit=1800, remaining=1559))
    bar = Bar(Console(file=screen, force_terminal=True, width=80))
    with bar:
        bar.show(tally)
    last = [line for line in screen.getvalue().split("\r") if "calls" in line][-1]
    assert "120,500 cases, 241 calls, " in last


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
    assert json_line(b'{"a":\r\n\t 1,\r"b": "  x"}') == b'{"a":1,"b": "  x"}'


def test_sizes() -> None:
    sizes = [size_text(size) for size in (0, 999, 11_200, 20_041_873, 3.21e9)]
    assert sizes == ["0 bytes", "999 bytes", "11.2 kB", "20.0 MB", "3.2 GB"]
