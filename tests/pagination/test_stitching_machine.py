import os
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fusedesk_async._pagination.stitching import Ask, Seams

EXAMPLES = int(os.environ.get("FUSEDESK_TEST_EXAMPLES", "300"))

ids = st.integers(0, 180)
spreads = st.integers(1, 3)
page_sizes = st.integers(2, 12)
aheads = st.integers(1, 8)
places = st.integers(0, 99)


class WalkWhileRowsMove(RuleBasedStateMachine):
    """Between any two answers rows leave, come and come back; answers arrive in any order; the walk is killed."""

    @initialize(
        count=st.integers(0, 60),
        spread=spreads,
        cap=page_sizes,
        page_size=page_sizes,
        ahead=aheads,
        gives_up=st.booleans(),
    )
    def begin(self, count, spread, cap, page_size, ahead, gives_up):
        self.gives_up = gives_up
        self.rows = set(range(0, count * spread, spread))
        self.stayed = set(self.rows)
        self.cap = cap
        self.cap_was_lowered = False
        self.delivered = []
        self.start(Seams(page_size, ahead=ahead), page_size, ahead)

    def start(self, seams, page_size, ahead):
        self.seams, self.page_size, self.ahead = seams, page_size, ahead
        self.in_flight: list[Ask] = []
        self.answers = {}
        self.pages = {}
        self.ask()

    def ask(self):
        self.in_flight += self.seams.ask()
        assert len(self.in_flight) + len(self.pages) <= self.ahead + 1

    # what happens to the list

    @rule(row=places)
    def one_leaves(self, row):
        if self.rows:
            self.change(self.rows - {sorted(self.rows)[row % len(self.rows)]})

    @rule(first=places, count=st.integers(2, 30))
    def many_leave(self, first, count):
        self.change(self.rows - set(sorted(self.rows)[first : first + count]))

    @rule(count=places)
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
        if self.seams.frontier is not None:
            self.change(self.rows | set(range(self.seams.frontier - count, self.seams.frontier)))

    def change(self, rows):
        self.rows = rows
        self.stayed &= rows

    @precondition(lambda self: not self.cap_was_lowered)
    @rule(cap=page_sizes)
    def the_cap_changes(self, cap):
        self.cap_was_lowered = cap < self.cap
        self.cap = cap

    # what happens to the calls

    @rule(which=places)
    def one_is_served(self, which):
        waiting = [ask for ask in self.in_flight if ask.token not in self.answers]
        if waiting:
            self.serve(waiting[which % len(waiting)])

    @rule(which=places)
    def one_arrives(self, which):
        served = [ask for ask in self.in_flight if ask.token in self.answers]
        if served:
            self.deliver(served[which % len(served)])

    @rule(count=st.integers(1, 5))
    def some_are_served_and_arrive(self, count):
        for _ in range(count):
            if self.in_flight:
                self.exchange(self.in_flight[0])

    @rule(place=places, page_size=page_sizes, ahead=aheads)
    def killed_and_resumed(self, place, page_size, ahead):
        self.delivered = self.delivered[: place + 1] if place % 2 else self.delivered
        frontier, rank = self.delivered[-1] if self.delivered else (None, 0)
        self.start(Seams(page_size, ahead=ahead, frontier=frontier, rank=rank), page_size, ahead)

    def serve(self, ask):
        limit = min(self.cap, self.page_size)
        self.answers[ask.token] = sorted(self.rows)[ask.offset : ask.offset + limit]

    def deliver(self, ask):
        self.in_flight.remove(ask)
        page = self.answers.pop(ask.token)
        self.pages[ask.token] = ask.offset, page
        for take in self.seams.told(ask.token, page, len(page)):
            offset, rows = self.pages.pop(take.token)
            new = [(row, offset + place) for place, row in enumerate(rows) if take.above is None or row > take.above]
            assert take.above is not None or not self.delivered
            self.delivered += new
        if self.seams.done:
            self.in_flight.clear()
            self.pages.clear()
        if self.gives_up:
            given_up = self.seams.give_up()
            self.in_flight = [ask for ask in self.in_flight if ask.token not in given_up]
        self.ask()

    def exchange(self, ask):
        if ask.token not in self.answers:
            self.serve(ask)
        self.deliver(ask)

    # what always holds

    @invariant()
    def in_order_and_nothing_twice(self):
        seen = [row for row, _ in getattr(self, "delivered", ())]
        assert all(one < other for one, other in pairwise(seen))

    @invariant()
    def it_goes_on_until_it_has_ended(self):
        assert not hasattr(self, "seams") or self.seams.done != bool(self.in_flight)

    @invariant()
    def whoever_stayed_was_delivered_when_the_frontier_passed(self):
        if hasattr(self, "seams"):
            frontier = self.seams.frontier
            passed = {row for row in self.stayed if self.seams.done or (frontier is not None and row <= frontier)}
            assert passed <= {row for row, _ in self.delivered}

    def teardown(self):
        """Once nothing moves it ends, soon, and has delivered whatever stayed."""
        if hasattr(self, "seams"):
            advance = min(self.cap, self.page_size) - 1
            bound = 6 * len(self.rows) // advance + 4 * self.ahead + 40
            while not self.seams.done and bound:
                self.exchange(self.in_flight[0])
                bound -= 1
            self.in_order_and_nothing_twice()
            assert self.seams.done
            assert self.stayed <= {row for row, _ in self.delivered}


TestWalk = WalkWhileRowsMove.TestCase
TestWalk.settings = settings(max_examples=EXAMPLES, deadline=None, stateful_step_count=60)
