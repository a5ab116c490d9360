"""The README's examples run, and its two commands are the ones that are promised."""

from pathlib import Path
from types import SimpleNamespace

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


def parts(examples):
    """The examples that are no programs: a part of a web service, a conftest, a test, and a choice of a sandbox."""
    return [str(example.parsed) for example in examples if "anyio.run" not in example.parsed]


@pytest.mark.anyio
async def test_the_web_service_runs_beside_another(examples, monkeypatch, tmp_path, anyio_backend):
    service, *_ = parts(examples)
    names = {}
    exec(service, names)
    with serve_in_thread(Sandbox(5)) as url:
        monkeypatch.setenv("FUSEDESK_BASE_URL", url)
        monkeypatch.setenv("FUSEDESK_API_KEY", "sandbox-key")
        monkeypatch.setenv("FUSEDESK_SHARED_QUOTA", f"sqlite:///{tmp_path}/fusedesk.quota")
        apps = [SimpleNamespace(state=SimpleNamespace()) for _ in range(2)]
        async with names["lifespan"](apps[0]), names["lifespan"](apps[1]):
            for app in apps:
                await app.state.desk.cases.get(1)
            assert apps[1].state.desk.allowance.processes == 2


def test_the_test_runs(examples, pytester):
    _, conftest, test, choice = parts(examples)
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
