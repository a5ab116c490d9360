"""Compressed bodies, unpacked no further than they may be long.

httpx unpacks each chunk whole, whatever comes out of it, and takes a cut body for a whole one; so this is done here.
"""

import zlib

from fusedesk_async.errors import AnswerLostError, Request, UnexpectedResponseError

GZIP = 16 + zlib.MAX_WBITS


def unpack(raw: bytes, encoding: str, most: int, request: Request) -> bytes:
    """The body as it was before compression.

    Args:
        raw: The body as it came.
        encoding: The `Content-Encoding`.
        most: Bytes that it may have.
        request: What was asked, for the error.

    Raises:
        UnexpectedResponseError: It is longer than that, or is packed in a way we did not ask for.
        AnswerLostError: It is cut or corrupt.
    """
    if encoding.strip().lower() in {"", "identity"}:
        return raw
    if encoding.strip().lower() not in {"gzip", "x-gzip"}:
        message = f"the body is packed as {encoding[:40]!r}, which was not asked for"
        raise UnexpectedResponseError(message, request)
    body = b""
    while raw:  # a body may be packed in several members, one behind the other
        member = zlib.decompressobj(GZIP)
        try:
            body += member.decompress(raw, most + 1 - len(body))
        except zlib.error as error:
            message = f"the compressed body is corrupt: {error}"
            raise AnswerLostError(message, request) from error
        if len(body) > most:
            raise too_large(most, request)
        if not member.eof:
            message = "the compressed body is cut"
            raise AnswerLostError(message, request)
        raw = member.unused_data
    return body


def too_large(most: int, request: Request) -> UnexpectedResponseError:
    """The error for a body that is longer than it may be."""
    return UnexpectedResponseError(f"the body is larger than max_body, {most} bytes", request)
