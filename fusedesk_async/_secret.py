"""The API key, which hides itself."""

import html
import json
from typing import Any, NoReturn
from urllib.parse import quote

from fusedesk_async.errors import ConfigurationError

MASK = "***"


class ApiKey:
    """An API key that shows in no repr, log, traceback or pickle.

    Args:
        text: The key as FuseDesk gave it: printable ASCII without blanks. White space around it is a slip of
            copying and is dropped.

    Raises:
        ConfigurationError: It is empty or holds other characters, so it cannot stand in a header. The key is not
            repeated in the message.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        text = text.strip(" \t")
        if not text:
            message = "the API key is empty; give api_key=… or set FUSEDESK_API_KEY"
            raise ConfigurationError(message)
        if not all("!" <= character <= "~" for character in text):
            message = "the API key holds a blank, a line break or a character outside ASCII; copy it again"
            raise ConfigurationError(message)
        self._text = text

    def reveal(self) -> str:
        """The key itself, for the one place that puts it into a request."""
        return self._text

    def redact(self, text: str) -> str:
        """`text` with the key, however it is escaped, replaced by `***`."""
        for spelling in {self._text, quote(self._text, safe=""), html.escape(self._text), json.dumps(self._text)[1:-1]}:
            text = text.replace(spelling, MASK)
        return text

    def __repr__(self) -> str:
        return f"ApiKey({MASK})"

    def __str__(self) -> str:
        return MASK

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        message = "an API key is not pickled or copied; read it from its own place in each process"
        raise TypeError(message)
