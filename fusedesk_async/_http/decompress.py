"""Compressed bodies, decompressed no further than they may be long.

httpx decompresses each chunk whole, whatever comes out of it, and takes a cut body for a whole one; so this is done
here.
"""

import zlib

from fusedesk_async.errors import AnswerLostError, Request, UnexpectedResponseError

GZIP = 16 + zlib.MAX_WBITS


def decompress(raw: bytes, encoding: str, max_size: int, request: Request) -> bytes:
    """The body as it was before compression.

    Args:
        raw: The body as it came.
        encoding: The `Content-Encoding`.
        max_size: Bytes that it may have.
        request: What was asked, for the error.

    Raises:
        UnexpectedResponseError: It is longer than that, or compressed in a way that was not requested.
        AnswerLostError: It is cut or corrupt.
    """
    if encoding.strip().lower() in {"", "identity"}:
        return raw
    if encoding.strip().lower() not in {"gzip", "x-gzip"}:
        message = f"unsupported Content-Encoding {encoding[:40]!r} (only gzip was requested)"
        raise UnexpectedResponseError(message, request)
    body = b""
    while raw:  # a body may have several members, one behind the other
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
    return body


def too_large(max_size: int, request: Request) -> UnexpectedResponseError:
    """The error for a body that is longer than it may be, in bytes."""
    return UnexpectedResponseError(f"the body is larger than max_body, {max_size} bytes", request)
