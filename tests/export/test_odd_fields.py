"""Cases some of whose fields cannot be read are in every export, and the report says which fields."""

import csv
import gzip
import json
from io import BytesIO, StringIO
from pathlib import Path

import httpx
import pyarrow.parquet
import pytest
from exports import OUTPUTS, Killed, asks_for_names, ids_in, select
from hypothesis import given, settings
from hypothesis import strategies as st

from fusedesk_async import FuseDesk, FuseDeskWarning, UnexpectedResponseError
from fusedesk_async.export import export_cases, plan_export
from fusedesk_async.export._checkpoint import MAX_ODD_FIELDS, Checkpoint
from fusedesk_async.export._output import _with_odd_fields
from fusedesk_async.export._row import Row
from fusedesk_async.models import Case, OddField

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::fusedesk_async.FuseDeskWarning")]

DATES = {"date_opened": "2026-01-01 00:00:00", "date_updated": "2026-01-02T00:00:00+00:00"}
ODD = {
    3: {"date_opened": "31/12/2025 at noon"},
    4: {"departmentid": "Billing", "contactid": "1,000"},
    5: {"tags": {"odd": 1}, "isArchived": "yes"},
}
MISSED = (
    (3, "date_opened", '"31/12/2025 at noon"'),
    (4, "contact_id", '"1,000"'),
    (4, "department_id", '"Billing"'),
    (5, "tags", '{"odd":1}'),
    (5, "is_archived", '"yes"'),
)


def row(number):
    return {"caseid": number, "casenum": f"N{number}", "summary": "s", "tags": [1]} | DATES | ODD.get(number, {})


class Server:
    """Ten cases, some of which have odd fields; each has two items of history."""

    def __init__(self, rows=None, cap=4):
        self.rows = [row(number) for number in range(1, 11)] if rows is None else rows
        self.cap = cap

    def __call__(self, request):
        if asks_for_names(request):
            return httpx.Response(200, json=[])
        last, query = request.url.path.rsplit("/", 1)[-1], request.url.params
        if last == "cases":
            rows = self.rows[:: -1 if "desc" in query.get("orderby", "") else 1]
            offset, limit = int(query["offset"]), min(int(query["limit"]), self.cap)
            return httpx.Response(200, json=rows[offset : offset + limit])
        items = [{"note": "a", "id": 1}, {"type": "email", "date_sent": "noon", "id": 2, "subject": "kept"}]
        return httpx.Response(
            200, json=next(each for each in self.rows if each["caseid"] == int(last)) | {"notes": items}
        )


def desk_of(server, **settings):
    return FuseDesk("acme", api_key="k" * 20, transport=httpx.MockTransport(server), **settings)


def extras(path):
    """The column `extra` of each case."""
    if not isinstance(path, Path) or path.suffix == ".db":
        found = select(path, "SELECT id, CAST(extra AS TEXT) FROM cases")
    elif path.suffix == ".parquet":
        found = [(each["id"], each["extra"]) for each in pyarrow.parquet.read_table(path).to_pylist()]
    else:
        found = [(int(each["id"]), each["extra"]) for each in csv.DictReader(StringIO(path.read_text(), newline=""))]
    return {number: json.loads(extra) for number, extra in found if extra}


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("history", [False, True])
async def test_every_case_with_an_id_is_in_every_output(name, history, place):
    out, server = place(name), Server()
    async with desk_of(server) as desk:
        report = await export_cases(desk, out, history=history)
    assert ids_in(out) == [*range(1, 11)]
    assert (report.cases, report.rejected, report.is_whole) == (10, 0, True)
    assert [each for each in report.odd if "[" not in each[1]] == [*MISSED]
    assert report.odd_fields == len(report.odd) == (15 if history else 5)
    assert json.loads(json.dumps(report.as_dict()))["odd"] == [[*each] for each in report.odd]
    if history:
        assert (7, "notes[1].date_sent", '"noon"') in report.odd
    if ".jsonl" in name:
        content = gzip.decompress(out.read_bytes()) if out.suffix == ".gz" else out.read_bytes()
        sent = [json.loads(line) for line in content.splitlines()]
        assert [{key: each[key] for key in row(1) | ODD.get(each["caseid"], {})} for each in sent] == server.rows
    else:
        naive = (
            {}
            if name not in {"out.parquet", "postgres"}
            else {number: {"date_opened": DATES["date_opened"]} for number in range(1, 11)}
        )
        assert extras(out) == {number: naive.get(number, {}) | ODD.get(number, {}) for number in {*naive, *ODD}}


async def test_an_item_keeps_what_can_be_read_of_it(out):
    async with desk_of(Server()) as desk:
        await export_cases(desk, out, history=True)
    query = "SELECT subject, date_sent, CAST(extra AS TEXT) FROM history WHERE case_id = 7 AND position = 1"
    assert select(out, query) == [("kept", None, '{"date_sent":"noon"}')]


@pytest.mark.parametrize("name", OUTPUTS)
async def test_a_resumed_export_counts_on(name, place):
    def stop(progress):
        if progress.cases >= 4:
            raise Killed

    async with desk_of(Server()) as desk:
        with pytest.raises(Killed):
            await export_cases(desk, place(name), on_progress=stop, concurrency=1)
        report = await export_cases(desk, place(name))
    assert report.runs == 2
    assert report.odd == MISSED


async def test_an_update_counts_each_odd_field_once(out):
    """What changed anywhere is fetched first, and what belongs to the export then once more."""
    async with desk_of(Server()) as desk:
        await export_cases(desk, out, status="open")
        report = await export_cases(desk, out, status="open", update=True)
    assert report.odd == MISSED


@pytest.mark.parametrize("odd", [{"date_updated": "soon"}, {"caseid": "x"}])
async def test_the_newest_date_is_that_of_the_next_case_if_need_be(odd, out):
    rows = [row(number) for number in range(1, 11)]
    rows[-1] |= odd
    async with desk_of(Server(rows, cap=500)) as desk:
        report = await export_cases(desk, out)
    assert report.cases == 10 - ("caseid" in odd)
    ((checkpoint,),) = select(out, "SELECT CAST(checkpoint AS TEXT) FROM fusedesk_export")
    assert json.loads(checkpoint)["started_after"] == DATES["date_updated"]


async def test_an_export_begins_without_any_date_that_can_be_read(tmp_path):
    rows = [row(number) | {"date_updated": "soon"} for number in range(1, 31)]
    async with desk_of(Server(rows, cap=500)) as desk:
        report = await export_cases(desk, tmp_path / "out.db")
        assert (report.cases, report.odd_fields) == (30, 35)
        again = await export_cases(desk, tmp_path / "out.db", update=True)
    assert again.cases == 30, "all of them may have changed"


async def test_a_plan_counts_cases_with_odd_fields():
    async with desk_of(Server()) as desk:
        plan = await plan_export(desk, BytesIO())
    assert plan.at_least <= 10 <= plan.cases


async def test_in_strict_mode_one_odd_field_ends_an_export(tmp_path):
    async with desk_of(Server(), strict=True) as desk:
        with pytest.raises(UnexpectedResponseError, match="Invalid isoformat string: '31/12/2025 at noon'") as caught:
            await export_cases(desk, tmp_path / "out.jsonl")
    assert (caught.value.record_id, caught.value.field) == (3, "date_opened")


@pytest.mark.filterwarnings("default::fusedesk_async.FuseDeskWarning")
async def test_a_client_warns_of_a_hundred_fields_and_then_no_more():
    rows = [row(number) | {"date_opened": f"day {number}"} for number in range(6, 400)]
    async with desk_of(Server(rows, cap=500)) as desk:
        with pytest.warns(FuseDeskWarning) as warned:
            cases = await desk.cases.search(page_size=500).collect()
    assert len(warned) == 100
    assert "Further fields that cannot be read are in `odd` of their records only" in str(warned[-1].message)
    assert all(case.odd for case in cases)


@given(
    st.lists(st.integers(0, 400), max_size=8), st.one_of(st.integers(1, 9), st.sampled_from([2**63, -(2**63), 10**400]))
)
@settings(max_examples=30)
def test_the_first_thousand_odd_fields_are_kept_and_all_are_counted(numbers, case_id):
    checkpoint = Checkpoint(job=None)
    for number in numbers:
        odd = tuple(OddField(case_id, f"field {place}", "$", "t" * 200) for place in range(number))
        checkpoint = _with_odd_fields(checkpoint, [Row(case=Case(id=case_id, odd=odd)), Row(case=Case(id=7))])
    assert checkpoint.odd_fields == sum(numbers)
    assert len(checkpoint.odd) == min(sum(numbers), MAX_ODD_FIELDS)
    assert all(len(text) == 80 and len(str(number)) <= 80 for number, _, text in checkpoint.odd)
