"""The account's time zone and its working days; all instants are whole seconds since 1970."""

from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

#: The zone dates are written in and bare dates are read in. That a FuseDesk account has one fixed offset is assumed;
#: one that is not UTC shows mistakes that UTC would hide.
ZONE = timezone(timedelta(hours=-5))

#: Tuesday 30 June 2026, 17:00 in ZONE: when a virtual clock starts, and so the generated past of its sandbox ends.
DATA_ENDS = int(datetime(2026, 6, 30, 17, tzinfo=ZONE).timestamp())

#: What a date column holds where there is no date; sorts before every date, as NULL does in MySQL.
MISSING = -(1 << 62)

HOUR, DAY = 3_600, 86_400
MORNING, EVENING = 8 * 3600, 18 * 3600
_OFFSET = -5 * 3600
_SATURDAY = 5


def iso(instant: int) -> str:
    """ISO 8601 with offset, as S1 says dates come back."""
    days, second = divmod(instant + _OFFSET, DAY)
    hour, second = divmod(second, 3600)
    # Half the price of datetime.isoformat, and there are seven dates to a case.
    return f"{_day(days)}T{hour:02}:{second // 60:02}:{second % 60:02}-05:00"


@lru_cache(maxsize=4096)
def _day(days: int) -> str:
    return (date(1970, 1, 1) + timedelta(days)).isoformat()


def http_date(instant: float) -> str:
    """The form of the Date and Retry-After headers."""
    return datetime.fromtimestamp(instant, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")


def midnight(instant: int, zone: timezone = ZONE) -> int:
    """The start of the day, in a zone, that holds the instant."""
    offset = int(zone.utcoffset(None).total_seconds())
    return instant - (instant + offset) % DAY


def working_time(instant: int) -> int:
    """The instant itself if the desk is staffed then, else some minute of the next morning it is."""
    days, second = divmod(instant + _OFFSET, DAY)
    weekday = (days + 3) % 7  # 1 January 1970 was a Thursday
    if weekday < _SATURDAY and MORNING <= second < EVENING:
        return instant
    if second >= EVENING or weekday >= _SATURDAY:
        days += 1
        weekday = (weekday + 1) % 7
    days += max(0, 7 - weekday) if weekday >= _SATURDAY else 0
    return days * DAY - _OFFSET + MORNING + instant % 5400
