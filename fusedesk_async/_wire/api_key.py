"""The API key, which hides itself."""

import re
from hashlib import blake2b
from typing import Any, NoReturn

from fusedesk_async.errors import ConfigurationError

MASK = "***"
"""What stands in place of the key."""


REVEALING_PREFIX = 4
"""This many characters from the front of a key give it away, where a text was cut in the middle of the key."""


REVEALING_PART = 8
"""The same where other text follows. It is more, since a few characters stand anywhere by chance."""


LONGEST_PART = 80
"""No text of ours shows more characters of what it cuts."""


_HTML_NAMES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}


class ApiKey:
    """An API key that shows in no repr, log, traceback or pickle.

    Args:
        text: The key as FuseDesk gave it: printable ASCII without blanks. White space around it is a slip of
            copying and is dropped.

    Raises:
        ConfigurationError: It is empty or holds other characters, so it cannot stand in a header. The key is not
            repeated in the message.
    """

    __slots__ = ("_spellings", "_text")

    def __init__(self, text: str) -> None:
        text = text.strip(" \t") if isinstance(text, str) else ""
        problem = _problem(text)
        if problem:
            del text  # tracebacks may show local variables
            raise ConfigurationError(problem)
        self._text = text
        self._spellings = _any_spelling(text)

    def reveal(self) -> str:
        """The key itself, for the one place that puts it into a request."""
        return self._text

    def account_at(self, address: str) -> str:
        """A name for what this key may do at a server, from which the key cannot be found out.

        Args:
            address: The server's, such as `https://acme.fusedesk.com`.

        Returns:
            The host, and 16 hexadecimal digits that differ from key to key and from host to host.
        """
        host = address.partition("://")[2].partition("/")[0].lower()
        salt = blake2b(host.encode()).digest()
        return f"{host}/{blake2b(self._text.encode(), key=salt, digest_size=8).hexdigest()}"

    def redact(self, text: str) -> str:
        """`text` with the key replaced by `***`, however it is escaped, and even if its end is cut off."""
        return self._spellings.sub(MASK, text)

    def __repr__(self) -> str:
        return f"ApiKey({MASK})"

    def __str__(self) -> str:
        return MASK

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        message = "an API key is not pickled or copied; read it from its own place in each process"
        raise TypeError(message)


def _problem(text: str) -> str:
    if not text:
        return "the API key is empty; give api_key=… or set FUSEDESK_API_KEY"
    if not all("!" <= character <= "~" for character in text):
        return "the API key holds a blank, a line break or a character outside ASCII; copy it again"
    return ""


def _any_spelling(key: str) -> re.Pattern[str]:
    """Finds the key with each character plain or escaped in its own way: for URLs, HTML, JSON or a repr."""
    here = [_spelling(character) for character in key]
    cut_off = r"(?:[%&\\]\S{0,5})?['\"]?\Z"
    whole = [*here[:REVEALING_PREFIX], *(f"(?:{spelling}|{cut_off})" for spelling in here[REVEALING_PREFIX:])]
    return re.compile(f"{''.join(whole)}|{_part(here)}")


def _part(spellings: list[str]) -> str:
    """Finds the front of the key, as much of it as there is."""
    rest = ""
    for spelling in reversed(spellings[REVEALING_PART:LONGEST_PART]):
        rest = f"(?:{spelling}{rest})?"
    return "".join(spellings[:REVEALING_PART]) + rest


def _spelling(character: str) -> str:
    code = ord(character)
    slashes = r"\\*" if character in "\"'/\\" else ""
    url = f"%(?:25)?(?i:{code:02x})"
    html = f"&#(?:0*{code}|[xX]0*(?i:{code:x}));"
    named = f"|&{_HTML_NAMES[character]};" if character in _HTML_NAMES else ""
    return rf"{slashes}(?:{re.escape(character)}|{url}|{html}|\\+u(?i:{code:04x}){named})"
