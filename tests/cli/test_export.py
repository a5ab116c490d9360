import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from fusedesk_async.cli._exit import Exit
from fusedesk_async.sandbox import Sandbox

Invoke = Callable[..., Result]


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_all_cases_arrive_in_id_order_one_per_line(invoke: Invoke, tmp_path: Path) -> None:
    result = invoke("export", "out.jsonl")
    assert result.exit_code == Exit.FINE
    assert [row["caseid"] for row in rows(tmp_path / "out.jsonl")] == list(range(1, 1_201))
    assert result.stdout == ""
    begin, end = result.stderr.splitlines()
    assert begin.startswith("fusedesk: exporting cases of http://127.0.0.1:")
    assert re.match(r"fusedesk: 1,200 cases, [4-7] calls, ", end)
    assert end.endswith(" MB")
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


def test_the_bytes_are_the_servers(invoke: Invoke, sandbox: Sandbox) -> None:
    body = b'[{"caseid":1,"n":1.50e3,"t":"\\u00e9\\/"},{\n  "caseid": 2,\r\n\t"t": ["a  b",\n  2]\n}]'
    sandbox.fault("search", body=body.decode())
    sandbox.fault("search", nth=2, times=9, body=[])
    assert invoke("export", "-").stdout_bytes == (
        b'{"caseid":1,"n":1.50e3,"t":"\\u00e9\\/"}\n{"caseid": 2,"t": ["a  b",2]}\n'
    )


def test_filters_reach_the_server(invoke: Invoke, sandbox: Sandbox) -> None:
    given = "--status open --opened-after 2026-01-01 --updated-before 2026-02-01 --closed-after 2026-01-03"
    more = "--closed-before 2026-01-04 --department-id 1 --rep-id 2 --contact-id 3 --contact-id 4 --email a@b.example"
    assert invoke("export", "-", *given.split(), *more.split(), "--tag-id", "5").exit_code == Exit.FINE
    query = dict(sandbox.received[0].query)
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
    assert result.exit_code == Exit.OUTPUT
    assert result.stderr == "fusedesk: out.jsonl exists; --overwrite replaces it when the export is whole\n"
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
    result = invoke("export", out, "--overwrite")
    assert result.exit_code == Exit.OUTPUT
    assert len(result.stderr.splitlines()) == 1
    assert not sandbox.received


def test_a_failure_half_way_says_what_is_left(invoke: Invoke, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.fault("search", nth=3, status=403, body={"error": "gone", "errorcode": "api_error_noscope"})
    result = invoke("export", "out.jsonl")
    assert result.exit_code == Exit.CONFIGURATION
    assert f"; the first 999 cases are left in {tmp_path}/out.jsonl.part" in result.stderr.splitlines()[-1]
    assert len(rows(tmp_path / "out.jsonl.part")) == 999
    assert not (tmp_path / "out.jsonl").exists()
    assert invoke("export", "out.jsonl").exit_code == Exit.FINE
    assert len(rows(tmp_path / "out.jsonl")) == 1_200


def test_a_failure_at_the_start_leaves_nothing_new(invoke: Invoke, tmp_path: Path) -> None:
    assert invoke("export", "out.jsonl", FUSEDESK_API_KEY="wrong-key").exit_code == Exit.CONFIGURATION
    assert not list(tmp_path.iterdir())
    (tmp_path / "out.jsonl.part").write_text("from earlier")
    assert invoke("export", "out.jsonl", FUSEDESK_API_KEY="wrong-key").exit_code == Exit.CONFIGURATION
    assert (tmp_path / "out.jsonl.part").read_text() == "from earlier"


def test_a_search_without_cases_is_an_empty_file(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "out.jsonl.part").write_text("from earlier")
    assert invoke("export", "out.jsonl", "--status", "open", "--closed-before", "2001-01-01").exit_code == Exit.FINE
    assert (tmp_path / "out.jsonl").read_bytes() == b""


def test_cases_that_cannot_be_read_are_told(invoke: Invoke, sandbox: Sandbox, tmp_path: Path) -> None:
    strange = [{"caseid": number, "date_opened": "next week"} for number in range(5, 10)]
    sandbox.fault("search", body=[{"caseid": 1}, *strange])
    sandbox.fault("search", nth=2, times=9, body=[])
    result = invoke("export", "out.jsonl")
    assert result.exit_code == Exit.ANSWER
    assert [row["caseid"] for row in rows(tmp_path / "out.jsonl")] == [1]
    *_, last = result.stderr.splitlines()
    assert last == "fusedesk: 5 cases could not be read and did not get into the output: id 5, 6, 7, 8, 9"
    assert sum(line.startswith("fusedesk: warning: ") for line in result.stderr.splitlines()) == 4
    assert "fusedesk: warning: 2 more like these" in result.stderr.splitlines()


@pytest.mark.parametrize("options", [("--app", "acme"), ("--status", "open")])
def test_the_demo_takes_no_options_about_a_server(invoke: Invoke, options: tuple[str, ...]) -> None:
    result = invoke("export", "out.jsonl", "--demo", *options)
    assert result.exit_code == Exit.USAGE
    assert "--demo exports everything from a sandbox of its own" in result.stderr
