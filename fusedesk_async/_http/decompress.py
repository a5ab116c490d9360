"""Compressed bodies, decompressed no further than they may be long.

httpx decompresses each chunk whole, whatever comes out of it, and takes a cut body for a whole one; so this is done
here.
"""

import zlib

from fusedesk_async import _json
from fusedesk_async.errors import AnswerLostError, Request, UnexpectedResponseError

GZIP = 16 + zlib.MAX_WBITS
GZIP_MAGIC = b"\x1f\x8b"
"""How a member of a gzip body begins."""
MOST_MEMBERS = 16
"""Members that a body may have, one behind the other: each more copies all that follows."""


def decompress(raw: bytes, encoding: str, max_size: int, request: Request) -> bytes:
    """The body as it was before compression.

    What stands behind a whole member and begins no other one, such as padding, is ignored. A body that is not
    compressed as it says, but JSON as it stands, is taken so.

    Args:
        raw: The body as it came.
        encoding: The `Content-Encoding`.
        max_size: Bytes that it may have.
        request: What was asked, for the error.

    Raises:
        UnexpectedResponseError: It is longer than that, has too many members, or is compressed in a way that was not
            requested.
        AnswerLostError: It is cut or corrupt.
    """
    if encoding.strip().lower() in {"", "identity"}:
        return raw
    if not _is_gzip(encoding):
        if _is_json(raw):
            return raw
        message = f"unsupported Content-Encoding {encoding[:40]!r} (only gzip was requested)"
        raise UnexpectedResponseError(message, request)
    if not raw.startswith(GZIP_MAGIC) and _is_json(raw):
        return raw
    return _members(raw, max_size, request) if raw else b""


def decompress_beginning(raw: bytes, encoding: str, max_size: int) -> bytes:
    """As much of a body that may be cut or corrupt as can be had, at most `max_size` bytes."""
    if not (_is_gzip(encoding) and raw.startswith(GZIP_MAGIC)):
        return raw
    try:
        return zlib.decompressobj(GZIP).decompress(raw, max_size)
    except zlib.error:
        return b""


def too_large(max_size: int, request: Request) -> UnexpectedResponseError:
    """The error for a body that is longer than it may be, in bytes."""
    return UnexpectedResponseError(f"the body is larger than max_body, {max_size} bytes", request)


def _members(raw: bytes, max_size: int, request: Request) -> bytes:
    body = b""
    for _ in range(MOST_MEMBERS):
        member = zlib.decompressobj(GZIP)
        try:
            body += member.decompress(raw, max_size + 1 - len(body))
        except zlib.error as error:
            message = f"the compressed body is corrupt: {error}"
            raise AnswerLostError(message, request) from error
        if len(body) > max_size:
            raise too_large(max_size, request)
        if not member.eof:
            message = "the compressed body is cut"
            raise AnswerLostError(message, request)
        raw = member.unused_data
        if not raw.startswith(GZIP_MAGIC):
            return body
    message = f"the compressed body has more than {MOST_MEMBERS} members"
    raise UnexpectedResponseError(message, request)


def _is_gzip(encoding: str) -> bool:
    return encoding.strip().lower() in {"gzip", "x-gzip"}


def _is_json(raw: bytes) -> bool:
    try:
        _json.loads(raw)
    except ValueError:
        return False
    return True
