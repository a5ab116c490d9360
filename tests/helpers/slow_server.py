"""A server that is slow to open cases, and that changes what it stores; what it does is known exactly."""

import html
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any, Literal
from urllib.parse import parse_qsl

import attrs
import httpx

from fusedesk_async.sandbox import VirtualClock

Dates = Literal["kept", "ignored", "days", "odd"]
STORES: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "trimmed": str.strip,
    "other white space": lambda text: " ".join(text.split()).replace(" ", "\u00a0 "),
    "escaped": html.escape,
    "escaped twice": lambda text: html.escape(html.escape(text)),
    "cut to 60": lambda text: text[:60],
    "cut to 12": lambda text: text[:12],
    "cut to 3": lambda text: text[:3],
    "escaped, cut to 30": lambda text: html.escape(html.escape(text))[:30],
}
DAY = 86_400


@attrs.define
class Stored:
    """A case that is opened at a moment, by the server's clock."""

    due: float
    fields: dict[str, str]
    sender: str
    id: int | None = None


@attrs.define
class SlowServer:
    """Opens cases a while after they were sent, whether or not anybody listens then.

    Attributes:
        clock: The time.
        timeout: Seconds after which the client gives up.
        dates: What becomes of a date of opening that is asked for.
        store: What becomes of a text.
        old: Cases that are there from the start, one opened each day before.
        offset: Hours by which the zone it shows is off UTC; None to show no zone.
        keeps_order: Whether lists come in the order of the ids that was asked for.
        filters: Whether searches by date bring what they should, everything, or nothing.
        ahead: Seconds that its clock is ahead of the client's.
        gives_time: Whether its responses have a Date.
        undated: Ids of cases that it shows without a date.
        durations: Seconds that the next requests take; None if it never carries one out.
    """

    clock: VirtualClock
    timeout: float = 30.0
    dates: Dates = "kept"
    store: Callable[[str], str] = STORES["as it is"]
    old: int = 60
    offset: int | None = 0
    keeps_order: bool = True
    filters: Literal["work", "ignored", "empty"] = "work"
    ahead: float = 0.0
    gives_time: bool = True
    undated: set[int] = attrs.field(factory=set)
    durations: list[float | None] = attrs.field(factory=list)
    cases: list[Stored] = attrs.field(factory=list)
    coming: list[Stored] = attrs.field(factory=list)
    calls: list[str] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        for days in range(self.old, 0, -1):
            fields = {"summary": f"Old {days}", "details": f"text {days}", "openedby": "ann", "depid": "3"}
            self.coming.append(Stored(self.now - days * DAY, fields, "old"))

    @property
    def now(self) -> float:
        """The time by its own clock."""
        return self.clock.time() + self.ahead

    def open(self, seconds: float, sender: str = "other", **fields: str) -> None:
        """Open a case of somebody else some seconds from now."""
        self.coming.append(Stored(self.now + seconds, fields, sender))

    def settle(self) -> None:
        """Open all cases that are due."""
        self.coming.sort(key=lambda each: each.due)
        while self.coming and self.coming[0].due <= self.now:
            stored = self.coming.pop(0)
            stored.id = len(self.cases) + 1
            self.cases.append(stored)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        self.settle()
        self.calls.append(request.method)
        if request.method != "POST":
            return self._response(self._page(dict(request.url.params)))
        fields = dict(parse_qsl((await request.aread()).decode()))
        duration = self.durations.pop(0) if self.durations else 0.0
        stored = Stored(self.now + (duration or 0.0), fields, "client")
        if duration is not None:
            self.coming.append(stored)
        if duration is None or duration >= self.timeout:
            await self.clock.sleep(self.timeout)
            raise httpx.ReadTimeout("too slow")
        await self.clock.sleep(duration)
        self.settle()
        return self._response({"caseid": stored.id, "casenum": f"N{stored.id}"})

    def _response(self, content: Any) -> httpx.Response:
        moment = datetime.fromtimestamp(int(self.now), UTC)
        headers = {"Date": format_datetime(moment, usegmt=True)} if self.gives_time else {}
        return httpx.Response(200, json=content, headers=headers)

    def _page(self, query: dict[str, str]) -> list[dict[str, Any]]:
        rows = [self._record(stored) for stored in self.cases]
        if not self.keeps_order:
            rows.sort(key=lambda row: (row["caseid"] * 7919) % 101)
        elif query.get("orderby") == "caseid desc":
            rows.reverse()
        if "date_opened" in query and self.filters != "ignored":
            days = json.loads(query["date_opened"])
            rows = [row for row in rows if days["after"] < row["date_opened"][:10] < days["before"]]
            rows = rows if self.filters == "work" else []
        start = int(query.get("offset", 0))
        return rows[start : start + int(query["limit"])]

    def _record(self, stored: Stored) -> dict[str, Any]:
        asked = stored.fields.get("date_opened")
        opened = datetime.fromtimestamp(int(stored.due), UTC)
        if asked and self.dates != "ignored":
            opened = datetime.fromisoformat(asked)
            opened = opened if opened.tzinfo else opened.replace(tzinfo=UTC)
        if asked and self.dates == "odd":
            opened = datetime(2001, 2, 3, 4, 5, tzinfo=UTC)
        shown = opened.astimezone(timezone(timedelta(hours=self.offset or 0))).isoformat(sep=" ")
        if self.offset is None:
            shown = opened.strftime("%Y-%m-%d %H:%M:%S")
        if self.dates == "days":
            shown = date.fromisoformat(shown[:10]).isoformat()
        texts = {name: self.store(stored.fields[name]) for name in ("summary", "details", "openedby")}
        return texts | {
            "caseid": stored.id,
            "casenum": f"N{stored.id}",
            "departmentid": int(stored.fields["depid"]),
            "date_opened": "" if stored.id in self.undated else shown,
            "date_updated": shown,
            "status": "new",
        }
