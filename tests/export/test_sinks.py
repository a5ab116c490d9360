"""Outputs: who else is at them, what is in their way, full disks, readers, streams."""

import io
import sqlite3
import subprocess
import sys
from contextlib import closing

import attrs
import pytest
from exports import NAMES, OUTPUTS, bookmark, ids_in, job, left_beside, rows, sink

from fusedesk_async import ConfigurationError, ExportError
from fusedesk_async.export import _postgres_session, _sqlite
from fusedesk_async.export._checkpoint import Checkpoint
from fusedesk_async.export._stream import StreamSink
from fusedesk_async.export._target import format_of


def begun(path, ids=(1,), *, resume="auto", overwrite=False):
    output = sink(path)
    place = output.open(job(path.name), resume=resume, overwrite=overwrite)
    return output, output.write(rows(ids), attrs.evolve(place, bookmark=bookmark(ids[-1])))


def ended(output, place):
    output.write([], attrs.evolve(place, phase="complete"))
    output.finish()
    output.forget()
    output.close()


@pytest.mark.parametrize("name", OUTPUTS)
def test_who_comes_second_harms_nothing(name, place, monkeypatch):
    monkeypatch.setattr(_postgres_session, "LOCK_ATTEMPTS", 2)
    monkeypatch.setattr(_postgres_session, "PAUSE", 0.001)
    out = place(name)
    first = sink(out)
    reached = first.open(job(out), resume="auto", overwrite=False)
    second = sink(out)
    with pytest.raises(ExportError, match="is in use by process"):
        second.open(job(out), resume="auto", overwrite=False)
    second.close()
    ended(first, first.write(rows([1, 2]), reached))
    assert ids_in(out) == [1, 2]


def test_a_reader_in_a_transaction_is_reported_and_nothing_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(_sqlite, "BUSY_ATTEMPTS", 1)
    output, place = begun(tmp_path / "out.db")
    with closing(sqlite3.connect(tmp_path / "out.db.part", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM cases").fetchall()
        output.write(rows([2]), attrs.evolve(place, phase="complete"))
        with pytest.raises(ExportError, match="is open in another program"):
            output.finish()
        output.close()
    again = sink(tmp_path / "out.db")
    assert again.open(job("out.db"), resume="require", overwrite=False).phase == "complete"
    again.finish()
    again.forget()
    again.close()
    assert ids_in(tmp_path / "out.db") == [1, 2]


def test_the_log_of_a_replaced_database_does_not_get_into_the_new_one(tmp_path):
    old = sqlite3.connect(tmp_path / "out.db", isolation_level=None)
    old.execute("PRAGMA journal_mode=WAL")
    old.execute("CREATE TABLE cases (id INTEGER)")
    ended(*begun(tmp_path / "out.db", [1, 2, 3], overwrite=True))
    assert ids_in(tmp_path / "out.db") == [1, 2, 3]
    assert not (tmp_path / "out.db-wal").exists()
    old.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_ends_it_with_one_line_and_nothing_is_lost(name, tmp_path):
    code = f"""
import resource, sys
sys.path.insert(0, {str(sys.path[0])!r}); sys.path.insert(0, "tests/helpers")
from pathlib import Path
import attrs
from exports import bookmark, job, rows, sink
from fusedesk_async import ExportError
output = sink(Path({str(tmp_path / name)!r}))
place = output.open(job({name!r}), resume="auto", overwrite=False)
place = output.write(rows([1]), attrs.evolve(place, bookmark=bookmark(1), cases=1))
resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, 8_000))
try:
    output.write(rows(range(2, 5_000)), attrs.evolve(place, bookmark=bookmark(5_000)))
except ExportError as error:
    print(error.reason, error)
output.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("output cannot write ")
    assert done.stdout.count("\n") == 1
    output = sink(tmp_path / name)
    place = output.open(job(name), resume="require", overwrite=False)
    assert (place.bookmark, place.cases) == (bookmark(1), 1)
    ended(output, output.write(rows([2]), place))
    assert ids_in(tmp_path / name) == [1, 2]


@pytest.mark.parametrize("name", NAMES[:4])
def test_a_part_that_was_shortened_is_refused(name, tmp_path):
    output, _ = begun(tmp_path / name)
    output.close()
    part = tmp_path / f"{name}.part"
    part.write_bytes(part.read_bytes()[:-1])
    again = sink(tmp_path / name)
    with pytest.raises(ExportError, match=r"was changed: it has \d+ bytes, fewer than the \d+ recorded"):
        again.open(job(name), resume="auto", overwrite=False)
    again.close()
    ended(*begun(tmp_path / name, [7], resume="never"))
    assert ids_in(tmp_path / name) == [7]


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough", None])
def test_a_foreign_database_is_refused(content, tmp_path):
    path = tmp_path / "out.db"
    if content is None:
        with closing(sqlite3.connect(path)) as database:
            database.execute("CREATE TABLE mine (id)")
    else:
        path.write_bytes(content)
    output = sink(path, update=True)
    with pytest.raises(ExportError, match=r"is not a case export|cannot resume from") as caught:
        output.open(job("out.db"), resume="auto", overwrite=False)
    output.close()
    assert caught.value.reason == "checkpoint"


@pytest.mark.parametrize("name", NAMES)
def test_a_link_that_leads_to_itself_is_refused_before_anything_is_asked(name, tmp_path):
    (tmp_path / name).symlink_to(name)
    output = sink(tmp_path / name)
    with pytest.raises(ExportError, match="is not a regular file; give another name, or - for stdout"):
        output.find_checkpoint(job(name), resume="auto", overwrite=True)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/proc/17/fd/2", "/dev/stderr"])
@pytest.mark.parametrize("wanted", [None, "jsonl", "csv"])
def test_the_standard_output_is_called_minus(name, wanted):
    with pytest.raises(ConfigurationError, match="give - for stdout"):
        format_of(name, wanted)


@pytest.mark.parametrize("name", OUTPUTS)
def test_there_must_be_something_to_resume_if_that_is_required(name, place):
    out = place(name)
    output = sink(out)
    with pytest.raises(ExportError, match=r"there is no export to .* to resume"):
        output.open(job(out), resume="require", overwrite=False)
    output.close()
    assert left_beside(out) == []


@pytest.mark.parametrize("to", ["a\0.jsonl", "\ud800.csv", b"out.jsonl", None, 5, "out", "out.txt", "out.db.gz"])
def test_what_can_be_no_output_is_refused(to):
    with pytest.raises(ConfigurationError):
        format_of(to, None)


class Unbuffered(io.RawIOBase):
    """Takes three bytes at a time, then nothing."""

    def __init__(self, most):
        self.taken, self.most = b"", most

    def write(self, content):
        if len(self.taken) >= self.most:
            return None
        self.taken += bytes(content)[:3]
        return min(3, len(content))


def test_a_stream_that_takes_little_gets_all():
    stream = Unbuffered(10_000)
    StreamSink(stream).write(rows([1, 2]), Checkpoint(job=job("a.jsonl")))
    assert stream.taken.count(b"\n") == 2


def test_a_stream_that_takes_nothing_or_is_closed_is_reported():
    with pytest.raises(ExportError, match="takes no bytes now"):
        StreamSink(Unbuffered(5)).write(rows([1]), Checkpoint(job=job("a.jsonl")))
    stream = io.BytesIO()
    stream.close()
    with pytest.raises(ExportError, match="closed") as caught:
        StreamSink(stream).write(rows([1]), Checkpoint(job=job("a.jsonl")))
    assert caught.value.reason == "closed"
