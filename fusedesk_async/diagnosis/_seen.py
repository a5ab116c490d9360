"""What came of the calls of a diagnosis."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import attrs

from fusedesk_async._wire.answer import (
    BAD_REQUEST,
    FORBIDDEN,
    MULTIPLE_CHOICES,
    NOT_FOUND,
    REQUEST_TIMEOUT,
    SERVER_ERROR,
    TOO_EARLY,
    TOO_MANY_REQUESTS,
    UNAUTHORIZED,
    Answer,
)
from fusedesk_async._wire.call import Call
from fusedesk_async._wire.decode import decode
from fusedesk_async.diagnosis._shapes import Row, rows_of
from fusedesk_async.errors import APIError, AuthenticationError, Request, UnexpectedResponseError

Kind: TypeAlias = Literal["value", "refused", "404", "denied", "failed", "redirect", "odd", "lost", "not asked"]

_FAILED = {REQUEST_TIMEOUT, TOO_EARLY, TOO_MANY_REQUESTS}


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Seen:
    """What came of one call.

    Attributes:
        kind: A `value`; a refusal of what was asked (`refused`, `404`) or of the key (`denied`); `failed` for errors
            that say nothing of the question; a `redirect`; `odd` for what is no JSON; no response (`lost`); or it was
            `not asked`.
        problem: What is to be said of it, if it is no value.
        value: The JSON that came.
        answer: The response.
        seconds: How long it took.
        is_unsent: Whether it certainly never left.
    """

    kind: Kind
    problem: str = ""
    value: Any = None
    answer: Answer | None = None
    seconds: float = 0.0
    is_unsent: bool = False

    @property
    def rows(self) -> list[Row] | None:
        """The records of a list, none if the list is empty in any of PHP's ways; None if it is no list."""
        if self.kind != "value":
            return None
        is_nothing = self.value is None or self.value is False or self.value == ""
        return [] if is_nothing else rows_of(self.value)

    @property
    def is_refusal(self) -> bool:
        """Whether the server said no to what was asked."""
        return self.kind in {"refused", "404"}


def not_asked(why: str) -> Seen:
    """A call that was not made."""
    return Seen(kind="not asked", problem=f"not asked: {why}")


def seen(call: Call[Any], answer: Answer, seconds: float) -> Seen:
    """What a response says. It takes any response."""
    request = Request(call.method, call.path, 1)
    try:
        value = decode(call, answer, request, lambda _: None)
    except AuthenticationError:
        return Seen(kind="denied", problem=f"status {answer.status}, a login", answer=answer, seconds=seconds)
    except APIError:
        kind, problem = _refusal(answer.status)
        return Seen(kind=kind, problem=problem, answer=answer, seconds=seconds)
    except UnexpectedResponseError:
        if MULTIPLE_CHOICES <= answer.status < BAD_REQUEST:
            return Seen(kind="redirect", problem=f"status {answer.status}, a redirect", answer=answer, seconds=seconds)
        return Seen(kind="odd", problem=f"status {answer.status} with what is no JSON", answer=answer, seconds=seconds)
    return Seen(kind="value", value=value, answer=answer, seconds=seconds)


def _refusal(status: int) -> tuple[Kind, str]:
    if status < MULTIPLE_CHOICES:
        return "refused", f"status {status} with an error in its body"
    if status == NOT_FOUND:
        return "404", "status 404"
    if status in {UNAUTHORIZED, FORBIDDEN}:
        return "denied", f"status {status}"
    return ("failed" if status in _FAILED or status >= SERVER_ERROR else "refused"), f"status {status}"


@attrs.define(eq=False, repr=False)
class Answers:
    """All that has been seen, by the names of the calls.

    Attributes:
        by_call: What came of each call, in the order they were made.
        refused_by_quota: The responses with status 429.
    """

    by_call: dict[str, Seen] = attrs.field(factory=dict[str, Seen])
    refused_by_quota: list[Answer] = attrs.field(factory=list[Answer])

    def __getitem__(self, call: str) -> Seen:
        return self.by_call.get(call) or not_asked("it was not part of the plan")

    @property
    def responses(self) -> list[Answer]:
        """All responses that came, in their order."""
        return [each.answer for each in self.by_call.values() if each.answer is not None]

    @property
    def cases(self) -> list[Row]:
        """The cases of all lists, each row as it came."""
        pages = ("default", "ascending", "bare", "descending")
        return [row for page in pages for row in self[page].rows or []]

    @property
    def headers(self) -> list[Mapping[str, str]]:
        """The headers of all responses, in their order."""
        return [answer.headers for answer in self.responses]
