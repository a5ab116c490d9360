"""Texts in one line, and texts compared without regard to white space."""

import html
import re
import unicodedata


def plain(text: str) -> str:
    """A text without what storing and showing it may change: entities, line breaks as tags, kinds of white space."""
    before = None
    while text != before:
        before, text = text, html.unescape(text)
    text = re.sub(r"(?i)</?(?:br|p)\s*/?>", " ", text)
    return " ".join(unicodedata.normalize("NFC", text).split())


def one_line(text: str) -> str:
    """The text in one line, and without characters that a terminal or a log would take as orders."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
