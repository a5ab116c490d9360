"""What errors and warnings are made of."""

import warnings

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


class FuseDeskWarning(UserWarning):
    """Something was odd but could be dealt with: noise around an answer, a record that could not be read."""


def one_line(text: str) -> str:
    """The text in one line, and without characters that a terminal or a log would take as orders."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def warn(message: str) -> None:
    """Tell the user of the library about something odd that was dealt with."""
    warnings.warn(message, FuseDeskWarning, stacklevel=2)
