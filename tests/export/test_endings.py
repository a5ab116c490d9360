"""Exports that are killed while they end: the next run of the same job knows that the output is whole."""

import random
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import attrs
import pytest
from clients import client
from exports import NAMES, Killed, bookmark, crash, ids_in, job, rows, sink

from fusedesk_async import ExportError
from fusedesk_async.export import export_cases
from fusedesk_async.export._export import export_within
from fusedesk_async.sandbox import Sandbox


def written(folder, name):
    """An output whose rows are complete, right before its ending."""
    folder.mkdir()
    output = sink(folder / name)
    reached = output.open(job(name), resume="auto", overwrite=False)
    reached = output.write(rows([1, 2, 5]), attrs.evolve(reached, bookmark=bookmark(5), cases=3))
    output.write([], attrs.evolve(reached, phase="complete", bookmark=""))
    return output


def ended_again(path, *, query=""):
    """How far an output had come, before its ending is done again."""
    output = sink(path)
    try:
        reached = output.open(job(path.name, query=query), resume="auto", overwrite=False)
        output.finish()
        output.forget()
    finally:
        output.close()
    return reached


@pytest.mark.parametrize("name", NAMES)
def test_whatever_step_of_the_ending_was_the_last_the_output_is_known_to_be_whole(name, tmp_path):
    whole = 0
    for step in range(1, 60):
        left = tmp_path / f"left{step}"
        output = written(tmp_path / f"from{step}", name)
        try:
            with crash(tmp_path / f"from{step}", left, step, random.Random(step)):
                output.finish()
                output.forget()
                output.close()
        except Killed:
            output.close()
        else:
            break
        if (left / name).exists() and not (left / f"{name}.part").exists():
            if not (left / f"{name}.checkpoint").exists():
                continue
            with pytest.raises(ExportError, match="exists already") as caught:
                ended_again(left / name, query="status=open")
            assert caught.value.reason == "exists"
            whole += 1
        reached = ended_again(left / name)
        assert (reached.phase, reached.cases) == ("complete", 3)
        assert ids_in(left / name) == [1, 2, 5]
        assert [path.name for path in left.iterdir() if not path.name.endswith(".lock")] == [name]
        with pytest.raises(ExportError, match="exists already"):
            ended_again(left / name)
    assert whole >= 2


@pytest.mark.parametrize("name", NAMES)
async def test_a_run_after_such_a_kill_asks_for_nothing(name, clock, tmp_path, anyio_backend):
    sandbox, out = Sandbox(30, clock=clock), tmp_path / name

    def dies(path, **options):
        del options
        if path.name.endswith(".checkpoint"):
            raise Killed

    async with client(sandbox, clock) as desk:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Path, "unlink", dies)
            with pytest.raises(Killed):
                await export_cases(desk, out, status="all")
        before = out.read_bytes(), len(sandbox.received)
        with pytest.raises(ExportError, match="exists already"):
            await export_cases(desk, out, status="open")
        report = await export_cases(desk, out, status="all")
        assert (report.was_whole, report.cases, report.fresh, report.calls) == (True, 30, 0, 0)
        assert before == (out.read_bytes(), len(sandbox.received))
        assert [path.name for path in tmp_path.iterdir()] == [name]
        with pytest.raises(ExportError, match="exists already"):
            await export_cases(desk, out, status="all")
        assert not (await export_cases(desk, out, status="all", overwrite=True)).was_whole


@pytest.mark.parametrize(
    ("error", "is_known"),
    [(None, False), (ExportError("no"), False), (KeyboardInterrupt(), True), (SystemExit(), True)],
)
async def test_who_has_more_to_do_keeps_the_checkpoint_until_that_is_done(
    error, is_known, clock, tmp_path, anyio_backend
):
    out, end = tmp_path / "out.jsonl", ExitStack()
    async with client(Sandbox(3, clock=clock), clock) as desk:
        await export_within(end, desk, out, None, {})
        with pytest.raises(ExportError, match="is in use by"):
            await export_cases(desk, out)
        assert out.with_name("out.jsonl.checkpoint").exists()
        end.__exit__(error and type(error), error, None)
        assert out.with_name("out.jsonl.checkpoint").exists() == is_known
        assert not out.with_name("out.jsonl.lock").exists()
        if is_known:
            assert (await export_cases(desk, out)).was_whole


@pytest.mark.parametrize("name", NAMES)
def test_what_has_taken_the_place_of_the_output_is_not_taken_for_it(name, tmp_path):
    output = written(tmp_path / "out", name)
    output.finish()
    output.close()
    (tmp_path / "out" / name).write_bytes(b"PAR1 precious")
    with pytest.raises(ExportError, match="exists already"):
        ended_again(tmp_path / "out" / name)
    assert (tmp_path / "out" / name).read_bytes() == b"PAR1 precious"
    (tmp_path / "out" / name).unlink()
    assert ended_again_from_start(tmp_path / "out" / name) == "cases"


def test_a_database_that_was_updated_meanwhile_is_another_output(tmp_path):
    output = written(tmp_path / "out", "out.db")
    output.finish()
    output.close()
    with closing(sqlite3.connect(tmp_path / "out" / "out.db")) as database:
        database.execute("UPDATE fusedesk_export SET checkpoint = replace(checkpoint, '\"cases\":3', '\"cases\":4')")
        database.commit()
    with pytest.raises(ExportError, match="exists already"):
        ended_again(tmp_path / "out" / "out.db")


def ended_again_from_start(path):
    """The phase that a run finds where the output was taken away."""
    output = sink(path)
    try:
        return output.open(job(path.name), resume="auto", overwrite=False).phase
    finally:
        output.close()
