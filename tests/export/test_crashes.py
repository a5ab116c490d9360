"""A sink is killed at every step it takes on the disk, and comes out exact all the same."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import pytest
from exports import NAMES, Killed, bookmark, crash, ids_in, job, rows, sink
from hypothesis import given, settings
from hypothesis import strategies as st

BATCHES = [[1, 2, 3], [5], [], [8, 9]]


def carry_out(path, *, overwrite=False):
    """Write what is still missing, as an export does."""
    output = sink(path)
    try:
        place = output.open(job(path.name), resume="auto", overwrite=overwrite)
        if not place.bookmark and place.phase == "cases":
            place = output.write([], place)
        done = int(place.bookmark.split()[1]) if place.bookmark else 0
        for batch in BATCHES:
            fresh = [each for each in batch if each > done]
            if place.phase == "cases" and fresh:
                place = output.write(
                    rows(fresh), attrs.evolve(place, bookmark=bookmark(fresh[-1]), cases=place.cases + len(fresh))
                )
        if place.phase == "cases":
            place = output.write([], attrs.evolve(place, phase="complete", bookmark=""))
        output.finish()
        output.forget()
    finally:
        output.close()
    assert place.cases == 6


@settings(max_examples=40)
@given(
    name=st.sampled_from(NAMES),
    steps=st.lists(st.integers(1, 60), max_size=5),
    seed=st.integers(0, 2**32),
    replaces=st.booleans(),
)
def test_whatever_a_crash_leaves_is_resumed(name, steps, seed, replaces):
    chance = random.Random(seed)
    with TemporaryDirectory() as base:
        folder = Path(base) / "start"
        folder.mkdir()
        if replaces:
            carry_out(folder / name)
        for number, step in enumerate(steps):
            left = Path(base) / str(number)
            try:
                with crash(folder, left, step, chance):
                    carry_out(folder / name, overwrite=replaces)
            except Killed:
                folder = left
            if not replaces and is_whole(folder, name):
                break
        if replaces or not is_whole(folder, name):
            carry_out(folder / name, overwrite=replaces)
        assert ids_in(folder / name) == [1, 2, 3, 5, 8, 9]
        assert [path.name for path in folder.iterdir() if not path.name.endswith(".lock")] == [name]


def is_whole(folder, name):
    """Whether it was killed behind the very last step."""
    others = [path for path in folder.iterdir() if path.name != name and not path.name.endswith((".lock", "-shm"))]
    return (folder / name).exists() and not others


@pytest.mark.parametrize("name", NAMES)
def test_each_single_step_may_be_the_last(name, tmp_path):
    step = 0
    while True:
        step += 1
        folder, left = tmp_path / f"from{step}", tmp_path / f"left{step}"
        folder.mkdir()
        try:
            with crash(folder, left, step, random.Random(step)):
                carry_out(folder / name)
        except Killed:
            if not is_whole(left, name):
                carry_out(left / name)
            assert ids_in(left / name) == [1, 2, 3, 5, 8, 9], step
        else:
            assert step > 20
            return
