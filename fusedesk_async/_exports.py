"""What the package shows: names that are loaded when they are first asked for (PEP 562), and the home they name."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, TypeVar

T = TypeVar("T")

PACKAGE = "fusedesk_async"


def lazily(module: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """A `__getattr__` for a module.

    Args:
        module: Its name.
        homes: Names that can be had from it, and the modules in which they are; a module of its own has itself.
    """

    def load(name: str) -> Any:
        if name not in homes:
            message = f"module {module!r} has no attribute {name!r}"
            raise AttributeError(message)
        home = import_module(homes[name])
        return home if homes[name] == f"{module}.{name}" else getattr(home, name)

    return load


def public(value: T) -> T:
    """A class or function that shows, in help, tracebacks and pickles, the package in place of the file it is in."""
    value.__module__ = PACKAGE
    return value
