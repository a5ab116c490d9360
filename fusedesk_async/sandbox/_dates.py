"""Dates as PHP's strtotime reads them, as far as anyone writes them here, and the date filters of searches (8.1).

Whether bounds are inclusive and which zone a bare date is read in is documented nowhere. Assumed: "after" includes the
start of its day, "before" ends where its day begins, both in the account's zone; a time of day is honoured.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson

from ._calendar import DAY, ZONE, midnight

#: The start of a stretch of time (in it) and its end (not in it), whole seconds since 1970; None: no bound.
Bounds = tuple[int | None, int | None]

_WORDS = {"now": None, "today": 0, "midnight": 0, "yesterday": -1, "tomorrow": 1}
_RELATIVE = re.compile(r"([+-]?\s*\d{1,6})\s*(second|minute|hour|day|week|month|year)s?(\s+ago)?", re.IGNORECASE)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": DAY, "week": 7 * DAY}
_MONTHS = {"month": 1, "year": 12}


class UnreadableError(ValueError):
    """The text is no date."""


# The first and last instants that are dates in every zone.
_READABLE = range(int(datetime(2, 1, 1, tzinfo=UTC).timestamp()), int(datetime(9999, 1, 1, tzinfo=UTC).timestamp()))


def instant(text: str, now: int, zone: timezone = ZONE) -> int:
    """The instant a text names: ISO 8601 with or without time and offset, a word like today, or "-30 days"."""
    found = _read(text.strip(), now, zone)
    if found not in _READABLE:
        raise UnreadableError(text)
    return found


def _read(text: str, now: int, zone: timezone) -> int:
    if text.lower() in _WORDS:
        days = _WORDS[text.lower()]
        return now if days is None else midnight(now, zone) + days * DAY
    try:
        if relative := _RELATIVE.fullmatch(text):
            return _shift(now, zone, *relative.groups())
        if text.startswith("@"):
            return int(text[1:])
        read = datetime.fromisoformat(text)
        return int((read if read.tzinfo else read.replace(tzinfo=zone)).timestamp())
    except (ValueError, OverflowError):
        raise UnreadableError(text) from None


def _shift(now: int, zone: timezone, amount: str, unit: str, ago: str | None) -> int:
    steps = int(amount.replace(" ", "")) * (-1 if ago else 1)
    unit = unit.lower()
    if unit in _SECONDS:
        return now + steps * _SECONDS[unit]
    at = datetime.fromtimestamp(now, zone)
    years, month = divmod(at.month - 1 + steps * _MONTHS[unit], 12)
    # As in PHP, 31 March minus a month is 31 February, and so 3 March.
    first = at.replace(year=at.year + years, month=month + 1, day=1)
    return int((first + timedelta(days=at.day - 1)).timestamp())


def bounds(
    text: str, now: int, zone: timezone = ZONE, *, after_inclusive: bool = True, before_inclusive: bool = False
) -> Bounds:
    """The stretch of time a date filter means: a date text is its whole day, an object has before, after or both.

    Args:
        text: The filter.
        now: When it is asked, whole seconds since 1970.
        zone: In which bare dates are read.
        after_inclusive: Whether what happened on the day of `after` is kept.
        before_inclusive: Whether what happened on the day of `before` is kept.
    """
    if not text.lstrip().startswith("{"):
        start = midnight(instant(text, now, zone), zone)
        return start, start + DAY
    try:
        value: dict[str, Any] = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise UnreadableError(text) from None
    texts = {key: limit for key, limit in value.items() if isinstance(limit, str)}
    if not value or texts != value or not texts.keys() <= {"after", "before"}:
        raise UnreadableError(text)
    after, before = texts.get("after"), texts.get("before")
    return (
        None if after is None else instant(after, now, zone) + (0 if after_inclusive else DAY),
        None if before is None else instant(before, now, zone) + (DAY if before_inclusive else 0),
    )
