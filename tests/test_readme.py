"""The README's examples run, and its two commands are the ones that are promised."""

from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from fusedesk_async.sandbox import Sandbox, serve_in_thread

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture(scope="module")
def examples():
    return list(Sybil([PythonCodeBlockParser()]).parse(README).examples())


def test_the_programs_run(examples, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)  # one of them writes a file
    programs = [example for example in examples if "anyio.run" in example.parsed]
    with serve_in_thread(Sandbox(500)) as url:
        monkeypatch.setenv("FUSEDESK_BASE_URL", url)
        monkeypatch.setenv("FUSEDESK_API_KEY", "sandbox-key")
        for program in programs:
            program.evaluate()
    assert len(programs) == 8
    told = capsys.readouterr().out
    assert "Access(base_url=" in told
    assert "calls, whole: True" in told


def test_the_test_runs(examples, pytester):
    conftest, test, choice = (str(example.parsed) for example in examples if "anyio.run" not in example.parsed)
    exec(choice, {})
    pytester.makeconftest(conftest + "\n")
    pytester.makepyfile("import pytest\n\n\n@pytest.mark.anyio\n" + test)
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)


@pytest.mark.parametrize(
    "command",
    [
        "pip install -q uv && uv run fusedesk export demo.jsonl --demo",
        "pip install -q uv && uv run pytest",
    ],
)
def test_the_two_commands_stand_there_to_be_copied(command):
    assert f"\n{command}\n" in README.read_text()
