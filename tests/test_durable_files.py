"""Durable files and locks."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress

import pytest

from fusedesk_async import ExportError
from fusedesk_async._durable_files import (
    as_export_error,
    locked,
    removed_on_failure,
    sync_folder,
    transaction,
    write_durably,
)


def test_a_file_gets_its_new_content_whole_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "file"
    for content in (b"one", b"another"):
        write_durably(path, content)
        assert path.read_bytes() == content
    assert [*tmp_path.iterdir()] == [path]


def test_a_write_that_fails_leaves_the_old_content(tmp_path):
    path = tmp_path / "file"
    write_durably(path, b"old")
    (tmp_path / "file.new").mkdir()
    with pytest.raises(IsADirectoryError):
        write_durably(path, b"new")
    assert path.read_bytes() == b"old"


def test_a_folder_that_is_not_there_is_trouble(tmp_path):
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "nowhere")


def test_a_file_whose_writing_fails_is_removed_again(tmp_path):
    path = tmp_path / "file"
    with suppress(ZeroDivisionError), removed_on_failure(path):
        path.touch()
        raise ZeroDivisionError
    assert not path.exists()


def test_a_transaction_is_kept_whole_or_not_at_all(tmp_path):
    with closing(sqlite3.connect(tmp_path / "file", isolation_level=None)) as database:
        with transaction(database):
            database.execute("CREATE TABLE kept (id)")
        with suppress(KeyboardInterrupt), transaction(database):
            database.execute("INSERT INTO kept VALUES (1)")
            raise KeyboardInterrupt
        assert not database.in_transaction
        assert database.execute("SELECT * FROM kept").fetchall() == []


def test_what_failed_is_raised_even_if_sqlite_has_rolled_the_transaction_back_itself(tmp_path):
    with (
        closing(sqlite3.connect(tmp_path / "file", isolation_level=None)) as database,
        pytest.raises(IndexError),
        transaction(database),
    ):
        database.execute("ROLLBACK").fetchall()[0]


def test_trouble_with_a_file_is_reported_with_its_name(tmp_path):
    with (
        pytest.raises(ExportError, match=r"cannot write .*file: No space left on device") as caught,
        as_export_error(tmp_path / "file"),
    ):
        raise OSError(28, "No space left on device")
    assert caught.value.reason == "output"


def test_trouble_without_a_system_message_is_reported_too(tmp_path):
    with pytest.raises(ExportError, match="odd"), as_export_error(tmp_path):
        raise OSError("odd")


def test_who_comes_second_is_reported_who_holds_it(tmp_path):
    target = tmp_path / "out.jsonl"
    with locked(target):
        with (
            pytest.raises(ExportError, match=rf"out.jsonl is in use by process {os.getpid()} on ") as caught,
            locked(target),
        ):
            raise AssertionError
        assert caught.value.reason == "locked"
    with locked(target):
        assert (tmp_path / "out.jsonl.lock").read_text().count("process") == 1
    assert not any(tmp_path.iterdir())


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path):
    target = tmp_path / "out.jsonl"
    code = f"""
import os, signal
from pathlib import Path
from fusedesk_async._durable_files import locked
with locked(Path({str(target)!r})):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert (tmp_path / "out.jsonl.lock").exists()
    with locked(target):
        pass


def test_a_lock_whose_holder_removes_it_at_this_moment_is_taken_anew(tmp_path, monkeypatch):
    target = tmp_path / "out.jsonl"
    samestat, calls = os.path.samestat, []
    monkeypatch.setattr(os.path, "samestat", lambda *two: calls.append(two) or (len(calls) > 1 and samestat(*two)))
    with locked(target):
        assert len(calls) == 2


def test_a_folder_that_cannot_be_written_is_reported(tmp_path):
    with (
        pytest.raises(ExportError, match=r"cannot write .*out\.jsonl: No such file or directory"),
        locked(tmp_path / "nowhere" / "out.jsonl"),
    ):
        raise AssertionError


def test_a_lock_that_vanishes_between_two_looks_is_taken_anew(tmp_path, monkeypatch):
    target, fstat, looks = tmp_path / "out.jsonl", os.fstat, []

    def looked_at(number):
        looks.append(number)
        if len(looks) == 1:
            (tmp_path / "out.jsonl.lock").unlink()
        return fstat(number)

    monkeypatch.setattr(os, "fstat", looked_at)
    with locked(target):
        assert (tmp_path / "out.jsonl.lock").exists()
    assert len(looks) == 2


def test_a_folder_that_is_not_there_is_told_by_the_file_that_was_asked_for(tmp_path):
    with (
        pytest.raises(ExportError, match=r"cannot write .*nowhere.out\.jsonl: No such"),
        locked(tmp_path / "nowhere" / "out.jsonl"),
    ):
        raise AssertionError
