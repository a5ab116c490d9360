"""The journal of an import: what it remembers, and which files it refuses."""

import os
import re
import sqlite3
import stat
import threading
from contextlib import closing
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusedesk_async import ExportError
from fusedesk_async.importing._journal import LATEST, Journal
from fusedesk_async.importing._rejects import Rejects

APP = "https://acme.fusedesk.com"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal"


def open_(path, app=APP, **settings):
    return Journal(path, app, **settings)


def test_a_row_goes_its_way_and_the_next_run_knows(path):
    journal = open_(path)
    entry = journal.claim("7", "abc", "2026-01-01")
    assert (entry.state, entry.opened, entry.repeated) == ("intended", "2026-01-01", False)
    assert journal.claim("7", "abc", "2026-01-02").repeated
    journal.mark(entry.id, state="sent", sent_at=12.5)
    journal.close()
    journal = open_(path)
    again = journal.claim("7", "abc", "2026-01-02")
    assert (again.id, again.state, again.sent_at, again.opened) == (entry.id, "sent", 12.5, "2026-01-01")
    assert not again.repeated
    journal.mark(entry.id, state="confirmed", case_number="AB12", case_id=9)
    known = journal.claim("7", "abc", "2026-01-02")
    assert (known.state, known.case_number, known.case_id) == ("confirmed", "AB12", 9)
    assert journal.claim("7", "other", "2026-01-02").other_content
    journal.close()


def test_a_row_is_known_by_its_source_id_or_else_by_its_content(path):
    journal = open_(path)
    entries = {journal.claim(*row, "2026").id for row in (("1", "a"), ("2", "a"), (None, "a"), (None, "b"))}
    assert len(entries) == 4
    assert journal.claim(None, "a", "2026").repeated
    journal.close()


@pytest.mark.parametrize("state", ["intended", "rejected"])
def test_what_surely_was_not_opened_may_go_out_with_another_content(path, state):
    journal = open_(path)
    entry = journal.claim("7", "abc", "2026-01-01")
    journal.mark(entry.id, state=state, reason="no such department")
    journal.close()
    journal = open_(path)
    again = journal.claim("7", "mended", "2026-01-02")
    assert (again.id, again.state, again.opened, again.other_content) == (entry.id, "intended", "2026-01-02", False)
    assert journal.claim("7", "mended", "2026-01-03").opened == "2026-01-02"
    journal.close()


def test_the_cases_of_other_rows_are_known_by_id_or_number(path):
    journal = open_(path)
    mine, other, third = (journal.claim(name, "a", "2026").id for name in "123")
    journal.mark(other, case_id=8, case_number="H8")
    journal.mark(third, case_number="H9")
    cases = {7: "H7", 8: "H8", 9: "H9", 10: None}
    assert journal.of_others(cases, [mine]) == {8, 9}
    assert journal.of_others(cases, [mine, other]) == {9}
    journal.close()


def contents(path):
    return {each.name: each.read_bytes() for each in path.parent.iterdir() if not each.name.endswith("-shm")}


def test_a_dry_run_writes_no_file(path):
    journal = open_(path, dry_run=True)
    assert journal.peek("7", "a") is None
    journal.close()
    assert not path.exists()
    journal = open_(path)
    journal.claim("7", "a", "2026")
    journal.close()
    before = contents(path)
    path.chmod(0o400)
    path.parent.chmod(0o500)
    journal = open_(path, dry_run=True)
    assert journal.peek("7", "a").state == "intended"
    journal.close()
    path.parent.chmod(0o700)
    assert contents(path) == before


def test_a_dry_run_takes_an_empty_file_for_a_new_journal(path):
    path.touch()
    journal = open_(path, dry_run=True)
    assert journal.claim("s1", "content", "2026-01-01").state == "intended"
    journal.close()
    assert path.stat().st_size == 0


def test_a_dry_run_beside_an_import_sees_what_it_has_written_and_changes_nothing(path):
    journal = open_(path)
    journal.claim("7", "a", "2026")
    before = contents(path)
    dry = open_(path, dry_run=True)
    assert dry.peek("7", "a").state == "intended"
    dry.mark(dry.peek("7", "a").id, state="sent")
    dry.close()
    assert contents(path) == before
    assert journal.peek("7", "a").state == "intended"
    journal.close()


def test_the_last_confirmed_rows_say_when_they_were_opened(path):
    journal = open_(path)
    for name, sent_at in (("1", 50.0), ("2", 70.0), ("3", None)):
        entry = journal.claim(name, "a", "2019-05-01")
        journal.mark(entry.id, state="confirmed", case_id=int(name), case_number=f"N{name}", sent_at=sent_at)
    assert journal.confirmed() == [
        (2, "N2", "2019-05-01", 70.0, 70.0 + LATEST),
        (1, "N1", "2019-05-01", 50.0, 50.0 + LATEST),
    ]
    journal.close()


def changed(path, *statements):
    open_(path).close()
    with sqlite3.connect(path) as database:
        for statement in statements:
            database.execute(statement)


def test_other_files_are_refused_with_the_reason_and_left_alone(path):
    for content in (b"something else entirely\n" * 100, b"SQLite format 3\0" + b"junk" * 2_000):
        path.write_bytes(content)
        with pytest.raises(ExportError, match="as a journal") as caught:
            open_(path)
        assert caught.value.reason == "checkpoint"
        assert path.read_bytes() == content
    path.unlink()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE precious (x)")
    with pytest.raises(ExportError, match="is not an import journal"):
        open_(path)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("PRAGMA user_version = 2", "newer version"),
        ("UPDATE journal SET base_url = 'https://other.fusedesk.com'", "into https://other.fusedesk.com, not into"),
    ],
)
def test_a_journal_that_does_not_fit_is_refused(path, statement, why):
    changed(path, statement)
    with pytest.raises(ExportError, match=why) as caught:
        open_(path)
    assert caught.value.reason == "checkpoint"


def test_an_empty_file_becomes_a_journal(path):
    path.touch()
    open_(path).close()
    open_(path).close()


def test_each_mark_is_on_the_disk_before_anything_else_happens(path):
    journal = open_(path)
    settings = [journal._pragma(name) for name in ("synchronous",)]
    assert settings == [2]
    assert journal._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    entry = journal.claim(None, "a", "2026")
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT state FROM rows").fetchall() == [("intended",)]
    with pytest.raises(ExportError, match="CHECK constraint"):
        journal.mark(entry.id, state="odd")
    journal.mark(entry.id, state="sent")
    journal.close()
    with pytest.raises(ExportError, match="closed database"):
        journal.mark(entry.id, state="sent")


def filled(path, count=300):
    with closing(open_(path)) as journal:
        for number in range(count):
            entry = journal.claim(f"{number}", f"{number}" * 30, "2026")
            journal.mark(entry.id, state="confirmed", case_id=number, case_number=f"N{number}")
    return path.read_bytes()


def is_whole(path):
    """Whether all that a journal has to say is in it."""
    with closing(sqlite3.connect(path)) as database:
        whole = [(f"{number}", "confirmed") for number in range(300)]
        return database.execute("SELECT source_id, state FROM rows ORDER BY id").fetchall() == whole


@settings(max_examples=60)
@given(page=st.integers(0, 30), offset=st.integers(0, 4_095), junk=st.binary(min_size=1, max_size=300))
def test_a_journal_with_damage_anywhere_is_refused_and_kept_or_says_all_it_said(pristine, page, offset, junk):
    path, content = pristine
    start = (page * 4_096 + offset) % len(content)
    damaged = (content[:start] + junk + content[start + len(junk) :])[: len(content)]
    path.write_bytes(damaged)
    refused = None
    try:
        open_(path).close()
    except ExportError as error:
        refused = error
    if refused is None:
        assert is_whole(path)
        return
    assert refused.reason == "checkpoint"
    assert path.read_bytes() == damaged
    assert re.search("is damaged|as a journal|not an import journal|newer version|import into", str(refused))


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    path = tmp_path_factory.mktemp("damaged") / "journal"
    return path, filled(path)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("DROP TABLE rows", "no such table: rows"),
        ("DROP TABLE journal", "no such table: journal"),
        ("DELETE FROM journal", "it names 0 apps"),
        ("ALTER TABLE rows DROP COLUMN history_sent_at", "no such column: history_sent_at"),
    ],
)
def test_a_journal_that_lacks_something_is_refused_in_words_that_promise_nothing(path, statement, why):
    changed(path, statement)
    with pytest.raises(ExportError, match=rf"is damaged \({why}\).*Nothing more is sent\. Keep it") as caught:
        open_(path).peek("7", "a")
    assert caught.value.reason == "checkpoint"


def test_a_shortened_journal_is_refused(path):
    content = filled(path)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ExportError, match="is damaged"):
        open_(path)
    assert path.read_bytes() == content[: len(content) // 2]


def test_a_folder_that_is_not_there_is_reported(tmp_path):
    with pytest.raises(ExportError, match="No such file or directory") as caught:
        open_(tmp_path / "nowhere" / "journal")
    assert caught.value.reason == "output"


@pytest.fixture(scope="module")
def shared_journal(tmp_path_factory):
    journal = open_(tmp_path_factory.mktemp("journal") / "journal")
    yield journal
    journal.close()


EXAMPLES = count()


@given(st.lists(st.integers(0, 3), max_size=20))
def test_threads_that_claim_one_row_get_one_entry(shared_journal, names):
    example, entries = next(EXAMPLES), []

    def claim(name):
        entries.append((name, shared_journal.claim(f"{example}/{name}", "a", "2026")))

    threads = [threading.Thread(target=claim, args=[name]) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(not entry.repeated for _, entry in entries) == len({*names}) == len({entry.id for _, entry in entries})


def test_journal_and_rejects_are_their_owners_alone(tmp_path):
    before = os.umask(0o022)
    try:
        with closing(Journal(tmp_path / "journal", "https://acme.fusedesk.com")):
            rejects = Rejects(tmp_path / "rejects")
            rejects.write(1, "no", {})
            modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
            rejects.close()
    finally:
        os.umask(before)
    assert {"journal", "journal-wal", "rejects"} <= modes.keys()
    assert set(modes.values()) == {0o600}
