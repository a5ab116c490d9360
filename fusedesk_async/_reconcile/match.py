"""Is this the case that was asked for? The comparison behind `desk.cases.find_created`.

No identifier travels with a new case, so it is known by what was asked: opener, texts, department, contact, time. The
stored record may differ in what the server is known or likely to change: the rep (S2 says so), white space, HTML
escaping, a text cut short, the zone of a date, and the date itself, if it takes none that is asked for. What agrees in
all is the same case; what differs only in such a way, or only in what people have changed since, is doubtful.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

import attrs

from fusedesk_async._reconcile.texts import likeness
from fusedesk_async._reconcile.verdict import Verdict
from fusedesk_async.errors import CannotTellError
from fusedesk_async.filters import DateFilter, between
from fusedesk_async.models import Case

DATE_PRECISION = 5.0
"""Seconds between the `Date` of an answer and the moment the server notes, beyond which they are two moments."""


UNKNOWN_CLOCK_SLACK = 600.0
"""Seconds that a server's clock may be off, as long as no response has shown its time."""


ZONE_STEP = 900.0
"""Seconds. All time zones of today are a multiple of this away from UTC."""


FARTHEST_ZONE = 14 * 3600.0


SEARCH_MARGIN = timedelta(days=2)
"""For a search: a bare date may be read in any zone, which is 14 hours, and its bounds may not belong: a day."""


FIRST_YEAR, LAST_YEAR = 1970, 9998
"""A date beyond is a slip, and the days around it may be in no calendar."""


@attrs.frozen
class Opening:
    """When a case was opened: at a moment between the two.

    Attributes:
        earliest: Seconds since 1970; by the wall clock of an unknown zone if `zoned` is false.
        latest: Likewise.
        zoned: Whether it is known where on Earth.
    """

    earliest: float
    latest: float
    zoned: bool = True

    @property
    def days(self) -> DateFilter:
        """The search that cannot miss it."""
        first, last = (datetime.fromtimestamp(bound, UTC).date() for bound in (self.earliest, self.latest))
        return between(first - SEARCH_MARGIN, last + SEARCH_MARGIN)

    def verdict(self, opened: datetime | None) -> Verdict:
        """Whether a case that shows this date was opened then."""
        if opened is None:
            return Verdict.DOUBTFUL
        known = opened.tzinfo is not None and self.zoned
        shown = opened if known else opened.replace(tzinfo=UTC)
        first, last = self.earliest - shown.timestamp(), self.latest - shown.timestamp()
        if first < 1.0 and last > -1.0:  # the server may drop a fraction of a second, or round it
            return Verdict.SAME
        if not self._reachable(first, last):
            return Verdict.DOUBTFUL if opened.time() == time() and self._near(first, last) else Verdict.OTHER
        return Verdict.SAME if self.zoned and opened.tzinfo is None else Verdict.DOUBTFUL

    @staticmethod
    def _reachable(first: float, last: float) -> bool:
        """Whether another zone explains the difference."""
        step = math.ceil((first - 1.0) / ZONE_STEP)
        return step * ZONE_STEP < last + 1.0 and abs(step) * ZONE_STEP <= FARTHEST_ZONE

    @staticmethod
    def _near(first: float, last: float) -> bool:
        """Whether a server that keeps days only may have shown this."""
        return first < SEARCH_MARGIN.total_seconds() and last > -SEARCH_MARGIN.total_seconds()


def opened_at(text: str) -> Opening:
    """The opening that was asked for by a date.

    Raises:
        CannotTellError: Only the server can read that text, such as `-30 days`.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        moment = None
    if moment is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
        message = f"date_opened was {text!r:.40}, which only the server can read, so when that was is unknown"
        raise CannotTellError(message)
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return Opening(seconds, seconds, moment.tzinfo is not None)


def opened_between(sent: float, last: float, ahead: float | None) -> Opening:
    """The opening of a case that took the server's own time.

    Args:
        sent: When the request left, in seconds since 1970.
        last: When it cannot have been carried out any more.
        ahead: Seconds that the server's clock is ahead of ours; None if unknown.
    """
    slack = UNKNOWN_CLOCK_SLACK if ahead is None else DATE_PRECISION
    return Opening(sent + (ahead or 0.0) - slack, last + (ahead or 0.0) + slack)


@attrs.frozen(kw_only=True)
class Wanted:
    """The case that was asked for.

    Attributes:
        texts: Its summary, text and opener, under their names in `Case`.
        links: Department, contact and company as far as they were given, likewise.
        tags: Ids of tags that were given.
        asked: The date of opening that was asked for; None if it was none.
        received: When the request reached the server, by the server's clock.
    """

    texts: Mapping[str, str]
    links: Mapping[str, int | str]
    tags: frozenset[int]
    asked: Opening | None
    received: Opening

    def openings(self, keeps_date: bool | None) -> tuple[Opening, ...]:  # noqa: FBT001 - a fact that may be unknown
        """When it may have been opened, as the server shows it.

        Args:
            keeps_date: Whether the server keeps a date of opening that is asked for; None if that is unknown.
        """
        if self.asked is None or keeps_date is False:
            return (self.received,)
        return (self.asked,) if keeps_date else (self.asked, self.received)

    def verdict(self, case: Case, keeps_date: bool | None = None) -> Verdict:  # noqa: FBT001 - as above
        """Whether a case is the one."""
        opening = max(opening.verdict(case.date_opened) for opening in self.openings(keeps_date))
        return opening and min(opening, self.verdict_without_date(case))

    def verdict_without_date(self, case: Case) -> Verdict:
        """Whether a case is the one, whenever it was opened."""
        texts = self._of_texts(case)
        return texts and min(texts, self._of_links(case), self._of_tags(case))

    def _of_texts(self, case: Case) -> Verdict:
        verdict = Verdict.SAME
        for name, text in self.texts.items():
            verdict = min(verdict, _likeness(text, getattr(case, name), name))
            if not verdict:
                break
        return verdict

    def _of_links(self, case: Case) -> Verdict:
        """A case that nobody has touched is still where it was opened; another one may have been moved."""
        shown: dict[str, int | str | None] = {name: getattr(case, name) for name in self.links}
        if all(_folded(shown[name]) == _folded(value) for name, value in self.links.items()):
            return Verdict.SAME
        moved = case.date_updated is None or case.date_updated != case.date_opened
        return Verdict.DOUBTFUL if moved or None in shown.values() else Verdict.OTHER

    def _of_tags(self, case: Case) -> Verdict:
        return Verdict.SAME if self.tags <= {*case.tags} else Verdict.DOUBTFUL


def wanted(fields: Mapping[str, str], received: Opening) -> Wanted:
    """What the form of a new case asks for.

    Args:
        fields: The form, under the API's names.
        received: When the request reached the server.

    Raises:
        CannotTellError: `date_opened` is a text that only the server can read.
    """
    numbers = {
        name: int(text)
        for name, sent in (("department_id", "depid"), ("contact_id", "contactid"), ("company_id", "companyid"))
        if (text := fields.get(sent, "")).isdecimal()
    }
    uuid = fields.get("contactUuid") if "contact_id" not in numbers else None
    return Wanted(
        texts={
            name: fields.get(sent, "")
            for name, sent in (("summary", "summary"), ("opened_by", "openedby"), ("details", "details"))
        },
        links=numbers | ({"contact_uuid": uuid} if uuid else {}),
        tags=frozenset(int(tag) for tag in fields.get("casetags", "").split(",") if tag.strip().isdecimal()),
        asked=opened_at(fields["date_opened"]) if fields.get("date_opened") else None,
        received=received,
    )


def _likeness(asked: str, shown: str | None, name: str) -> Verdict:
    if not shown:  # a list may well leave the long text out, but not who and what
        return Verdict.SAME if name == "details" else Verdict.DOUBTFUL
    return likeness(asked, shown)


def _folded(value: int | str | None) -> int | str | None:
    return value.casefold() if isinstance(value, str) else value
