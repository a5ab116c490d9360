"""Text from elsewhere, made fit for a terminal."""

import re

_ESCAPED = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # what steers a terminal, all but tab and line feed
    "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what turns the direction of reading
    "\ud800-\udfff"  # halves of characters, which cannot be encoded
    "]"
)
_RAW_CONTROLS = re.compile("[\x7f-\x9f]")


def clean(text: str) -> str:
    r"""The text with everything that would steer the terminal spelled out, as in `\x1b[2J`."""
    return _ESCAPED.sub(lambda match: ascii(match.group())[1:-1], text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """The same on one line, its white space narrowed to blanks."""
    return clean(" ".join(text.split()))


def terminal_json(line: bytes) -> bytes:
    """JSON that means the same and steers no terminal: the control characters that JSON allows raw are escaped."""
    text = line.decode(errors="replace")
    return _RAW_CONTROLS.sub(lambda match: f"\\u{ord(match.group()):04x}", text).encode()


def counted(number: int, what: str) -> str:
    """`1 case`, `12,000 cases`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def json_line(source: bytes) -> bytes:
    """A record's JSON as it came, on one line.

    Only if it was sent over several lines, the line breaks and the indentation after them are dropped. That keeps its
    meaning and its spelling, since JSON allows raw line breaks between its tokens only.
    """
    if b"\n" in source or b"\r" in source:
        return b"".join(line.strip() for line in source.splitlines())
    return source
