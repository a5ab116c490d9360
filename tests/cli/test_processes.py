"""What can be seen only from outside: signals, pipes, missing packages."""

import signal
import subprocess
import sys
import threading
from importlib import metadata
from itertools import count
from pathlib import Path

import pytest
from command_line import KEY, Start

from fusedesk_async.cli._exit import Exit
from fusedesk_async.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(8_000, keys={KEY: ["cases"]}, latency=0.01)


@pytest.fixture
def under_way(sandbox: Sandbox) -> threading.Event:
    """Set by the twelfth page that is asked for, which does not come: some are written by then, and no more follow."""
    event, asked = threading.Event(), count(1)
    sandbox.churn("search", lambda _: event.set() if next(asked) == 12 else None)
    sandbox.fault("search", nth=12, times=99, delay=60)
    return event


@pytest.mark.parametrize(("number", "code", "name"), [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM")])
def test_a_signal_ends_an_export_with_one_line(
    start: Start, under_way: threading.Event, tmp_path: Path, number: signal.Signals, code: int, name: str
) -> None:
    process = start("export", "out.jsonl")
    assert under_way.wait(20)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=20)
    cases = len((tmp_path / "out.jsonl.part").read_bytes().splitlines())
    assert process.returncode == code
    assert stderr.decode().splitlines()[2:] == [
        f"fusedesk: stopped by {name}; {cases:,} cases are kept; run the same command to resume"
    ]
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_ends_the_export_without_a_word(start: Start, unbuffered: str) -> None:
    process = start("export", "-", PYTHONUNBUFFERED=unbuffered)
    assert process.stdout
    assert process.stdout.readline().startswith(b'{"caseid":1,')
    process.stdout.close()
    assert process.wait(timeout=20) == Exit.CLOSED_PIPE
    assert process.stderr
    assert len(process.stderr.read().splitlines()) == 2  # that it begins, and what it will cost


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_slow_reader_gets_everything(start: Start, unbuffered: str) -> None:
    process = start("cases", "search", "--json", "--limit", "600", PYTHONUNBUFFERED=unbuffered)
    text, _ = process.communicate(timeout=20)
    assert len(text.splitlines()) == 600
    assert process.returncode == Exit.FINE


def test_an_unwritable_folder_is_one_line(start: Start) -> None:
    process = start("export", "/proc/self/nothing/out.jsonl")
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == Exit.OUTPUT
    assert stderr.splitlines()[-1].startswith(b"fusedesk: cannot write /proc/")


def test_two_exports_do_not_write_one_file(
    start: Start, sandbox: Sandbox, under_way: threading.Event, tmp_path: Path
) -> None:
    first = start("export", "out.jsonl")
    assert under_way.wait(20)
    second = start("export", "out.jsonl")
    _, stderr = second.communicate(timeout=20)
    assert second.returncode == Exit.LOCKED
    assert f"{tmp_path / 'out.jsonl'} is in use by process {first.pid} on " in stderr.decode()


@pytest.mark.parametrize("out", ["out.jsonl", "out.db"])
def test_a_full_disk_ends_it_with_one_line_and_the_same_command_resumes(start: Start, tmp_path: Path, out: str) -> None:
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)"
    full = start("export", out, before=f"{limit}; resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))")
    _, stderr = full.communicate(timeout=20)
    assert full.returncode == Exit.OUTPUT
    last = stderr.decode().splitlines()[-1]
    assert last.startswith(f"fusedesk: cannot write {tmp_path / out}")
    assert "cases are kept; run the same command to resume" in last
    again = start("export", out)
    _, stderr = again.communicate(timeout=30)
    assert again.returncode == Exit.FINE
    assert b"the 2nd" in stderr


@pytest.mark.parametrize("package", ["click", "rich"])
def test_without_the_extra_it_says_what_to_install(start: Start, package: str) -> None:
    process = start("--version", before=f"import sys; sys.modules[{package!r}] = None")
    text, stderr = process.communicate(timeout=20)
    assert process.returncode == Exit.CONFIGURATION
    assert text == b""
    assert stderr == b'fusedesk: the command line needs more packages: pip install "fusedesk_async[cli]"\n'


def test_a_sandbox_serves_until_it_is_reported_to_stop(start: Start) -> None:
    process = start("sandbox", "--port", "0", "--cases", "3", "--kind", "sliding", "--window", "5")
    assert process.stdout
    hint, address, key = (process.stdout.readline().decode().strip() for _ in range(3))
    assert hint == "# a FuseDesk sandbox with 3 cases; Ctrl-C ends it"
    variables = dict(line.removeprefix("export ").split("=", 1) for line in (address, key))
    answer = start("cases", "search", **variables)
    text, _ = answer.communicate(timeout=20)
    assert [line.split(b"\t")[0] for line in text.splitlines()] == [b"1", b"2", b"3"]
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20) == (b"", b"")
    assert process.returncode == Exit.FINE


DIES = """
import os, pathlib
unlink = pathlib.Path.unlink
pathlib.Path.unlink = lambda path, **options: os._exit(137) if path.suffix == ".checkpoint" else unlink(path, **options)
"""


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv.gz", "out.db"])
def test_an_export_that_was_killed_at_its_very_end_is_whole_already(start: Start, tmp_path: Path, name: str) -> None:
    process = start("export", name, before=DIES)
    process.communicate(timeout=60)
    assert process.returncode == 137
    again = start("export", name)
    _, stderr = again.communicate(timeout=60)
    assert again.returncode == Exit.FINE
    assert stderr.decode().splitlines()[1].startswith(f"fusedesk: {name} is whole already: 8,000 cases, ")
    other = start("export", name, "--status", "open")
    _, stderr = other.communicate(timeout=60)
    assert other.returncode == Exit.EXISTS
    assert [path.name for path in tmp_path.iterdir()] == [name]


SIGNALLED_WITH_ITS_SUMMARY = """
import builtins, os, signal
usual = print
def print_and_die(text, *rest, **options):
    usual(text, *rest, **options)
    if text.startswith("fusedesk: 8,000 cases,"):
        os.kill(os.getpid(), signal.{signal})
builtins.print = print_and_die
"""


@pytest.mark.parametrize(("signal_name", "code"), [("SIGKILL", -9), ("SIGTERM", -15), ("SIGINT", 130)])
def test_an_export_that_has_just_said_what_it_did_is_whole_already(
    start: Start, tmp_path: Path, signal_name: str, code: int
) -> None:
    process = start("export", "out.jsonl", before=SIGNALLED_WITH_ITS_SUMMARY.format(signal=signal_name))
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == code
    assert b"Traceback" not in stderr
    again = start("export", "out.jsonl")
    _, stderr = again.communicate(timeout=60)
    assert again.returncode == Exit.FINE
    assert b"out.jsonl is whole already" in stderr
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


SIGNALLED_WHILE_LOADING = """
import os, signal, sys
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "{module}":
            os.kill(os.getpid(), signal.{signal})
sys.meta_path.insert(0, Finder)
import _fusedesk
_fusedesk.main()
"""


@pytest.mark.parametrize("module", ["httpx", "fusedesk_async.cli._program", "rich"])
@pytest.mark.parametrize(
    ("signal_name", "code", "words"), [("SIGTERM", 143, "fusedesk: stopped by SIGTERM\n"), ("SIGINT", 130, "")]
)
def test_a_signal_while_it_is_loaded_is_not_lost(module: str, signal_name: str, code: int, words: str) -> None:
    program = SIGNALLED_WHILE_LOADING.format(module=module, signal=signal_name)
    done = subprocess.run([sys.executable, "-c", program, "export", "--help"], check=False, capture_output=True)
    assert (done.returncode, done.stderr.decode()) == (code, words)


def test_the_program_is_what_settles_that() -> None:
    (program,) = (each for each in metadata.entry_points(group="console_scripts") if each.name == "fusedesk")
    assert program.value == "_fusedesk:main"
