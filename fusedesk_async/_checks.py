"""Checks of arguments, before anything is sent."""

import os
from pathlib import Path
from typing import Any, TypeVar, get_args

from fusedesk_async.errors import ConfigurationError

T = TypeVar("T")


def positive(value: float, name: str) -> float:
    """A number above zero.

    Raises:
        ConfigurationError: It is something else.
    """
    if isinstance(value, bool) or not (isinstance(value, int | float) and value > 0):
        message = f"{name} is a number above 0, not {value!r}"
        raise ConfigurationError(message)
    return value


def at_least_one(value: int, name: str) -> int:
    """A whole number above zero.

    Raises:
        ConfigurationError: It is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        message = f"{name} is a whole number above 0, not {value!r}"
        raise ConfigurationError(message)
    return value


def not_both(kind: str, name: object, number: object) -> None:
    """Refuse a name together with an id of the same kind, since they may differ.

    Args:
        kind: `department`, `rep` or `tag`.
        name: The name that was given, None if none was.
        number: The id that was given, likewise.

    Raises:
        ConfigurationError: Both are given.
    """
    if name is not None and number is not None:
        message = f"give {kind} or {kind}_id, not both"
        raise ConfigurationError(message)


def one_of(value: T, kinds: Any, name: str) -> T:
    """A value of a `Literal`.

    Raises:
        ConfigurationError: It is something else.
    """
    if value not in get_args(kinds):
        message = f"{name} is one of {', '.join(map(repr, get_args(kinds)))}, not {value!r}"
        raise ConfigurationError(message)
    return value


def checked_path(value: Any, name: str) -> Path:
    """The path of a file.

    Raises:
        ConfigurationError: It is something else.
    """
    path: Any = value
    if not value or not isinstance(value, str | os.PathLike):
        message = f"{name} is the path of a file, not {value!r}"
        raise ConfigurationError(message)
    return Path(path)
