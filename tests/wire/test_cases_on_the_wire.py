"""Every operation of FuseDesk's pages on cases and keys: what goes over the wire, and what comes of it."""

import json
from datetime import date, datetime, timedelta, timezone
from urllib.parse import parse_qsl
from uuid import UUID

import httpx
import pytest

from fusedesk_async import (
    FuseDesk,
    NewCase,
    NewEmail,
    NewNote,
    after,
    asc,
    before,
    between,
    desc,
    on,
)

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 3, 1, 12, 30, 5, tzinfo=timezone(timedelta(hours=-5)))
SOMEBODY = UUID("6940fdc8-8215-440f-a0f2-0bdb346d5a21")
NOTE = NewNote(title="Called", note="She says:\n\tit works", type="call", date_added=NOON)
EMAIL = NewEmail(
    to="help@acme.example",
    sender="jo@example.com",
    subject="Ünicode & more",
    body="Hello",
    cc="a@example.com",
    bcc="b@example.com",
    date_sent="2026-03-01 10:00",
    date_received=date(2026, 3, 2),
    rep_id=5,
)
EMAIL_ON_THE_WIRE = {
    "to": "help@acme.example",
    "from": "jo@example.com",
    "subject": "Ünicode & more",
    "body": "Hello",
    "cc": "a@example.com",
    "bcc": "b@example.com",
    "date_sent": "2026-03-01 10:00",
    "date_recvd": "2026-03-02",
    "repid": 5,
    "type": "email",
}
NOTE_ON_THE_WIRE = {
    "title": "Called",
    "note": "She says:\n\tit works",
    "type": "call",
    "date_added": "2026-03-01T12:30:05-05:00",
}
FULL_CASE = NewCase(
    department_id=3,
    summary="Login fails",
    details="since yesterday",
    opened_by="jo@example.com",
    date_opened=NOON,
    date_assigned=NOON,
    date_updated="2026-03-02",
    status="open",
    rep_id=5,
    contact_id=99,
    contact_uuid=SOMEBODY,
    email="jo@example.com",
    company_id=7,
    type="import",
    history=[NOTE, EMAIL],
    skip_infusionsoft=True,
    tags=[7, "refund"],
)
PAGE = {"orderby": "caseid asc", "limit": "500", "offset": "0"}

READS = {
    "search": (lambda desk: desk.cases.search().collect(), "/api/v1/cases", PAGE),
    "search with all filters": (
        lambda desk: desk.cases.search(
            email="jo@example.com",
            contact_id=99,
            contact_uuid=SOMEBODY,
            company_id=7,
            rep_id=5,
            department_id=3,
            status="open",
            tag_id=8,
            created_by_rep=6,
            sender="x@example.com",
            subject="a&b #1",
        ).collect(),
        "/api/v1/cases",
        PAGE
        | {
            "email": "jo@example.com",
            "contactid": "99",
            "contactUuid": str(SOMEBODY),
            "companyid": "7",
            "repid": "5",
            "depid": "3",
            "status": "open",
            "casetag": "8",
            "createdByRep": "6",
            "from": "x@example.com",
            "subject": "a&b #1",
        },
    ),
    "search with all dates": (
        lambda desk: desk.cases.search(
            date_opened=on("2026-03-01"),
            date_assigned=before(date(2026, 3, 1)),
            date_first_response=after("-30 days"),
            date_updated=between("2026-03-01", NOON),
            date_closed=date(2026, 3, 1),
        ).collect(),
        "/api/v1/cases",
        PAGE
        | {
            "date_opened": "2026-03-01",
            "date_assigned": '{"before":"2026-03-01"}',
            "date_firstresponse": '{"after":"-30 days"}',
            "date_updated": '{"after":"2026-03-01","before":"2026-03-01T12:30:05-05:00"}',
            "date_closed": "2026-03-01",
        },
    ),
    "search of several contacts": (
        lambda desk: desk.cases.search(contact_id=[1, 2]).collect(),
        "/api/v1/cases",
        PAGE | {"contactid[0]": "1", "contactid[1]": "2"},
    ),
    "search in another order": (
        lambda desk: desk.cases.search(
            order_by=[desc("date_last_response"), "date_opened", asc("id")], page_size=50
        ).collect(),
        "/api/v1/cases",
        {"orderby": "date_lastresponse desc, date_opened asc, caseid asc", "limit": "50", "offset": "0"},
    ),
    "search in the API's own words": (
        lambda desk: desk.cases.search(order_by="date_resolved desc, status").collect(),
        "/api/v1/cases",
        PAGE | {"orderby": "date_resolved desc, status asc"},
    ),
    "first of a search": (
        lambda desk: desk.cases.search(status="new").first(),
        "/api/v1/cases",
        PAGE | {"status": "new", "limit": "1"},
    ),
    "get": (lambda desk: desk.cases.get(42), "/api/v1/cases/42", {}),
    "permissions": (lambda desk: desk.session.permissions(), "/api/v1/session/permissions", {}),
    "check": (lambda desk: desk.check(), "/api/v1/session/permissions", {}),
    "any read": (lambda desk: desk.call("GET", "v2/reps", query={"a": True}), "/api/v2/reps", {"a": "true"}),
}

WRITES = {
    "create": (
        lambda desk: desk.cases.create(FULL_CASE),
        "/api/v1/cases",
        {
            "depid": "3",
            "summary": "Login fails",
            "details": "since yesterday",
            "openedby": "jo@example.com",
            "date_opened": "2026-03-01T12:30:05-05:00",
            "date_assigned": "2026-03-01T12:30:05-05:00",
            "date_updated": "2026-03-02",
            "status": "open",
            "repid": "5",
            "contactid": "99",
            "contactUuid": str(SOMEBODY),
            "email": "jo@example.com",
            "companyid": "7",
            "type": "import",
            "history": [NOTE_ON_THE_WIRE, EMAIL_ON_THE_WIRE],
            "skipinfusionsoft": "true",
            "casetags": "7,refund",
        },
    ),
    "create, the least": (
        lambda desk: desk.cases.create(NewCase(department_id=3, summary="a", details="b", opened_by="c")),
        "/api/v1/cases",
        {"depid": "3", "summary": "a", "details": "b", "openedby": "c"},
    ),
    "add_note": (lambda desk: desk.cases.add_note(42, NOTE), "/api/v1/cases/42/addnote", NOTE_ON_THE_WIRE),
    "add_note with all": (
        lambda desk: desk.cases.add_note(42, NewNote(title="a", note="b"), rep_id=5, status="closed", template_id=2),
        "/api/v1/cases/42/addnote",
        {"title": "a", "note": "b", "type": "note", "repid": "5", "status": "closed", "templateid": "2"},
    ),
    "tag": (lambda desk: desk.cases.tag(42, 7), "/api/v1/cases/42/tag/7", {}),
    "untag": (lambda desk: desk.cases.untag(42, 7), "/api/v1/cases/42/untag/7", {}),
    "transfer": (
        lambda desk: desk.cases.transfer(42, rep_id=5, department_id=3),
        "/api/v1/cases/42",
        {"repid": "5", "depid": "3"},
    ),
    "link_contact": (lambda desk: desk.cases.link_contact(42, contact_id=99), "/api/v1/cases/42", {"contactid": "99"}),
    "link_contact by UUID": (
        lambda desk: desk.cases.link_contact(42, contact_uuid=SOMEBODY),
        "/api/v1/cases/42",
        {"contactUuid": str(SOMEBODY)},
    ),
    "update": (
        lambda desk: desk.cases.update(42, summary="a", details="b", status="open", company_id=7),
        "/api/v1/cases/42",
        {"summary": "a", "details": "b", "status": "open", "companyid": "7"},
    ),
    "close": (lambda desk: desk.cases.close(42), "/api/v1/cases/42", {"status": "closed"}),
    "reopen": (lambda desk: desk.cases.reopen(42), "/api/v1/cases/42", {"status": "new"}),
    "import_history": (
        lambda desk: desk.cases.import_history(42, [NOTE, EMAIL], skip_infusionsoft=True),
        "/api/v1/cases/42/history",
        {"history": [NOTE_ON_THE_WIRE, EMAIL_ON_THE_WIRE], "skipinfusionsoft": "true"},
    ),
    "import_history to the CRM too": (
        lambda desk: desk.cases.import_history(42, [NOTE]),
        "/api/v1/cases/42/history",
        {"history": [NOTE_ON_THE_WIRE]},
    ),
    "any write": (
        lambda desk: desk.call("POST", "cases/42/snooze", form={"until": "2026-03-01", "loud": False, "n": None}),
        "/api/v1/cases/42/snooze",
        {"until": "2026-03-01"},
    ),
}


class Wire:
    """Answers everything with success and keeps what was asked."""

    def __init__(self):
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        if request.url.path.endswith("permissions"):
            return httpx.Response(200, json=["cases"])
        if request.method == "POST":
            return httpx.Response(200, json={"casenum": "ABCD1234", "caseid": 42})
        return httpx.Response(200, json=[] if request.url.path.endswith("cases") else {"caseid": 42})

    def client(self, auth):
        return FuseDesk("acme", api_key="The/Key+1", auth=auth, transport=httpx.MockTransport(self))


@pytest.mark.parametrize("auth", ["header", "query"])
@pytest.mark.parametrize("name", READS)
async def test_a_read_on_the_wire(name, auth):
    act, path, query = READS[name]
    wire = Wire()
    async with wire.client(auth) as desk:
        await act(desk)
    (request,) = wire.requests
    assert (request.method, request.url.scheme, request.url.host) == ("GET", "https", "acme.fusedesk.com")
    assert request.url.path == path
    sent = dict(parse_qsl(request.url.query.decode(), keep_blank_values=True, strict_parsing=bool(request.url.query)))
    assert sent.pop("apikey", None) == ("The/Key+1" if auth == "query" else None)
    assert sent == query
    assert request.content == b""
    assert key_headers(request) == ([("X-FuseDesk-API-Key", "The/Key+1")] if auth == "header" else [])


@pytest.mark.parametrize("auth", ["header", "query"])
@pytest.mark.parametrize("name", WRITES)
async def test_a_write_on_the_wire(name, auth):
    act, path, form = WRITES[name]
    wire = Wire()
    async with wire.client(auth) as desk:
        await act(desk)
    (request,) = wire.requests
    assert (request.method, request.url.path, request.url.query) == ("POST", path, b"")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["content-length"] == str(len(request.content))
    sent = dict(parse_qsl(request.content.decode(), keep_blank_values=True, strict_parsing=bool(request.content)))
    assert sent.pop("apikey", None) == ("The/Key+1" if auth == "query" else None)
    if "history" in sent:
        sent["history"] = json.loads(sent["history"])
    assert sent == form
    assert key_headers(request) == ([("X-FuseDesk-API-Key", "The/Key+1")] if auth == "header" else [])


def key_headers(request):
    return [(name.decode(), value.decode()) for name, value in request.headers.raw if b"key" in name.lower()]


@pytest.mark.parametrize("auth", ["header", "query"])
async def test_a_deletion_on_the_wire(auth):
    wire = Wire()
    async with wire.client(auth) as desk:
        await desk.call("DELETE", "casetags/7")
    (request,) = wire.requests
    assert (request.method, request.url.path, request.content) == ("DELETE", "/api/v1/casetags/7", b"")
    assert ("apikey" in request.url.params) is (auth == "query")
