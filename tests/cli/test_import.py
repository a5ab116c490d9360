"""`fusedesk import`, as its users see it."""

import json
import random
import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from command_line import KEY, Invoke, Start

from fusedesk_async.cli._exit import Exit
from fusedesk_async.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(50, keys={KEY: ["cases", "cases_create", "cases_update"]}, latency=0.005)


@pytest.fixture
def opening(sandbox: Sandbox) -> Callable[[int], threading.Event]:
    """Gives events that are set when so many more cases are being opened."""
    waiting: list[tuple[Iterator[int], threading.Event]] = []

    def one_more(_: Sandbox) -> None:
        for countdown, event in waiting:
            if next(countdown) == 0:
                event.set()

    def after(creates: int) -> threading.Event:
        event = threading.Event()
        waiting.append((count(1 - creates), event))
        return event

    sandbox.churn("create", one_more)
    return after


def write_rows(path: Path, rows_wanted: int) -> None:
    rows = [
        {
            "source_id": number,
            "department_id": 268,
            "summary": f"Row {number}",
            "details": "from elsewhere",
            "opened_by": "jo",
        }
        for number in range(rows_wanted)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def opened(sandbox: Sandbox) -> Counter[str]:
    state = sandbox.state.cases
    return Counter(state.value(case, "summary") for case in state.ids() if case > 50)


def test_each_row_is_opened_once_and_a_second_run_opens_none(invoke: Invoke, sandbox: Sandbox, tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 20)
    result = invoke("import", "in.jsonl")
    assert result.exit_code == Exit.FINE
    begin, end = result.stderr.splitlines()
    assert begin.startswith("fusedesk: importing cases from in.jsonl into http://127.0.0.1:")
    assert end.startswith("fusedesk: 20 rows: 20 cases opened, 0 skipped, 20 calls, ")
    again = invoke("import", "in.jsonl", "--json")
    assert json.loads(again.stdout)["skipped"] == 20
    assert opened(sandbox) == Counter(f"Row {number}" for number in range(20))
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", "in.jsonl.journal"}
    assert KEY.encode() not in (tmp_path / "in.jsonl.journal").read_bytes()


def test_an_export_with_history_comes_back(invoke: Invoke, sandbox: Sandbox, tmp_path: Path) -> None:
    assert invoke("export", "out.jsonl", "--history").exit_code == Exit.FINE
    assert invoke("import", "out.jsonl").exit_code == Exit.FINE
    for old in range(1, 51):
        wanted = {"summary", "status", "departmentid", "contactid", "tags", "date_opened", "openedby"}
        twins = [
            new
            for new in sandbox.state.cases.ids()
            if new > 50
            and all(sandbox.state.cases.value(new, name) == sandbox.state.cases.value(old, name) for name in wanted)
        ]
        assert len(twins) >= 1
        texts = [item.get("note") or item["body"] for item in sandbox.state.history(old)]
        assert any(
            [item.get("note") or item["body"] for item in sandbox.state.history(new)]
            == [text or "(no text)" for text in texts]
            for new in twins
        )


def test_bad_rows_are_reported_and_the_others_go_on(invoke: Invoke, sandbox: Sandbox, tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 3)
    with (tmp_path / "in.jsonl").open("a") as file:
        file.write('{"department_id": 1, "summary": "a", "details": "b", "opened_by": "c"}\n\nnot JSON\n')
    result = invoke("import", "in.jsonl")
    assert result.exit_code == Exit.INCOMPLETE
    assert result.stderr.splitlines()[-1] == "fusedesk: 2 rows rejected; see in.rejected.jsonl"
    rejected = [json.loads(line) for line in (tmp_path / "in.rejected.jsonl").read_text().splitlines()]
    assert {each["row"] for each in rejected} == {4, 5}
    assert "Unknown department" in next(each for each in rejected if each["row"] == 4)["reason"]
    assert sum(opened(sandbox).values()) == 3


def test_a_dry_run_sends_nothing_and_leaves_no_journal(invoke: Invoke, sandbox: Sandbox, tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 3)
    result = invoke("import", "in.jsonl", "--dry-run")
    assert result.exit_code == Exit.FINE
    assert result.stderr.splitlines()[-1] == (
        "fusedesk: 3 rows: 3 cases to open, 0 to look up, 0 skipped; nothing was sent"
    )
    assert not sandbox.received
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_dry_run_needs_no_key_unless_rows_have_names(invoke: Invoke, sandbox: Sandbox, tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 3)
    result = invoke("import", "in.jsonl", "--dry-run", FUSEDESK_API_KEY="")
    assert result.exit_code == Exit.FINE
    row = {"department": "Billing", "summary": "a", "details": "b", "opened_by": "c"}
    (tmp_path / "named.jsonl").write_text(json.dumps(row))
    result = invoke("import", "named.jsonl", "--dry-run", FUSEDESK_API_KEY="")
    assert result.exit_code == Exit.CONFIGURATION
    assert "departments given by name; set FUSEDESK_API_KEY" in result.stderr
    assert not sandbox.received


def test_rows_rejected_before_survive_a_dry_run_and_a_wrong_key_and_are_kept_beside_the_next(
    invoke: Invoke, tmp_path: Path
) -> None:
    (tmp_path / "bad.jsonl").write_text('{"department_id": 268, "summary": "no text"}\n')
    write_rows(tmp_path / "in.jsonl", 1)
    rejects = tmp_path / "bad.rejected.jsonl"
    assert invoke("import", "bad.jsonl").exit_code == Exit.INCOMPLETE
    before = rejects.read_bytes()
    usual = ("import", "in.jsonl", "--rejects", rejects.name)
    assert invoke(*usual, "--dry-run").exit_code == Exit.FINE
    assert invoke(*usual, FUSEDESK_API_KEY="wrong").exit_code == Exit.CONFIGURATION
    assert rejects.read_bytes() == before
    result = invoke(*usual)
    assert result.exit_code == Exit.FINE
    assert (
        "rows rejected by an earlier run were not in this one; they are kept in bad.rejected.jsonl.1" in result.stderr
    )
    assert (tmp_path / "bad.rejected.jsonl.1").read_bytes() == before
    assert not rejects.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["missing.jsonl"], Exit.USAGE, "cannot read missing.jsonl: No such file"),
        (["in.jsonl", "--journal", "in.jsonl"], Exit.USAGE, "must be different files"),
        (["in.jsonl", "--journal", "other.txt"], Exit.CHECKPOINT, "as a journal"),
        (["in.jsonl", "--rejects", "other.txt"], Exit.EXISTS, "not a file of rejected rows"),
        (["in.jsonl", "--journal", "nowhere/journal"], Exit.OUTPUT, "cannot write"),
    ],
)
def test_what_cannot_work_is_one_line_and_nothing_is_sent(
    invoke: Invoke, sandbox: Sandbox, tmp_path: Path, arguments: list[str], code: Exit, text: str
) -> None:
    write_rows(tmp_path / "in.jsonl", 1)
    (tmp_path / "other.txt").write_text("something else entirely " * 50)
    result = invoke("import", *arguments)
    assert result.exit_code == code
    assert text in result.stderr.splitlines()[-1]
    assert not sandbox.received
    assert (tmp_path / "other.txt").read_text().startswith("something else")


def test_a_damaged_journal_is_kept_and_nothing_is_promised(invoke: Invoke, sandbox: Sandbox, tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 50)
    assert invoke("import", "in.jsonl").exit_code == Exit.FINE
    journal, before = tmp_path / "in.jsonl.journal", len(sandbox.received)
    damaged = journal.read_bytes()[:12_000]
    journal.write_bytes(damaged)
    result = invoke("import", "in.jsonl")
    assert result.exit_code == Exit.CHECKPOINT
    last = result.stderr.splitlines()[-1]
    assert "in.jsonl.journal is damaged (" in last
    assert "Keep it, and restore it from a backup" in last
    assert "same command" not in result.stderr
    assert (journal.read_bytes(), len(sandbox.received)) == (damaged, before)


def test_a_journal_of_another_app_is_refused(invoke: Invoke, tmp_path: Path) -> None:
    write_rows(tmp_path / "in.jsonl", 1)
    assert invoke("import", "in.jsonl").exit_code == Exit.FINE
    result = invoke("import", "in.jsonl", FUSEDESK_BASE_URL="http://127.0.0.1:9")
    assert result.exit_code == Exit.CHECKPOINT
    assert "is the journal of an import into http://127.0.0.1:" in result.stderr


def test_ctrl_c_leaves_a_true_journal(
    start: Start, sandbox: Sandbox, opening: Callable[[int], threading.Event], tmp_path: Path
) -> None:
    write_rows(tmp_path / "in.jsonl", 400)
    under_way = opening(30)
    process = start("import", "in.jsonl")
    assert under_way.wait(30)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == Exit.INTERRUPTED
    assert stderr.decode().splitlines()[-1] == (
        "fusedesk: stopped by Ctrl-C; progress is kept in in.jsonl.journal; run the same command to resume"
    )
    states = sqlite3.connect(tmp_path / "in.jsonl.journal").execute("SELECT state, COUNT(*) FROM rows GROUP BY state")
    assert dict(states)["confirmed"] == len(sandbox.state.cases) - 50


def test_killed_and_run_again_every_row_is_opened_once(
    start: Start, sandbox: Sandbox, opening: Callable[[int], threading.Event], tmp_path: Path
) -> None:
    write_rows(tmp_path / "in.jsonl", 150)
    dice = random.Random(3)
    for _ in range(4):
        due = opening(dice.randrange(1, 30))
        process = start("import", "in.jsonl", "--settle", "0.3")
        assert due.wait(30)
        process.kill()
        process.communicate()
    _, stderr = start("import", "in.jsonl", "--settle", "0.3").communicate(timeout=60)
    assert "150 rows" in stderr.decode()
    assert opened(sandbox) == Counter(f"Row {number}" for number in range(150))


def test_the_second_of_two_imports_is_reported_who_is_at_it(
    start: Start, sandbox: Sandbox, opening: Callable[[int], threading.Event], tmp_path: Path
) -> None:
    write_rows(tmp_path / "in.jsonl", 400)
    under_way = opening(10)
    sandbox.fault("create", nth=11, times=400, delay=60)
    first = start("import", "in.jsonl")
    assert under_way.wait(30)
    second = start("import", "in.jsonl")
    _, stderr = second.communicate(timeout=30)
    assert second.returncode == Exit.LOCKED
    assert f"in.jsonl.journal is in use by process {first.pid} on " in stderr.decode()
