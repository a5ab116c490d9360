"""Lines that no sandbox brings about: what an odd server says, as one function of its responses."""

import httpx
import pytest

from fusedesk_async import FuseDesk
from fusedesk_async.diagnosis import diagnose

pytestmark = pytest.mark.anyio

CASE = {"caseid": 5, "casenum": "AB12", "date_opened": "2026-03-01T12:00:00+00:00"}
NOON = "2026-03-01T12:00:00+00:00"


def cases(count, **members):
    return [CASE | {"caseid": number} | members for number in range(count)]


@pytest.fixture
def lines(clock):
    """The lines of a server that answers calls of cases as a function says, which is given path and query."""

    async def lines(say):
        def respond(request):
            path = request.url.path.removeprefix("/api/")
            value = say(path, dict(request.url.params)) if path.startswith("v1/cases") else []
            return value if isinstance(value, httpx.Response) else httpx.Response(200, json=value)

        async with FuseDesk("acme", api_key="key", transport=httpx.MockTransport(respond), clock=clock) as desk:
            return {each.name: each for each in (await diagnose(desk)).findings}

    return lines


async def test_more_rows_than_the_seed_page_allows(lines):
    found = await lines(lambda _, query: cases(min(int(query.get("limit", 150)), 9_999)))
    for name in ("largest_limit", "over_limit"):
        assert (found[name].verdict, found[name].value) == ("differs", None)


async def test_a_largest_limit_that_is_refused_although_a_smaller_one_says_nothing(lines):
    def say(_, query):
        if query.get("limit") == "500":
            return httpx.Response(405, json={"error": "no"})
        return httpx.Response(500) if query.get("limit") == "250" else cases(4)

    found = await lines(say)
    assert found["largest_limit"].evidence == "500 is refused; a smaller one: status 500"
    assert found["over_limit"].value == "refused"


async def test_cases_in_no_order(lines):
    rows = [row | {"caseid": number} for row, number in zip(cases(4), (3, 1, 4, 2), strict=True)]
    found = await lines(lambda *_: rows)
    assert (found["default_order"].verdict, found["default_order"].value) == ("differs", None)
    assert (found["orders"].verdict, found["orders"].value) == ("differs", [])


async def test_dates_without_an_offset(lines):
    found = await lines(lambda *_: cases(4, date_opened="2026-03-01 12:00:00"))
    assert (found["zone"].verdict, found["zone"].value) == ("differs", None)


@pytest.mark.parametrize("ending", ["Z", "+0000", "+00:00"])
async def test_ways_to_write_utc(ending, lines):
    found = await lines(lambda *_: cases(4, date_opened=f"2026-03-01T12:00:00{ending}"))
    assert (found["zone"].verdict, found["zone"].value) == ("known", "+00:00")


async def test_a_filter_that_is_passed_over(lines):
    old = {"caseid": 9, "date_opened": "2020-03-01T12:00:00+00:00"}
    found = await lines(lambda *_: [*cases(4), old])
    assert (found["date_filter_works"].verdict, found["date_filter_works"].value) == ("differs", False)
    assert found["after_inclusive"].verdict == "cannot tell"


async def test_a_filter_that_finds_nothing(lines):
    found = await lines(lambda _, query: [] if "date_opened" in query else cases(4))
    assert found["date_filter_works"].evidence == "0 cases came, not the one that was looked for"


@pytest.mark.parametrize("nothing", [True, False])
async def test_a_refused_bound_means_no_rows_only_where_no_rows_are_refused(nothing, lines):
    refusal = httpx.Response(405, json={"error": "no"})

    def say(_, query):
        if "contactid" in query:
            return refusal if nothing else []
        return refusal if "2026-03-01" in query.get("date_opened", "") else cases(4)

    found = await lines(say)
    assert (found["before_inclusive"].verdict, found["before_inclusive"].value) == (
        ("known", False) if nothing else ("cannot tell", None)
    )


async def test_a_full_page_may_not_have_the_case(lines):
    others = cases(500, caseid=7)
    found = await lines(lambda _, query: others if "03-01" in query.get("date_opened", "") else cases(4))
    assert found["after_inclusive"].evidence == (
        "the page is full, so the case that was looked for may be in the next one"
    )


@pytest.mark.parametrize(("rows", "verdict"), [([CASE], "known"), ([CASE, CASE], "cannot tell"), ([], "cannot tell")])
async def test_a_case_in_a_list(rows, verdict, lines):
    found = await lines(lambda path, _: rows if path != "v1/cases" else cases(6))
    assert found["detail_shape"].verdict == verdict


@pytest.mark.parametrize(
    ("case", "name", "verdict", "value"),
    [
        (CASE, "history_names", "differs", None),
        (CASE | {"history": []}, "history_members", "cannot tell", None),
        (CASE | {"history": []}, "history_names", "known", ["history"]),
        (CASE | {"caseid": 77}, "case_numbers_in_paths", "differs", False),
        (CASE | {"caseid": 0}, "case_numbers_in_paths", "differs", True),
        ("text", "case_numbers_in_paths", "cannot tell", None),
    ],
)
async def test_a_case_by_its_id_or_number(case, name, verdict, value, lines):
    found = await lines(lambda path, _: case if path != "v1/cases" else cases(6))
    assert (found[name].verdict, found[name].value) == (verdict, value)


@pytest.mark.parametrize(
    ("updated", "notes", "verdict", "value"),
    [
        (NOON, ["2026-03-01T12:00:00+00:00"], "known", True),
        (NOON, ["2026-03-01T13:00:00+00:00"], "differs", False),
        (NOON, ["2026-03-01T11:00:00+00:00"], "cannot tell", None),
        (NOON, [], "cannot tell", None),
        (False, [NOON], "cannot tell", None),
    ],
)
async def test_date_updated_beside_notes(updated, notes, verdict, value, lines):
    items = [{"type": "note", "date_added": note} for note in notes]
    case = CASE | {"date_updated": updated, "history": items}
    found = await lines(lambda path, _: case if path != "v1/cases" else cases(6))
    assert (found["notes_update"].verdict, found["notes_update"].value) == (verdict, value)


async def test_dates_that_are_all_there(lines):
    names = ("assigned", "firstresponse", "lastresponse", "updated", "closed", "rated", "requestedfeedback")
    found = await lines(lambda *_: cases(6, **{f"date_{name}": NOON for name in names}))
    assert found["missing_dates"].evidence == "no date was missing"


async def test_cases_without_an_id_or_a_number(lines):
    found = await lines(lambda *_: [{"summary": "x"}] * 5)
    assert found["case_id_names"].verdict == "cannot tell"
    assert (found["case_number_names"].verdict, found["case_number_names"].value) == ("differs", [])
    assert found["numbers_as_text"].verdict == "cannot tell"


async def test_more_members_than_a_record_has(lines):
    found = await lines(
        lambda *_: [{f"{chr(97 + n % 26)}{'x' * (n // 26 + m * 9)}": 1 for n in range(150)} for m in (0, 1)]
    )
    assert len(found["case_members"].value) == 150
