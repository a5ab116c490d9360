"""The cases that a client has surely opened, and what they have shown of the server: what its look-ups rest on."""

from collections import deque

import attrs

from fusedesk_async._wire.profile import ServerProfile

MOST_CREATIONS = 1_000
"""As many as the newest pages of a list can show."""
CLOCK_PRECISION = 5.0
"""Seconds between two moments by this machine's clock beyond which one surely came after the other."""


@attrs.frozen
class Creation:
    """A case that was surely opened.

    Attributes:
        id: Its id, if the server sent it.
        case_number: Its number, likewise.
        date_opened: The date of opening that was asked for, as it was sent.
        earliest: When it was opened, in seconds since 1970 by this machine's clock: after this,
        latest: and before this.
        answered_at: When the response came, likewise; None if an earlier process got it.
    """

    id: int | None
    case_number: str | None
    date_opened: str | None
    earliest: float
    latest: float
    answered_at: float | None = None

    @property
    def keys(self) -> tuple[int | str, ...]:
        """What it is known by."""
        return tuple(key for key in (self.id, self.case_number) if key)


@attrs.define
class CreationLog:
    """What a client knows of the cases it has opened, for as long as it lives.

    Attributes:
        keeps_date_opened: Whether the server keeps a date of opening that is asked for; None if that is unknown.
        date_filter_works: Whether a search by date was seen to bring a case that was known to have that date.
        looked: Whether a look-up has been at both.
        took_over: Whether it was an earlier client that saw what the server makes of a date: no proof that a case which
            is shown under another date is not the one.
        creations: The last cases that were opened, oldest first.
        ids: The largest ids that were seen, with the moments, in seconds since 1970, at which they were there.
        now: The latest moment of which it knows; what comes with earlier ones has seen the clock being set back.
    """

    keeps_date_opened: bool | None = None
    date_filter_works: bool = False
    looked: bool = False
    took_over: bool = False
    creations: deque[Creation] = attrs.field(factory=lambda: deque[Creation](maxlen=MOST_CREATIONS))
    ids: deque[tuple[float, int]] = attrs.field(factory=lambda: deque[tuple[float, int]](maxlen=MOST_CREATIONS))
    now: float = 0.0

    def begin_with(self, profile: ServerProfile) -> None:
        """Take over what an earlier client has found out about the server, unless a look-up has been at it."""
        if not self.looked:
            self.keeps_date_opened = profile.keeps_date_opened
            self.took_over = profile.keeps_date_opened is not None
            self.date_filter_works = bool(profile.date_filter_works)

    def begin(self, moment: float) -> None:
        """A case is about to be opened."""
        self.now = max(self.now, moment)

    def add(self, creation: Creation) -> None:
        """A case was opened."""
        self.creations.append(creation)
        if creation.id and creation.answered_at is not None:
            self.see(creation.id, creation.answered_at)

    def see(self, case_id: int, moment: float) -> None:
        """A case was there at a moment."""
        if moment >= self.now:
            self.ids.append((moment, case_id))

    def answered_before(self, moment: float) -> list[Creation]:
        """The cases that were surely there at a moment, in seconds since 1970."""
        return [each for each in self.creations if each.answered_at is not None and each.answered_at < moment]

    def id_before(self, moment: float) -> int | None:
        """The largest id that a case surely had before a moment; what was opened later has a larger one."""
        return max((case_id for seen_at, case_id in self.ids if seen_at < moment - CLOCK_PRECISION), default=None)
