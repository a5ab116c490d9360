"""An answer to the result or the error it means. One place decides what every odd answer is."""

import codecs
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import attrs

from fusedesk_async import _json
from fusedesk_async._call import Call, Notice, Report
from fusedesk_async._hints import retry_after
from fusedesk_async._scopes import likely_scope, named_scope
from fusedesk_async._words import one_line
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

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SAMPLE = 200
"""Characters of an odd answer that an error shows."""
LONGEST_TEXT = 1_000
"""Characters of the server's own explanation that an error shows."""
MOST_STARTS = 100
"""How many places are tried as the start of JSON behind noise."""

OK, MULTIPLE_CHOICES, BAD_REQUEST = 200, 300, 400
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, OTHER_ERROR, TOO_MANY_REQUESTS, SERVER_ERROR = 401, 403, 404, 405, 429, 500

_BY_STATUS: Mapping[int, type[APIError]] = {
    UNAUTHORIZED: AuthenticationError,
    FORBIDDEN: PermissionDeniedError,
    NOT_FOUND: NotFoundError,
    OTHER_ERROR: RequestRejectedError,
    TOO_MANY_REQUESTS: RateLimitError,
}
_BY_CODE: Mapping[str, type[APIError]] = {"api_error_noscope": PermissionDeniedError}
_NOISE = rb"(?i:<|(PHP )?(Warning|Notice|Deprecated)\b)"
_START = rb"[\[{]"
_SURE_START = rb"\{\s*\"|\[\s*[{\"]"
_LOGIN = r"(?i:login|log-in|signin|sign-in)"
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
"""Codecs of Python's own that are no character sets."""
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


@attrs.frozen(eq=False)
class Answer:
    """What came back.

    Attributes:
        status: The HTTP status.
        headers: Names in lower case; a header that came several times has its values joined by a comma.
        body: The whole body, decompressed.
        received_at: When it came, in seconds since 1970.
        redact: Takes the key out of any of these before it gets into an error.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
    received_at: float = 0.0
    redact: Callable[[str], str] = attrs.field(default=str, repr=False, eq=False)

    @property
    def sample(self) -> str:
        """The start of the body in one line; of an HTML page its title."""
        text = self.redact(self.body[:LONGEST_TEXT].decode(errors="replace"))
        title = re.search(r"<title[^>]*>([^<]*)", text, re.IGNORECASE)
        return one_line(f"HTML page {title[1].strip()!r}" if title else text)[:SAMPLE]


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
        raise refusal(answer, request)

    def report(error: UnexpectedResponseError) -> UnexpectedResponseError:
        complete = with_request(error, request, answer)
        notice(complete)
        if call.heard:
            call.heard(complete)
        return complete

    try:
        text = _json_text(answer, report)
        if strict:
            _check_strictly(text)
        if text.startswith(b"{"):
            _raise_error_object(answer, text, request)
        return call.read(text, report)
    except UnexpectedResponseError as error:
        raise with_request(error, request, answer) from None
    except _LoginPage:
        message = "an HTML page came where JSON was due: a login or proxy page probably answered"
        raise AuthenticationError(message, request, answer.status) from None


def with_request(error: UnexpectedResponseError, request: Request, answer: Answer) -> UnexpectedResponseError:
    """The same error with what was asked, a sample of the answer, and no key in it."""
    redact = answer.redact
    whose = redact(error.record_id) if isinstance(error.record_id, str) else error.record_id
    sample = redact(error.sample) or answer.sample
    return UnexpectedResponseError(redact(error.message), request, redact(error.path), whose, sample)


def refusal(answer: Answer, request: Request) -> APIError:
    """The error that an answer other than a success means."""
    members = _members(answer.body)
    text, code = _text_and_code(answer, members)
    usual = ServerError if answer.status >= SERVER_ERROR else RequestRejectedError if _error_in(members) else APIError
    kind = _BY_CODE.get(code) if answer.status in {FORBIDDEN, OTHER_ERROR} else None
    seconds = retry_after(answer.headers, answer.received_at)
    moment = None if seconds is None else EPOCH + timedelta(seconds=answer.received_at + seconds)
    kind = kind or _BY_STATUS.get(answer.status) or usual
    return _made(kind, text, request, answer.status, code, seconds, moment)


def _raise_error_object(answer: Answer, text: bytes, request: Request) -> None:
    members = _members(text)
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


def _redirection(answer: Answer, request: Request) -> APIError | UnexpectedResponseError:
    target = answer.headers.get("location", "")
    if re.search(_LOGIN, target) or (_is_html(answer.body) and "/api/" not in target):
        message = "the server sent us to another page, probably its login; redirects are not followed"
        return AuthenticationError(message, request, answer.status)
    target = answer.redact(target[:LONGEST_TEXT])[:SAMPLE]
    message = f"status {answer.status}, a redirect to {target!r}; redirects are not followed, check the address"
    return UnexpectedResponseError(message, request)


def _text_and_code(answer: Answer, members: Mapping[str, Any]) -> tuple[str, str]:
    """What the server says, from the body, else from the headers, else the start of the raw text."""
    code = members.get("errorcode") or answer.headers.get("x-fusedesk-error-code") or ""
    text = _error_in(members) or answer.headers.get("x-fusedesk-error") or answer.sample or "no reason given"
    return one_line(answer.redact(text[:LONGEST_TEXT])), one_line(answer.redact(str(code)[:SAMPLE]))


def _error_in(members: Mapping[str, Any]) -> str:
    error = members.get("error")
    return error if isinstance(error, str) else ""


def _members(text: bytes) -> Mapping[str, Any]:
    try:
        value = _json.loads(text.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        return {}
    return value if _json.is_object(value) else {}


class _LoginPage(Exception):  # noqa: N818 - a signal inside this module, not an error
    """HTML and nothing else."""


def _json_text(answer: Answer, report: Report) -> bytes:
    """The JSON in a body: without byte order mark, in UTF-8, without noise in front."""
    text = _in_utf8(answer).removeprefix(b"\xef\xbb\xbf").strip()
    if re.match(_NOISE, text):
        text = _behind_noise(text)
        report(UnexpectedResponseError("noise in front of the JSON was cut off"))
    return text


def _check_strictly(text: bytes) -> None:
    try:
        text.decode()  # otherwise only what is read is looked at
    except UnicodeDecodeError as error:
        raise UnexpectedResponseError(str(error)) from None
    twice = ", ".join(_json.named_twice(text))
    if twice:
        message = f"member named twice: {twice:.80}"
        raise UnexpectedResponseError(message)


def _in_utf8(answer: Answer) -> bytes:
    charset = re.search(r"charset=\"?([\w.:-]+)", answer.headers.get("content-type", ""), re.IGNORECASE)
    if charset is None or charset[1].lower() in _UTF8:
        return answer.body
    try:
        return _decoded(answer.body, charset[1]).encode()
    except (LookupError, ValueError) as error:
        message = f"the answer is not in the character set it declares: {error}"
        raise UnexpectedResponseError(message) from None


def _decoded(body: bytes, charset: str) -> str:
    if codecs.lookup(charset).name in _NO_CHARSETS:
        raise LookupError(charset)
    return body.decode(charset)


def _behind_noise(text: bytes) -> bytes:
    """The one JSON value that follows the noise and runs to the end.

    Brackets in the noise itself are passed over. What surely begins JSON decides, though: were the search to go on
    behind it, the last record of a truncated list, or the last of two values, would pass for the whole.
    """
    sure = None
    for found, _ in zip(re.finditer(_START, text), range(MOST_STARTS), strict=False):
        rest = text[found.start() :]
        sure = re.match(_SURE_START, rest)
        try:
            _json.loads(rest)
        except ValueError:
            if sure:
                break
        else:
            return rest
    if _is_html(text) and (sure is None or text.endswith(b">")):
        raise _LoginPage
    message = "behind noise, something else than exactly one JSON value"
    raise UnexpectedResponseError(message)


def _is_html(text: bytes) -> bool:
    return text.lstrip()[:1] == b"<"
