"""Whatever happens to rows and calls, in any order, the page stitcher loses no row that stayed."""

import os
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fusedesk_async._pagination.stitching import FetchPage, PageStitcher

EXAMPLES = int(os.environ.get("FUSEDESK_TEST_EXAMPLES", "300"))

ids = st.integers(0, 180)
spreads = st.integers(1, 3)
page_sizes = st.integers(2, 12)
aheads = st.integers(1, 8)
positions = st.integers(0, 99)


class WalkWhileRowsMove(RuleBasedStateMachine):
    """Between any two answers rows leave, come and come back; answers arrive in any order; the walk is killed."""

    @initialize(
        count=st.integers(0, 60),
        spread=spreads,
        cap=page_sizes,
        page_size=page_sizes,
        ahead=aheads,
        cancels=st.booleans(),
    )
    def begin(self, count, spread, cap, page_size, ahead, cancels):
        self.cancels = cancels
        self.rows = set(range(0, count * spread, spread))
        self.stayed = set(self.rows)
        self.cap = cap
        self.cap_was_lowered = False
        self.delivered = []
        self.start(PageStitcher(page_size, ahead=ahead), page_size, ahead)

    def start(self, stitcher, page_size, ahead):
        self.stitcher, self.page_size, self.ahead = stitcher, page_size, ahead
        self.in_flight: list[FetchPage] = []
        self.answers = {}
        self.pages = {}
        self.fetch()

    def fetch(self):
        self.in_flight += self.stitcher.pages_to_fetch()
        assert len(self.in_flight) + len(self.pages) <= self.ahead + 1

    # what happens to the list

    @rule(row=positions)
    def one_leaves(self, row):
        if self.rows:
            self.change(self.rows - {sorted(self.rows)[row % len(self.rows)]})

    @rule(first=positions, count=st.integers(2, 30))
    def many_leave(self, first, count):
        self.change(self.rows - set(sorted(self.rows)[first : first + count]))

    @rule(count=positions)
    def all_but_the_first_leave(self, count):
        self.change(set(sorted(self.rows)[:count]))

    @rule()
    def all_leave(self):
        self.change(set())

    @rule(row=ids)
    def one_comes_anywhere(self, row):
        self.change(self.rows | {row})

    @rule(first=ids, count=st.integers(2, 30), spread=spreads)
    def many_come_anywhere(self, first, count, spread):
        self.change(self.rows | set(range(first, first + count * spread, spread)))

    @rule(distance=st.integers(1, 3))
    def one_comes_at_the_end(self, distance):
        self.change(self.rows | {max(self.rows, default=0) + distance})

    @rule(count=st.integers(1, 30))
    def rows_come_back_before_the_frontier(self, count):
        if self.stitcher.frontier is not None:
            self.change(self.rows | set(range(self.stitcher.frontier - count, self.stitcher.frontier)))

    def change(self, rows):
        self.rows = rows
        self.stayed &= rows

    @precondition(lambda self: not self.cap_was_lowered)
    @rule(cap=page_sizes)
    def the_cap_changes(self, cap):
        self.cap_was_lowered = cap < self.cap
        self.cap = cap

    # what happens to the calls

    @rule(which=positions)
    def one_is_served(self, which):
        waiting = [fetch for fetch in self.in_flight if fetch.token not in self.answers]
        if waiting:
            self.serve(waiting[which % len(waiting)])

    @rule(which=positions)
    def one_arrives(self, which):
        served = [fetch for fetch in self.in_flight if fetch.token in self.answers]
        if served:
            self.deliver(served[which % len(served)])

    @rule(count=st.integers(1, 5))
    def some_are_served_and_arrive(self, count):
        for _ in range(count):
            if self.in_flight:
                self.exchange(self.in_flight[0])

    @rule(which=positions, page_size=page_sizes, ahead=aheads)
    def killed_and_resumed(self, which, page_size, ahead):
        self.delivered = self.delivered[: which + 1] if which % 2 else self.delivered
        frontier, rank = self.delivered[-1] if self.delivered else (None, 0)
        self.start(PageStitcher(page_size, ahead=ahead, frontier=frontier, offset=rank), page_size, ahead)

    def serve(self, fetch):
        limit = min(self.cap, self.page_size)
        self.answers[fetch.token] = sorted(self.rows)[fetch.offset : fetch.offset + limit]

    def deliver(self, fetch):
        self.in_flight.remove(fetch)
        page = self.answers.pop(fetch.token)
        self.pages[fetch.token] = fetch.offset, page
        for delivery in self.stitcher.page_received(fetch.token, page, len(page)):
            offset, rows = self.pages.pop(delivery.token)
            new = [
                (row, offset + position)
                for position, row in enumerate(rows)
                if delivery.above is None or row > delivery.above
            ]
            assert delivery.above is not None or not self.delivered
            self.delivered += new
            self.in_order_and_nothing_twice(len(new) + 1)
        self.whoever_stayed_was_delivered_when_the_frontier_passed()
        if self.stitcher.done:
            self.in_flight.clear()
            self.pages.clear()
        if self.cancels:
            cancelled = self.stitcher.pages_to_cancel()
            self.in_flight = [fetch for fetch in self.in_flight if fetch.token not in cancelled]
        self.fetch()

    def exchange(self, fetch):
        if fetch.token not in self.answers:
            self.serve(fetch)
        self.deliver(fetch)

    # what always holds, looked at where it may change

    def in_order_and_nothing_twice(self, last):
        assert all(one < other for (one, _), (other, _) in pairwise(self.delivered[-last:]))

    @invariant()
    def it_goes_on_until_it_has_ended(self):
        assert not hasattr(self, "stitcher") or self.stitcher.done != bool(self.in_flight)

    def whoever_stayed_was_delivered_when_the_frontier_passed(self):
        frontier = self.stitcher.frontier
        passed = {row for row in self.stayed if self.stitcher.done or (frontier is not None and row <= frontier)}
        assert passed <= {row for row, _ in self.delivered}

    def teardown(self):
        """Once nothing moves it ends, soon, and has delivered whatever stayed."""
        if hasattr(self, "stitcher"):
            advance = min(self.cap, self.page_size) - 1
            bound = 6 * len(self.rows) // advance + 4 * self.ahead + 40
            while not self.stitcher.done and bound:
                self.exchange(self.in_flight[0])
                bound -= 1
            self.in_order_and_nothing_twice(len(self.delivered))
            assert self.stitcher.done
            assert self.stayed <= {row for row, _ in self.delivered}


TestWalk = WalkWhileRowsMove.TestCase
TestWalk.settings = settings(max_examples=EXAMPLES, stateful_step_count=60)
