"""Files of all kinds that `fusedesk import` is given: what is JSON Lines is read, what is not is refused once."""

import gzip
import json
from pathlib import Path

import pytest
from command_line import KEY, Invoke

from fusedesk_async.cli._exit import Exit
from fusedesk_async.sandbox import Sandbox

ROWS = [
    {"source_id": f"s{n}", "department_id": 268, "summary": f"Grüße {n}", "details": "d", "opened_by": "jo"}
    for n in range(3)
]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
MARK = "\ufeff"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(5, keys={KEY: ["cases", "cases_create", "cases_update"]})


@pytest.mark.parametrize(
    "content",
    [
        (MARK + LINES).encode(),
        LINES.replace("\n", "\r\n").encode(),
        LINES.rstrip().encode(),
        ("\n\n" + LINES.replace("\n", "\n\n")).encode(),
        LINES.replace("\n", f"\n{MARK}", 2).encode(),
        ("\n" * 65_400 + LINES).encode(),
        gzip.compress(LINES.encode()),
        gzip.compress((MARK + LINES[:60]).encode()) + gzip.compress(LINES[60:].encode()),
    ],
    ids=["mark", "crlf", "no end", "blank lines", "marks", "many blank lines", "gzip", "gzip of two members"],
)
def test_what_holds_json_lines_is_read(invoke: Invoke, sandbox: Sandbox, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "in.jsonl").write_bytes(content)
    result = invoke("import", "in.jsonl")
    assert (result.exit_code, "3 rows: 3 cases opened" in result.stderr) == (Exit.FINE, True), result.stderr
    assert len([*sandbox.state.cases.ids()]) == 8


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (LINES.encode("utf-16"), "is UTF-16; convert it to UTF-8"),
        (LINES.encode("utf-16-le"), "is UTF-16 without a mark"),
        (LINES.encode("utf-16-be"), "is UTF-16 without a mark"),
        (LINES.encode("latin-1"), "is no UTF-8; convert it, as with iconv -f WINDOWS-1252 -t UTF-8"),
        (LINES.encode("latin-1").rstrip(), "is no UTF-8; convert it"),
        (json.dumps(ROWS).encode(), "is one JSON array"),
        (gzip.compress(json.dumps(ROWS, indent=1).encode()), "is one JSON array"),
        (b"department_id,summary\n268,x\n", "is no JSON Lines"),
        (b"SQLite format 3\0 and so on", "is a SQLite database"),
        (b"PAR1 and so on", "is a Parquet file"),
        (b"PK\x03\x04 and so on", "is a ZIP archive"),
        (gzip.compress(LINES.encode())[:-9], "cannot read in.jsonl: "),
        (b"\x1f\x8b\x08 and then no gzip", "cannot read in.jsonl: "),
    ],
)
def test_any_other_kind_is_refused_once(
    invoke: Invoke, sandbox: Sandbox, tmp_path: Path, content: bytes, words: str
) -> None:
    (tmp_path / "in.jsonl").write_bytes(content)
    result = invoke("import", "in.jsonl")
    assert result.exit_code == Exit.USAGE
    assert words in result.stderr
    assert len(result.stderr.splitlines()) <= 2
    assert not sandbox.received
    assert not [*tmp_path.glob("*rejected*")]


def test_one_bad_line_among_good_ones_is_that_lines_own(invoke: Invoke, sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text("garbage\n" + LINES, encoding="utf-8")
    assert invoke("import", "in.jsonl").exit_code == Exit.INCOMPLETE
    assert len([*sandbox.state.cases.ids()]) == 8


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz"])
def test_what_export_writes_is_read(invoke: Invoke, tmp_path: Path, ending: str) -> None:
    assert invoke("export", f"out.{ending}").exit_code == Exit.FINE
    result = invoke("import", f"out.{ending}", "--dry-run")
    assert (result.exit_code, "5 cases to open" in result.stderr) == (Exit.FINE, True), result.stderr


def test_one_line_in_another_encoding_among_others_is_that_lines_own(
    invoke: Invoke, sandbox: Sandbox, tmp_path: Path
) -> None:
    first, *others = LINES.splitlines(keepends=True)
    (tmp_path / "in.jsonl").write_bytes(first.encode("latin-1") + "".join(others).encode())
    assert invoke("import", "in.jsonl").exit_code == Exit.INCOMPLETE
    assert len([*sandbox.state.cases.ids()]) == 7
