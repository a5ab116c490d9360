"""Checkpoints: what is written is read, and nothing else gets in."""

import json
from contextlib import suppress
from pathlib import Path

import attrs
import pytest
from exports import bookmark, job
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async import ExportError
from fusedesk_async.export._checkpoint import Checkpoint, Job

PATH = Path("out.checkpoint")
counts = st.integers(0, 2**62)
checkpoints = st.builds(
    Checkpoint,
    job=st.builds(
        Job,
        server=st.text(st.characters(codec="utf-8")),
        query=st.just("status=all"),
        format=st.just("csv"),
        history=st.booleans(),
    ),
    phase=st.sampled_from(["cases", "changes", "update", "complete"]),
    bookmark=st.one_of(st.just(""), st.integers().map(bookmark)),
    size=counts,
    cases=counts,
    rejected_ids=st.lists(st.one_of(st.none(), counts, st.text(st.characters(codec="utf-8")))).map(tuple),
    expected=st.one_of(st.none(), counts),
    started_after=st.one_of(st.just(""), st.datetimes().map(lambda moment: moment.isoformat())),
    since=st.one_of(st.just(""), st.dates().map(lambda day: day.isoformat())),
)
GOOD = Checkpoint(job=job("out.csv"))


@given(checkpoints)
def test_a_checkpoint_comes_back_as_it_was(checkpoint):
    assert Checkpoint.decode(checkpoint.encode(), PATH) == checkpoint


@given(st.one_of(st.binary(), st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps)))
def test_junk_is_refused_with_a_reason(junk):
    text = junk if isinstance(junk, bytes) else junk.encode(errors="replace")
    with pytest.raises(ExportError, match=r"the checkpoint in out.checkpoint is corrupt \(.*\); start over") as caught:
        Checkpoint.decode(text, PATH)
    assert caught.value.reason == "checkpoint"


@given(checkpoints, st.data())
def test_a_checkpoint_with_one_byte_changed_is_read_or_refused(checkpoint, data):
    text = bytearray(checkpoint.encode())
    text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ExportError):
        Checkpoint.decode(bytes(text), PATH)


@pytest.mark.parametrize(
    "change",
    [
        {"size": -1},
        {"cases": "5"},
        {"phase": "done"},
        {"bookmark": "here"},
        {"started_after": "yesterday"},
        {"since": "soon"},
        {"version": None},
        {"version": "1"},
        {"version": 0},
        {"version": True, "size": None},
        {"job": {}},
        {"rejected_ids": [[]]},
    ],
)
def test_a_member_that_cannot_be_right_is_refused(change):
    text = json.dumps(json.loads(GOOD.encode()) | change).encode()
    with pytest.raises(ExportError, match="corrupt"):
        Checkpoint.decode(text, PATH)


def test_nesting_without_end_is_refused():
    with pytest.raises(ExportError, match="corrupt"):
        Checkpoint.decode(b"[" * 100_000, PATH)


def test_a_newer_version_is_named():
    text = json.dumps({"version": 7, "anything": "else"}).encode()
    with pytest.raises(ExportError, match=r"newer version of fusedesk_async \(7\)"):
        Checkpoint.decode(text, PATH)


@pytest.mark.parametrize(
    ("field", "value"), [("server", "https://b"), ("query", "status=open"), ("history", True), ("layout", "gzip")]
)
def test_another_job_is_refused_with_the_difference(field, value):
    other = attrs.evolve(GOOD.job, **{field: value})
    with pytest.raises(ExportError, match=f"belongs to another export: its {field} is "):
        GOOD.resumed(other, PATH)
    assert GOOD.resumed(GOOD.job, PATH).runs == 2
