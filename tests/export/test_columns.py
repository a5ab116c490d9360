"""Records as rows: nothing that the server sent is lost, whatever it is called."""

import csv
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from io import StringIO

import attrs
import pyarrow.parquet
import pytest
from exports import bookmark, case, connected, job, sink

from fusedesk_async._json import JSONText
from fusedesk_async._wire.converter import structure
from fusedesk_async.export import _parquet
from fusedesk_async.export._row import Row
from fusedesk_async.models import CaseDetail

ODD = [
    case({"caseid": 1, "summary": 'a\r\nb,"c"', "details": "=1+1", "tags": [3, 4], "isArchived": True, "rating": [5]}),
    case(b'{"caseid": 2, "summary": "half \\ud800", "details": "nul \\u0000", "news": {"a": [1, 2]}, "notes": "mine"}'),
    case({"caseid": 3, "date_opened": "2026-01-02T03:04:05", "date_closed": "2026-01-02T03:04:05+02:00"}),
    case({"caseid": 4, "date_opened": "0001-01-01T00:00:00+05:00", "contactid": 2**70, "rating": 2.5}),
    case({"caseid": 5, "tombstone": "mine", "history_error": 7, "extra": "x", "matches": 0, "rating": 9}),
    case(b'{"caseid": 6, "raw": "\\ud800", "date_opened": "0000-00-00 00:00:00", "repid": false}'),
    case({"caseid": 7, "details": None, "opened_by": "?", "rating": "-", "feedback": "é"}),
]
DETAIL = structure(
    CaseDetail,
    JSONText(
        json.dumps(
            {
                "caseid": 8,
                "history": [
                    {"type": "note", "note": "hello", "notes": "kept", "subject": "kept too"},
                    {"type": "sms", "note": "of an unknown kind"},
                    {"type": "email", "from": "a@b.example", "date_sent": "no date", "id": 5},
                ],
            }
        ).encode()
    ),
    lambda error: error,
)
ROWS = [
    *(Row(case=each) for each in ODD),
    Row(case=DETAIL),
    Row(case=case({"caseid": 9}), tombstone=True),
    Row(case=case(b'{"caseid": 10, "raw": "\\ud800"}'), history_error='the "server" failed'),
]


def written(path, rows, *, history=True):
    output = sink(path, history=history)
    try:
        place = output.open(job(path, history=history), resume="auto", overwrite=False)
        place = output.write(rows, attrs.evolve(place, bookmark=bookmark(10)))
        output.write([], attrs.evolve(place, phase="complete"))
        output.finish()
        output.forget()
    finally:
        output.close()
    return path


def checked(found, raw=('{"raw":"\\ud800"}',)):
    """What must be there in every table, by the ids of cases."""
    assert found[1]["summary"] == 'a\r\nb,"c"'
    assert {name: found[2][name] for name in ("summary", "details")} in (
        {"summary": None, "details": None},
        {"summary": "", "details": ""},
    )
    assert json.loads(found[2]["extra"]) == {
        "summary": "half \ud800",
        "details": "nul \0",
        "news": {"a": [1, 2]},
        "notes": "mine",
    }
    assert json.loads(found[5]["extra"]) == {"tombstone": "mine", "history_error": 7, "extra": "x", "matches": 0}
    assert found[6]["extra"] in (raw or [found[6]["extra"]])
    assert not found[7]["extra"] or json.loads(found[7]["extra"]) == {"opened_by": "?"}


def test_csv_reads_back_with_pythons_own_reader(tmp_path):
    text = written(tmp_path / "out.csv", ROWS).read_bytes().decode()
    found = {int(each["id"]): each for each in csv.DictReader(StringIO(text, newline=""))}
    checked(found)
    assert found[3]["date_opened"] == "2026-01-02T03:04:05"
    assert found[4]["contact_id"] == str(2**70)
    assert found[1]["tags"] == "3,4"
    assert [item["note"] for item in json.loads(found[8]["history"])[:2]] == ["hello", "of an unknown kind"]
    assert (found[9]["tombstone"], found[8]["tombstone"]) == ("true", "false")
    assert found[10]["history_error"] == 'the "server" failed'


def test_parquet_reads_back_with_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setattr(_parquet, "ROW_GROUP_BYTES", 300)
    table = pyarrow.parquet.read_table(written(tmp_path / "out.parquet", ROWS))
    found = {each["id"]: each for each in table.to_pylist()}
    checked(found)
    assert found[3]["date_closed"] == datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)
    assert json.loads(found[3]["extra"]) == {"date_opened": "2026-01-02T03:04:05"}
    assert set(json.loads(found[4]["extra"])) == {"date_opened", "contactid"}
    first, second, third = found[8]["history"]
    assert (first["note"], json.loads(first["extra"])) == ("hello", {"notes": "kept", "subject": "kept too"})
    assert json.loads(second["extra"]) == {"note": "of an unknown kind"}
    assert (third["sender"], third["id"], third["date_sent"]) == ("a@b.example", "5", None)
    assert json.loads(third["extra"]) == {"date_sent": "no date"}
    assert (found[9]["tombstone"], found[9]["extra"], found[5]["tombstone"]) == (True, None, False)
    assert (found[10]["history_error"], found[10]["extra"]) == ('the "server" failed', '{"raw":"\\ud800"}')


def test_parquet_without_histories_has_no_columns_for_them(tmp_path):
    table = pyarrow.parquet.read_table(written(tmp_path / "out.parquet", ROWS[:7], history=False))
    checked({each["id"]: each for each in table.to_pylist()})
    assert "history" not in table.column_names


def test_sqlite_opens_in_any_tool_and_joins(tmp_path):
    with closing(sqlite3.connect(written(tmp_path / "out.db", ROWS))) as database:
        database.row_factory = sqlite3.Row
        found = {each["id"]: each for each in database.execute("SELECT * FROM cases")}
        checked(found)
        assert (found[4]["rating"], found[5]["rating"], found[1]["rating"]) == (2.5, 9, "[5]")
        assert found[3]["date_closed"] == "2026-01-02T01:04:05Z"
        joined = database.execute(
            "SELECT c.id, group_concat(t.tag_id), count(h.position) FROM cases c LEFT JOIN tags t ON t.case_id = c.id"
            " LEFT JOIN history h ON h.case_id = c.id WHERE c.id IN (1, 8) GROUP BY c.id"
        ).fetchall()
        assert [tuple(each) for each in joined] == [(1, "3,4", 0), (8, None, 3)]
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_postgres_has_the_types_of_what_it_holds(postgres_url):
    written(postgres_url, ROWS)
    found = {each["id"]: each for each in table(postgres_url, "cases")}
    assert found[6]["extra"] == {"raw": "\ud800"}
    texts = {number: json.dumps(each["extra"]) if each["extra"] else None for number, each in found.items()}
    checked({number: each | {"extra": texts[number]} for number, each in found.items()}, [])
    assert (found[4]["rating"], found[5]["rating"], found[1]["rating"]) == (2.5, 9, [5])
    assert found[3]["date_closed"] == datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)
    assert found[3]["extra"] == {"date_opened": "2026-01-02T03:04:05"}
    assert set(found[4]["extra"]) == {"date_opened", "contactid"}
    assert (found[1]["tags"], found[1]["is_archived"]) == ([3, 4], True)
    assert (found[9]["tombstone"], found[8]["tombstone"], found[9]["matches"]) == (True, False, True)
    assert found[10]["history_error"] == 'the "server" failed'
    items = table(postgres_url, "history")
    assert [(each["case_id"], each["position"], each["type"]) for each in items] == [
        (8, 0, "note"),
        (8, 1, "sms"),
        (8, 2, "email"),
    ]
    assert items[2]["extra"] == {"date_sent": "no date"}


def table(url, name):
    with connected(url) as database:
        cursor = database.execute(f"SELECT * FROM {name}")
        names = [column.name for column in cursor.description]
        return [dict(zip(names, each, strict=True)) for each in cursor]


@pytest.mark.parametrize("row", ROWS)
def test_what_is_added_to_a_line_of_json_comes_off_again(row):
    line, tombstone, error = Row.split(row.json_line)
    assert (line, tombstone, error) == (row.case.json_line, row.tombstone, row.history_error)
