"""A server with a canary in everything that it says, whatever it is asked."""

import json
from typing import Any

import httpx

KEY = "cAnArYkey0123456789"
APP = "canaryapp"
TEXT = "cAnArY Ltd, 7 jo@canary.example"
NUMBER = 987_654_321
DATES = ("2031-03-07T11:22:33+05:45", "2031-03-08T12:23:34+05:45", "2031-03-09T13:24:35+05:45")
CANARIES = ("canary", "987654321", "98765", "2031", "11:22", "12:23", "13:24")
"""What must not occur in what is told, in lower case."""

_NUMBERS = ("caseid", "id", "contactid", "companyid", "repid", "departmentid", "userId", "crmId", "defaultDepartmentId")
_TEXTS = ("casenum", "casenumber", "contactUuid", "summary", "details", "openedby", "status", "feedback", "rating")
_MORE = ("name", "tagname", "firstName", "emailAddress", "phone1", "subject", "body", "from", "to", "url", "platform")
_DATES = ("date_opened", "date_updated", "date_closed", "date_added", "date_sent", "dateCreated", "dateArchived")


def record(number: int, *, depth: int = 2) -> dict[str, Any]:
    """A record that could be of any kind, with a canary in each member, and in names that are no names."""
    found: dict[str, Any] = dict.fromkeys(_NUMBERS, NUMBER + number)
    found |= dict.fromkeys((*_TEXTS, *_MORE), f"{TEXT} {number}")
    found |= dict.fromkeys(_DATES, DATES[number % 3])
    found |= {"casenum": f"cAnArY{number}", "type": "note", "tags": [NUMBER], "custom": {TEXT: TEXT}, "colour": TEXT}
    found |= {TEXT: TEXT, "cAnArY7": 1, "jo@canary": TEXT, "cAnArY" * 20: TEXT, str(NUMBER): NUMBER}
    if depth:
        found |= {name: [record(number, depth=depth - 1)] for name in ("history", "emails", f"cAnArY {number}")}
    return found


HEADERS = dict.fromkeys(
    (
        "Content-Type",
        "Date",
        "Location",
        "Retry-After",
        "Server",
        "X-FuseDesk-Error",
        "X-FuseDesk-Error-Code",
        "X-FuseDesk-Usage-Limit",
        "X-FuseDesk-Usage-Remaining",
    ),
    TEXT,
) | {"X-Usage-cAnArY7": "17", "X-RateLimit-9": "5"}

BODIES: dict[str, tuple[int, Any]] = {
    "records": (200, [record(number) for number in range(5)]),
    "one record": (200, record(1)),
    "records by name": (200, {TEXT: record(1), str(NUMBER): record(2)}),
    "records by plain name": (200, {"Canary": record(1), "cAnArY": record(2)}),
    "texts": (200, [TEXT, TEXT]),
    "text": (200, TEXT),
    "error in a success": (200, {"error": TEXT, "errorcode": TEXT}),
    "refusals": (405, {"error": TEXT, "errorcode": TEXT}),
    "denials": (403, {"error": f"scope: canary {TEXT}", "errorcode": "api_error_noscope"}),
    "not found": (404, {"error": TEXT}),
    "failures": (500, f"<html><title>{TEXT}</title>{TEXT}"),
    "redirects": (302, TEXT),
    "too many": (429, {"error": TEXT}),
    "HTML": (200, f"<html><title>{TEXT}</title>{TEXT}"),
    "no JSON": (200, f"[{TEXT}"),
}


class CanaryServer(httpx.MockTransport):
    """Says the same to nearly all requests."""

    def __init__(self, kind: str) -> None:
        super().__init__(self._respond)
        self.kind = kind

    def respond(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """The response; of a list of records, one, if it is asked for by its id."""
        by_id = self.kind == "records" and path.rpartition("/")[2].isdecimal()
        status, body = BODIES["one record" if by_id else self.kind]
        is_html = isinstance(body, str) and self.kind != "text"
        content = body.encode() if is_html else json.dumps(body).encode()
        return status, HEADERS, content

    def _respond(self, request: httpx.Request) -> httpx.Response:
        status, headers, content = self.respond(request.url.path)
        return httpx.Response(status, headers=headers, content=content, extensions={"http_version": b"cAnArY/1.1"})
