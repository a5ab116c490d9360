"""One record among many that makes its page no JSON, or holds bytes that are no UTF-8."""

import json

import httpx
import pytest
from exports import ids_in

from fusedesk_async import FuseDesk
from fusedesk_async.export import export_cases
from fusedesk_async.sandbox import VirtualClock

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::fusedesk_async.FuseDeskWarning")]


def record(number):
    fields = {"caseid": number, "casenum": f"N{number}", "summary": "s", "status": "open", "departmentid": 1}
    return json.dumps(fields | {"date_updated": "2026-01-02 03:04:05"}).encode()


def desk_of(poison, *, count=60, at=7):
    """A client of a list in which one record is another one."""
    texts = {number: record(number) for number in range(1, count + 1)} | {at: poison}

    def answer(request):
        name = request.url.path.rpartition("/")[2]
        if name.isdecimal():
            return httpx.Response(200, content=texts[int(name)])
        query = request.url.params
        ids = sorted(texts, reverse="desc" in query.get("orderby", ""))
        page = [texts[number] for number in ids][int(query["offset"]) :][: int(query["limit"])]
        return httpx.Response(200, content=b"[" + b",".join(page) + b"]")

    return FuseDesk("acme", api_key="k", transport=httpx.MockTransport(answer), clock=VirtualClock())


def spoilt(text):
    return record(7)[:-1] + b',"x":' + text + b"}"


NO_JSON = {
    "a raw tab": b'"a\tb"',
    "a raw line feed": b'"a\nb"',
    "NaN": b"NaN",
    "-Infinity": b"-Infinity",
    "nested deeper than can be followed": b"[" * 1_200 + b"]" * 1_200,
    "nested ever so deep": b"[" * 100_000 + b"]" * 100_000,
    "cut": b'"a',
}


@pytest.mark.parametrize("history", [False, True])
@pytest.mark.parametrize("name", ["out.jsonl", "out.db"])
@pytest.mark.parametrize("text", NO_JSON.values(), ids=NO_JSON)
async def test_a_record_that_spoils_its_page_is_named_and_costs_no_other(text, name, history, tmp_path):
    async with desk_of(spoilt(text)) as desk:
        report = await export_cases(desk, tmp_path / name, history=history)
    assert ids_in(tmp_path / name) == [number for number in range(1, 61) if number != 7]
    assert ([row.id for row in report.unreadable], report.is_whole) == ([7], False)
    assert report.calls < 60 * history + 60


TEXT_FIELDS = {
    "summary": (b'"s"', b'"caf\xe9"'),
    "status": (b'"open"', b'"op\xffen"'),
    "case_number": (b'"N7"', b'"N\xc3"'),
    "date_updated": (b'"2026-01-02 03:04:05"', b'"2026\xff"'),
}


@pytest.mark.parametrize("name", ["out.jsonl", "out.db", "out.csv", "out.parquet"])
@pytest.mark.parametrize("field", TEXT_FIELDS)
async def test_bytes_that_are_no_utf_8_cost_their_field_only(field, name, tmp_path):
    old, new = TEXT_FIELDS[field]
    assert old in record(7)
    async with desk_of(record(7).replace(old, new)) as desk:
        report = await export_cases(desk, tmp_path / name)
    if name == "out.jsonl":
        content = (tmp_path / name).read_bytes()
        assert new in content, "exactly as the server sent it"
        (tmp_path / name).write_text(content.decode(errors="replace"))
    assert ids_in(tmp_path / name) == [*range(1, 61)]
    assert [each[:2] for each in report.odd] == [(7, field)]
    assert report.is_whole


async def test_only_an_id_that_cannot_be_read_costs_the_record(tmp_path):
    async with desk_of(record(7).replace(b'"caseid": 7', b'"caseid": "7\xff"')) as desk:
        report = await export_cases(desk, tmp_path / "out.jsonl")
    assert (report.cases, report.rejected, report.is_whole) == (59, 1, False)
