"""An answer to the result or the error it means. One place decides what every odd answer is."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from fusedesk_async import _json
from fusedesk_async._clock import utc
from fusedesk_async._json import JSONText
from fusedesk_async._text import one_line
from fusedesk_async._wire.answer import (
    BAD_REQUEST,
    FORBIDDEN,
    LONGEST_EXPLANATION,
    MULTIPLE_CHOICES,
    NOT_FOUND,
    OK,
    OTHER_ERROR,
    REQUEST_TIMEOUT,
    SAMPLE_LENGTH,
    SERVER_ERROR,
    TOO_EARLY,
    TOO_MANY_REQUESTS,
    UNAUTHORIZED,
    Answer,
)
from fusedesk_async._wire.body import HtmlPage, check_strictly, is_html, is_login_page, json_text
from fusedesk_async._wire.call import Call, Notice
from fusedesk_async._wire.headers import retry_after
from fusedesk_async._wire.scopes import likely_scope, named_scope
from fusedesk_async.errors import (
    APIError,
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    Request,
    RequestRejectedError,
    ServerError,
    UnexpectedResponseError,
)

T = TypeVar("T")


_BY_STATUS: Mapping[int, type[APIError]] = {
    UNAUTHORIZED: AuthenticationError,
    FORBIDDEN: PermissionDeniedError,
    NOT_FOUND: NotFoundError,
    OTHER_ERROR: RequestRejectedError,
    REQUEST_TIMEOUT: ServerError,
    TOO_EARLY: ServerError,
    TOO_MANY_REQUESTS: RateLimitError,
}


_BY_CODE: Mapping[str, type[APIError]] = {"api_error_noscope": PermissionDeniedError}


_LOGIN = r"(?i:login|log-in|signin|sign-in)"


def decode(call: Call[T], answer: Answer, request: Request, notice: Notice, *, strict: bool = False) -> T:
    """The result of a call.

    Args:
        call: What was asked.
        answer: What came back.
        request: The same as `call`, in the form that errors carry.
        notice: Told of noise around the answer and of records that could not be read.
        strict: Also refuse objects that name a member twice, and bytes that are no UTF-8 in members nobody reads.

    Raises:
        APIError: The server said no: by its status, or by an object with a non-empty `error` under any status.
        UnexpectedResponseError: It said something else than the API promises.
    """
    if MULTIPLE_CHOICES <= answer.status < BAD_REQUEST:
        raise _redirection(answer, request)
    if not OK <= answer.status < MULTIPLE_CHOICES:
        raise error_for_status(answer, request)

    def report(error: UnexpectedResponseError) -> UnexpectedResponseError:
        complete = with_request(error, request, answer)
        notice(complete)
        if call.on_notice:
            call.on_notice(complete)
        return complete

    try:
        source = JSONText(json_text(answer, report))
        if strict:
            check_strictly(source.text)
        if source.text.startswith(b"{"):
            _raise_error_object(answer, source, request)
        return call.read(source, report)
    except UnexpectedResponseError as error:
        raise with_request(error, request, answer) from None
    except HtmlPage:
        raise _html_page(answer, request) from None


def with_request(error: UnexpectedResponseError, request: Request, answer: Answer) -> UnexpectedResponseError:
    """The same error with what was asked, a sample of the answer, and no key in it."""
    redact = answer.redact
    whose = redact(error.record_id) if isinstance(error.record_id, str) else error.record_id
    sample = one_line(redact(error.sample))[:SAMPLE_LENGTH] or answer.sample
    return UnexpectedResponseError(
        redact(error.message), request, redact(error.path), whose, sample, redact(error.field)
    )


def error_for_status(answer: Answer, request: Request) -> APIError:
    """The error that an answer other than a success means."""
    members = _members(JSONText(answer.body.removeprefix(b"\xef\xbb\xbf")))
    text, code = _text_and_code(answer, members)
    usual = ServerError if answer.status >= SERVER_ERROR else RequestRejectedError if _error_in(members) else APIError
    kind = _BY_CODE.get(code) if answer.status in {FORBIDDEN, OTHER_ERROR} else None
    seconds = retry_after(answer.headers, answer.received_at)
    moment = None if seconds is None else utc(answer.received_at + seconds)
    kind = kind or _BY_STATUS.get(answer.status) or usual
    return _made(kind, text, request, answer.status, code, seconds, moment)


def _raise_error_object(answer: Answer, source: JSONText, request: Request) -> None:
    members = _members(source)
    if _error_in(members):
        message, code = _text_and_code(answer, members)
        raise _made(_BY_CODE.get(code, RequestRejectedError), message, request, answer.status, code)


def _made(
    kind: type[APIError],
    text: str,
    request: Request,
    status: int,
    code: str,
    seconds: float | None = None,
    moment: datetime | None = None,
) -> APIError:
    if not issubclass(kind, PermissionDeniedError):
        return kind(text, request, status, code, seconds, moment)
    scope = named_scope(text) or likely_scope(request.method, request.path)
    return kind(text, request, status, code, seconds, moment, scope)


def _html_page(answer: Answer, request: Request) -> APIError | UnexpectedResponseError:
    if is_login_page(answer.body):
        message = "a login page came where JSON was due"
        return AuthenticationError(message, request, answer.status)
    message = "an HTML page came where JSON was due: an error of the server, or a proxy on the way"
    return with_request(UnexpectedResponseError(message), request, answer)


def _redirection(answer: Answer, request: Request) -> APIError | UnexpectedResponseError:
    target = answer.headers.get("location", "")
    if re.search(_LOGIN, target) or (is_html(answer.body) and "/api/" not in target):
        message = "the server sent us to another page, probably its login; redirects are not followed"
        return AuthenticationError(message, request, answer.status)
    target = answer.redact(target[:LONGEST_EXPLANATION])[:SAMPLE_LENGTH]
    message = f"status {answer.status}, a redirect to {target!r}; redirects are not followed, check the address"
    return UnexpectedResponseError(message, request)


def _text_and_code(answer: Answer, members: Mapping[str, Any]) -> tuple[str, str]:
    """What the server says, from the body, else from the headers, else the start of the raw text."""
    code = members.get("errorcode") or answer.headers.get("x-fusedesk-error-code") or ""
    text = _error_in(members) or answer.headers.get("x-fusedesk-error") or answer.sample or "no reason given"
    return one_line(answer.redact(text[:LONGEST_EXPLANATION])), one_line(answer.redact(str(code)[:SAMPLE_LENGTH]))


def _error_in(members: Mapping[str, Any]) -> str:
    error = members.get("error")
    return error if isinstance(error, str) else ""


def _members(source: JSONText) -> Mapping[str, Any]:
    try:
        value = source.value
    except ValueError:
        return {}
    return value if _json.is_object(value) else {}
