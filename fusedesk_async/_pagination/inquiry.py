"""What an inquiry into a list has at hand: the pages that are stitched together so far, and ways to ask and to tell."""

from collections.abc import Iterator

import attrs

from fusedesk_async._pagination.asking import Asking, FetchPage, Outcome, direction_of
from fusedesk_async._pagination.stitching import DeliverRows, PageStitcher
from fusedesk_async._pagination.unreadable import UnreadableRow
from fusedesk_async._wire.profile import LearnedProfile
from fusedesk_async.errors import PaginationError

NEWEST_FIRST = "caseid desc"

MOST_FORGOTTEN = 2
"""So often rows that were passed over may turn out to be others before that is no progress any more."""

MOST_UNREADABLE_TOGETHER = 100
"""So many rows in a row that cannot be had, and it ends."""


class OrderIgnored(PaginationError):  # noqa: N818 - says what the server did
    """Ids do not ascend inside a page: the server does not keep the order asked for."""


@attrs.define(eq=False)
class Inquiry:
    """A walk as those see it who ask until a doubt is settled.

    Attributes:
        stitcher: What is joined up so far.
        profile: What is known of the server.
        page_size: Rows asked for at once.
        tokens: Numbers for pages.
        is_mirrored: Whether ids descend, and come with their signs turned.
        trusts_newest: Whether the newest row is believed to be so though it came alone.
        deliveries: What can be delivered now.
        unreadable: By the token of a page, the rows passed over right before it.
        proven: Whether all pages joined so far by what they hold.
        progress: Whether something was found out since that was last asked.
    """

    stitcher: PageStitcher
    profile: LearnedProfile
    page_size: int
    tokens: Iterator[int]
    is_mirrored: bool = False
    trusts_newest: bool = False
    deliveries: list[DeliverRows] = attrs.field(factory=list[DeliverRows])
    unreadable: dict[int, tuple[UnreadableRow, ...]] = attrs.field(factory=dict[int, tuple[UnreadableRow, ...]])
    proven: bool = True
    progress: bool = False
    _passed: list[tuple[int, str]] = attrs.field(factory=list[tuple[int, str]])
    _forgotten: int = 0
    _has_rounded: bool = False

    @property
    def passed_count(self) -> int:
        """How many rows were passed over since the last page was taken."""
        return len(self._passed)

    def ask(self, offset: int, limit: int, *, attempts: int | None = 1) -> Asking[Outcome]:
        """Ask for a page, in the order of the walk.

        Raises:
            OrderIgnored: Its ids do not ascend.
        """
        page = yield FetchPage(next(self.tokens), offset, limit, self.stitcher.order, attempts)
        check_order(page)
        return page

    def look(self, offset: int, limit: int = 1) -> Asking[Outcome]:
        """Ask for a page that there is no way around.

        Raises:
            FuseDeskError: It cannot be had.
        """
        page = yield from self.ask(offset, limit)
        if page.error:
            raise page.error
        return page

    def newest(self) -> Asking[Outcome | None]:
        """Ask for the newest rows; None if the server does not tell them.

        They are two, so that they show whether they are the newest: else they ascend.
        """
        if self.is_mirrored or self.profile.value.descending is False:
            return None
        return (yield FetchPage(next(self.tokens), 0, 2, NEWEST_FIRST, 1))

    def take(self, page: Outcome, *, joins: bool = False) -> None:
        """A page that settles the doubt: let it join, and deliver what is new.

        Raises:
            OrderIgnored: Its ids do not ascend.
        """
        check_order(page)
        after = self.stitcher.frontier
        deliveries = self.stitcher.take(page.fetch, page.ids, page.received, joins=joins)
        self.deliveries += deliveries
        self._forgotten *= self.stitcher.frontier == after
        if joins:
            self._report(page, after)

    def limit_to(self, rows: int) -> None:
        """The server takes no larger limit."""
        self.page_size = rows
        self.stitcher.limit_to(rows)

    def round_offsets(self) -> None:
        """Offsets seem to be rounded down to multiples of the limit: progress once, or it might go on for ever."""
        self.progress = not self._has_rounded
        self._has_rounded = self.stitcher.rounds = True

    def capped_at(self, rows: int) -> None:
        """Pages have no more rows than this by now, though they had."""
        self.stitcher.longest = self.profile.longest_page = rows

    def pass_over(self, rank: int, reason: str) -> None:
        """The row at this rank cannot be had.

        Raises:
            PaginationError: There are too many of them.
        """
        self._passed.append((rank, reason))
        self.progress = self._forgotten < MOST_FORGOTTEN  # else it might be passed over and forgotten for ever
        if len(self._passed) > MOST_UNREADABLE_TOGETHER:
            message = f"{MOST_UNREADABLE_TOGETHER} rows in a row cannot be had before offset {rank} ({reason})"
            raise PaginationError(message)

    def forget_passed(self) -> None:
        """Rows have moved, so what was passed over may be another row: it is looked for again."""
        self._forgotten += bool(self._passed)
        self._passed.clear()

    def end(self, page: Outcome) -> None:
        """The list has ended; `page` is what came last."""
        if page.nothing == "list" and self.profile.is_given("nothing"):
            self.profile.learn(nothing=None)
        self.stitcher.settle()
        self.stitcher.done = True
        if self._passed:
            self._report(page, self.stitcher.frontier)
            self.deliveries.append(DeliverRows(page.fetch.token, self.stitcher.frontier))

    def _report(self, page: Outcome, after: int | None) -> None:
        behind = next((number for number in page.ids if after is None or number > after), None)
        settled = after is not None and page.ids and page.ids[0] <= after
        if self._passed and not settled:
            one, other = self.real_id(after), self.real_id(behind)
            rows = [UnreadableRow(rank, one, other, reason) for rank, reason in self._passed]
            self.unreadable[page.fetch.token] = tuple(rows)
            self._passed.clear()
        self.forget_passed()

    def real_id(self, number: int | None) -> int | None:
        """An id with the sign that it has."""
        return number if number is None or not self.is_mirrored else -number


def check_order(page: Outcome) -> None:
    """See that ids ascend.

    Raises:
        OrderIgnored: They do not.
    """
    if direction_of(page.ids) in {"descending", "none"}:
        one, other = next(pair for pair in zip(page.ids, page.ids[1:], strict=False) if pair[0] > pair[1])
        message = f"the server does not keep the order asked for: {one} comes before {other} in a page"
        raise OrderIgnored(message)


def check_behind(page: Outcome, frontier: int | None) -> None:
    """See that a page behind the frontier's row begins with a larger id.

    Raises:
        OrderIgnored: It does not: ids may descend, which pages of one row do not show.
    """
    if frontier is not None and page.ids and page.ids[0] < frontier:
        message = f"the server does not keep the order asked for: {frontier} comes before {page.ids[0]}"
        raise OrderIgnored(message)
