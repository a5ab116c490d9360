"""Texts of customers are compared in linear time, and a text that was cut off is never called another one."""

import html
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusedesk_async._reconcile.texts import LONGEST_COMPARED, fits_around_masks, likeness
from fusedesk_async._reconcile.verdict import Verdict
from fusedesk_async._text import plain
from fusedesk_async._wire.api_key import MASK

texts = st.text(st.characters(codec="utf-8"), min_size=1)
masked = st.lists(st.sampled_from(["a", "b", "*", MASK]), max_size=10).map(lambda parts: "".join([MASK, *parts]))


@given(masked, st.text("ab*", max_size=12))
def test_a_mask_stands_for_any_text_as_in_the_pattern(asked, shown):
    asked = asked.removeprefix(MASK) if asked.count(MASK) > 1 else asked
    pattern = ".*".join(map(re.escape, asked.split(MASK)))
    assert fits_around_masks(asked, shown) == (re.fullmatch(pattern, shown) is not None)


@given(texts, st.integers(0, 2), st.data())
def test_a_text_that_was_cut_off_anywhere_is_in_doubt_at_most(text, escapes, data):
    stored = text
    for _ in range(escapes):
        stored = html.escape(stored)
    assert likeness(text, stored) is Verdict.SAME
    assert likeness(text, f" {stored}\r\n") is Verdict.SAME
    cut = data.draw(st.integers(1, len(stored)))
    assert likeness(text, stored[:cut])
    assert likeness(text, f"{stored[:cut]}...")


def test_other_texts_are_others():
    assert likeness("Login fails", "Logout fails") is Verdict.OTHER
    assert likeness("Login", "Login fails") is Verdict.OTHER
    assert likeness("x" * 40, "x" * 40 + " more") is Verdict.DOUBTFUL


HARD = {
    "asterisks": ("Please call back.\n" + "*" * 30_000 + "\nJo", "Please call back. " + "My printer is slow. " * 1_500),
    "masks and letters": ("a***" * 15_000 + "b", "a" * 60_000),
    "ampersands": ("&" + "amp;" * 16_000, "&" + "amp;" * 15_999),
    "ampersands without end": ("&" + "amp" * 20_000, "&" + "amp" * 19_999),
    "a long number": ("&#" + "1" * 60_000 + ";", "&#" + "1" * 60_001 + ";"),
    "marks": ("e" + "\u0327\u0301" * 30_000, "e" + "\u0301\u0327" * 30_000),
    "breaks": ("<br" + " " * 60_000, "<br" * 20_000),
    "open tags": ("<" * 60_000, "</" * 30_000),
    "letters": ("ab" * 32_000 + "c", "ab" * 32_000 + "d"),
}


EQUAL = {"ampersands", "ampersands without end", "a long number"}
"""But for what escaping changes."""


@pytest.mark.parametrize("name", HARD)
def test_no_text_stops_the_event_loop(name):
    """Where a pattern goes back and forth this does not end, and where time grows with the square it lasts minutes."""
    for _ in range(20):
        assert (likeness(*HARD[name]) is Verdict.SAME) is (name in EQUAL)


def test_texts_that_are_too_long_to_compare_are_the_same_only_if_they_are_equal():
    text = "x" * (LONGEST_COMPARED + 1)
    assert likeness(text, str(text)) is Verdict.SAME
    assert likeness(text, f"{text} ") is Verdict.DOUBTFUL
    assert likeness("y", text) is Verdict.DOUBTFUL


@given(texts)
def test_plain_texts_are_in_one_normal_form(text):
    assert plain(unicodedata.normalize("NFD", text)) == plain(unicodedata.normalize("NFC", text))


def test_what_stands_between_two_masks_must_be_there():
    assert fits_around_masks(f"a{MASK}b{MASK}c", "a-b-c")
    assert not fits_around_masks(f"a{MASK}b{MASK}c", "a-d-c")
