"""The JSON in the bytes of a body."""

import codecs
import re

from fusedesk_async import _json
from fusedesk_async._wire.answer import Answer
from fusedesk_async._wire.call import Report
from fusedesk_async.errors import (
    UnexpectedResponseError,
)

START_ATTEMPTS = 100
"""How many brackets are looked at as the start of the JSON after noise."""
MOST_PARSED = 16 * 1024 * 1024
"""Bytes of JSON behind noise that are parsed in vain at the most, or once all there are."""


_NOISE = rb"(?i:<|(PHP )?(Warning|Notice|Deprecated)\b)"


_START = rb"[\[{]"


LONGEST_LOGIN_PAGE = 64 * 1024
"""Bytes of a page in which what asks for a login is looked for."""


_TAG = rb"(?i)<(input|form|meta|title)\b[^<]{0,500}"


_LOGIN = rb"(?:log|sign)[-_ ]?(?:in|on)\b"


_LOGIN_SIGNS = {
    b"input": rb"(?i)\btype\s*=\s*[\"']?password\b",
    b"form": rb"(?is)\baction\s*=[^>]*" + _LOGIN,
    b"meta": rb"(?is)\brefresh\b[^>]*" + _LOGIN,
    b"title": rb"(?i)" + _LOGIN,
}
"""What shows by these tags that a page asks for a login."""


_SURE_START = rb"\{\s*\"|\[\s*[{\"]"


_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
"""Codecs of Python's own that are not character sets."""


_UTF8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


class HtmlPage(Exception):  # noqa: N818 - a signal inside this folder, not an error
    """HTML and nothing else."""


def json_text(answer: Answer, report: Report) -> bytes:
    """The JSON in a body: without byte order mark, in UTF-8, without noise in front."""
    text = _in_utf8(answer).removeprefix(b"\xef\xbb\xbf").strip()
    if re.match(_NOISE, text):
        text = _behind_noise(text)
        report(UnexpectedResponseError("noise in front of the JSON was cut off"))
    return text


def check_strictly(text: bytes) -> None:
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

    Brackets in the noise itself are passed over. What surely begins JSON decides, though: were the search to continue
    after it, the last record of a truncated list, or the last of two values, would pass for the whole.
    """
    sure, parsed = None, 0
    for found, _ in zip(re.finditer(_START, text), range(START_ATTEMPTS), strict=False):
        start = found.start()
        sure = re.compile(_SURE_START).match(text, start)
        if _json.may_begin(text, start):
            rest = text[start:]
            parsed += len(rest)
            if _is_json(rest):
                return rest
        if sure or parsed > MOST_PARSED:
            break
    if is_html(text) and (sure is None or text.endswith(b">")):
        raise HtmlPage
    message = "expected exactly one JSON value after the noise"
    raise UnexpectedResponseError(message)


def _is_json(text: bytes) -> bool:
    try:
        _json.loads(text)
    except ValueError:
        return False
    return True


def is_login_page(text: bytes) -> bool:
    """Whether an HTML page asks for a login: by a password field, its title, or where its form or it itself leads."""
    tags = re.finditer(_TAG, text[:LONGEST_LOGIN_PAGE])
    return any(re.search(_LOGIN_SIGNS[tag[1].lower()], tag[0]) for tag in tags)


def is_html(text: bytes) -> bool:
    return text.lstrip()[:1] == b"<"
