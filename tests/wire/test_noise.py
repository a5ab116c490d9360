"""JSON behind noise is found at a cost that is bounded, whatever the noise and the rest are."""

import json
import sys
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async import _json
from fusedesk_async._wire.answer import Answer
from fusedesk_async._wire.body import MOST_PARSED, START_ATTEMPTS, HtmlPage, json_text
from fusedesk_async.errors import UnexpectedResponseError

MEGABYTE = 1_000_000
NO_JSON = {
    "surrogates behind many brackets": b"<b>" + b"[ " * 99 + b"[" + b'"\\ud800",' * (4 * MEGABYTE // 9),
    "never closed": b"<b>" + b"[1," * (4 * MEGABYTE // 3),
    "broken at its end": b"<b>" + b"[1]" * 99 + b"[" + b"1," * (2 * MEGABYTE) + b"x",
    "a script": b"<html>" + b"<script>var a=[1,2];</script>" * (4 * MEGABYTE // 29),
    "brackets only": b"<" + b"[" * (4 * MEGABYTE),
    "long, each tried": b"<b>" + b"[ " * 50 + b"1," * (2 * MEGABYTE) + b"]",
}


@contextmanager
def watched(parsed):
    """Note how long each text is that is parsed."""

    def note(frame, event, _):
        if event == "call" and frame.f_code is _json.loads.__code__:
            parsed.append(len(frame.f_locals["text"]))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(before)


@pytest.mark.parametrize("name", NO_JSON)
def test_no_more_is_parsed_in_vain_than_is_allowed(name):
    text, parsed = NO_JSON[name], []
    with watched(parsed), pytest.raises((UnexpectedResponseError, HtmlPage)):
        json_text(Answer(200, {}, text), lambda error: error)
    assert sum(parsed) <= MOST_PARSED + len(text)
    assert len(parsed) < START_ATTEMPTS


noise = st.lists(
    st.sampled_from(["<b>", "x[1] in a.php", "[error]", "[2026-03-01]", "{x}", "[1]", "[[", "\n", "ä"]), max_size=30
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=200,
)


@given(noise=noise, value=st.lists(values) | st.dictionaries(st.text(), values), size=st.integers(0, 3_000))
def test_what_is_json_may_begin_where_it_begins(noise, value, size):
    text = ("".join(noise) + json.dumps([value, "\ud800" * size, "x" * size])).encode()
    start = len("".join(noise).encode())
    assert _json.may_begin(text, start)
    assert json.loads(text[start:]) == [value, "\ud800" * size, "x" * size]


def test_a_large_list_behind_noise_with_brackets_is_found():
    rows = json.dumps([{"caseid": number} for number in range(100_000)]).encode()
    text = b"<b>Warning</b>: Undefined index [7] in a[1].php {line} [2]\n" * 10 + rows
    assert json_text(Answer(200, {}, text), lambda error: error) == rows
