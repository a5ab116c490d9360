"""Everything that can go wrong, in one tree.

FuseDeskError
 ├ ConfigurationError        refused before anything was sent: a bad app name, a missing key, a value of the wrong kind
 │   └ NameLookupError         a name that nothing has, or several have
 ├ APIError                  the server answered no
 │   ├ AuthenticationError     401, or a login page where JSON was due
 │   ├ PermissionDeniedError   403: the key is good, a permission (a scope) is missing
 │   ├ NotFoundError           404
 │   ├ RequestRejectedError    405, FuseDesk's word for "other error", and an error object under any other status
 │   ├ RateLimitError          429, or a wait that the caller did not want
 │   └ ServerError             5xx, 408 and 425
 ├ TransportError
 │   ├ NotSentError            could not connect: nothing happened, safe to send again
 │   ├ AnswerLostError         sent, but no trustworthy answer came back
 │   └ OutcomeUnknownError     the same for a write: it may have happened
 ├ UnexpectedResponseError   not JSON, the wrong shape, too large
 ├ PaginationError           the server ignores the offset, or the order cannot be trusted
 ├ CannotTellError           whether a write was carried out cannot be found out
 └ ExportError               an output or a checkpoint that cannot be used

Errors hold plain values and pass all of them to `args`, so they pickle, copy and travel between processes.
None of them holds a live request, a response or the API key.
"""

import warnings
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal, TypeAlias

import attrs

from fusedesk_async._exports import public
from fusedesk_async._text import one_line


@public
@attrs.frozen
class Request:
    """What was asked, in a form that is safe to print.

    Attributes:
        method: `GET`, `POST` or `DELETE`.
        path: The path below the API's root, without the query.
        attempts: How often it was sent; 0 if it never was.
    """

    method: str
    path: str
    attempts: int = 1

    def __str__(self) -> str:
        """`GET v1/cases, tried 3 times`."""
        times = {0: "not sent", 1: "tried once"}.get(self.attempts, f"tried {self.attempts} times")
        return f"{self.method} {self.path}, {times}"


@public
class FuseDeskError(Exception):
    """The root of every failure. Its text is one line: what happened, what was asked, and what to do about it.

    Attributes:
        message: What happened.
        request: What was asked; None if no request was involved.
        completed: For a call that is made of several requests, how many of its elements were already processed.
    """

    advice: ClassVar[str] = ""
    completed: int | None = None

    def __init__(self, message: str, request: Request | None = None, *details: object) -> None:
        super().__init__(message, request, *details)
        self.message = message
        self.request = request

    def __str__(self) -> str:
        asked = f" [{self.request}]" if self.request else ""
        processed = "" if self.completed is None else f"; {self.completed} were already processed"
        advice = f". {self.advice}" if self.advice else ""
        return one_line(f"{self.message}{self._details()}{asked}{processed}{advice}")

    def _details(self) -> str:
        """What a subclass adds to the message."""
        return ""


@public
class FuseDeskWarning(UserWarning):
    """Something was odd but could be dealt with: noise around an answer, a record that could not be read."""


def warn(message: str) -> None:
    """Tell the user of the library about something odd that was dealt with."""
    warnings.warn(message, FuseDeskWarning, stacklevel=2)


ExportTrouble: TypeAlias = Literal["output", "exists", "checkpoint", "locked", "closed", "empty"]


@public
class ConfigurationError(FuseDeskError, ValueError):
    """Refused before anything was sent: a setting or an argument that cannot be right."""


@public
class NameLookupError(ConfigurationError, LookupError):
    """Nothing has this name, or several have it.

    Attributes:
        kind: `department`, `rep` or `tag`.
        name: The name.
        near: What may have been meant, as shown to people: similar names, or all that have this one.
    """

    def __init__(
        self, message: str, request: Request | None = None, kind: str = "", name: str = "", near: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, request, kind, name, near)
        self.kind = kind
        self.name = name
        self.near = near


@public
class APIError(FuseDeskError):
    """The server answered, and the answer was no.

    Attributes:
        status: The HTTP status; None if it was raised without a request, by the limiter or a check.
        code: FuseDesk's error code, such as `api_error_noscope`; empty if it gave none.
        retry_after: Seconds to wait before it makes sense to ask again, if known.
        retry_at: The same as a moment in UTC.
    """

    def __init__(
        self,
        message: str,
        request: Request | None = None,
        status: int | None = None,
        code: str = "",
        retry_after: float | None = None,
        retry_at: datetime | None = None,
    ) -> None:
        super().__init__(message, request, status, code, retry_after, retry_at)
        self.status = status
        self.code = code
        self.retry_after = retry_after
        self.retry_at = retry_at

    def _details(self) -> str:
        what = ", ".join(str(part) for part in (self.status, self.code) if part)
        return f" ({what})" if what else ""


@public
class AuthenticationError(APIError):
    """The key is missing or wrong, or a login page answered in place of the API."""

    advice = "Check the app name and the API key (in FuseDesk: Settings, API Keys)"


@public
class PermissionDeniedError(APIError):
    """The key is good but lacks a permission.

    Attributes:
        scope: The scope that is most likely missing. If the server names one, it is that; else it is inferred from the
            call, since which call needs which is not documented: reads of cases `cases`, opening one `cases_create`,
            all other writes to cases `cases_update`, and reads of departments, reps and integrations the scope of
            that name. None if the name is not public, as for all other calls, and where `missing` has several.
        missing: All scopes that a `check` found missing; empty if the server refused a call.
    """

    advice = "Give the key that permission in FuseDesk: Settings, API Keys"

    def __init__(
        self,
        message: str,
        request: Request | None = None,
        status: int | None = None,
        code: str = "",
        retry_after: float | None = None,
        retry_at: datetime | None = None,
        scope: str | None = None,
        missing: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, request, status, code, retry_after, retry_at)
        self.args: tuple[Any, ...] = (*self.args, scope, missing)
        self.scope = scope
        self.missing = missing

    def _details(self) -> str:
        if self.missing:
            return super()._details()
        if self.scope is None:
            return f"{super()._details()}; the name of the scope that this call needs is not public"
        return f"{super()._details()}; the key most likely lacks the scope {self.scope}"


@public
class NotFoundError(APIError):
    """There is no such object, or no such call."""

    advice = "Check the id; it may have been deleted"


@public
class RequestRejectedError(APIError):
    """FuseDesk refused the request for a reason of its own; it says 405 for all of these."""

    advice = "The same request will be refused again: change what the message names"


@public
class RateLimitError(APIError):
    """The hourly allowance is used up, and waiting for it was not wanted or would take too long."""

    advice = "Ask again at `retry_at`, raise `patience`, or use priority='bulk' to wait as long as it takes"


@public
class ServerError(APIError):
    """The server failed (5xx), or it or a balancer before it wants the request again later (408, 425)."""

    advice = "Ask again later"


@public
class TransportError(FuseDeskError):
    """The request or its answer got lost on the way."""


@public
class NotSentError(TransportError):
    """Could not connect, so nothing happened on the server. Safe to send again.

    Attributes:
        permanent: True if trying again cannot help, as with a certificate that does not fit.
    """

    advice = "Nothing happened on the server; check the address and the network"

    def __init__(self, message: str, request: Request | None = None, permanent: bool = False) -> None:  # noqa: FBT001, FBT002 - `args` are positional
        super().__init__(message, request, permanent)
        self.permanent = permanent


@public
class AnswerLostError(TransportError):
    """The request went out, and no trustworthy answer came back.

    Attributes:
        stale: True if a connection kept from earlier turned out to be closed, before one byte of an answer came.
    """

    def __init__(self, message: str, request: Request | None = None, stale: bool = False) -> None:  # noqa: FBT001, FBT002 - `args` are positional
        super().__init__(message, request, stale)
        self.stale = stale


@public
class OutcomeUnknownError(TransportError):
    """A write went out and its answer did not come back whole: it may have happened. It is not sent again by itself.

    If it was to open a case, `desk.cases.find_created` looks whether it did.

    Attributes:
        fields: What was asked for: the fields of the form, under the API's names and as the texts that went out. The
            API key is not among them.
        sent_at: When it left, by this machine's clock, in UTC; the last time, if it was sent several times.
        lost_at: When its answer was given up, in the same form.
    """

    advice = "Look whether it happened before you send it again"

    def __init__(
        self,
        message: str,
        request: Request | None = None,
        fields: Mapping[str, str] | None = None,
        sent_at: datetime | None = None,
        lost_at: datetime | None = None,
    ) -> None:
        super().__init__(message, request, fields, sent_at, lost_at)
        self.fields: dict[str, str] = dict(fields or {})
        self.sent_at = sent_at
        self.lost_at = lost_at

    def _details(self) -> str:
        """Numbers as they are, of texts only the names, as they may be about people."""
        asked = (f"{name}={text}" if text.isdecimal() else name for name, text in self.fields.items())
        return f" (asked for {', '.join(asked)})" if self.fields else ""


@public
class CannotTellError(FuseDeskError):
    """Whether a write was carried out cannot be found out. Nothing was changed, and nothing is guessed.

    Attributes:
        candidates: Ids of the cases that it may have opened.
    """

    advice = "Look at these cases yourself, and send it again only if none of them is the one"

    def __init__(self, message: str, request: Request | None = None, candidates: tuple[int, ...] = ()) -> None:
        super().__init__(message, request, candidates)
        self.candidates = candidates

    def _details(self) -> str:
        return f" (case ids {', '.join(map(str, self.candidates))})" if self.candidates else ""


@public
class UnexpectedResponseError(FuseDeskError):
    """An answer that is not what the API promises: not JSON, the wrong shape, too large.

    Attributes:
        path: Where in the answer the trouble is, such as `$[3].caseid`; empty if it is the whole.
        record_id: The id of the record in question, if it has one.
        sample: The first characters of the answer, or of the field in question, with the key removed.
        field: The name of the field that could not be read, if only that is the trouble: it is empty, and the record is
            there.
    """

    advice = "Check that the address is FuseDesk's; if it is, report this to the authors of fusedesk_async"

    def __init__(
        self,
        message: str,
        request: Request | None = None,
        path: str = "",
        record_id: int | str | None = None,
        sample: str = "",
        field: str = "",
    ) -> None:
        super().__init__(message, request, path, record_id, sample, field)
        self.path = path
        self.record_id = record_id
        self.sample = sample
        self.field = field

    def _details(self) -> str:
        where = f" at {self.path}" if self.path else ""
        whose = f" of record {self.record_id}" if self.record_id is not None else ""
        begins = f"; it begins {self.sample!r}" if self.sample else ""
        return f"{where}{whose}{begins}"


@public
class PaginationError(FuseDeskError):
    """The pages of a list cannot be put together: the server ignores the offset, or nothing new comes any more."""

    advice = "Resume from the bookmark or ask again later: rows may have moved all the time; other filters may help"


@public
class ExportError(FuseDeskError):
    """An export or an import cannot continue because of its files. What was made durable before stays as it is.

    Attributes:
        reason: `output`: a file cannot be read or written. `exists`: it is there already. `checkpoint`: the checkpoint
            or journal is another job's, of a newer version, or corrupt. `locked`: another process is at it.
            `closed`: the reader closed the pipe. `empty`: no case came although there should be some, so what was
            there before was left as it is.
    """

    def __init__(self, message: str, request: Request | None = None, reason: ExportTrouble = "output") -> None:
        super().__init__(message, request, reason)
        self.reason: ExportTrouble = reason
