"""Looks for cases that may have been opened."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol

import attrs

from fusedesk_async._clock import Clock
from fusedesk_async._pagination.pages import Pages
from fusedesk_async._reconcile.match import Verdict, Wanted, opened_between, wanted
from fusedesk_async._wire.call import post
from fusedesk_async._wire.converter import case_form
from fusedesk_async._wire.encode import encode, fields_of
from fusedesk_async._wire.headers import ServerClock
from fusedesk_async._wire.readers import anything
from fusedesk_async.errors import CannotTellError, ConfigurationError, OutcomeUnknownError, Request
from fusedesk_async.filters import DateFilter
from fusedesk_async.models import Case, NewCase

CREATION = Request("POST", "v1/cases")
NEARLY_EMPTY_PAGES = 3
"""After so many of them in a row a search ends: what they bring has been opened since it began."""


class Search(Protocol):
    """`desk.cases.search`, as far as it is used here."""

    def __call__(self, *, date_opened: DateFilter) -> Pages[Case]:
        """The cases opened on certain days."""
        ...


@attrs.frozen
class Lost:
    """A new case of which is unknown whether it was opened.

    Attributes:
        wanted: What it must be like.
        settled_at: From when on it is opened or never will be, in seconds since 1970 by this machine's clock.
        wait: Seconds that this can be off at most.
    """

    wanted: Wanted
    settled_at: float
    wait: float


@attrs.define
class Found:
    """What a search brought for one new case.

    Attributes:
        same: Cases that agree in all.
        doubtful: Cases that differ only in what may have changed since.
        unread: How many cases could not be read.
    """

    same: list[Case] = attrs.field(factory=list[Case])
    doubtful: list[Case] = attrs.field(factory=list[Case])
    unread: int = 0

    def the_one(self) -> Case | None:
        """The case; None if there is none.

        Raises:
            CannotTellError: There may be, but which one it is, is not certain.
        """
        if len(self.same) == 1:
            return self.same[0]
        if self.same:
            message = f"{len(self.same)} cases are equal in all that was asked for"
            raise CannotTellError(message, CREATION, tuple(case.id for case in self.same))
        if self.doubtful:
            message = "what was opened then differs in what may have been changed since"
            raise CannotTellError(message, CREATION, tuple(case.id for case in self.doubtful))
        if self.unread:
            message = f"{self.unread} of the cases opened then could not be read"
            raise CannotTellError(message, CREATION)
        return None


def form_of(case: NewCase) -> dict[str, str]:
    """The form that opens a case, as it goes out.

    Raises:
        ConfigurationError: It cannot be sent.
    """
    return fields_of(encode(post(CREATION.path, anything, case_form(case))))


def lost_case(
    lost: OutcomeUnknownError | NewCase, sent_at: datetime | None, settle: float, server_clock: ServerClock
) -> Lost:
    """What to look for.

    Raises:
        ConfigurationError: It was no new case, or what must be known of it is missing.
        CannotTellError: Its date is a text that only the server can read.
    """
    if isinstance(lost, OutcomeUnknownError):
        request = lost.request
        if request is None or (request.method, request.path.rstrip("/")) != (CREATION.method, CREATION.path):
            message = f"only the opening of a case can be looked for, and this was {request or 'no request'}"
            raise ConfigurationError(message)
        fields, sent_at, lost_at = lost.fields, lost.sent_at, lost.lost_at
    else:
        fields, lost_at = form_of(lost), None
    if not isinstance(sent_at, datetime) or sent_at.tzinfo is None or not fields:
        message = "to look for a case, give the error of `create`, or a NewCase and sent_at with a time zone"
        raise ConfigurationError(message)
    sent, wait = sent_at.timestamp(), max(0.0, settle)
    last = max(sent + wait, lost_at.timestamp() if lost_at else sent)
    return Lost(wanted(fields, opened_between(sent, last, server_clock.ahead)), sent + wait, wait)


async def find(search: Search, lost: Lost, exclude: Collection[int], clock: Clock) -> Case | None:
    """The case that was opened, or None if none was and none will be any more.

    Raises:
        CannotTellError: Several may be the one.
    """
    pause = min(lost.settled_at - clock.time(), lost.wait)
    if pause > 0.0:
        (early,) = await look(search, [lost.wanted], exclude)
        if early.same:
            return early.the_one()
        await clock.sleep(min(lost.settled_at - clock.time(), lost.wait))
    (found,) = await look(search, [lost.wanted], exclude)
    return found.the_one()


async def look(search: Search, wants: Sequence[Wanted], exclude: Collection[int]) -> list[Found]:
    """What there is for each of these, with one search for all that were opened in the same days."""
    found = [Found() for _ in wants]
    for days in {want.opening.days for want in wants}:
        those = [(want, each) for want, each in zip(wants, found, strict=True) if want.opening.days == days]
        longest, nearly_empty = 0, 0
        async for page in search(date_opened=days).pages():
            _sort(page.items, those, exclude)
            for _, each in those:
                each.unread += len(page.rejected)
            longest = max(longest, len(page.items))
            nearly_empty = nearly_empty + 1 if len(page.items) < longest / 4 else 0
            if nearly_empty == NEARLY_EMPTY_PAGES:
                break
    return found


def _sort(cases: Iterable[Case], those: Sequence[tuple[Wanted, Found]], exclude: Collection[int]) -> None:
    for case in cases:
        for want, found in those:
            verdict = want.verdict(case)
            if verdict and case.id not in exclude:
                (found.same if verdict is Verdict.SAME else found.doubtful).append(case)
