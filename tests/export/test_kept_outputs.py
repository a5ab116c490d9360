"""Outputs and parts that are not given up unasked."""

import attrs
import pytest
from clients import client
from exports import NAMES, OUTPUTS, bookmark, ids_in, job, left_beside, rows, select, sink

from fusedesk_async import ConfigurationError, ExportError
from fusedesk_async.export import export_cases
from fusedesk_async.sandbox import Sandbox


def written(path, ids, *, overwrite=False, allow_empty=False):
    output = sink(path, allow_empty=allow_empty)
    try:
        reached = output.open(job(path), resume="auto", overwrite=overwrite)
        if ids:
            reached = output.write(rows(ids), attrs.evolve(reached, bookmark=bookmark(ids[-1])))
        output.write([], attrs.evolve(reached, phase="complete"))
        output.finish()
        output.forget()
    finally:
        output.close()


@pytest.mark.parametrize("name", OUTPUTS)
def test_cases_are_not_replaced_by_none_unasked(name, place):
    path = place(name)
    written(path, [1, 2])
    with pytest.raises(ExportError, match=r"no case came, so .* was left as it is, with the cases it holds") as caught:
        written(path, [], overwrite=True)
    assert caught.value.reason == "empty"
    assert ids_in(path) == [1, 2]
    assert left_beside(path) == [], "nothing is left that the next run would resume"
    written(path, [3], overwrite=True)
    assert ids_in(path) == [3]
    written(path, [], overwrite=True, allow_empty=True)
    assert ids_in(path) == []
    written(path, [], overwrite=True)
    assert ids_in(path) == [], "there was nothing to lose"


@pytest.mark.parametrize("name", ["out.parquet", "out.db"])
def test_a_file_of_another_kind_holds_something(name, tmp_path):
    (tmp_path / name).write_bytes(b"not one of ours")
    with pytest.raises(ExportError, match="no case came"):
        written(tmp_path / name, [], overwrite=True)
    assert (tmp_path / name).read_bytes() == b"not one of ours"


def test_a_database_without_cases_may_be_replaced_by_one_without_cases(out):
    written(out, [])
    assert select(out, "SELECT count(*) FROM cases") == [(0,)]
    written(out, [], overwrite=True)


@pytest.mark.parametrize("name", NAMES[:4])
def test_a_part_without_its_checkpoint_is_not_truncated_unasked(name, tmp_path):
    part = tmp_path / f"{name}.part"
    part.write_bytes(b"fifty hours of histories")
    output = sink(tmp_path / name)
    for look in (output.find_checkpoint, output.open):
        with pytest.raises(ExportError, match=r"\.part holds something, but .*\.checkpoint is not beside it") as caught:
            look(job(name), resume="auto", overwrite=True)
        assert caught.value.reason == "checkpoint"
    output.close()
    assert part.read_bytes() == b"fifty hours of histories"
    output = sink(tmp_path / name)
    reached = output.open(job(name), resume="never", overwrite=False)
    output.write(rows([5]), attrs.evolve(reached, phase="complete"))
    output.finish()
    output.forget()
    output.close()
    assert ids_in(tmp_path / name) == [5]


async def test_an_export_with_smaller_pages_has_all_cases(clock, tmp_path, anyio_backend):
    sandbox = Sandbox(230, clock=clock)
    async with client(sandbox, clock) as desk:
        report = await export_cases(desk, tmp_path / "out.jsonl", page_size=50)
        assert report.cases == 230
        assert {dict(received.query)["limit"] for received in sandbox.received} == {"50", "2"}, (
            "two rows to see the end"
        )
        assert all(received.operation == "search" for received in sandbox.received)
        for wrong in (1, 501, 2.5):
            with pytest.raises(ConfigurationError, match="page_size is a whole number from 2 to 500"):
                await export_cases(desk, tmp_path / "other.jsonl", page_size=wrong)
