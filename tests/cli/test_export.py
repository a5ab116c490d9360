"""`fusedesk export`, as its users see it."""

import csv
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from command_line import Invoke
from exports import select

from fusedesk_async.cli._exit import Exit
from fusedesk_async.sandbox import Sandbox


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_all_cases_arrive_in_id_order_one_per_line(invoke: Invoke, tmp_path: Path) -> None:
    result = invoke("export", "out.jsonl")
    assert result.exit_code == Exit.FINE
    assert [row["caseid"] for row in rows(tmp_path / "out.jsonl")] == list(range(1, 1_201))
    assert result.stdout == ""
    begin, plan, end = result.stderr.splitlines()
    assert begin.startswith("fusedesk: exporting cases of http://127.0.0.1:")
    assert re.fullmatch(r"fusedesk: [\d,]+ to 1,200 cases: about 4 calls, up to \d+ s at the present allowance", plan)
    assert re.match(r"fusedesk: 1,200 cases, ([6-9]|10) calls, ", end)
    assert end.endswith("out.jsonl 1.2 MB")
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


def test_the_bytes_are_the_servers(invoke: Invoke, sandbox: Sandbox) -> None:
    body = b'[{"caseid":1,"n":1.50e3,"t":"\\u00e9\\/"},{\n  "caseid": 2,\r\n\t"t": ["a  b",\n  2]\n}]'
    sandbox.fault("search", times=2, body=body.decode())
    sandbox.fault("search", nth=3, times=9, body=[])
    assert invoke("export", "-").stdout_bytes == (
        b'{"caseid":1,"n":1.50e3,"t":"\\u00e9\\/"}\n{"caseid": 2,"t": ["a  b",2]}\n'
    )


def test_filters_reach_the_server(invoke: Invoke, sandbox: Sandbox) -> None:
    given = "--status open --opened-after 2026-01-01 --updated-before 2026-02-01 --closed-after 2026-01-03"
    more = "--closed-before 2026-01-04 --department-id 1 --rep-id 2 --contact-id 3 --contact-id 4 --email a@b.example"
    assert invoke("export", "-", *given.split(), *more.split(), "--tag-id", "5").exit_code == Exit.FINE
    query = dict(sandbox.received[-1].query)
    assert {name: text for name, text in query.items() if name not in {"limit", "offset", "orderby"}} == {
        "status": "open",
        "date_opened": '{"after":"2026-01-01"}',
        "date_updated": '{"before":"2026-02-01"}',
        "date_closed": '{"after":"2026-01-03","before":"2026-01-04"}',
        "depid": "1",
        "repid": "2",
        "contactid[0]": "3",
        "contactid[1]": "4",
        "email": "a@b.example",
        "casetag": "5",
    }


def test_an_existing_file_is_replaced_only_when_asked(invoke: Invoke, sandbox: Sandbox, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("precious")
    result = invoke("export", "out.jsonl")
    assert result.exit_code == Exit.EXISTS
    last = result.stderr.splitlines()[-1]
    assert last == f"fusedesk: {target} exists already; --overwrite replaces it once the new one is complete"
    assert not sandbox.received
    assert invoke("export", "out.jsonl", "--overwrite").exit_code == Exit.FINE
    assert len(rows(target)) == 1_200


def test_a_link_stays_a_link(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "real.jsonl").touch()
    (tmp_path / "out.jsonl").symlink_to("real.jsonl")
    assert invoke("export", "out.jsonl", "--overwrite").exit_code == Exit.FINE
    assert (tmp_path / "out.jsonl").is_symlink()
    assert len(rows(tmp_path / "real.jsonl")) == 1_200


@pytest.mark.parametrize("out", ["/dev/null", ".", "missing/out.jsonl"])
def test_what_cannot_be_written_is_refused_before_anything_is_asked(invoke: Invoke, sandbox: Sandbox, out: str) -> None:
    result = invoke("export", out, "--overwrite", "--format", "jsonl")
    assert result.exit_code == Exit.OUTPUT
    assert len(result.stderr.splitlines()) == 2
    assert not sandbox.received


def test_a_failure_half_way_says_what_is_kept_and_the_same_command_resumes(
    invoke: Invoke, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.fault("search", nth=5, status=403, body={"error": "gone", "errorcode": "api_error_noscope"})
    result = invoke("export", "out.jsonl")
    assert result.exit_code == Exit.CONFIGURATION
    assert result.stderr.endswith("; 500 cases are kept; run the same command to resume\n")
    assert not (tmp_path / "out.jsonl").exists()
    asked = len(sandbox.received)
    result = invoke("export", "out.jsonl")
    assert result.exit_code == Exit.FINE
    assert "about 1,200 cases, 500 of them here already: about 3 calls" in result.stderr
    assert "1,200 cases, 700 of them in this run, the 2nd" in result.stderr
    assert len(sandbox.received) - asked <= 4
    assert [row["caseid"] for row in rows(tmp_path / "out.jsonl")] == list(range(1, 1_201))
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


def test_what_an_earlier_run_left_is_for_the_same_job_only(invoke: Invoke, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.fault("search", nth=5, status=403)
    invoke("export", "out.jsonl")
    result = invoke("export", "out.jsonl", "--status", "open")
    assert result.exit_code == Exit.CHECKPOINT
    assert "belongs to another export: its query is '', not 'status=open'" in result.stderr
    assert result.stderr.endswith("; --restart starts over\n")
    assert invoke("export", "out.jsonl", "--status", "open", "--restart").exit_code == Exit.FINE
    assert {row["status"] for row in rows(tmp_path / "out.jsonl")} == {"open"}


def test_a_failure_at_the_start_leaves_nothing_new(invoke: Invoke, tmp_path: Path) -> None:
    for out in ("out.jsonl", "out.db", "out.parquet"):
        assert invoke("export", out, FUSEDESK_API_KEY="wrong-key").exit_code == Exit.CONFIGURATION
    assert not list(tmp_path.iterdir())


def test_a_search_without_cases_is_an_empty_file(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "out.jsonl.part").write_text("another program's")
    arguments = ("export", "out.jsonl", "--status", "open", "--closed-before", "2001-01-01")
    refused = invoke(*arguments)
    assert refused.exit_code == Exit.CHECKPOINT
    assert "out.jsonl.part holds something, but out.jsonl.checkpoint is not beside it" in refused.stderr
    assert (tmp_path / "out.jsonl.part").read_text() == "another program's"
    assert invoke(*arguments, "--restart").exit_code == Exit.FINE
    assert (tmp_path / "out.jsonl").read_bytes() == b""


def test_a_dry_run_says_what_it_would_cost_and_leaves_nothing(invoke: Invoke, sandbox: Sandbox, tmp_path: Path) -> None:
    result = invoke("export", "out.db", "--history", "--dry-run")
    assert result.exit_code == Exit.FINE
    assert re.search(r"1,\d\d\d to 1,200 cases: about 1,\d\d\d calls \(one for each history\), .* to ", result.stderr)
    assert len(sandbox.received) <= 12
    assert not list(tmp_path.iterdir())


def test_histories_and_a_report_as_json(invoke: Invoke, tmp_path: Path) -> None:
    chosen = ("--status", "open", "--opened-after", "2026-06-20")
    result = invoke("export", "out.csv", "--history", "--json", "--guard-formulas", "--bom", *chosen)
    assert result.exit_code == Exit.FINE
    report = json.loads(result.stdout)
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as lines:
        found = list(csv.DictReader(lines))
    assert (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbfid,")
    assert report["cases"] == len(found) > 0
    assert all(json.loads(row["history"]) for row in found)


def test_a_database_is_brought_up_to_date(invoke: Invoke, sandbox: Sandbox, tmp_path: Path) -> None:
    def states() -> dict[int, tuple[str, int]]:
        with closing(sqlite3.connect(tmp_path / "out.db")) as database:
            return {case: rest for case, *rest in database.execute("SELECT id, status, matches FROM cases")}

    assert invoke("export", "out.db", "--update", "--status", "open").exit_code == Exit.FINE
    closed, untouched, *_ = states()
    sandbox.close_cases(ids=[closed])
    (opened,) = sandbox.open_cases(status="open")
    assert invoke("export", "out.db", "--update", "--status", "open").exit_code == Exit.FINE
    after = states()
    assert after[closed] == ["closed", 0]
    assert after[opened] == after[untouched] == ["open", 1]


def test_a_schema_of_a_database_is_filled_and_brought_up_to_date(
    invoke: Invoke, sandbox: Sandbox, postgres_url: str
) -> None:
    url = postgres_url.replace("postgres@", "postgres:sEcReT@") + "&schema=desk"
    arguments = ("export", url, "--status", "open", "--opened-after", "2026-06-01", "--json")
    planned = invoke(*arguments, "--dry-run")
    assert (planned.exit_code, planned.stdout) == (Exit.FINE, "")
    result = invoke(*arguments)
    report = json.loads(result.stdout)
    assert (result.exit_code, report["format"], report["to"]) == (Exit.FINE, "postgres", f"{postgres_url}&schema=desk")
    refused = invoke(*arguments)
    assert refused.exit_code == Exit.EXISTS
    assert "schema=desk exists already; --overwrite replaces it once the new one is complete" in refused.stderr
    (opened,) = sandbox.open_cases(status="open")
    updated = invoke(*arguments, "--update")
    assert updated.exit_code == Exit.FINE
    ids = [number for (number,) in select(postgres_url, "SELECT id FROM cases", "desk")]
    assert opened in ids
    assert len(ids) == report["cases"] + 1
    wrong = invoke("export", f"{url}#", "--status", "open")
    assert wrong.exit_code == Exit.CONFIGURATION
    assert "the address of the database cannot be read" in wrong.stderr
    for each in (planned, result, refused, updated, wrong):
        assert "sEcReT" not in each.output


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("out.db", "--format", "postgres"), "postgres is for addresses such as"),
        (("postgresql:///x", "--mode", "640"), "mode is for files only"),
        (("out.txt",), "unknown format of 'out.txt'"),
        (("out.db.gz",), "sqlite cannot be compressed with .gz"),
        (("-", "--format", "csv"), "csv needs a file"),
        (("out.csv", "--update"), "only an export in SQLite or Postgres can be updated"),
        (("out.jsonl", "--guard-formulas"), "guard_formulas is for CSV"),
        (("out.db", "--bom"), "bom is for CSV only"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    invoke: Invoke, sandbox: Sandbox, arguments: tuple[str, ...], expected: str
) -> None:
    result = invoke("export", *arguments)
    assert result.exit_code == Exit.CONFIGURATION
    assert expected in result.stderr
    assert not sandbox.received


@pytest.mark.parametrize(
    "arguments", [("-", "--json"), ("out.jsonl", "--reserve", "100%"), ("out.jsonl", "--reserve", "x")]
)
def test_what_makes_no_sense_is_a_usage_error(invoke: Invoke, arguments: tuple[str, ...]) -> None:
    assert invoke("export", *arguments).exit_code == Exit.USAGE


def test_cases_that_cannot_be_read_are_reported(invoke: Invoke, sandbox: Sandbox, tmp_path: Path) -> None:
    strange = [{"caseid": f"{number}th"} for number in range(5, 10)]
    for nth, body in enumerate([[{"caseid": 9}], [], [{"caseid": 1}, *strange]], 1):
        sandbox.fault("search", nth=nth, body=body)
    sandbox.fault("search", nth=4, times=9, body=[])
    result = invoke("export", "out.jsonl")
    assert result.exit_code == Exit.ANSWER
    assert [row["caseid"] for row in rows(tmp_path / "out.jsonl")] == [1]
    *_, last = result.stderr.splitlines()
    assert last == "fusedesk: 5 cases could not be read and are not in the output: id 5th, 6th, 7th, 8th, 9th"
    assert sum(line.startswith("fusedesk: warning: ") for line in result.stderr.splitlines()) == 4
    assert "fusedesk: warning: 2 more like these" in result.stderr.splitlines()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("out.jsonl", "2 fields could not be read, out.jsonl"),
        ("out.csv", "2 fields could not be read: their cells are empty, the column extra has what was sent, out.csv"),
    ],
)
def test_fields_that_cannot_be_read_are_in_the_summary(
    invoke: Invoke, sandbox: Sandbox, tmp_path: Path, name: str, said: str
) -> None:
    odd = {"date_opened": "next week", "departmentid": "Billing"}
    for nth, body in enumerate([[{"caseid": 2}], [], [{"caseid": 1}, {"caseid": 2} | odd]], 1):
        sandbox.fault("search", nth=nth, body=body)
    sandbox.fault("search", nth=4, times=9, body=[])
    result = invoke("export", name)
    assert result.exit_code == 0
    assert said in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("options", [("--app", "acme"), ("--status", "open")])
def test_the_demo_takes_no_options_about_a_server(invoke: Invoke, options: tuple[str, ...]) -> None:
    result = invoke("export", "out.jsonl", "--demo", *options)
    assert result.exit_code == Exit.USAGE
    assert "--demo exports everything from its own sandbox" in result.stderr
