"""One case of our own, for what only writes can tell: it is opened, written to, looked at, and closed at the end."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import anyio
import attrs

from fusedesk_async._client import SendOnce
from fusedesk_async._clock import utc
from fusedesk_async._wire.call import Call
from fusedesk_async._wire.encode import encode
from fusedesk_async._wire.readers import anything
from fusedesk_async.diagnosis._asker import Asker
from fusedesk_async.diagnosis._history import case_of
from fusedesk_async.diagnosis._plan import FEW_ROWS, request
from fusedesk_async.diagnosis._seen import Seen
from fusedesk_async.diagnosis._shapes import row_id

MOST_WRITES = 14
"""Calls about the case at the most, closing it included."""
BACKDATED = timedelta(days=3)
CLOSING_TAKES = 90.0
"""Seconds that are given to closing the case, even if everything else was cancelled."""
SUMMARY = "Test by fusedesk doctor, closed at once"
DETAILS = f'  <b>A test</b> & "nothing" else: ä € 😀. {"It may be deleted. " * 20}  '
"""Blanks around it, marks of HTML, letters of several bytes, and longer than what a short column holds."""

WRITES: Mapping[str, str] = {
    "create": "open one case",
    "look": "look for it, if the response does not tell its id",
    "look_again": "look for it once more",
    "created": "the case",
    "note": "add a note",
    "noted": "the case with the note",
    "tag": "put a tag on it",
    "tag_again": "put the same tag on it again",
    "close": "close it",
    "reopen": "reopen it",
    "transfer": "transfer it to the department that it is in",
    "close_at_last": "close it",
    "close_again": "close it once more, if that failed",
}
"""What is done with the case, in this order."""


@attrs.define(eq=False, repr=False)
class ScratchCase:
    """The case.

    Attributes:
        asker: Makes the calls.
        closing: What sends the request that closes it, even when few calls are left.
        department: The id of the department that it is opened in.
        id: The id of the case, once it is known.
        may_be_open: Whether it was opened, or may have been, and was not closed.
        opened_at: The date that it is opened at.
        summary: Its summary, which no other case has.
    """

    asker: Asker
    closing: SendOnce
    department: int
    id: int | None = None
    may_be_open: bool = False
    opened_at: datetime = attrs.field(
        default=attrs.Factory(lambda case: utc(case.asker.clock.time()).replace(microsecond=0), takes_self=True)
    )
    summary: str = attrs.field(factory=lambda: f"{SUMMARY} ({uuid4().hex[:12]})")

    async def use(self) -> None:
        """Open it, write to it, and close it, whatever happens in between."""
        try:
            if await self._open():
                await self._write()
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(CLOSING_TAKES):
                await self._close()

    async def _open(self) -> bool:
        """Whether it was opened and its id is known."""
        self.may_be_open = True
        self.opened_at = (self.opened_at - BACKDATED).astimezone(UTC)
        created = await self._post("create", "", self._fields)
        if created.kind == "not asked" or created.is_refusal or created.kind == "denied":
            self.may_be_open = False
            return False
        case = case_of(created)
        self.id = None if case is None else row_id(case)
        for name in ("look", "look_again"):
            if self.id is None:
                await self._look(name)
        return self.id is not None

    @property
    def _fields(self) -> dict[str, Any]:
        return {
            "depid": self.department,
            "summary": self.summary,
            "details": DETAILS,
            "openedby": "fusedesk doctor",
            "date_opened": self.opened_at,
            "skipinfusionsoft": True,
        }

    async def _look(self, name: str) -> None:
        """Find it by its summary, among the newest cases of the department or those that changed last."""
        newest = {"orderby": "caseid desc"} if name == "look" else {}
        query = {"depid": self.department, "limit": FEW_ROWS} | newest
        page = await self.asker.ask(name, _call("GET", "v1/cases"), request("v1/cases", query))
        ours = [row for row in page.rows or [] if row.get("summary") == self.summary]
        self.id = row_id(ours[0]) if ours else None

    async def _write(self) -> None:
        await self._get("created")
        await self._post("note", "/addnote", {"title": SUMMARY, "type": "note", "note": "A note."})
        await self._get("noted")
        tag = next((found for row in self.asker.answers["case_tags"].rows or [] if (found := row_id(row))), None)
        for name in ("tag", "tag_again"):
            if tag is not None:
                await self._post(name, f"/tag/{tag}", {}, shown="/tag/{tag}")
        await self._post("close", "", {"status": "closed"})
        await self._post("reopen", "", {"status": "open"})
        await self._post("transfer", "", {"depid": self.department})

    async def _close(self) -> None:
        """Close it, in two attempts."""
        if self.id is None:
            return
        self.asker.send = self.closing
        self.asker.be_persistent(2)
        for name in ("close_at_last", "close_again"):
            if self.may_be_open:
                closed = await self._post(name, "", {"status": "closed"})
                self.may_be_open = closed.kind != "value"

    async def _get(self, name: str) -> None:
        await self.asker.ask(name, _call("GET", "v1/cases/{case}"), request(f"v1/cases/{self.id}"))

    async def _post(self, name: str, below: str, form: Mapping[str, Any], *, shown: str | None = None) -> Seen:
        """A write about the case, which is sent once; the first one opens it."""
        path, template = ("v1/cases", "v1/cases") if self.id is None else (f"v1/cases/{self.id}", "v1/cases/{case}")
        parts = encode(Call(method="POST", path=f"{path}{below}", read=anything, form=form))
        return await self.asker.ask(name, _call("POST", f"{template}{below if shown is None else shown}"), parts)

    def unclosed(self) -> tuple[int | None, str | None]:
        """The id of the case if it is still open, or its summary if its id is not known."""
        if not self.may_be_open:
            return None, None
        return self.id, self.summary if self.id is None else None


def _call(method: Any, path: str) -> Call[Any]:
    return Call(method=method, path=path, read=anything, bulk=True)
