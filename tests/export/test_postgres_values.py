"""What a server may send, in the tables of Postgres: nothing stops an export, and nothing is lost."""

import json

import attrs
import httpx
import pytest
from exports import asks_for_names, case, job, rows, select, sink
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fusedesk_async import FuseDesk
from fusedesk_async._json import JSONText
from fusedesk_async._wire.converter import structure
from fusedesk_async.export import export_cases
from fusedesk_async.export._postgres_schema import CASES, json_text, storable
from fusedesk_async.export._row import Row
from fusedesk_async.models import Case, CaseDetail

NUMBERS = st.one_of(st.integers(-(2**66), 2**66), st.sampled_from([2**63, 2**63 - 1, -(2**63), 10**60]))
TEXTS = st.text(st.characters(exclude_categories=[]), max_size=6)
MOMENTS = st.sampled_from(
    [
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59-05:00",
        "2026-01-02 03:04:05",
        "0001-01-01T00:00:00Z",
        "noon",
        "",
    ]
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.floats(allow_nan=False, allow_infinity=False), TEXTS, MOMENTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=5,
)
MEMBERS = ["summary", "details", "contactid", "date_opened", "rating", "feedback", "tags", "isArchived", "x", "status"]
NOTHING = ("", None, False)
"""What PHP sends for no value."""
RECORDS = st.dictionaries(st.sampled_from(MEMBERS) | TEXTS.map("x{}".format), VALUES, max_size=6)
EVENTS = st.dictionaries(st.sampled_from(["type", "note", "subject", "date_sent", "id", "repid", "from"]), VALUES)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=RECORDS, items=st.lists(EVENTS, max_size=3), number=st.integers(1, 2**70), error=TEXTS)
@example(record={"rating": "\0", "x": "\ud800", "tags": [2**63]}, items=[{"id": "\0"}], number=2**63, error="\ud800\0")
@example(record={"feedback": {"a": "\\u0000"}}, items=[], number=1, error="")
def test_whatever_is_in_a_case_it_is_in_the_table_and_nothing_is_lost(record, items, number, error, value_sink):
    output, url = value_sink
    line = json.dumps(record | {"caseid": number, "history": items}).encode()
    found = structure(CaseDetail, JSONText(line), lambda problem: problem)
    output.write([Row(found, history_error=error)], output.reached)
    ((identifier, text),) = select(url, f"SELECT id, extra::text FROM cases WHERE id = {number}", "fusedesk_part")
    assert int(identifier) == number
    extra = json.loads(text or "{}")
    unknown = {name for name in record if name.startswith("x")}
    assert {name: record[name] for name in unknown if record[name] not in NOTHING} == {
        name: extra[name] for name in unknown if record[name] not in NOTHING
    }
    counts = select(url, f"SELECT count(*) FROM history WHERE case_id = {number}", "fusedesk_part")
    assert counts == [(len(found.history),)]


@pytest.fixture
def value_sink(postgres_url):
    """An output that has been begun."""
    output = sink(postgres_url, history=True)
    output.reached = output.write(rows([1]), output.open(job(postgres_url), resume="auto", overwrite=False))
    yield output, postgres_url
    output.close()


def test_numbers_without_end_have_no_column():
    at = CASES.names.index("rating")
    for value in (float("inf"), float("nan"), "\0", {"a": "\0"}):
        assert CASES.cells(Case(id=1, rating=value))[at] is None
    assert CASES.cells(Case(id=1, rating=2.5))[at] == "2.5"


def test_what_is_no_json_is_one_text():
    assert json_text(None) is None
    assert json_text('{"a": 1}') == '{"a": 1}'
    assert json_text("[nonsense") == '"[nonsense"'
    assert json_text("[NaN]") == '"[NaN]"'
    deep = "[" * 100_000 + "]" * 100_000
    assert json.loads(json_text(deep)) == deep
    assert storable("half \ud800 nul \0") == "half ? nul "


@pytest.mark.anyio
@pytest.mark.parametrize("number", [2**63, 2**64, 2**100])
async def test_cases_with_large_ids_are_exported_and_updated(number, postgres_url, clock, anyio_backend):
    cases = [{"caseid": each, "status": "open", "date_updated": "2026-01-02 03:04:05+00:00"} for each in (7, number)]

    def answer(request):
        if asks_for_names(request):
            return httpx.Response(200, json=[])
        last = request.url.path.rpartition("/")[2]
        if last.isdecimal():
            return httpx.Response(200, json={"caseid": int(last), "history": [{"id": number, "note": "n"}]})
        return httpx.Response(200, json=cases[int(request.url.params.get("offset", 0)) :])

    async with FuseDesk("acme", api_key="k", transport=httpx.MockTransport(answer), clock=clock) as desk:
        for update in (False, True, True):
            report = await export_cases(desk, postgres_url, status="open", history=True, update=update)
            assert report.is_whole
            assert select(postgres_url, "SELECT id FROM cases ORDER BY id") == [(7,), (number,)]
            assert select(postgres_url, "SELECT case_id, id FROM history ORDER BY 1") == [
                (7, str(number)),
                (number, str(number)),
            ]
            assert select(postgres_url, "SELECT case_id FROM timeline ORDER BY 1") == [(7,), (number,)]


def test_a_history_that_became_shorter_is_cut(postgres_url):
    def detail(count):
        items = [{"type": "note", "note": f"{each}"} for each in range(count)]
        return Row(structure(CaseDetail, JSONText(json.dumps({"caseid": 1, "history": items}).encode()), str))

    output = sink(postgres_url, history=True)
    reached = output.open(job(postgres_url, history=True), resume="auto", overwrite=False)
    for count in (3, 1, 2, 0, 2):
        output.write([detail(count)], reached)
        found = select(postgres_url, "SELECT note FROM history ORDER BY position", "fusedesk_part")
        assert found == [(f"{each}",) for each in range(count)]
    output.write([detail(3), detail(1)], reached)
    assert select(postgres_url, "SELECT count(*) FROM history", "fusedesk_part") == [(1,)], "the last one counts"
    output.close()


def test_restart_drops_all_rows(postgres_url):
    output = sink(postgres_url)
    output.write(rows([1, 2]), output.open(job(postgres_url), resume="auto", overwrite=False))
    output.restart()
    assert select(postgres_url, "SELECT count(*) FROM cases", "fusedesk_part") == [(0,)]
    output.close()


def test_the_same_case_twice_in_one_commit_is_one_row(postgres_url):
    output = sink(postgres_url)
    reached = output.open(job(postgres_url), resume="auto", overwrite=False)
    reached = output.write([Row(case({"caseid": 5, "summary": each})) for each in ("a", "b")], reached)
    output.write([], attrs.evolve(reached, phase="complete"))
    output.finish()
    output.close()
    assert select(postgres_url, "SELECT id, summary FROM cases") == [(5, "b")]
