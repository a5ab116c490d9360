"""The file of rejected rows may be somebody's only copy of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from import_rows import rows_for

from fusedesk_async import ExportError, FuseDeskWarning
from fusedesk_async.importing._rejects import Rejects
from fusedesk_async.sandbox import Sandbox


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rejects"


def run(path, rows, rejected, **settings):
    """A run that comes to its end."""
    rejects = Rejects(path, **settings)
    for row in rows:
        rejects.on_read(row)
    for row in rejected:
        rejects.write(1, "bad", row)
    kept = rejects.finish()
    rejects.close()
    return kept


def originals(path):
    return [json.loads(line)["original"] for line in path.read_text().splitlines()]


def files(path):
    return {each.name: originals(each) for each in path.parent.iterdir()}


def test_a_run_that_has_read_all_of_its_rows_replaces_the_file(path):
    assert run(path, ["a", "b", {"c": 1}], ["a", {"c": 1}]) is None
    assert run(path, [{"c": 1}, "b", b"a"], ["a"]) is None
    assert files(path) == {"rejects": ["a"]}
    assert run(path, ["a"], []) is None
    assert files(path) == {}


def test_rows_that_were_not_read_are_kept_beside_it(path):
    run(path, ["a", "b"], ["a", "b"])
    assert run(path, ["b", "c"], ["c"]) == path.with_name("rejects.1")
    assert files(path) == {"rejects": ["c"], "rejects.1": ["a", "b"]}
    assert run(path, [], []) == path.with_name("rejects.2")
    assert files(path) == {"rejects.1": ["a", "b"], "rejects.2": ["c"]}


def test_a_run_that_is_stopped_leaves_it_alone_and_says_where_its_own_rows_are(path):
    run(path, ["a"], ["a"])
    rejects = Rejects(path)
    rejects.on_read("a")
    rejects.write(2, "bad", "b")
    with pytest.warns(FuseDeskWarning, match=r"so those of this run are in .*rejects\.1"):
        rejects.close()
    assert files(path) == {"rejects": ["a"], "rejects.1": ["b"]}
    Rejects(path).close()
    assert files(path) == {"rejects": ["a"], "rejects.1": ["b"]}


def test_the_rows_of_a_stopped_run_stay_if_there_was_no_file(path):
    rejects = Rejects(path)
    rejects.write(1, "bad", "a")
    rejects.close()
    assert files(path) == {"rejects": ["a"]}


def test_a_dry_run_leaves_it_alone(path):
    run(path, ["a"], ["a"])
    assert run(path, ["a"], [], dry_run=True) is None
    assert files(path) == {"rejects": ["a"]}
    with pytest.warns(FuseDeskWarning, match=r"rejects\.1"):
        run(path, ["a"], ["b"], dry_run=True)
    assert files(path) == {"rejects": ["a"], "rejects.1": ["b"]}


def test_a_line_that_cannot_be_read_is_a_copy_of_something(path):
    run(path, ["a"], ["a"])
    with path.open("a") as file:
        file.write('{"row": 7, "rea')
    assert run(path, ["a"], []) == path.with_name("rejects.1")


def test_a_case_is_known_again(path, clock):
    rows = rows_for(Sandbox(1, clock=clock), 2)
    run(path, rows, rows)
    assert run(path, rows, []) is None
    assert files(path) == {}


def test_an_empty_file_is_nobodys_copy(path):
    path.touch()
    assert run(path, [], []) is None
    assert files(path) == {}


def test_without_a_name_nothing_is_written(tmp_path):
    assert run(None, ["a"], ["a"]) is None
    assert not any(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_reported(tmp_path):
    rejects = Rejects(tmp_path / "nowhere" / "rejects")
    with pytest.raises(ExportError, match="cannot write"):
        rejects.write(1, "bad", "a")


@given(st.lists(st.tuples(st.sets(st.integers(0, 4)), st.sets(st.integers(0, 4)), st.booleans()), max_size=6))
@pytest.mark.filterwarnings("ignore::fusedesk_async.FuseDeskWarning")
def test_no_row_is_lost_by_whatever_runs(tmp_path_factory, runs):
    """A row that was rejected stays on the disk until a run that has read it comes to its end and takes it."""
    path, due = tmp_path_factory.mktemp("rejects") / "rejects", set()
    for read, rejected, comes_to_its_end in runs:
        rejects = Rejects(path)
        for row in read | rejected:
            rejects.on_read(row)
        for row in rejected:
            rejects.write(1, "bad", row)
        if comes_to_its_end:
            rejects.finish()
            due -= read
        rejects.close()
        due |= rejected
        on_disk = {row for each in path.parent.iterdir() for row in originals(each)}
        assert due <= on_disk
