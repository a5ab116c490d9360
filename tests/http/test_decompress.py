"""Bodies that are compressed, well or badly."""

import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async import AnswerLostError, UnexpectedResponseError
from fusedesk_async._http.decompress import GZIP_MAGIC, MOST_MEMBERS, decompress, decompress_beginning
from fusedesk_async.errors import Request

REQUEST = Request("GET", "v1/cases")
LARGEST = 1_000


def decompressed(raw, encoding="gzip"):
    return decompress(raw, encoding, LARGEST, REQUEST)


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=MOST_MEMBERS), st.binary(max_size=20))
def test_members_are_one_body_and_what_begins_no_other_one_is_ignored(parts, padding):
    raw = b"".join(map(gzip.compress, parts))
    if not padding.startswith(GZIP_MAGIC):
        raw += padding
    for encoding in ("gzip", " GZIP ", "x-gzip"):
        assert decompressed(raw, encoding) == b"".join(parts)


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=3), st.data())
def test_a_body_cut_in_a_member_is_lost_but_for_its_beginning(parts, data):
    last = gzip.compress(b"".join(parts) + b"!")
    end = data.draw(st.integers(len(GZIP_MAGIC), len(last) - 1))
    raw = b"".join(map(gzip.compress, parts[:-1])) + last[:end]
    with pytest.raises(AnswerLostError, match="cut"):
        decompressed(raw)
    assert b"".join([*parts, b"!"]).startswith(decompress_beginning(last[:end], "gzip", LARGEST))


@pytest.mark.parametrize("where", [10, 14, -6, -2])
def test_a_body_with_a_wrong_byte_is_lost(where):
    raw = bytearray(gzip.compress(bytes(range(256))))
    raw[where] ^= 0xFF
    with pytest.raises(AnswerLostError):
        decompressed(bytes(raw))


def test_many_members_are_refused_before_they_cost_much():
    with pytest.raises(UnexpectedResponseError, match="more than 16 members"):
        decompressed(gzip.compress(b"") * 40_000)


def test_no_more_is_decompressed_than_a_body_may_have():
    assert decompressed(gzip.compress(b"x" * LARGEST)) == b"x" * LARGEST
    for raw in (gzip.compress(b"x" * (LARGEST + 1)), gzip.compress(b"x" * LARGEST) + gzip.compress(b"x")):
        with pytest.raises(UnexpectedResponseError, match="max_body"):
            decompressed(raw)
    assert decompress_beginning(gzip.compress(b"x" * LARGEST), "gzip", 7) == b"x" * 7


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_what_is_not_compressed_stays_as_it_is(encoding):
    assert decompressed(b"whatever", encoding) == b"whatever"


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda value: json.dumps(value).encode()))
def test_json_under_a_wrong_encoding_is_json(raw):
    for encoding in ("br", "none", "utf-8", "gzip", "gzip, gzip"):
        assert decompressed(raw, encoding) == raw


@pytest.mark.parametrize(
    ("encoding", "raised"),
    [("br", UnexpectedResponseError), ("deflate", UnexpectedResponseError), ("gzip", AnswerLostError)],
)
def test_what_is_neither_compressed_as_it_says_nor_json_is_refused(encoding, raised):
    with pytest.raises(raised):
        decompressed(zlib.compress(b"[]"), encoding)


@pytest.mark.parametrize(
    ("raw", "encoding", "beginning"),
    [
        (b"plain", "", b"plain"),
        (b"plain", "gzip", b"plain"),
        (b"plain", "br", b"plain"),
        (GZIP_MAGIC + b"\xff" * 20, "gzip", b""),
        (b"", "gzip", b""),
    ],
)
def test_of_a_body_that_may_be_broken_the_beginning_is_taken(raw, encoding, beginning):
    assert decompress_beginning(raw, encoding, LARGEST) == beginning
