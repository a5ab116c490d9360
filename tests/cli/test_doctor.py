"""`fusedesk doctor`: a plan, a table, a report; and nothing of a customer in any of them."""

import json
from pathlib import Path

import click
import pytest
from canary_server import BODIES, CANARIES, CanaryServer
from command_line import KEY, Invoke, Stage
from starlette.types import ASGIApp, Receive, Scope, Send

from fusedesk_async.cli._exit import Exit
from fusedesk_async.sandbox import ALL_SCOPES, FixedHour, Sandbox


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(1_200, keys={KEY: ALL_SCOPES}, limit=FixedHour(1_800))


def test_a_dry_run_makes_no_call(invoke: Invoke, sandbox: Sandbox) -> None:
    result = invoke("doctor", "--dry-run", FUSEDESK_API_KEY="", FUSEDESK_BASE_URL="")
    assert result.exit_code == Exit.FINE
    *calls, last = result.stdout.splitlines()
    assert len(calls) <= 25
    assert last.startswith(f"{len(calls)} calls at the most")
    assert all(line.startswith("GET  v") for line in calls)
    assert "v1/cases/{case}" in result.stdout
    assert "largest_limit" in result.stdout
    assert not sandbox.received
    assert any(
        line.startswith("POST v1/cases") for line in invoke("doctor", "--dry-run", "--write", "x").stdout.split("\n")
    )


def test_each_question_is_a_line(invoke: Invoke, sandbox: Sandbox) -> None:
    result = invoke("doctor")
    assert result.exit_code == Exit.FINE
    lines = result.stdout.splitlines()
    assert {line[:12].strip() for line in lines} <= {"known", "differs", "cannot tell"}
    assert any(line.startswith("known        default_order          date_updated desc; ") for line in lines)
    assert any(line.startswith("known        http_version           HTTP/1.1; ") for line in lines)
    assert any(line.startswith("known        numbers_as_text        false; ") for line in lines)
    assert any(line.startswith("known        extra_members          none; ") for line in lines)
    assert any(line.startswith("known        departments            list allReps, ") for line in lines)
    assert result.stderr == f"fusedesk: {len(sandbox.received)} calls made\n"
    assert {each.method for each in sandbox.received} == {"GET"}


def test_a_report_goes_to_a_file_or_to_stdout(invoke: Invoke) -> None:
    result = invoke("doctor", "--report", "report.json", "--json")
    report = json.loads(Path("report.json").read_text())
    assert json.loads(result.stdout) == report
    assert report["version"] == 1
    assert "the report is in report.json" in result.stderr


def test_the_profile_is_kept_for_other_commands(invoke: Invoke, sandbox: Sandbox) -> None:
    assert invoke("doctor", "--profile", "server.json").exit_code == Exit.FINE
    assert json.loads(Path("server.json").read_text())["order"] == "caseid asc"


def test_a_report_that_has_no_folder_is_told_before_any_call(invoke: Invoke, sandbox: Sandbox) -> None:
    result = invoke("doctor", "--report", "missing/report.json", "--write", "1", "--yes")
    assert result.exit_code == Exit.OUTPUT
    assert result.stderr == "fusedesk: cannot write the report to missing/report.json: there is no such folder\n"
    assert not sandbox.received


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
def test_a_case_that_stays_open_is_told_although_the_report_cannot_be_written(invoke: Invoke, sandbox: Sandbox) -> None:
    sandbox.fault("update", times=100, status=500)
    department = str(next(iter(sandbox.state.departments)))
    result = invoke("doctor", "--report", "/dev/full", "--write", department, "--yes")
    assert result.exit_code == Exit.OUTPUT
    assert "the case 1201 could not be closed; please close it" in result.stderr
    assert "cannot write the report to /dev/full: No space left on device" in result.stderr


def test_a_wrong_key_is_told_as_check_does(invoke: Invoke) -> None:
    result = invoke("doctor", FUSEDESK_API_KEY="wrong-key")
    assert result.exit_code == Exit.CONFIGURATION
    assert result.stdout == ""


def test_writing_is_announced_and_confirmed(invoke: Invoke, sandbox: Sandbox) -> None:
    result = invoke("doctor", "--write", "1")
    assert result.exit_code == Exit.INTERRUPTED
    assert "this opens one case in the department '1'" in result.stderr
    assert not sandbox.received


@pytest.mark.parametrize("department", ["Nowhere", "", "-5", "9" * 5_000, "\u0663"])
def test_a_department_that_is_not_there_is_told_and_nothing_is_written(
    department: str, invoke: Invoke, sandbox: Sandbox
) -> None:
    result = invoke("doctor", "--yes", "--write", department)
    assert result.exit_code == Exit.CONFIGURATION
    assert "0 departments have the name" in result.stderr.splitlines()[-1]
    assert {each.method for each in sandbox.received} == {"GET"}


def test_who_says_no_to_writing_has_not_pressed_ctrl_c(
    invoke: Invoke, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(click, "confirm", lambda *_, **__: False)
    result = invoke("doctor", "--write", "1")
    assert result.exit_code == Exit.INTERRUPTED
    assert result.stderr.endswith("fusedesk: nothing was asked or written\n")
    assert not sandbox.received


@pytest.mark.parametrize("by", ["id", "name"])
def test_one_case_is_opened_and_closed_with_yes(by: str, invoke: Invoke, sandbox: Sandbox) -> None:
    department = next(iter(sandbox.state.departments.values()))
    result = invoke("doctor", "--yes", "--write", str(department.id) if by == "id" else department.name)
    assert result.exit_code == Exit.FINE
    assert "known        keeps_date_opened      true; " in result.stdout
    assert sandbox.state.cases.value(1_201, "status") == "closed"


def test_a_case_that_stays_open_is_told(invoke: Invoke, sandbox: Sandbox) -> None:
    sandbox.fault("update", times=100, status=500)
    department = next(iter(sandbox.state.departments))
    result = invoke("doctor", "--yes", "--write", str(department), "--json")
    assert "the case 1201 could not be closed; please close it" in result.stderr
    assert "1201" not in result.stdout


def test_a_case_that_is_lost_is_told(invoke: Invoke, sandbox: Sandbox) -> None:
    sandbox.fault("create", after=True, body={})
    sandbox.churn("create", lambda _: sandbox.fault("search", times=100, status=500))
    department = next(iter(sandbox.state.departments))
    result = invoke("doctor", "--yes", "--write", str(department))
    assert "please look for 'Test by fusedesk doctor" in result.stderr


def test_what_could_not_be_asked_is_told(invoke: Invoke, sandbox: Sandbox) -> None:
    sandbox.fault("any", nth=3, times=1_000, status=429, retry_after="1000")
    result = invoke("doctor")
    assert result.exit_code == Exit.FINE
    assert "questions could not be asked: " in result.stderr


class CanarySandbox(Sandbox):
    """Answers as a server of canaries."""

    def __init__(self, kind: str) -> None:
        super().__init__(0)
        self._server = CanaryServer(kind)

    @property
    def app(self) -> ASGIApp:
        async def respond(scope: Scope, receive: Receive, send: Send) -> None:
            while (await receive()).get("more_body"):
                pass
            status, headers, body = self._server.respond(scope["path"])
            length = ("content-length", str(len(body)))
            raw = [(name.encode(), value.encode()) for name, value in [*headers.items(), length]]
            await send({"type": "http.response.start", "status": status, "headers": raw})
            await send({"type": "http.response.body", "body": body})

        return respond


@pytest.mark.parametrize("kind", BODIES)
def test_nothing_of_a_customer_is_printed(kind: str, invoke: Invoke, served_stage: tuple[Stage, str]) -> None:
    served_stage[0].sandbox = CanarySandbox(kind)
    result = invoke("doctor", "--report", "report.json")
    assert result.exit_code == Exit.FINE
    told = (result.output + result.stderr + Path("report.json").read_text()).lower()
    assert [canary for canary in CANARIES if canary in told] == []
