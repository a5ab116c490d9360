"""What errors and warnings are made of."""

import warnings
from typing import ClassVar

import attrs


@attrs.frozen
class Request:
    """What was asked, in a form that is safe to print.

    Attributes:
        method: `GET`, `POST` or `DELETE`.
        path: The path below the API's root, without the query.
        attempts: How often it was sent; 0 if it never was.
    """

    method: str
    path: str
    attempts: int = 1

    def __str__(self) -> str:
        """`GET v1/cases, tried 3 times`."""
        times = {0: "not sent", 1: "tried once"}.get(self.attempts, f"tried {self.attempts} times")
        return f"{self.method} {self.path}, {times}"


class FuseDeskError(Exception):
    """The root of every failure. Its text is one line: what happened, what was asked, and what to do about it.

    Attributes:
        message: What happened.
        request: What was asked; None if no request was involved.
        completed: For a call that is made of several requests, how many of its elements are already through.
    """

    __module__ = "fusedesk_async.errors"  # where it is public
    advice: ClassVar[str] = ""
    completed: int | None = None

    def __init__(self, message: str, request: Request | None = None, *details: object) -> None:
        super().__init__(message, request, *details)
        self.message = message
        self.request = request

    def __str__(self) -> str:
        asked = f" [{self.request}]" if self.request else ""
        through = "" if self.completed is None else f"; {self.completed} elements are already through"
        advice = f". {self.advice}" if self.advice else ""
        return one_line(f"{self.message}{self._details()}{asked}{through}{advice}")

    def _details(self) -> str:
        """What a subclass knows besides the message."""
        return ""


class FuseDeskWarning(UserWarning):
    """Something was odd but could be dealt with: noise around an answer, a record that could not be read."""


def one_line(text: str) -> str:
    """The text in one line, and without characters that a terminal or a log would take as orders."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def warn(message: str) -> None:
    """Tell the user of the library about something odd that was dealt with."""
    warnings.warn(message, FuseDeskWarning, stacklevel=2)
