"""Whatever a server does, a diagnosis ends, with a verdict for each question and no more calls than planned."""

import json
import string

import anyio
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import plain, serving

from fusedesk_async import FuseDesk
from fusedesk_async.diagnosis import diagnose
from fusedesk_async.diagnosis._diagnose import MOST_READS, questions
from fusedesk_async.diagnosis._scratch import MOST_WRITES
from fusedesk_async.sandbox import VirtualClock

pytestmark = pytest.mark.anyio


def verdicts(diagnosis):
    return {each.name: each.verdict for each in diagnosis.findings}


async def closes(stream, _):
    pass


async def hangs(stream, _):
    await stream.receive()


def says(data, *, keep=False):
    async def behave(stream, _):
        await stream.send(data)
        return keep

    return behave


async def drips(stream, _):
    await stream.send(HEAD + b"Content-Length: 9999\r\n\r\n")
    while True:
        await stream.send(b" ")
        await anyio.sleep(0.02)


async def floods(stream, _):
    await stream.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        await stream.send(b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n")


async def turns_bad(stream, number):
    if number % 2:
        await stream.send(plain(b'[{"caseid": 5, "date_opened": "2026-03-01T12:00:00Z"}]'))
        return True
    return False


HEAD = b"HTTP/1.1 200 OK\r\n"
BEHAVIOURS = {
    "closes": closes,
    "hangs": hangs,
    "is cut": says(HEAD + b"Content-Length: 99\r\n\r\n[1"),
    "drips": drips,
    "floods": floods,
    "turns bad at every second call": turns_bad,
    "speaks no HTTP": says(b"gibberish\r\n\r\n"),
    "packs in brotli": says(plain(b"xx", "200 OK", "Content-Encoding: br")),
    "packs badly": says(plain(b"xx", "200 OK", "Content-Encoding: gzip"), keep=True),
    "sends HTML": says(plain(b"<html><title>Oops</title></html>"), keep=True),
    "sends a login": says(plain(b"<html><input type='password'></html>"), keep=True),
    "redirects": says(plain(b"", "302 Found", "Location: https://elsewhere.example/"), keep=True),
    "fails": says(plain(b"", "500 No"), keep=True),
    "refuses all": says(plain(b'{"error": "no"}', "405 No"), keep=True),
    "is empty": says(plain(b""), keep=True),
    "sends two answers": says(plain(b"[]") + plain(b"[]"), keep=True),
    "sends many heads": says(plain(b"[]", "200 OK", *(f"X-FuseDesk-Usage-{n}: {n}" for n in "abc")), keep=True),
}


def timeout(behaviour):
    """Seconds: enough to connect on a busy machine, and few where they pass in vain."""
    return 1.0 if behaviour in {"hangs", "drips"} else 10.0


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
async def test_a_hostile_server_is_survived(behaviour):
    async with (
        serving(BEHAVIOURS[behaviour]) as server,
        FuseDesk("acme", api_key="key", base_url=server.url, timeout=timeout(behaviour)) as desk,
    ):
        with anyio.fail_after(60):
            diagnosis = await diagnose(desk)
    assert len(verdicts(diagnosis)) == len(questions(writes=False))
    assert diagnosis.calls <= MOST_READS
    assert verdicts(diagnosis)["orders"] == "cannot tell"


@pytest.mark.parametrize("behaviour", ["closes", "hangs", "speaks no HTTP"])
async def test_a_server_that_never_responds_is_soon_left_alone(behaviour):
    async with (
        serving(BEHAVIOURS[behaviour]) as server,
        FuseDesk("acme", api_key="key", base_url=server.url, timeout=timeout(behaviour)) as desk,
    ):
        diagnosis = await diagnose(desk)
    assert diagnosis.calls == 3
    evidence = {each.evidence for each in diagnosis.findings}
    assert "not asked: 3 calls in a row got no response" in evidence
    assert "departments" not in diagnosis.not_asked
    assert "webhooks" in diagnosis.not_asked


async def test_one_lost_response_leaves_the_rest(clock):
    def respond(request):
        if request.url.params.get("limit") == "500":
            raise httpx.ReadError("gone")
        return httpx.Response(200, json=[])

    async with FuseDesk("acme", api_key="key", transport=httpx.MockTransport(respond), clock=clock) as desk:
        diagnosis = await diagnose(desk)
    found = {each.name: each for each in diagnosis.findings}
    assert found["largest_limit"].evidence == "no response came"
    assert found["no_matches"].verdict == "known"


async def test_a_response_that_is_too_large_is_odd(clock):
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=["x" * 1_000]))
    async with FuseDesk("acme", api_key="key", transport=transport, clock=clock, max_body=100) as desk:
        diagnosis = await diagnose(desk)
    assert diagnosis.calls == MOST_READS - 6, "no case was seen, so none is asked for"
    assert {"too large" in each.evidence for each in diagnosis.findings if each.name == "orders"} == {True}


@pytest.mark.parametrize("kind", [["note"], {"is": "note"}, 1.5, None])
async def test_items_of_a_history_may_be_of_any_type(kind, clock):
    updated = "2026-01-02T12:00:00+00:00"
    case = {"caseid": 3, "date_opened": "2026-01-01T12:00:00+00:00", "date_updated": updated}
    detail = case | {"history": [{"type": kind, "date_added": updated}]}

    def respond(request):
        return httpx.Response(200, json=detail if request.url.path.endswith("/3") else [case])

    async with FuseDesk("acme", api_key="key", transport=httpx.MockTransport(respond), clock=clock) as desk:
        diagnosis = await diagnose(desk)
    assert verdicts(diagnosis)["notes_update"] == "cannot tell"
    assert verdicts(diagnosis)["history_members"] == "known"


NAMES = st.one_of(
    st.sampled_from(
        ["caseid", "id", "casenum", "date_opened", "date_updated", "history", "type", "date_added", "error", "details"]
    ),
    st.text(max_size=5),
)
DATES = st.sampled_from(
    [
        "2026-01-02T03:04:05+00:00",
        "2026-01-02 03:04:05",
        "20260102T030405",
        "2026-W01-1T12:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "0000-00-00 00:00:00",
    ]
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5), DATES)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=20,
)
ROWS = st.lists(st.fixed_dictionaries({"caseid": st.integers(0, 9)}, optional={"date_opened": DATES, "x": VALUES}))
BODIES = st.one_of(
    VALUES.map(lambda value: json.dumps(value).encode()),
    ROWS.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=20),
)
HEADERS = st.dictionaries(
    st.sampled_from(["Date", "Retry-After", "X-FuseDesk-Usage-Limit", "X-FuseDesk-Usage-Left", "Content-Type"]),
    st.text(string.digits, max_size=12) | st.sampled_from(["Mon, 01 Jan 2026 00:00:00 GMT", "x", "application/json"]),
)
RESPONSES = st.tuples(
    st.sampled_from([200, 200, 200, 200, 201, 301, 400, 403, 404, 405, 408, 429, 500]), HEADERS, BODIES
)


@given(responses=st.lists(RESPONSES, min_size=1, max_size=40), writes=st.booleans())
@settings(max_examples=100)
async def test_a_diagnosis_ends_whatever_comes(responses, writes):
    said = iter(responses * 40)
    clock = VirtualClock()
    writes_seen = []

    def respond(request):
        status, headers, body = next(said)
        writes_seen.extend([request.url.path] if request.method != "GET" else [])
        return httpx.Response(status, headers=headers, content=body)

    async with FuseDesk("acme", api_key="key", transport=httpx.MockTransport(respond), clock=clock) as desk:
        diagnosis = await diagnose(desk, write_in=3 if writes else None)
    assert len(diagnosis.findings) == len(questions(writes=writes))
    assert diagnosis.calls <= MOST_READS + (MOST_WRITES if writes else 0)
    assert writes or not writes_seen
    assert writes_seen.count("/api/v1/cases") <= 1
    json.dumps(diagnosis.to_report())
