"""SQLite exports in company: other programs at the same file, files of older versions, ids beyond all bounds."""

import json
import re
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import httpx
import pytest
from clients import client
from exports import bookmark, case, job, sink
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fusedesk_async import ExportError, FuseDesk
from fusedesk_async.cli._status import summary
from fusedesk_async.export import _sqlite, export_cases
from fusedesk_async.export import _sqlite_schema as schema
from fusedesk_async.export._row import Row
from fusedesk_async.export._sqlite_names import NAME_TABLES, VIEWS
from fusedesk_async.sandbox import Sandbox, VirtualClock

pytestmark = pytest.mark.anyio

ADDED = (
    "CREATE INDEX mine ON cases (summary)",
    "CREATE VIEW open_cases AS SELECT * FROM cases WHERE status = 'open'",
    "ALTER TABLE cases ADD COLUMN remark TEXT",
    "UPDATE cases SET remark = 'kept'",
    "CREATE TABLE other (x)",
    "CREATE INDEX of_other ON other (x)",
)


def checked(path):
    """A connection to a database that is whole: nothing is damaged, and all that is referred to is there."""
    database = sqlite3.connect(path)
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    return closing(database)


def held(path, *, begin="BEGIN"):
    """Another program in the middle of a transaction."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute(begin)
    other.execute("SELECT count(*) FROM cases").fetchone()
    return closing(other)


def columns(path, table):
    with closing(sqlite3.connect(path)) as database:
        return {name for _, name, *_ in database.execute(f"PRAGMA table_info({table})")}


@pytest.fixture
async def exported(clock, tmp_path, anyio_backend):
    """A sandbox, a client of it, and an export with histories that was complete before something changed."""
    sandbox, out = Sandbox(60, clock=clock), tmp_path / "out.db"
    async with client(sandbox, clock) as desk:
        await export_cases(desk, out, status="all", history=True)
        sandbox.retag_cases(20)
        sandbox.open_cases(5)
        yield sandbox, desk, out


@pytest.mark.parametrize("begin", ["BEGIN", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
async def test_an_update_beside_another_program_says_so_and_can_be_run_again(exported, monkeypatch, begin):
    _, desk, out = exported
    monkeypatch.setattr(_sqlite, "BUSY_ATTEMPTS", 1)
    with (
        held(out, begin=begin),
        pytest.raises(ExportError, match=r"another program reads or writes .*out\.db; close") as caught,
    ):
        await export_cases(desk, out, status="all", history=True, update=True)
    assert caught.value.reason == "locked"
    report = await export_cases(desk, out, status="all", history=True, update=True)
    assert report.is_whole
    with checked(out) as database:
        assert database.execute("SELECT count(*) FROM cases").fetchone() == (65,)


def test_it_waits_for_another_program_unless_it_is_interrupted(tmp_path, monkeypatch):
    monkeypatch.setattr(_sqlite, "BUSY_PAUSE", 0.001)
    ended(written(tmp_path / "out.db", [[1]]))
    interrupted = sink(tmp_path / "out.db", update=True)
    with held(tmp_path / "out.db"):
        interrupted.interrupt()
        with pytest.raises(ExportError, match="another program"):
            interrupted.open(job("out.db"), resume="auto", overwrite=False)
        interrupted.close()
        output, opened = sink(tmp_path / "out.db", update=True), threading.Event()

        def open_output():
            output.open(job("out.db"), resume="auto", overwrite=False)
            opened.set()

        waiting = threading.Thread(target=open_output)
        waiting.start()
        assert not opened.wait(0.05)
    waiting.join(20)
    assert opened.is_set()
    output.close()


def test_rows_leave_the_log_once_a_reader_has_gone(tmp_path, monkeypatch):
    monkeypatch.setattr(_sqlite, "BUSY_PAUSE", 0.001)
    monkeypatch.setattr(_sqlite, "BUSY_ATTEMPTS", 10_000)
    ended(written(tmp_path / "out.db", [[1]]))
    output = sink(tmp_path / "out.db", update=True)
    reached, finished = output.open(job("out.db"), resume="auto", overwrite=False), threading.Event()

    def finish():
        output.finish()
        finished.set()

    with held(tmp_path / "out.db"):
        output.write([Row(case=case({"caseid": 2}))], reached)
        waiting = threading.Thread(target=finish)
        waiting.start()
        assert not finished.wait(0.05)
    waiting.join(20)
    output.close()
    assert output.log_file == ""
    assert [path.name for path in tmp_path.iterdir()] == ["out.db"]


async def test_a_reader_that_came_meanwhile_is_named_with_where_the_rows_are(exported, monkeypatch, tmp_path):
    sandbox, desk, out = exported
    monkeypatch.setattr(_sqlite, "BUSY_ATTEMPTS", 1)
    readers = []

    def read(progress):
        if progress.phase == "update" and not readers:
            readers.append(held(out))

    report = await export_cases(desk, out, status="all", history=True, update=True, on_progress=read)
    assert (report.is_whole, report.log_file) == (True, f"{out}-wal")
    assert f"another program reads {out}, so its last rows are still in {out}-wal: copy both" in summary(report)
    for name in ("out.db", "out.db-wal"):  # without the latter it would not be whole, and may hold half a change
        shutil.copy(tmp_path / name, tmp_path / f"copy-of-{name}")
    with checked(tmp_path / "copy-of-out.db") as database:
        assert database.execute("SELECT count(*) FROM cases").fetchone() == (65,), "as the report says"
    with checked(out) as database:
        assert database.execute("SELECT count(*) FROM cases").fetchone() == (65,)
    with readers[0]:
        pass
    sandbox.open_cases(1)
    report = await export_cases(desk, out, status="all", history=True, update=True)
    assert report.log_file == ""
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("out")] == ["out.db"]
    with checked(out) as database:
        assert database.execute("SELECT count(*) FROM cases").fetchone() == (66,)


async def test_a_file_of_an_older_version_gets_what_it_lacks(exported, tmp_path):
    _, desk, out = exported
    whole = {table: columns(out, table) for table in ("cases", "history")}
    with closing(sqlite3.connect(out)) as database:
        for view in VIEWS:
            database.execute(f"DROP VIEW {view}")
        for table in NAME_TABLES:
            database.execute(f"DROP TABLE {table}")
        for table, column in [("cases", "rating"), ("cases", "history_error"), ("history", "title")]:
            database.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        database.execute("DROP TABLE fusedesk_changed")
        database.execute("DROP INDEX cases_by_status")
        database.execute("ALTER TABLE cases ADD COLUMN mine TEXT DEFAULT 'kept'")
        database.commit()
    await export_cases(desk, out, status="all", history=True, update=True)
    assert {table: columns(out, table) for table in whole} == {**whole, "cases": whole["cases"] | {"mine"}}
    with checked(out) as database:
        assert database.execute("SELECT count(*) FROM cases WHERE mine = 'kept'").fetchone() == (65,)
        assert database.execute("SELECT 1 FROM sqlite_master WHERE name = 'cases_by_status'").fetchone()
        for name in (*VIEWS, *NAME_TABLES):
            assert database.execute(f"SELECT count(*) FROM {name}").fetchone() > (0,), name


def written(path, batches, *, tags=None, at_end=True):
    """An output with cases of these ids, a commit for each batch."""
    output = sink(path)
    reached = output.open(job(path.name), resume="auto", overwrite=False)
    for batch in batches:
        fresh = [Row(case=case({"caseid": each, "summary": "a", "tags": (tags or {}).get(each, [])})) for each in batch]
        reached = output.write(fresh, attrs.evolve(reached, bookmark=bookmark(1)))
    return output, (output.write([], attrs.evolve(reached, phase="complete")) if at_end else reached)


def ended(begun):
    output, _ = begun
    output.finish()
    output.forget()
    output.close()


NUMBERS = st.one_of(st.integers(1, 50), st.integers(2**63 - 2, 2**63 + 2), st.integers(2**70, 2**70 + 3))
NUMBERED = st.dictionaries(NUMBERS, st.lists(NUMBERS, max_size=3, unique=True), max_size=8)


@settings(max_examples=60)
@given(first=NUMBERED, second=NUMBERED)
@example(first={1: [2]}, second={2**63: [1, 2**63]})
def test_ids_of_any_size_are_kept_as_they_are(first, second):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "out.db"
        output, reached = written(path, [first], tags=first, at_end=False)
        for statement in ADDED:
            output._database.execute(statement)
        fresh = [Row(case=case({"caseid": number, "summary": "b", "tags": tags})) for number, tags in second.items()]
        reached = output.write(fresh, attrs.evolve(reached, bookmark=bookmark(2)))
        ended((output, output.write([], attrs.evolve(reached, phase="complete"))))
        expected = {**first, **second}
        with checked(path) as database:
            assert {int(number) for (number,) in database.execute("SELECT id FROM cases")} == {*expected}
            tags = [(int(number), int(tag)) for number, tag in database.execute("SELECT case_id, tag_id FROM tags")]
            assert sorted(tags) == sorted((number, tag) for number, tags in expected.items() for tag in tags)
            kinds = {kind for (kind,) in database.execute("SELECT typeof(id) FROM cases WHERE length(id) < 19")}
            assert kinds <= {"integer"}, "what fits is a number"
            joined = "SELECT count(*) FROM cases JOIN tags ON tags.case_id = cases.id"
            assert database.execute(joined).fetchone() == (len(tags),)
            names = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
            assert names >= {"mine", "open_cases", "other", "of_other", *schema.INDEXES, "cases", "tags", "history"}
            assert not any(re.search("large", name) for name in names)
            kept = {int(number) for (number,) in database.execute("SELECT id FROM cases WHERE remark = 'kept'")}
            assert kept == {*first}


@pytest.mark.parametrize("number", [2**63, 2**64, 2**100])
async def test_cases_with_large_ids_are_exported_and_updated(number, tmp_path, anyio_backend):
    out, clock = tmp_path / "out.db", VirtualClock()
    row = {"caseid": number, "status": "open", "date_updated": "2026-01-02 03:04:05", "history": [{"id": number}]}

    def answer(request):
        is_list = request.url.path.endswith("/cases")
        rows = [row] if int(request.url.params.get("offset", 0)) == 0 else []
        return httpx.Response(200, text=json.dumps(rows if is_list else row))

    async with FuseDesk("acme", api_key="k", transport=httpx.MockTransport(answer), clock=clock) as desk:
        for update in (False, True):
            report = await export_cases(desk, out, status="all", history=True, update=update)
            assert (report.cases, report.is_whole) == (1, True)
            with checked(out) as database:
                assert database.execute("SELECT id, typeof(id), extra FROM cases").fetchall() == [
                    (str(number), "text", None)
                ]
                assert database.execute("SELECT case_id, id FROM history").fetchall() == [(str(number), None)]


def test_triggers_of_others_see_each_change(tmp_path):
    output, reached = written(tmp_path / "out.db", [[1, 2]], at_end=False)
    for statement in (
        "CREATE TABLE seen (what TEXT, id)",
        "CREATE TRIGGER added AFTER INSERT ON cases BEGIN INSERT INTO seen VALUES ('added', new.id); END",
        "CREATE TRIGGER changed AFTER UPDATE ON cases BEGIN INSERT INTO seen VALUES ('changed', new.id); END",
    ):
        output._database.execute(statement)
    output.write([Row(case=case({"caseid": each})) for each in (2, 3, 2**63)], reached)
    ended((output, reached))
    with checked(tmp_path / "out.db") as database:
        found = database.execute("SELECT * FROM seen").fetchall()
    assert found == [("changed", 2), ("added", 3), ("added", str(2**63))]
    assert [name for (name, *_) in found] == ["changed", "added", "added"]


def test_columns_of_others_keep_names_defaults_and_values(tmp_path):
    output, reached = written(tmp_path / "out.db", [[1, 2]], at_end=False)
    for definition in ("""" of ""ours"" " TEXT DEFAULT 'it''s new'""", "seen INTEGER DEFAULT 2", "bare"):
        output._database.execute(f"ALTER TABLE cases ADD COLUMN {definition}")
    output._database.execute("""UPDATE cases SET " of ""ours"" " = 'kept', seen = 7, bare = 5 WHERE id = 1""")
    output.write([Row(case=case({"caseid": 2**63}))], reached)
    ended((output, reached))
    with checked(tmp_path / "out.db") as database:
        found = database.execute("""SELECT " of ""ours"" ", seen, bare FROM cases ORDER BY rowid""").fetchall()
    assert found == [("kept", 7, 5), ("it's new", 2, None), ("it's new", 2, None)]


def test_rows_that_refer_to_others_are_dropped_first(tmp_path):
    output, _ = written(tmp_path / "out.db", [[1, 2]], tags={1: [5], 2: [6]}, at_end=False)
    output._database.execute("PRAGMA foreign_keys=ON")
    output.restart()
    output.close()
    with checked(tmp_path / "out.db.part") as database:
        assert database.execute("SELECT (SELECT count(*) FROM cases) + (SELECT count(*) FROM tags)").fetchone() == (0,)
