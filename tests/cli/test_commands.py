"""Commands that ask once, and how every failure ends: one line and an exit code."""

import json
import sys
from pathlib import Path

import pytest
from command_line import Invoke

import fusedesk_async
from fusedesk_async import ServerProfile
from fusedesk_async.cli._exit import MEANINGS, Exit
from fusedesk_async.cli._sandbox import read_report
from fusedesk_async.sandbox import Sandbox

NASTY = "a\x1b[2J[bold]b\x9b\u202ec"


def test_version(invoke: Invoke) -> None:
    assert invoke("--version").stdout == f"fusedesk {fusedesk_async.__version__}\n"


def test_the_help_lists_all_exit_codes(invoke: Invoke) -> None:
    text = invoke("--help").stdout
    assert set(MEANINGS) == set(Exit)
    for code in Exit:
        assert f"\n  {code.value} " in text


def test_check_tells_address_and_scopes(invoke: Invoke) -> None:
    address, scopes = invoke("check").stdout.splitlines()
    assert address.startswith("http://127.0.0.1:")
    assert address.endswith(": app and key are good")
    assert scopes == "scopes: cases, cases_update"


def test_check_fails_where_a_scope_is_missing(invoke: Invoke, sandbox: Sandbox) -> None:
    assert invoke("check", "--needs", "cases, cases_update").exit_code == Exit.FINE
    result = invoke("check", "--needs", "reps,cases,cases_create")
    assert result.exit_code == Exit.CONFIGURATION
    assert result.stdout == ""
    assert result.stderr.startswith("fusedesk: the key lacks the scopes cases_create, reps. Give the key ")
    assert len(sandbox.received) == 2


def test_the_key_may_go_in_the_query(invoke: Invoke, sandbox: Sandbox) -> None:
    assert invoke("check", "--auth", "query").exit_code == Exit.FINE
    assert "apikey" in dict(sandbox.received[0].query)


def test_a_search_without_a_terminal_is_tab_separated(invoke: Invoke, sandbox: Sandbox) -> None:
    sandbox.fault(
        "search", times=2, body=[{"caseid": 7, "casenum": "AB12", "summary": f"x\ty\n{NASTY}", "openedby": "jo"}]
    )
    assert invoke("cases", "search").stdout == "7\tAB12\t\t\t\tjo\tx y a\\x1b[2J[bold]b\\x9b\\u202ec\n"


def test_a_search_takes_a_limit_and_an_order(invoke: Invoke, sandbox: Sandbox) -> None:
    result = invoke("cases", "search", "--limit", "3", "--order-by", "caseid desc")
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == ["1200", "1199", "1198"]
    assert result.stderr == "fusedesk: the first 3 cases; --limit shows more\n"
    assert len(sandbox.received) == 1


def test_a_search_as_json_is_what_the_server_sent(invoke: Invoke) -> None:
    found = [json.loads(line) for line in invoke("cases", "search", "--json", "--limit", "2").stdout.splitlines()]
    assert [case["caseid"] for case in found] == [1, 2]


def test_a_case_is_shown_with_its_history(invoke: Invoke) -> None:
    text = invoke("cases", "get", "42").stdout
    assert "  id              42\n" in text
    assert "\nDetails\n    " in text
    assert "\nHistory (" in text
    assert json.loads(invoke("cases", "get", "42", "--json").stdout)["caseid"] == 42


def test_text_from_elsewhere_steers_nothing(invoke: Invoke, sandbox: Sandbox) -> None:
    history = [{"type": "email", "body": NASTY, "from": NASTY}, {"type": NASTY, "id": 1, "x": NASTY}]
    sandbox.fault("get", body={"caseid": 7, "summary": NASTY, "details": f"{NASTY}\r\nnext", "history": history})
    text = invoke("cases", "get", "7").stdout
    assert text.count("a\\x1b[2J[bold]b\\x9b\\u202ec") == 5
    assert not {"\x1b", "\x9b", "\u202e"} & set(text)


def test_noise_around_an_answer_is_one_line(invoke: Invoke, sandbox: Sandbox) -> None:
    sandbox.fault("permissions", prefix="<br />\n<b>Notice</b>: undefined index\n")
    result = invoke("check")
    assert result.exit_code == Exit.FINE
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("fusedesk: warning: ")


@pytest.mark.parametrize(
    ("variables", "arguments", "code", "expected"),
    [
        ({"FUSEDESK_API_KEY": "wrong-key"}, ("check",), Exit.CONFIGURATION, "Check the app name and the API key"),
        ({"FUSEDESK_API_KEY": ""}, ("check",), Exit.CONFIGURATION, "the API key is missing; set FUSEDESK_API_KEY"),
        ({"FUSEDESK_BASE_URL": ""}, ("check",), Exit.CONFIGURATION, "which app? Give --app, or set FUSEDESK_APP"),
        ({"FUSEDESK_BASE_URL": "ftp://x"}, ("check",), Exit.CONFIGURATION, "base_url must look like"),
        ({}, ("cases", "search", "--opened-after", " "), Exit.CONFIGURATION, "a date is a date"),
        ({}, ("cases", "get", "99999"), Exit.NOT_FOUND, "[GET v1/cases/99999, tried once]"),
    ],
)
def test_errors_are_one_line(
    invoke: Invoke, variables: dict[str, str], arguments: tuple[str, ...], code: Exit, expected: str
) -> None:
    result = invoke(*arguments, **variables)
    assert result.exit_code == code
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("fusedesk: ")
    assert expected in result.stderr


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 405, "body": {"error": "no", "errorcode": "x"}}, Exit.ANSWER),
        ({"body": "<html><title>Login</title></html>"}, Exit.CONFIGURATION),
        ({"body": "<html>nothing here</html>", "times": 2}, Exit.ANSWER),
        ({"body": [1, 2], "times": 2}, Exit.ANSWER),
        ({"status": 403, "body": {"error": "no", "errorcode": "api_error_noscope"}}, Exit.CONFIGURATION),
        ({"status": 500, "retry_after": "1000"}, Exit.NETWORK),
        ({"status": 429, "retry_after": "1000"}, Exit.RATE_LIMIT),
    ],
)
def test_every_answer_has_its_exit_code(invoke: Invoke, sandbox: Sandbox, fault: dict[str, object], code: Exit) -> None:
    sandbox.fault("get", **fault)  # type: ignore[arg-type] # as the table has it
    result = invoke("cases", "get", "42")
    assert result.exit_code == code
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("package", ["uvicorn", "python_multipart"])
@pytest.mark.parametrize("arguments", [("export", "out.jsonl", "--demo"), ("sandbox", "--port", "0")])
def test_without_the_sandbox_extra_it_says_what_to_install(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, package: str, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    result = invoke(*arguments)
    assert result.exit_code == Exit.CONFIGURATION
    assert result.stderr == 'fusedesk: the sandbox needs more packages: pip install "fusedesk_async[sandbox]"\n'


def test_a_port_in_use_is_one_line(invoke: Invoke, environment: dict[str, str]) -> None:
    port = environment["FUSEDESK_BASE_URL"].rpartition(":")[2]
    result = invoke("sandbox", "--port", port)
    assert result.exit_code == Exit.CONFIGURATION
    assert result.stderr == f"fusedesk: cannot listen on port {port}: Address already in use\n"


def test_what_is_known_of_the_server_is_kept_in_a_file(invoke: Invoke, sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "server.json"
    for _ in range(2):
        assert invoke("export", "out.jsonl", "--overwrite", "--profile", str(file)).exit_code == Exit.FINE
        assert ServerProfile.load(file).descending
    file.write_text("{}")
    result = invoke("check", "--profile", str(file))
    assert (result.exit_code, "no profile of a server" in result.stderr) == (Exit.CONFIGURATION, True)


def test_a_sandbox_is_like_the_server_of_a_report(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text('{"version": 1, "findings": {"zone": {"verdict": "differs", "value": "+02:00"}}}')
    assert read_report(file).zone == "+02:00"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot read"),
        ("", "cannot use"),
        ("[]", "is no report of fusedesk doctor"),
        ('{"version": 1, "findings": {"zone": {"verdict": "known", "value": "here"}}}', "zone cannot be"),
    ],
)
def test_a_file_that_is_no_report_is_one_line(invoke: Invoke, tmp_path: Path, content: str | None, words: str) -> None:
    file = tmp_path / "report.json"
    if content is not None:
        file.write_text(content)
    result = invoke("sandbox", "--like", str(file))
    assert result.exit_code == Exit.CONFIGURATION
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
