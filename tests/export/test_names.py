"""Departments, reps and tags in databases, and the views that need them."""

import sqlite3
import warnings
from contextlib import closing
from datetime import datetime

import attrs
import httpx
import pytest
from clients import client
from exports import asks_for_names, ids_in, job, rows, select, sink
from tenacity import stop_after_attempt

from fusedesk_async import FuseDesk, RateLimitError, RetryPolicy
from fusedesk_async.cli._status import summary
from fusedesk_async.export import export_cases
from fusedesk_async.export._name_lists import NameLists
from fusedesk_async.models import CaseTag, Department
from fusedesk_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio
REFUSED = {"error": "no", "errorcode": "api_error_noscope"}
ONCE = RetryPolicy(stop=stop_after_attempt(1))


async def test_names_are_fetched_with_one_call_each_and_again_by_an_update(out, clock, anyio_backend):
    sandbox = Sandbox(40, clock=clock)
    async with client(sandbox, clock) as desk:
        report = await export_cases(desk, out, status="all")
        assert (report.missing_names, report.is_whole) == ((), True)
        calls = [call.operation for call in sandbox.received]
        assert [calls.count(each) for each in ("departments", "reps", "casetags")] == [1, 1, 1]
        departments = {each.id: each.name for each in await desk.departments.all()}
        reps = {each.user_id: each.last_name for each in await desk.reps.all()}
        tags = {each.id: each.name for each in await desk.case_tags.all()}
        assert dict(select(out, "SELECT id, name FROM departments")) == departments
        assert dict(select(out, "SELECT user_id, last_name FROM reps")) == reps
        assert dict(select(out, "SELECT id, name FROM tag_names")) == tags
        await desk.case_tags.create("brand new")
        await export_cases(desk, out, status="all", update=True)
        assert "brand new" in dict(select(out, "SELECT name, id FROM tag_names"))


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_what_is_refused_does_not_stop_the_export_and_is_told(status, out, clock, anyio_backend):
    sandbox = Sandbox(40, clock=clock)
    sandbox.fault("reps", status=status, body=REFUSED)
    async with client(sandbox, clock, retry=ONCE) as desk:
        report = await export_cases(desk, out, status="all")
        assert (report.cases, report.is_whole) == (40, True)
        (missing,) = report.missing_names
        assert missing.startswith("reps: ")
        assert report.as_dict()["missing_names"] == [missing]
        assert f"1 list of names could not be had ({missing})" in summary(report)
        assert select(out, "SELECT count(*) FROM reps") == [(0,)]
        assert select(out, "SELECT count(*) FROM tag_names") > [(0,)]
        sandbox.fault("casetags", status=status, body=REFUSED)
        report = await export_cases(desk, out, status="all", update=True)
        assert [each.partition(":")[0] for each in report.missing_names] == ["tag_names"]
        assert select(out, "SELECT count(*) FROM reps") > [(0,)]
        assert select(out, "SELECT count(*) FROM tag_names") > [(0,)], "what was there stays"


@pytest.mark.parametrize("body", ["[]", '[{"odd":1}]'])
@pytest.mark.parametrize("name", ["departments", "reps", "casetags"])
async def test_a_list_that_comes_without_a_record_takes_no_names_away(name, body, out, clock, anyio_backend):
    sandbox, table = Sandbox(40, clock=clock), {"casetags": "tag_names"}.get(name, name)
    async with client(sandbox, clock) as desk:
        await export_cases(desk, out, status="all")
        before = select(out, f"SELECT count(*) FROM {table}")
        sandbox.fault(name, body=body)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # each record that cannot be read
            report = await export_cases(desk, out, status="all", update=True)
    assert select(out, f"SELECT count(*) FROM {table}") == before > [(0,)]
    missing = () if name == "casetags" else (f"{table}: no record came that can be read",)
    assert report.missing_names == missing


async def test_without_quota_it_ends_there_and_goes_on_from_there(out, clock, anyio_backend):
    sandbox = Sandbox(40, clock=clock)
    sandbox.fault("reps", status=429, retry_after="30")
    async with client(sandbox, clock, on_rate_limit="raise") as desk:
        with pytest.raises(RateLimitError):
            await export_cases(desk, out, status="all")
        await clock.sleep(4_000)
        report = await export_cases(desk, out, status="all")
    assert (report.cases, report.runs, report.missing_names) == (40, 2, ())
    assert ids_in(out) == [*range(1, 41)]


async def test_files_of_cases_alone_get_none(tmp_path, clock, anyio_backend):
    sandbox = Sandbox(3, clock=clock)
    async with client(sandbox, clock) as desk:
        await export_cases(desk, tmp_path / "out.csv")
    assert {call.operation for call in sandbox.received} == {"search"}
    assert sink(tmp_path / "other.csv").write_names(NameLists({})) == ()
    assert sink("-").write_names(NameLists({})) == ()


LARGE = 2**70


def test_names_of_any_kind_are_kept(out):
    records = {
        "departments": [
            Department(id=1, name="a", rep_user_ids=(3, 4), source=b'{"id":1,"name":"a","repUserIds":[3,4],"x":[1]}'),
            Department(id=1, name="b", source=b'{"id":1,"name":"b"}'),
            Department(id=LARGE, name="c", source=f'{{"id":{LARGE},"name":"c"}}'.encode()),
        ],
        "reps": [],
        "tag_names": [CaseTag(id=5, name="nul \0", source=b'{"id":5,"tagname":"nul \\u0000"}')],
    }
    output = sink(out)
    reached = output.write(rows([1]), output.open(job(out), resume="auto", overwrite=False))
    for _ in range(2):
        assert output.write_names(NameLists(records)) == ()
    output.write([], attrs.evolve(reached, phase="complete"))
    output.finish()
    output.close()
    found = select(out, "SELECT name, CAST(id AS TEXT), CAST(extra AS TEXT) FROM departments ORDER BY name")
    assert found[0] == ("b", "1", None)
    assert str(LARGE) in f"{found[1]}"
    assert select(out, "SELECT id, name, CAST(extra AS TEXT) FROM tag_names") == [
        (5, None, '{"tagname":"nul \\u0000"}')
    ]


TAKEN = ("CREATE TABLE reps (mine)", "CREATE VIEW Timeline AS SELECT 1 AS mine", "INSERT INTO reps VALUES (7)")


async def test_a_file_that_has_such_names_already_keeps_what_is_there(tmp_path, clock, anyio_backend):
    out, sandbox = tmp_path / "out.db", Sandbox(30, clock=clock)
    async with client(sandbox, clock) as desk:
        await export_cases(desk, out, status="all", history=True)
        with closing(sqlite3.connect(out)) as database:
            for view in ("timeline", "first_response", "case_tags"):
                database.execute(f"DROP VIEW {view}")
            database.execute("DROP TABLE reps")
            for statement in TAKEN:
                database.execute(statement)
            database.commit()
        for _ in range(2):
            report = await export_cases(desk, out, status="all", history=True, update=True)
            assert report.missing_names == ("reps: another table has this name",)
    assert select(out, "SELECT mine FROM reps") == [(7,)]
    assert select(out, "SELECT mine FROM timeline") == [(1,)]
    assert select(out, "SELECT count(*) FROM departments") > [(0,)]
    assert select(out, "SELECT count(*) FROM sqlite_master WHERE name = 'first_response'") == [(0,)]


async def test_tables_of_names_of_an_older_version_get_their_columns(tmp_path, clock, anyio_backend):
    out = tmp_path / "out.db"
    async with client(Sandbox(3, clock=clock), clock) as desk:
        await export_cases(desk, out)
        with closing(sqlite3.connect(out)) as database:
            database.execute("DROP VIEW case_tags")
            database.execute("ALTER TABLE tag_names DROP COLUMN hidden")
        assert (await export_cases(desk, out, update=True)).missing_names == ()
    assert select(out, "SELECT count(hidden) FROM tag_names") > [(0,)]
    assert select(out, "SELECT count(*) FROM case_tags")


PEOPLE = {
    "/reps": [
        {"userId": 7, "firstName": "Marta", "lastName": "Lindgren", "emailAddress": "Marta@desk.example"},
        {"userId": 8, "firstName": "", "lastName": None, "emailAddress": " "},
        {"userId": 9, "firstName": "Zoe", "emailAddress": "oe@customer.example"},
    ],
    "/casetags": [{"id": 1, "tagname": "billing"}],
    "/departments/all": [],
}
CASES = [
    {
        "caseid": 1,
        "openedby": "jo@customer.example",
        "date_opened": "2026-01-01T10:00:00Z",
        "casetags": [],
        "tags": [1, 2],
    },
    {"caseid": 2, "openedby": "al@customer.example", "date_opened": "2026-01-01T10:00:00Z"}
    | {"date_firstresponse": "2026-01-01T11:00:00Z"},
    {"caseid": 3, "openedby": " ", "tags": [1]},
    {"caseid": 4, "openedby": "Jo <jo@customer.example>"},
    {"caseid": 5, "openedby": "Des"},
]
ITEMS = {
    1: [
        {"type": "email", "from": "Jo <jo@customer.example>", "to": "help@desk.example", "subject": "Help", "body": "?"}
        | {"date_sent": "2026-01-01T10:00:00Z"},
        {"type": "note", "note": "look at this", "title": "Internal", "date_added": "2026-01-01T10:30:00Z", "repid": 7},
        {"type": "email", "from": "help@desk.example", "to": "jo@customer.example", "body": "!", "repid": 7}
        | {"date_sent": "2026-01-01T10:00:50Z"},
        {"type": "email", "from": "MARTA@desk.example", "to": "x@y.example", "date_sent": "2026-01-01T12:00:00Z"},
        {"type": "email", "from": "robot@desk.example", "to": "JO@customer.example"},
        {"type": "call", "note": "rang"},
        {"type": "sms", "note": "?"},
        {"type": "email", "from": "help@desk.example", "to": "z@y.example", "repid": 8},
    ],
    2: [],
    3: [{"type": "email", "from": "zoe <zoe@customer.example>", "to": "help@desk.example"}],
    4: [{"type": "email", "from": "help@desk.example", "to": 'X <x@y.example>; "JO" <Jo@customer.example>'}],
    5: [{"type": "email", "from": "x@customer.example", "to": "Desk <help@desk.example>"}],
}


async def test_views_say_who_said_what_when_and_when_the_team_answered_first(out, clock, anyio_backend):
    def answer(request):
        if asks_for_names(request):
            (found,) = (rows for end, rows in PEOPLE.items() if request.url.path.endswith(end))
            return httpx.Response(200, json=found)
        last = request.url.path.rpartition("/")[2]
        if last.isdecimal():
            case = next(each for each in CASES if each["caseid"] == int(last))
            return httpx.Response(200, json=case | {"history": ITEMS[int(last)]})
        return httpx.Response(200, json=CASES[int(request.url.params["offset"]) :])

    async with FuseDesk("acme", api_key="k", transport=httpx.MockTransport(answer), clock=clock) as desk:
        assert (await export_cases(desk, out, history=True)).is_whole
    told = select(out, "SELECT position, side, who, title, text FROM timeline WHERE case_id = 1 ORDER BY position")
    assert told == [
        (0, "customer", "Jo <jo@customer.example>", "Help", "?"),
        (1, "team", "Marta Lindgren", "Internal", "look at this"),
        (2, "team", "Marta Lindgren", None, "!"),
        (3, "team", "MARTA@desk.example", None, None),
        (4, "team", "robot@desk.example", None, None),
        (5, "team", None, None, "rang"),
        (6, None, None, None, None),
        (7, "team", "help@desk.example", None, None),
    ]
    sides = select(out, "SELECT case_id, side FROM timeline WHERE case_id > 2 ORDER BY 1")
    assert sides == [(3, "customer"), (4, "team"), (5, "customer")], "whole addresses and names count, no parts of them"
    ((moment,),) = select(out, "SELECT happened_at FROM timeline WHERE case_id = 1 AND position = 2")
    at = moment if isinstance(moment, datetime) else datetime.fromisoformat(moment)
    assert at.isoformat() == "2026-01-01T10:00:50+00:00"
    answered = select(out, "SELECT case_id, seconds, who FROM first_response ORDER BY case_id")
    assert answered == [(1, 50, "Marta Lindgren"), (2, 3600, None), *((each, None, None) for each in (3, 4, 5))]
    tagged = select(out, "SELECT case_id, tag_id, tag FROM case_tags ORDER BY case_id, tag_id")
    assert tagged == [(1, 1, "billing"), (1, 2, None), (3, 1, "billing")]
