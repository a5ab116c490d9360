"""Keeps the key out of errors and their causes, and out of the debug logs of the HTTP library.

These show the headers of responses as they come.
"""

import logging
import traceback
from collections.abc import Callable
from typing import Any

import attrs

from fusedesk_async.errors import FuseDeskError, Request


def causes(error: BaseException | None) -> list[BaseException]:
    """An error and what led to it, suppressed or not."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def scrub(error: BaseException, redact: Callable[[str], str]) -> BaseException | None:
    """Take the key out of an error and of what led to it.

    Frames are dropped, since their variables may hold the key or a response that repeats it; so are notes, what an
    error carries along, and what it was raised in place of. Types and texts stay, without the key; errors of ours keep
    all their values so.

    Returns:
        The error; None if it shows the key all the same, so that nothing may be raised from it.
    """
    for cause in causes(error):
        cause.__traceback__ = None
        if isinstance(cause, FuseDeskError):
            cause.args = _redacted(cause.args, redact)
            vars(cause).update(_redacted(vars(cause), redact))
        else:
            cause.args = tuple(part if isinstance(part, int) else redact(str(part)) for part in cause.args)
            vars(cause).clear()
        if cause.__suppress_context__:
            cause.__context__ = None
    shown = "".join(traceback.format_exception(error))
    return error if redact(shown) == shown else None


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    """A value of an error without the key, whatever it came from."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, _SEQUENCES):
        return type(value)(_redacted(part, redact) for part in value)
    if isinstance(value, _MAPPINGS):
        return {_redacted(name, redact): _redacted(part, redact) for name, part in value.items()}
    return attrs.evolve(value, path=redact(value.path)) if isinstance(value, Request) else value


_SEQUENCES: tuple[type[Any], ...] = (list, tuple)
_MAPPINGS: tuple[type[Any], ...] = (dict,)
_LOGGERS = ("httpcore.connection", "httpcore.http11", "httpcore.proxy", "httpx")


class RedactingFilter(logging.Filter):
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
        """Filter from now on."""
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self)

    def end(self) -> None:
        """Filter no longer."""
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self)
