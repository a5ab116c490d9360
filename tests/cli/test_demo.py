"""The demo: an export from a sandbox behind a small quota."""

import re
from pathlib import Path

import pytest

from fusedesk_async.cli._demo import Demo, run_demo
from fusedesk_async.cli._failure import CommandError
from fusedesk_async.export._target import destination

SMALL = Demo(cases=6_000, limit=8, window=0.4)


def test_the_demo_copes_with_a_limit_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "demo.jsonl"
    run_demo(str(out), {}, SMALL)
    assert len(out.read_bytes().splitlines()) == 6_000
    stderr = capsys.readouterr().err
    assert 'a sandbox that allows 8 calls per "hour" of 0.4 s' in stderr
    assert re.search(r"waiting for quota until \d\d:\d\d:\d\d \(\d s\)", stderr)
    assert re.search(r"6,000 cases, \d+ calls.* wait.? for quota \(\d\.\d s\), .* MB", stderr)
    assert re.search(r"\d+ calls, \d of them refused \(429\), [1-9] wait", stderr)
    assert stderr.endswith("all 6,000 cases came, each exactly once\n")


def test_the_demo_fills_a_database_too(postgres_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_demo(destination(postgres_url), {}, SMALL)
    assert "cases came, each exactly once" in capsys.readouterr().err


def test_the_demo_replaces_nothing(tmp_path: Path) -> None:
    out = tmp_path / "demo.jsonl"
    out.write_text("precious")
    with pytest.raises(CommandError, match="exists already; --overwrite"):
        run_demo(str(out), {}, SMALL)
    assert out.read_text() == "precious"
