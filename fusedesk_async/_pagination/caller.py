"""Where the user's code called this package."""

from inspect import currentframe
from pathlib import Path

_PACKAGE = str(Path(__file__).parents[1])


def caller() -> tuple[str, int]:
    """The file and line outside of this package that led here."""
    frame = currentframe()
    while frame and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno) if frame else ("unknown", 0)
