"""Commands in this process and in processes of their own, and the sandbox they talk to."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from command_line import KEY, Invoke, Stage, Start

from fusedesk_async.cli._program import fusedesk
from fusedesk_async.sandbox import Sandbox, serve_in_thread


@pytest.fixture
def sandbox() -> Sandbox:
    """What the commands talk to; a test module may bring another one."""
    return Sandbox(1_200, keys={KEY: ["cases", "cases_update"]})


@pytest.fixture(scope="session")
def served_stage() -> Iterator[tuple[Stage, str]]:
    """The one server of all these tests, and its address."""
    stage = Stage()
    with serve_in_thread(stage) as base_url:
        yield stage, base_url


@pytest.fixture
def environment(served_stage: tuple[Stage, str], sandbox: Sandbox) -> dict[str, str]:
    stage, base_url = served_stage
    stage.sandbox = sandbox
    return {"FUSEDESK_APP": "", "FUSEDESK_BASE_URL": base_url, "FUSEDESK_API_KEY": KEY}


@pytest.fixture
def invoke(environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Run a command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str, **variables: str) -> Result:
        result = CliRunner(env=environment | variables).invoke(fusedesk, arguments, prog_name="fusedesk")
        assert KEY not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return invoke


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Run a command in a process of its own, in the same folder as `invoke`."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, before: str = "", **variables: str) -> "subprocess.Popen[bytes]":
        program = f"{before}\nfrom fusedesk_async.cli import main\nmain()"
        process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            cwd=tmp_path,
            env=os.environ | environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
