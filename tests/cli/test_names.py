"""Names on the command line, and the shell that completes them."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from command_line import KEY, Invoke

from fusedesk_async.cli._exit import Exit
from fusedesk_async.cli._program import fusedesk
from fusedesk_async.sandbox import Sandbox

Complete = Callable[..., list[str]]


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(1_200, keys={KEY: ["cases", "departments", "reps"]})


@pytest.fixture
def rep(sandbox: Sandbox) -> str:
    return next(rep.name for rep in sandbox.state.reps.values() if rep.active)


@pytest.fixture
def department(sandbox: Sandbox) -> str:
    return next(each.name for each in sandbox.state.departments.values() if each.archived is None)


@pytest.fixture
def complete(environment: dict[str, str], tmp_path: Path) -> Complete:
    """What the shell is offered for the last word, after click has said of what kind it is."""

    def complete(*words: str, shell: str = "zsh", **variables: str) -> list[str]:
        asked = {
            "_FUSEDESK_COMPLETE": f"{shell}_complete",
            "COMP_WORDS": "\n".join(["fusedesk", *words]),
            "COMP_CWORD": str(len(words)),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
        }
        result = CliRunner(env=environment | asked | variables).invoke(fusedesk, prog_name="fusedesk")
        assert KEY not in result.output
        assert result.stderr == ""
        lines = result.stdout.splitlines()
        return lines[1::3] if shell == "zsh" else [line.removeprefix("plain,") for line in lines]

    return complete


def test_a_search_takes_names(invoke: Invoke, sandbox: Sandbox, rep: str, department: str) -> None:
    tag = next(tag.name for tag in sandbox.state.tags.values() if not tag.archived)
    result = invoke("cases", "search", "--rep", rep, "--department", department, "--tag", tag, "--json")
    assert result.exit_code == Exit.FINE
    ids = [next(iter(each)) for each in (sandbox.state.departments, sandbox.state.tags)]
    query = dict(sandbox.received[-1].query)
    assert (query["depid"], query["casetag"]) == tuple(str(number) for number in ids)
    assert {request.operation for request in sandbox.received} == {"casetags", "departments", "reps", "search"}


def test_an_export_takes_names(invoke: Invoke, sandbox: Sandbox, department: str) -> None:
    assert invoke("export", "out.jsonl", "--department", department).exit_code == Exit.FINE
    number = next(iter(sandbox.state.departments))
    assert dict(sandbox.received[-1].query)["depid"] == str(number)


def test_a_slip_is_one_line_with_what_may_be_meant(invoke: Invoke, department: str) -> None:
    result = invoke("cases", "search", "--department", department[:-1])
    assert result.exit_code == Exit.CONFIGURATION
    assert result.stderr.startswith(
        f"fusedesk: no department is called {department[:-1]!r}; did you mean {department!r}"
    )
    assert len(result.stderr.splitlines()) == 1
    assert "give rep or rep_id" in invoke("cases", "search", "--rep", "x", "--rep-id", "3").stderr


def test_names_that_begin_so_are_offered(complete: Complete, sandbox: Sandbox, rep: str, department: str) -> None:
    active = [each.name for each in sandbox.state.departments.values() if each.archived is None]
    assert set(complete("cases", "search", "--department", "")) == set(active)
    assert department in complete("export", "out.jsonl", "--department", department[:3].upper())
    assert rep in complete("cases", "search", "--rep", rep.split()[1])
    tags = [tag.name for tag in sandbox.state.tags.values() if not (tag.hidden or tag.archived)]
    assert set(complete("cases", "search", "--tag", "")) == set(tags)
    disabled = {each.name for each in sandbox.state.reps.values() if not each.active}
    assert not disabled & set(complete("cases", "search", "--rep", ""))


def test_names_are_kept_for_a_while_for_this_user_alone(complete: Complete, sandbox: Sandbox, tmp_path: Path) -> None:
    first = complete("cases", "search", "--rep", "")
    assert complete("cases", "search", "--rep", "") == first
    assert [request.operation for request in sandbox.received] == ["reps"]
    (kept,) = (tmp_path / "cache" / "fusedesk").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert KEY not in kept.read_text()
    os.utime(kept, (0, 0))
    assert complete("cases", "search", "--rep", "") == first
    kept.write_text("nonsense")
    assert complete("cases", "search", "--rep", "") == first
    assert len(sandbox.received) == 3


def test_bash_gets_names_that_it_can_put_in(complete: Complete, rep: str) -> None:
    words = ("cases", "search", "--rep")
    assert rep.replace(" ", "\\ ") in complete(*words, "", shell="bash")
    assert rep.replace(" ", "\\ ") in complete(*words, rep.replace(" ", "\\ ")[:-1], shell="bash")
    assert rep in complete(*words, f'"{rep[:-1]}', shell="bash")


@pytest.mark.parametrize(
    "variables",
    [
        {"FUSEDESK_API_KEY": ""},
        {"FUSEDESK_API_KEY": "wrong"},
        {"FUSEDESK_BASE_URL": ""},
        {"FUSEDESK_BASE_URL": "ftp://x"},
        {"FUSEDESK_BASE_URL": "http://127.0.0.1:1"},
    ],
)
def test_where_names_cannot_be_had_nothing_is_offered_asked_or_said(
    complete: Complete, variables: dict[str, str]
) -> None:
    assert complete("cases", "search", "--rep", "", **variables) == []


@pytest.mark.parametrize(
    "fault", [{"status": 429}, {"status": 500}, {"body": "<html>log in</html>"}, {"prefix": "<br>Notice"}]
)
def test_a_server_in_trouble_is_asked_once_and_nothing_is_said(
    complete: Complete, sandbox: Sandbox, fault: dict[str, object]
) -> None:
    sandbox.fault("reps", times=5, **fault)  # type: ignore[arg-type] # as the table has it
    offered = complete("cases", "search", "--rep", "")
    assert bool(offered) == ("prefix" in fault)
    assert len(sandbox.received) == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell(invoke: Invoke, shell: str) -> None:
    script = invoke("completion", shell).stdout
    assert "_FUSEDESK_COMPLETE" in script
    assert "fusedesk" in script
    assert "  bash: fusedesk completion bash >> ~/.bashrc\n" in invoke("completion", "--help").stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_in_a_real_bash(environment: dict[str, str], invoke: Invoke, tmp_path: Path, department: str) -> None:
    """bash reads the script and calls the program as it would on TAB."""
    script = invoke("completion", "bash").stdout
    program = Path(sys.executable).with_name("fusedesk")
    typed = f"""
{script}
COMP_WORDS=({program} cases search --department {department[:2]})
COMP_CWORD=4
_fusedesk_completion {program}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    result = subprocess.run(
        ["bash", "--norc", "-c", typed],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | environment | {"XDG_CACHE_HOME": str(tmp_path / "cache")},
    )
    assert department.replace(" ", "\\ ") in result.stdout.splitlines()
    assert result.stderr == ""
