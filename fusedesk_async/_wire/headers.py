"""What the headers of an answer say about waiting and about the allowance. Nothing here raises."""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

import attrs

from fusedesk_async._clock import Clock


class ServerClock:
    """What the answers tell of the server's time, by their `Date`.

    Attributes:
        clock: This machine's.
        ahead: Seconds that the server's is ahead of it, to within a second and the time an answer takes; None as long
            as no answer has told.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.ahead: float | None = None

    def observe_headers(self, headers: Mapping[str, str], received_at: float) -> None:
        """Compare the two.

        Args:
            headers: An answer's headers, names in lower case.
            received_at: When it came by this machine's clock, in seconds since 1970.
        """
        server_time = timestamp(headers.get("date", ""))
        if server_time is not None:
            self.ahead = server_time - received_at


USAGE_PREFIX = "x-fusedesk-usage-"


LIMIT_HEADER = "x-fusedesk-usage-limit"


LONGEST_RETRY_AFTER = 10 * 365 * 86_400.0
"""Seconds. Beyond this a date no longer fits any calendar."""


UNREADABLE_PAUSE = 60.0
"""Seconds to wait where the server asks for a wait in words that nobody understands: surely not no time at all."""


SANDBOX_WINDOW_HEADER, LONGEST_SANDBOX_WINDOW = "x-simulated-window", 86_400.0
"""How long the hour of a sandbox lasts, in seconds; FuseDesk itself sends no such header.

Its name must hold no part of the sandbox's usual key, `sandbox-key`, or that part would be masked."""


MOST_DIGITS = 12


_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:\s*,\s*[0-9]+(?:\.[0-9]*)?)*")


_DECIMAL = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")


_ONE_DATE = re.compile(r"(?:[A-Za-z]+, )?[^,]+")


@attrs.frozen
class Usage:
    """What one answer says about the hourly allowance; None for what it does not say.

    Attributes:
        limit: Calls an hour.
        remaining: What the header counts that is taken for the calls left.
        header: The name of that header.
    """

    limit: int | None = None
    remaining: int | None = None
    header: str | None = attrs.field(default=None, eq=False)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait as `Retry-After` says, in either of its forms; None without a hint.

    Fractions are rounded up, and of several numbers the largest counts. A date is measured against the answer's own
    `Date`, so that a clock that is off does not matter. Zero and the past count as no hint, and what cannot be read as
    `UNREADABLE_PAUSE`.

    Args:
        headers: The answer's headers, names in lower case.
        now: Seconds since 1970, for answers without a `Date`.
    """
    text = headers.get("retry-after", "").strip()
    moment = timestamp(text)
    if not text:
        return None
    if _SECONDS.fullmatch(text):
        seconds = max(_rounded_up(number) for number in text.split(","))
    elif moment is None:
        seconds = UNREADABLE_PAUSE
    else:
        seconds = moment - (timestamp(headers.get("date", "")) or now)
    return min(seconds, LONGEST_RETRY_AFTER) if seconds > 0 else None


def _rounded_up(number: str) -> float:
    whole, _, fraction = number.strip().partition(".")
    return float(whole.lstrip("0")[:MOST_DIGITS] or 0) + bool(fraction.strip("0"))


def usage(headers: Mapping[str, str], usage_header: str | None = None, likely: str | None = None) -> Usage:
    """The limit and the calls left, as far as the headers tell.

    The name of the header with the calls left is not public: any `X-FuseDesk-Usage-…` other than the limit is read,
    those with "remain" in the name first.

    Args:
        headers: The answer's headers, names in lower case.
        usage_header: The name of the header with the calls left, if it is known.
        likely: What its name was before; if there is no such header now, others are read.
    """
    names = [usage_header.lower()] if usage_header else [*filter(None, [likely]), *_likely_names(headers)]
    found = [(count, name) for name in names if (count := _count(headers.get(name, ""))) is not None]
    limit = _count(headers.get(LIMIT_HEADER, "")) or None
    remaining, header = found[0] if found else (None, None)
    if limit is not None and remaining is not None and remaining > limit:
        remaining = None
    return Usage(limit, remaining, header)


def sandbox_window(headers: Mapping[str, str]) -> float | None:
    """How long the hour of a sandbox lasts, in seconds; None if the headers do not say, or say what cannot be."""
    text = headers.get(SANDBOX_WINDOW_HEADER, "").strip()
    if not _DECIMAL.fullmatch(text):
        return None
    window = float(text)
    return window if 0 < window <= LONGEST_SANDBOX_WINDOW else None


def timestamp(text: str) -> float | None:
    """The moment of a header such as `Date`, in seconds since 1970; None if it is no single date."""
    if not _ONE_DATE.fullmatch(text):
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def _likely_names(headers: Mapping[str, str]) -> list[str]:
    names = [name for name in headers if name.startswith(USAGE_PREFIX) and name != LIMIT_HEADER]
    return sorted(names, key=lambda name: ("remain" not in name, name))


def _count(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else None
