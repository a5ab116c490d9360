"""What goes wrong, by script: which call of which operation, and what happens to its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from ._refusals import Refused, bad_key, no_scope, not_found, over_limit, refuse

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """What goes back.

    Args:
        status: of the answer.
        body: the whole body, whose length is the Content-Length.
        headers: besides the usual ones.
        kept: bytes of the body that are really sent; None: all.
        delay: seconds before it is sent.
        drop: send nothing and close the connection.
    """

    status: int = 200
    body: bytes = b""
    headers: Headers = field(default_factory=list[tuple[str, str]])
    kept: int | None = None
    delay: float = 0.0
    drop: bool = False


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong with one call.

    With `status`, `body` or `drop` the fault stands in for the answer, and the call is not carried out unless `after`
    is set. Without them the call is carried out and the fault changes its answer.

    Args:
        status: of the answer; alone it brings the usual body and headers of such an error.
        headers: added to the answer.
        body: bytes or text as they are, anything else as JSON.
        retry_after: the text of a Retry-After header, sense or nonsense.
        prefix: noise in front of the body, such as a PHP warning.
        truncate: bytes of the body that are sent, while Content-Length gives the whole.
        delay: seconds before the answer.
        after: carry the call out first: a write whose answer is lost.
        drop: close the connection without an answer.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Any = None
    retry_after: str | None = None
    prefix: str | bytes = b""
    truncate: int | None = None
    delay: float = 0.0
    after: bool = False
    drop: bool = False

    @property
    def carried_out(self) -> bool:
        """Whether the call happens."""
        return self.after or (self.status is None and self.body is None and not self.drop)

    def spoil(self, answer: Answer) -> Answer:
        """The answer that goes back in place of this one."""
        if self.status is not None:
            answer = plain_answer(self.status)
        body = answer.body if self.body is None else _bytes(self.body)
        headers = [*answer.headers, *self.headers.items()]
        if self.retry_after is not None:
            headers.append(("Retry-After", self.retry_after))
        return replace(
            answer,
            headers=headers,
            body=_bytes(self.prefix) + body,
            kept=self.truncate,
            delay=self.delay,
            drop=self.drop,
        )


@dataclass
class _ScriptedFault:
    operation: str
    first: int
    last: int
    fault: Fault
    seen: int = 0
    happened: bool = False

    def __str__(self) -> str:
        """`search, call 3 (1 came)`."""
        return f"{self.operation}, call {self.first} ({self.seen} came)"


class Script:
    """The faults to come."""

    def __init__(self) -> None:
        self._scripted: list[_ScriptedFault] = []
        self._added: list[_ScriptedFault] = []

    def add(self, operation: str, nth: int, times: int, fault: Fault) -> None:
        """From the nth call of the operation on, counted from now, for `times` calls."""
        scripted = _ScriptedFault(operation, nth, nth + times - 1, fault)
        self._scripted.append(scripted)
        self._added.append(scripted)

    @property
    def unused(self) -> list[str]:
        """What never happened."""
        return [str(scripted) for scripted in self._added if not scripted.happened]

    def clear(self) -> None:
        """Let no more faults happen, and report none."""
        self._scripted.clear()
        self._added.clear()

    def next(self, operation: str) -> Fault | None:
        """The fault of this call; where two meet, the one that was added first."""
        due: list[_ScriptedFault] = []
        for scripted in self._scripted:
            if scripted.operation in {"any", operation}:
                scripted.seen += 1
                if scripted.seen >= scripted.first:
                    due.append(scripted)
        self._scripted = [scripted for scripted in self._scripted if scripted.seen < scripted.last]
        if not due:
            return None
        due[0].happened = True
        return due[0].fault


def refusal(refused: Refused) -> Answer:
    """An error as FuseDesk reports it: object in the body (WP54, C#) and two headers (PM)."""
    body = orjson.dumps({"error": refused.text, "errorcode": refused.code})
    text = "".join(letter if " " <= letter <= "~" else "?" for letter in refused.text)
    return Answer(refused.status, body, [("X-FuseDesk-Error-Code", refused.code), ("X-FuseDesk-Error", text)])


def plain_answer(status: int) -> Answer:
    """What usually comes with a status: FuseDesk's error object, or a gateway's page from 500 on."""
    usual = {
        401: bad_key(),
        403: no_scope(),
        404: not_found("Case"),
        429: over_limit(),
    }
    if status >= 500:  # noqa: PLR2004 - the statuses of servers in trouble
        return Answer(status, f"<html><body><h1>{status} Server Error</h1></body></html>".encode())
    if status >= 400:  # noqa: PLR2004 - the statuses of refusals
        refused = usual.get(status, refuse("The call could not be completed"))
        return refusal(Refused(status, refused.code, refused.text))
    return Answer(status)


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else orjson.dumps(value)
