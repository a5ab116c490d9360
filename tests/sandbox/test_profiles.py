"""A sandbox answers as its profile says: each field changes what it says it changes."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from fusedesk_async.sandbox import FixedHour, Sandbox, SandboxProfile, VirtualClock

Connect = Callable[..., httpx.AsyncClient]
CASES = "/api/v1/cases"
NEW = {"depid": "268", "summary": " A <b> ", "details": "x" * 300, "openedby": "me"}
pytestmark = pytest.mark.anyio


def make(cases: int = 30, *, limit: FixedHour | None = None, **fields: Any) -> Sandbox:
    return Sandbox(cases, clock=VirtualClock(), limit=limit, profile=SandboxProfile(**fields))


async def ids(http: httpx.AsyncClient, **params: Any) -> list[int]:
    return [case["id"] for case in (await http.get(CASES, params=params)).json()]


@pytest.mark.parametrize("orders", [(), ("caseid",), ("caseid asc",), ("caseid asc", "caseid desc")])
async def test_orders_that_are_not_honoured_are_passed_over(connect: Connect, orders: tuple[str, ...]) -> None:
    async with connect(make(orders=orders)) as http:
        usual = await ids(http)
        for order in ("caseid asc", "caseid", "caseid desc"):
            expected = [*range(30, 0, -1)] if order.endswith("desc") else [*range(1, 31)]
            assert await ids(http, orderby=order) == (expected if order in orders else usual)
        assert (await http.get(CASES, params={"orderby": "colour"})).status_code == 405


async def test_the_default_order_is_a_choice(connect: Connect) -> None:
    async with connect(make(default_order="caseid desc")) as http:
        assert await ids(http) == [*range(30, 0, -1)]


async def test_larger_limits_are_refused_or_cut(connect: Connect) -> None:
    async with (
        connect(make(largest_limit=10)) as refusing,
        connect(make(largest_limit=10, over_limit="cut")) as cutting,
    ):
        assert [(await refusing.get(CASES, params={"limit": rows})).status_code for rows in (10, 11)] == [200, 405]
        assert [len(await ids(cutting, limit=rows)) for rows in (9, 10, 600)] == [9, 10, 10]
        assert len(await ids(refusing)) == 10


@pytest.mark.parametrize(
    ("kind", "rows"), [("refused", None), ("none", 0), ("default", 150), ("all", 180), (None, None)]
)
async def test_what_a_limit_of_zero_brings(connect: Connect, kind: str | None, rows: int | None) -> None:
    async with connect(make(180, limit_zero=kind)) as http:
        answer = await http.get(CASES, params={"limit": 0})
    assert (answer.status_code, None if rows is None else len(answer.json())) == (405 if rows is None else 200, rows)


async def test_what_an_offset_past_the_end_brings(connect: Connect) -> None:
    params = {"orderby": "caseid", "limit": 7, "offset": 30}
    async with connect(make(offset_past_end="last page")) as http:
        assert await ids(http, **params) == [*range(24, 31)]
        assert await ids(http, **params | {"limit": 100}) == [*range(1, 31)]
        assert await ids(http, depid=999_999, offset=3) == []
    async with connect(make(offset_past_end="error")) as http:
        assert (await http.get(CASES, params=params)).status_code == 405
        assert await ids(http, depid=999_999) == []
    async with connect(make()) as http:
        assert await ids(http, **params) == []


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        (None, 200, b"[]"),
        ("list", 200, b"[]"),
        ("text", 200, b'""'),
        ("empty", 200, b""),
        ("false", 200, b"false"),
        ("null", 200, b"null"),
        ("error", 405, b'{"error":"No cases found","errorcode":"api_error_invalid"}'),
        ("404", 404, b'{"error":"Cases not found","errorcode":"api_error_notfound"}'),
    ],
)
async def test_what_stands_for_no_matches(connect: Connect, kind: str | None, status: int, body: bytes) -> None:
    async with connect(make(no_matches=kind)) as http:
        for path in (
            f"{CASES}?depid=999999",
            "/api/v1/emails/unassigned?from=nobody",
            "/api/v2/contacts?search=nobody@",
        ):
            answer = await http.get(path)
            assert (answer.status_code, answer.content) == (status, body)


async def test_the_names_of_members(connect: Connect) -> None:
    profile = {"case_id_names": ("id",), "case_number_names": ("case_number",), "department_names": ("depid",)}
    async with connect(make(**profile)) as http:
        case = (await http.get(f"{CASES}/3")).json()
    assert not case.keys() & {"caseid", "casenum", "casenumber", "departmentid"}
    assert (case["id"], len(case["case_number"]), case["depid"] > 0) == (3, 8, True)


async def test_numbers_as_text(connect: Connect) -> None:
    async with connect(make(numbers_as_text=True)) as http:
        (case,) = (await http.get(CASES, params={"orderby": "caseid", "limit": 1})).json()
    assert (case["id"], case["isArchived"]) == ("1", False)
    assert all(isinstance(tag, str) for tag in case["tags"])


@pytest.mark.parametrize(
    ("markers", "expected"),
    [
        (("null",), {"null"}),
        (("empty", "false"), {'""', "false"}),
        (("zero",), {'"0000-00-00 00:00:00"'}),
        (("absent",), set[str]()),
    ],
)
async def test_markers_of_missing_dates(connect: Connect, markers: tuple[str, ...], expected: set[str]) -> None:
    async with connect(make(missing_dates=markers)) as http:
        cases = (await http.get(CASES)).json()
        feedback = (await http.get(f"{CASES}/1/feedback")).json()
    dates = [(name, case[name]) for case in cases for name in case if name.startswith("date_")]
    assert {json.dumps(value) for _, value in dates if "T" not in str(value)} == expected
    assert any("date_closed" not in case for case in cases) == (not expected)
    assert feedback["caseid"] == 1


async def test_extra_members(connect: Connect) -> None:
    kinds = {"a": "number", "b": "text", "c": "boolean", "d": "null", "e": "list", "f": "object"}
    async with connect(make(extra_members=kinds)) as http:
        case = (await http.get(f"{CASES}/2")).json()
    assert [case[name] for name in kinds] == [14, "value 2", True, None, [2], {"value": 2}]


@pytest.mark.parametrize(("zone", "hours"), [("+05:30", 5.5), ("-08:00", -8), ("+00:00", 0)])
async def test_dates_are_written_and_read_in_the_zone(connect: Connect, zone: str, hours: float) -> None:
    async with connect(make(zone=zone)) as http, connect(make()) as usual:
        mine, other = [(await each.get(f"{CASES}/5")).json() for each in (http, usual)]
        assert mine["date_opened"].endswith(zone)
        assert mine["history"][0].get("date_sent", zone).endswith(zone)
        assert datetime.fromisoformat(mine["date_opened"]) == datetime.fromisoformat(other["date_opened"])
        day = mine["date_opened"][:10]
        found = (await http.get(CASES, params={"date_opened": day})).json()
        assert {case["date_opened"][:10] for case in found} == {day}
        made = (await http.post(CASES, data=NEW | {"date_opened": "2026-02-01 10:00"})).json()
        assert datetime.fromisoformat(made["date_opened"]) == datetime(2026, 2, 1, 10, tzinfo=UTC) - timedelta(
            hours=hours
        )


@pytest.mark.parametrize("after", [True, False, None])
@pytest.mark.parametrize("before", [True, False, None])
async def test_bounds_of_date_filters(connect: Connect, after: Any, before: Any) -> None:
    sandbox = make(0, after_inclusive=after, before_inclusive=before)
    day = int(datetime(2026, 6, 10, 12, tzinfo=UTC).timestamp())
    first, second, third = (sandbox.open_cases(date_opened=day + 86_400 * more)[0] for more in range(3))
    async with connect(sandbox) as http:
        found = await ids(http, date_opened='{"after":"2026-06-10","before":"2026-06-12"}', orderby="caseid")
    assert found == [first] * (after is not False) + [second] + [third] * (before is True)


@pytest.mark.parametrize("moves", [True, False, None])
async def test_notes_move_date_updated_or_not(connect: Connect, moves: Any) -> None:
    note = {"type": "note", "title": "t", "note": "n"}
    async with connect(make(notes_update=moves)) as http:
        before = (await http.get(f"{CASES}/1")).json()
        assert (await http.post(f"{CASES}/1/addnote", data=note)).status_code == 200
        after = (await http.get(f"{CASES}/1")).json()
    assert (after["date_updated"] != before["date_updated"]) == (moves is not False)


async def test_the_lists_of_a_history(connect: Connect) -> None:
    async with connect(make(history_names=("notes", "emails", "sms"))) as http, connect(make()) as usual:
        case, whole = [(await each.get(f"{CASES}/3")).json() for each in (http, usual)]
    assert {item["type"] for item in case["notes"]} <= {"call", "note"}
    assert {item["type"] for item in case["emails"]} == {"email"}
    assert (case["sms"], case.get("history")) == ([], None)
    assert len(case["notes"]) + len(case["emails"]) == len(whole["history"])


async def test_case_numbers_in_paths(connect: Connect) -> None:
    async with connect(make(case_numbers_in_paths=True)) as http, connect(make()) as usual:
        for case in (1, 17, 30):
            number = (await http.get(f"{CASES}/{case}")).json()["casenum"]
            assert (await http.get(f"{CASES}/{number}")).json()["id"] == case
            assert (await usual.get(f"{CASES}/{number}")).status_code == 404
        assert [(await http.get(f"{CASES}/{wrong}")).status_code for wrong in ("ABCD", "AAAA0000", "31")] == [404] * 3


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({}, {"x-fusedesk-usage-limit": "100", "x-fusedesk-usage-remaining": "99"}),
        ({"usage_counts": "used"}, {"x-fusedesk-usage-limit": "100", "x-fusedesk-usage-remaining": "1"}),
        ({"usage_header": "X-FuseDesk-Usage-Now", "limit_header": ""}, {"x-fusedesk-usage-now": "99"}),
        ({"usage_header": "", "limit_header": "X-Most"}, {"x-most": "100"}),
        ({"call_cost": 3}, {"x-fusedesk-usage-limit": "100", "x-fusedesk-usage-remaining": "97"}),
    ],
)
async def test_usage_headers(connect: Connect, fields: dict[str, Any], headers: dict[str, str]) -> None:
    async with connect(make(limit=FixedHour(100), **fields)) as http:
        answer = await http.get(CASES)
    assert {name: text for name, text in answer.headers.items() if name.startswith("x-")} == headers


async def test_a_call_that_costs_more_than_is_left_is_refused(connect: Connect) -> None:
    async with connect(make(limit=FixedHour(5), call_cost=2)) as http:
        answers = [await http.get(CASES) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert answers[-1].headers["x-fusedesk-usage-remaining"] == "1"


@pytest.mark.parametrize(
    ("kind", "header"), [("seconds", "3600"), ("date", "Tue, 30 Jun 2026 23:00:00 GMT"), ("none", None), (None, None)]
)
async def test_how_a_429_tells_the_wait(connect: Connect, kind: str | None, header: str | None) -> None:
    async with connect(make(limit=FixedHour(0), retry_after=kind)) as http:
        assert (await http.get(CASES)).headers.get("retry-after") == header


@pytest.mark.parametrize(("kind", "header"), [(None, "application/json"), ("text/html; charset=x", ...), ("", None)])
async def test_content_types(connect: Connect, kind: str | None, header: Any) -> None:
    async with connect(make(content_type=kind)) as http:
        answers = [await http.get(CASES), await http.get("/api/v1/nowhere")]
    assert [answer.headers.get("content-type") for answer in answers] == [kind if header is ... else header] * 2


@pytest.mark.parametrize("kind", ["gzip", "deflate", "none", None])
async def test_compression_where_the_client_takes_it(connect: Connect, kind: str | None) -> None:
    async with connect(make(compression=kind)) as http:
        answer = await http.get(CASES)
        plain = await http.get(CASES, headers={"accept-encoding": "identity"})
    assert answer.headers.get("content-encoding") == (None if kind == "none" else kind)
    assert answer.json() == plain.json()
    assert "content-encoding" not in plain.headers
    assert int(answer.headers["content-length"]) < int(plain.headers["content-length"]) or kind in {"none", None}


async def test_a_gzipped_body_is_one(connect: Connect) -> None:
    async with connect(make(compression="gzip")) as http, http.stream("GET", CASES) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert len(json.loads(gzip.decompress(raw))) == 30


async def test_trailing_slashes(connect: Connect) -> None:
    async with connect(make(trailing_slash="redirect")) as http:
        answer = await http.get(f"{CASES}/?limit=3&subject=a b")
        assert (answer.status_code, answer.headers["location"]) == (301, f"{CASES}?limit=3&subject=a+b")
        assert (await http.get(f"{CASES}/")).headers["location"] == CASES
        assert (await http.get(CASES)).status_code == 200
    async with connect(make(trailing_slash="404")) as http:
        assert (await http.get(f"{CASES}/")).status_code == 404
    for kind in ("served", None):
        async with connect(make(trailing_slash=kind)) as http:
            assert (await http.get(f"{CASES}/")).status_code == 200


async def test_latency(connect: Connect) -> None:
    clock = VirtualClock()
    for latency in (None, 0.5):
        async with connect(Sandbox(3, clock=clock, latency=latency, profile=SandboxProfile(latency=0.2))) as http:
            await http.get(CASES)
    assert clock.waited == pytest.approx(0.7)


async def test_a_clock_that_is_ahead(connect: Connect) -> None:
    async with connect(make(clock_skew=7200.0)) as http:
        answer = await http.post(CASES, data=NEW)
    assert answer.headers["date"] == "Wed, 01 Jul 2026 00:00:00 GMT"
    assert answer.json()["date_opened"] == "2026-06-30T19:00:00-05:00"


@pytest.mark.parametrize("keeps", [True, False, None])
async def test_a_date_of_opening_is_kept_or_not(connect: Connect, keeps: Any) -> None:
    async with connect(make(keeps_date_opened=keeps)) as http:
        made = (await http.post(CASES, data=NEW | {"date_opened": "2026-01-05"})).json()
    assert made["date_opened"][:10] == ("2026-06-30" if keeps is False else "2026-01-05")


@pytest.mark.parametrize(
    ("changes", "summary", "length"),
    [
        ((), " A <b> ", 300),
        (("trimmed",), "A <b>", 300),
        (("escaped",), " A &lt;b&gt; ", 300),
        (("trimmed", "escaped", "cut"), "A &lt;b&gt;", 255),
    ],
)
async def test_how_texts_come_back(connect: Connect, changes: tuple[str, ...], summary: str, length: int) -> None:
    note = {"type": "note", "title": NEW["summary"], "note": NEW["details"]}
    async with connect(make(text_changes=changes)) as http:
        made = (await http.post(CASES, data=NEW)).json()
        added = (await http.post(f"{CASES}/1/addnote", data=note)).json()
    assert (made["summary"], len(made["details"])) == (summary, length)
    assert (added["title"], len(added["note"])) == (summary, length)


@pytest.mark.parametrize("again", [True, False, None])
async def test_tagging_twice(connect: Connect, again: Any) -> None:
    async with connect(make(0, tags_twice=again)) as http:
        await http.post(CASES, data=NEW)
        tag = (await http.get("/api/v1/casetags")).json()[0]["id"]
        paths = [f"{CASES}/1/{verb}/{tag}" for verb in ("tag", "tag", "untag", "untag")]
        statuses = [(await http.post(path)).status_code for path in paths]
    assert statuses == ([200, 405, 200, 405] if again is False else [200] * 4)


async def test_scopes(connect: Connect) -> None:
    async with connect(make(scopes=("cases",))) as http:
        assert (await http.get("/api/v1/session/permissions")).json() == ["cases"]
        assert (await http.get("/api/v2/reps")).status_code == 403


async def test_the_past_ends_with_the_hour_of_the_clock(connect: Connect) -> None:
    now = datetime(2031, 3, 4, 5, 20, tzinfo=UTC)
    for moment in (now, now.replace(hour=3), now.replace(hour=20)):
        sandbox = Sandbox(500, clock=VirtualClock(start=int(moment.timestamp())))
        async with connect(sandbox) as http:
            newest = (await http.get(CASES, params={"orderby": "caseid desc", "limit": 1})).json()[0]
            recent = await ids(http, date_opened='{"after":"-30 days"}')
            mail = (await http.get("/api/v1/emails/unassigned")).json()[0]
            chat = (await http.get("/api/v1/chats")).json()[0]
        dates = [
            datetime.fromisoformat(text) for text in (newest["date_opened"], mail["date_sent"], chat["dateCreated"])
        ]
        assert all(moment - timedelta(days=4) < date <= moment for date in dates)
        assert len(recent) > 50


def test_by_the_real_clock_the_past_is_not_long_ago() -> None:
    sandbox = Sandbox(100)
    opened = sandbox.state.cases.value(100, "date_opened")
    assert datetime.now(UTC).timestamp() - 7 * 86_400 < opened <= datetime.now(UTC).timestamp()
