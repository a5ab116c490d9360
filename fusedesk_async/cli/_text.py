"""Text for a terminal: escaped where it would control it, numbers and sizes in words."""

import math
import re

from fusedesk_async import Estimate

_ESCAPED = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, all but tab and line feed
    "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # changes of the direction of reading
    "\ud800-\udfff"  # halves of characters, which cannot be encoded
    "]"
)
_RAW_CONTROLS = re.compile("[\x7f-\x9f]")


def clean(text: str) -> str:
    r"""The text with everything that would control the terminal escaped, as in `\x1b[2J`."""
    return _ESCAPED.sub(lambda match: ascii(match.group())[1:-1], text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """The same on one line, its white space narrowed to blanks."""
    return clean(" ".join(text.split()))


def terminal_json(line: bytes) -> bytes:
    """JSON that means the same and controls no terminal: the control characters that JSON allows are escaped."""
    text = line.decode(errors="replace")
    return _RAW_CONTROLS.sub(lambda match: f"\\u{ord(match.group()):04x}", text).encode()


def counted(number: int, what: str) -> str:
    """`1 case`, `12,000 cases`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def size_text(size: float) -> str:
    """`11.2 MB`."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:  # noqa: PLR2004 - what kilo means
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def duration_range(estimate: Estimate) -> str:
    """`4 s to 2 min`, `up to 9 s`, `at least 3 h 10 min`."""
    if math.isinf(estimate.at_most):
        return f"at least {duration(estimate.at_least)}"
    at_least, at_most = math.floor(estimate.at_least), math.ceil(estimate.at_most)
    return f"{duration(at_least)} to {duration(at_most)}" if at_least else f"up to {duration(at_most)}"


def duration(seconds: float) -> str:
    """`4 s`, `12 min`, `2 h 05 min`, `3 d 04 h`."""
    minutes, hours = round(seconds / 60), round(seconds / 3600)
    if seconds < 100:  # noqa: PLR2004 - up to here seconds are easy to grasp
        return f"{seconds:.0f} s"
    if minutes < 100:  # noqa: PLR2004 - up to here minutes are
        return f"{minutes} min"
    if hours < 48:  # noqa: PLR2004 - up to here hours are
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{hours // 24} d {hours % 24:02} h"
