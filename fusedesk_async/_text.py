"""Texts in one line, and texts compared without regard to white space."""

import html
import re
import unicodedata
from typing import Literal

LONGEST_WORD = 1_000
"""Characters that are normalized at once: many marks on one letter take time that grows with their square."""
MOST_UNESCAPES = 8
"""Times that a text is unescaped at most. A text that was stored and shown was escaped once or twice."""

_AMPERSANDS = re.compile(r"&(?:(?:amp|#0{0,8}38|#x0{0,8}26);?)+", re.IGNORECASE)
_LONG_NUMBERS = re.compile(r"(&#[0-9]{20})[0-9]+")


def plain(text: str) -> str:
    """A text without what storing and showing it may change: entities, line breaks as tags, kinds of white space.

    The time it takes grows with the length of the text only, whatever is in it.
    """
    text = _LONG_NUMBERS.sub(r"\1", text)  # they name no character, and Python reads no number that long
    for _ in range(MOST_UNESCAPES):
        if "&" not in text:
            break
        text = html.unescape(_AMPERSANDS.sub("&", text))
    text = re.sub(r"(?i)</?(?:br|p)\s*/?>", " ", text)
    return " ".join(normalized_words(text, "NFC"))


def normalized_words(text: str, form: Literal["NFC", "NFKD"]) -> list[str]:
    """The words of a text in one of Unicode's normal forms."""
    words = text.split()
    if text.isascii():
        return words
    return [
        "".join(unicodedata.normalize(form, word[at : at + LONGEST_WORD]) for at in range(0, len(word), LONGEST_WORD))
        for word in words
    ]


def one_line(text: str) -> str:
    """The text in one line, and without characters that a terminal or a log would take as orders."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
