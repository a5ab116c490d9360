"""Keeps the key out of the debug logs of the HTTP library, which shows the headers of answers as they come."""

import logging
from collections.abc import Callable

_LOGGERS = ("httpcore.connection", "httpcore.http11", "httpcore.proxy", "httpx")


class LogGuard(logging.Filter):
    """Takes the key out of what is logged while a client is open.

    Args:
        redact: Takes the key out of a text.
    """

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, without the key."""
        text = record.getMessage()
        record.msg, record.args = self._redact(text), ()
        return True

    def begin(self) -> None:
        """Watch from now on."""
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self)

    def end(self) -> None:
        """Watch no longer."""
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self)
