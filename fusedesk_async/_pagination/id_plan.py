"""A list in the order of its ids, whatever the server makes of that: what is doubtful is looked into.

Pages go to the `PageStitcher`. What it doubts, what cannot be had, and a first page that is refused or disordered is
looked into by a conversation: the generators of `ends.py`, `narrowing.py` and `forms.py`. While one lasts nothing else
is fetched, and pages that were fetched ahead wait. Requests that bring nothing new are counted, and bounded.
"""

from collections.abc import Callable
from itertools import count
from typing import Generic, TypeVar

import attrs

from fusedesk_async._pagination.asking import (
    MOST_WITHOUT_PROGRESS,
    Asking,
    Conversation,
    Effort,
    FetchPage,
    Outcome,
    direction_of,
    failed,
)
from fusedesk_async._pagination.ends import settle_empty, settle_end, settle_gap, settle_same
from fusedesk_async._pagination.forms import ORDERS, find_form
from fusedesk_async._pagination.inquiry import Inquiry, OrderIgnored, check_order
from fusedesk_async._pagination.narrowing import narrow
from fusedesk_async._pagination.page import Page, rising
from fusedesk_async._pagination.plain import SMALLEST_CAP, PlainPlan
from fusedesk_async._pagination.stitching import DeliverRows, PageStitcher
from fusedesk_async._wire.profile import LearnedProfile
from fusedesk_async._wire.readers import Records
from fusedesk_async.errors import FuseDeskError, PaginationError
from fusedesk_async.models import Record

R = TypeVar("R", bound=Record)

MOST_REMEMBERED = 10_000
"""Ids that were delivered, in case that the order turns out to be another one. It shows within a few pages."""


@attrs.frozen
class Start:
    """Where a walk begins.

    Attributes:
        id: The record that was delivered last; None if none was.
        rank: Where it was.
        descending: Whether ids descend.
    """

    id: int | None = None
    rank: int = 0
    descending: bool | None = None


class IdPlan(Generic[R]):
    """Goes by ids that ascend, or descend.

    Attributes:
        unordered: Whether it was not lossless: the server keeps no order by id, or sends pages with gaps.
        is_mirrored: Whether ids descend.
    """

    def __init__(
        self,
        identity: Callable[[R], int],
        page_size: int,
        profile: LearnedProfile,
        *,
        ahead: int = 1,
        start: Start | None = None,
        may_be_unordered: bool = True,
        trusts_empty: bool = False,
    ) -> None:
        """Begin at the beginning, or resume.

        Args:
            identity: The number the server was asked to order by.
            page_size: Rows asked for at once.
            profile: What is known of the server.
            ahead: How many pages may be in flight or waiting.
            start: Where to begin.
            may_be_unordered: Whether to go on where the server keeps no order by id.
            trusts_empty: Whether a list that is well-formed and empty is believed to be so.
        """
        self._identity = identity
        self._most = page_size
        self._profile = profile
        self._ahead = ahead
        self._start = start or Start()
        self._may_be_unordered = may_be_unordered
        self._trusts_empty = trusts_empty
        self._tokens = count()
        self._received: dict[int, tuple[FetchPage, Records[R]]] = {}
        self._effort = Effort()
        self._talk: Conversation | None = None
        self._held: list[tuple[Outcome, int]] = []  # fetched ahead, come while a conversation lasted
        self._plain: PlainPlan[R] | None = None
        self._disordered: list[Page[R]] = []  # the first page of a list that is paged plainly
        self._located = False
        self._void: set[int] = set()  # in flight for a stitcher that is no more
        self._begun = False
        self._turned_at: Start | None = None  # where the direction was taken for the other one, by one row alone
        self._delivered: set[int] | None = set() if self._start.id is None else None
        self._inquiry: Inquiry = self._begin(mirrored=self._begins_mirrored)
        if self._begins_plain:
            self._go_plain()

    @property
    def _begins_plain(self) -> bool:
        """Whether there is no order by id. Where that was only taken over, the first page shows whether it is so."""
        unordered = self._profile.value.direction == "none" and not self._profile.is_given("direction")
        return unordered and self._may_be_unordered and self._start.id is None

    @property
    def _begins_mirrored(self) -> bool:
        if self._start.descending is not None and self._start.id is not None:
            return self._start.descending
        return self._profile.value.direction == "descending"

    def _begin(self, *, mirrored: bool) -> Inquiry:
        sign = -1 if mirrored else 1
        frontier = None if self._start.id is None else sign * self._start.id
        page_size = min(self._most, max(self._profile.value.page_limit or self._most, 2))
        longest = min(self._profile.longest_page, page_size)
        stitcher = PageStitcher(
            page_size,
            ahead=self._ahead,
            frontier=frontier,
            offset=self._start.rank,
            longest=longest,
            tokens=self._tokens,
        )
        stitcher.order = self._profile.order
        inquiry = Inquiry(stitcher, self._profile, page_size, self._tokens, is_mirrored=mirrored)
        inquiry.trusts_newest = self._trusts_empty
        return inquiry

    @property
    def done(self) -> bool:
        """Whether the list has ended."""
        return self._plain.done if self._plain else self._inquiry.stitcher.done

    @property
    def mended(self) -> int:
        """How often it had to go back since rows had moved."""
        return self._inquiry.stitcher.mended

    @property
    def is_mirrored(self) -> bool:
        """Whether ids descend."""
        return self._inquiry.is_mirrored

    @property
    def is_plain(self) -> bool:
        """Whether it is paged plainly, as there is no order by id."""
        return self._plain is not None

    @property
    def unordered(self) -> bool:
        """Whether it is not lossless."""
        return self._plain is not None or not self._inquiry.proven

    def pages_to_fetch(self) -> list[FetchPage]:
        """The pages to fetch now."""
        if self._plain:
            return self._plain.pages_to_fetch()
        fetches = self._talk.pages_to_fetch() if self._talk else self._inquiry.stitcher.pages_to_fetch()
        return [self._effort.bounded(fetch) if self._matters(fetch) else fetch for fetch in fetches]

    def pages_to_cancel(self) -> list[int]:
        """The tokens of pages that are in flight but not worth a call any more."""
        void, self._void = self._void, set()
        return [*void] if self._plain else [*void, *self._inquiry.stitcher.pages_to_cancel()]

    def page_received(self, fetch: FetchPage, records: Records[R], attempts: int = 1) -> list[Page[R]]:
        """A page was received. The pages that can be delivered now, in order.

        Raises:
            PaginationError: The server ignores the offset, or does not keep the order asked for.
        """
        if self._plain:
            return self._plain.page_received(fetch, records, attempts) if self._plain.expects(fetch) else []
        sign = -1 if self._inquiry.is_mirrored else 1
        ids = [sign * self._identity(record) for record in records.items]
        self._received[fetch.token] = fetch, records
        self._profile.longest_page = max(self._profile.longest_page, records.received)
        self._compare_with_profile(fetch, ids)
        nothing = records.nothing or (None if records.received else "list")
        return self._on_outcome(Outcome(fetch, ids, records.received, nothing), attempts)

    def _compare_with_profile(self, fetch: FetchPage, ids: list[int]) -> None:
        """See whether the first page contradicts what an earlier client has found out."""
        profile, way = self._profile, direction_of(ids)
        if self._begun or way not in {"ascending", "descending"}:
            return
        if profile.is_given("order") and fetch.order in {None, ORDERS[0]} and profile.value.order != ORDERS[0]:
            profile.learn(order=ORDERS[0])
        if profile.is_given("direction") and profile.value.direction == "none":
            profile.learn(direction=None)

    def page_failed(self, fetch: FetchPage, error: FuseDeskError, attempts: int = 1) -> list[Page[R]]:
        """A page cannot be had. The pages that can be delivered now, in order.

        Raises:
            FuseDeskError: It is no matter of this page, or an outage.
        """
        if self._plain:
            return self._plain.page_failed(fetch, error, attempts) if self._plain.expects(fetch) else []
        outcome = failed(fetch, error)
        if outcome is None:
            raise error
        self._received[fetch.token] = fetch, Records()
        return self._on_outcome(outcome, attempts)

    def _matters(self, fetch: FetchPage) -> bool:
        """Whether it goes on with this page, so that it counts; others were fetched ahead."""
        asked = self._talk is not None and self._talk.waits_for(fetch)
        return asked or self._inquiry.stitcher.is_lead(fetch.token)

    def _on_outcome(self, outcome: Outcome, attempts: int) -> list[Page[R]]:
        self._held.append((outcome, attempts))
        pages: list[Page[R]] = []
        while not self.done and (ready := self._ready()):
            pages += self._on_ready(*ready)
        if self.done:
            self._held.clear()
        return pages

    def _ready(self) -> tuple[Outcome, int] | None:
        """A page that came and that somebody waits for."""
        for held in self._held:
            if self._talk is None or self._talk.waits_for(held[0].fetch):
                self._held.remove(held)
                return held
        return None

    def _on_ready(self, outcome: Outcome, attempts: int) -> list[Page[R]]:
        matters = self._matters(outcome.fetch)
        try:
            self._tell(outcome)
        except OrderIgnored as error:
            self._on_disorder(outcome, error)
        except FuseDeskError:  # an outage; it may be gone on with
            self._talk, self._effort = None, Effort()
            raise
        pages = [self._page(delivery) for delivery in self._inquiry.deliveries] + self._disordered
        self._disordered = []
        self._inquiry.deliveries.clear()
        self._remember(pages)
        # one that was fetched ahead counts if it joined and brought nothing
        matters = matters or bool(outcome.received and outcome.fetch.token not in self._inquiry.stitcher.waiting)
        self._forget_looks()
        found = any(page.items or page.unreadable for page in pages)
        progress, self._inquiry.progress = found or self._inquiry.progress, False
        located, self._inquiry.stitcher.located = self._inquiry.stitcher.located, False
        progress = progress or (located and not self._located)  # once, or it might be found and lost for ever
        self._located = (located or self._located) and not found
        if not self._effort.on_outcome(attempts if matters else 0, progress=progress) and not self.done:
            raise self._no_progress(outcome)
        return pages

    def _tell(self, outcome: Outcome) -> None:
        """Tell whoever asked for the page; then have looked into what has become doubtful."""
        asking: Asking[None] | None = None
        if self._talk:
            self._talk.send(outcome)
        elif not self._begun and (outcome.is_refused or direction_of(outcome.ids) not in {None, "ascending"}):
            self._inquiry.stitcher.page_failed(outcome.fetch.token)
            asking = self._find_form(outcome)
        else:
            asking = self._to_stitcher(outcome)
        self._begun = True
        while self._talk is None or self._talk.is_over:
            self._talk = None
            asking = asking or self._settle_doubt(outcome)
            if asking is None or self.done:
                return
            self._inquiry.stitcher.settle()
            self._talk, asking = Conversation(asking), None

    def _to_stitcher(self, outcome: Outcome) -> Asking[None] | None:
        stitcher, token = self._inquiry.stitcher, outcome.fetch.token
        if token not in stitcher.in_flight:
            return None  # it is void by now
        if outcome.error or (outcome.nothing and not stitcher.is_lead(token)):
            return narrow(self._inquiry, outcome) if stitcher.page_failed(token) else None
        check_order(outcome)
        self._inquiry.deliveries += stitcher.page_received(token, outcome.ids, outcome.received)
        return None

    def _settle_doubt(self, outcome: Outcome) -> Asking[None] | None:
        """Who looks into what the stitcher doubts; None if it does not."""
        inquiry, doubt = self._inquiry, self._inquiry.stitcher.doubt
        if doubt is None or self._plain:
            return None
        if self._trusts_empty and self._is_believed(outcome):
            inquiry.end(outcome)
            return None
        settle = {"end": settle_end, "empty": settle_empty, "gap": settle_gap, "same": settle_same}[doubt]
        return settle(inquiry, outcome)

    def _is_believed(self, page: Outcome) -> bool:
        """Whether an interactive list ends with this page without a second look: it is short, or empty, by itself."""
        if page.fetch.offset or self._inquiry.passed_count or page.error:
            return False
        if not page.received:
            return page.nothing == "list" and self._inquiry.stitcher.frontier is None
        longer = page.received < min(self._profile.longest_page, SMALLEST_CAP, page.fetch.limit)
        return longer and not self._profile.value.short_pages

    def _find_form(self, first: Outcome) -> Asking[None]:
        page = yield from find_form(self._inquiry, first)
        self._inquiry.progress = True
        if page.error:
            yield from narrow(self._inquiry, page)
        else:
            self._inquiry.take(page)

    def _on_disorder(self, page: Outcome, error: OrderIgnored) -> None:
        """Ids do not ascend: they descend, or are in no order."""
        stitcher, mirrored = self._inquiry.stitcher, not self._inquiry.is_mirrored
        few = stitcher.frontier is None or (self._delivered is not None and len(self._delivered) == 1)
        turned_at, self._turned_at = self._turned_at, None
        self._talk = None
        self._void |= stitcher.in_flight
        self._held.clear()
        way = direction_of(page.ids)
        if (few and way in {"descending", None}) or (turned_at and way == "descending"):
            self._profile.learn(direction="descending" if mirrored else "ascending")
            here = Start(self._inquiry.real_id(stitcher.frontier), max(stitcher.rank, 0), mirrored)
            self._start = turned_at or here
            if stitcher.frontier is not None and not turned_at:
                self._turned_at = attrs.evolve(here, descending=not mirrored)
            self._inquiry = self._begin(mirrored=mirrored)
            self._inquiry.stitcher.order = stitcher.order
            self._inquiry.take(attrs.evolve(page, ids=[-number for number in page.ids]))
            if asking := self._settle_doubt(page):
                self._inquiry.stitcher.settle()
                self._talk = Conversation(asking)
        elif self._may_be_unordered:
            self._go_plain(page)
        else:
            raise error

    def _go_plain(self, page: Outcome | None = None) -> None:
        """The server keeps no order by id. What was delivered is not delivered again.

        If that is too much to remember, or was delivered by another walk, it is all that is at or before the frontier.
        """
        inquiry = self._inquiry
        frontier, sign = inquiry.stitcher.frontier, -1 if inquiry.is_mirrored else 1
        if frontier is None:
            self._profile.learn(direction="none")
        delivered = self._delivered

        def is_seen(record: R) -> bool:
            number = self._identity(record)
            return number in delivered if delivered is not None else sign * number <= (frontier or 0)

        self._plain = PlainPlan(
            self._identity,
            inquiry.page_size,
            self._profile,
            order=inquiry.stitcher.order,
            is_seen=is_seen,
            until_nothing_new=True,
            trusts_empty=self._trusts_empty,
            tokens=self._tokens,
        )
        if page and page.fetch.offset == 0 and page.fetch.limit == inquiry.page_size:
            (fetch,) = self._plain.pages_to_fetch()
            self._disordered = self._plain.page_received(fetch, self._received[page.fetch.token][1])

    def _remember(self, pages: list[Page[R]]) -> None:
        if self._delivered is not None:
            self._delivered.update(self._identity(record) for page in pages for record in page.items)
            if len(self._delivered) > MOST_REMEMBERED:
                self._delivered = None

    def _no_progress(self, outcome: Outcome) -> PaginationError:
        last = self._inquiry.real_id(self._inquiry.stitcher.frontier)
        where = f"at offset {outcome.fetch.offset}" + ("" if last is None else f", behind id {last}")
        message = f"{MOST_WITHOUT_PROGRESS} requests in a row brought nothing new {where}"
        return PaginationError(f"{message} ({outcome.error.message})" if outcome.error else message)

    def _page(self, delivery: DeliverRows) -> Page[R]:
        fetch, records = self._received.pop(delivery.token)
        unreadable = self._inquiry.unreadable.pop(delivery.token, ())
        sign = -1 if self._inquiry.is_mirrored else 1

        def key(record: R) -> int:
            return sign * self._identity(record)

        items = tuple(rising(records.items, key, delivery.above))
        return Page(items, fetch.offset, records.received, records.rejected, unreadable)

    def _forget_looks(self) -> None:
        """Pages that were only looked at are not delivered."""
        kept = self._inquiry.stitcher.waiting | {held.fetch.token for held, _ in self._held}
        current = self._received
        if self._talk is None and len(current) > len(kept):
            self._received = {token: current[token] for token in current if token in kept}
