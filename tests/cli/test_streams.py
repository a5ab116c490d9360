"""Standard streams that are full, closed, or left by their readers."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from command_line import KEY

from fusedesk_async.cli._exit import Exit
from fusedesk_async.sandbox import Sandbox

COMMANDS = ["cases search --limit 5", "check", "export out.jsonl --json"]
Shell = Callable[..., "subprocess.Popen[bytes]"]
FUSEDESK = f'{sys.executable} -c "from fusedesk_async.cli import main; main()"'


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(1_200, keys={KEY: ["cases"]})


@pytest.fixture
def shell(environment: dict[str, str], tmp_path: Path) -> Shell:
    """Run a command line of the shell, with `fusedesk` for the program."""

    def start(line: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            ["bash", "-c", line.replace("fusedesk", f"exec {FUSEDESK}", 1)],
            cwd=tmp_path,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return start


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "<&-", ">&-", "<&- >&- 2>&-", ">/dev/full"])
def test_an_export_needs_none_of_them(shell: Shell, tmp_path: Path, redirection: str) -> None:
    process = shell(f"fusedesk export out.jsonl {redirection}")
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == Exit.FINE, stderr
    lines = (tmp_path / "out.jsonl").read_bytes().splitlines()
    assert len(lines) == 1_200
    assert all(line.startswith(b'{"caseid":') for line in lines), "words got into the file"


def test_an_export_goes_on_when_the_reader_of_its_words_leaves(shell: Shell, sandbox: Sandbox, tmp_path: Path) -> None:
    asked, event = count(), threading.Event()
    sandbox.churn("search", lambda _: event.wait(10) if next(asked) == 3 else None)
    process = shell("fusedesk export out.jsonl --reserve 0")
    assert process.stderr
    assert process.stderr.readline()
    process.stderr.close()
    event.set()
    assert process.wait(timeout=30) == Exit.FINE
    assert process.stdout
    process.stdout.close()
    assert len((tmp_path / "out.jsonl").read_bytes().splitlines()) == 1_200


@pytest.mark.parametrize("command", [*COMMANDS, "--help", "export -"])
def test_a_full_stdout_is_one_line(shell: Shell, command: str) -> None:
    process = shell(f"fusedesk {command} >/dev/full")
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == Exit.OUTPUT, stderr
    assert b"Traceback" not in stderr
    assert b"No space left on device" in stderr.splitlines()[-1]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_stdout_is_the_null_device(shell: Shell, command: str) -> None:
    process = shell(f"fusedesk {command} >&-")
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == Exit.FINE, stderr
    assert b"Traceback" not in stderr
