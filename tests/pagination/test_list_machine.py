"""Whatever happens to rows and calls, and whatever the server makes of them, no row that stayed is lost in silence."""

import os
import random

from hostile_list import NOTHINGS, HostileList
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fusedesk_async import FuseDeskError, PaginationError
from fusedesk_async._pagination.asking import MOST_WITHOUT_PROGRESS, FetchPage
from fusedesk_async._pagination.id_plan import IdPlan, Start
from fusedesk_async._pagination.inquiry import MOST_FORGOTTEN, OrderIgnored
from fusedesk_async._wire.profile import LearnedProfile

MOST_DOUBTS = 2 * MOST_FORGOTTEN + 2
"""As rows pass over each other while two spoil their pages, so often a walk finds out something in between, at most."""
EXAMPLES = int(os.environ.get("FUSEDESK_TEST_EXAMPLES", "300"))

ids = st.integers(0, 180)
spreads = st.integers(1, 3)
page_sizes = st.integers(2, 12)
larger_page_sizes = st.integers(10, 24)  # where offsets are rounded, smaller ones cannot be followed
aheads = st.integers(1, 8)
positions = st.integers(0, 99)


def is_disorder(error):
    return isinstance(error, OrderIgnored)


class ListsWhileRowsMove(RuleBasedStateMachine):
    """Between any two answers rows leave, come and come back; answers arrive in any order; the walk is killed."""

    may_be_unordered = False

    @initialize(
        count=st.integers(0, 60),
        spread=spreads,
        cap=page_sizes,
        page_size=page_sizes,
        ahead=aheads,
        order=st.sampled_from(["asc", "asc", "desc"]),
        tells_newest=st.booleans(),
        spoils=st.sampled_from(["", "false", "null", "5xx", "unparsable"]),
        largest_limit=st.sampled_from([500, 500, 6]),
        refused=st.sampled_from([(), (), ("caseid asc",), ("caseid asc", "caseid")]),
    )
    def begin(self, count, spread, cap, page_size, ahead, order, tells_newest, spoils, largest_limit, refused):
        self.server = HostileList(
            range(0, count * spread, spread),
            cap,
            order=order,
            tells_newest=tells_newest,
            spoils=spoils,
            largest_limit=largest_limit,
            refused_orders=refused,
        )
        self.go(page_size, ahead)

    def go(self, page_size, ahead):
        self.server.spoilt = set()
        self.stayed = set(self.server.ids)
        self.delivered, self.unreadable = [], []
        self.sign = -1 if self.server.order == "desc" else 1
        self.profile = LearnedProfile()
        self.moves = self.streak = 0
        self.looked_empty = False
        self.given_up = self.given_up_at_rest = 0
        self.start(None, page_size, ahead)

    def start(self, start, page_size, ahead):
        self.plan = IdPlan(
            lambda case: case.id,
            page_size,
            self.profile,
            ahead=ahead,
            start=start,
            may_be_unordered=self.may_be_unordered,
        )
        self.ahead, self.page_size, self.streak = ahead, page_size, 0
        self.in_flight: list[FetchPage] = []
        self.answers = {}
        self.fetch()

    def fetch(self):
        self.in_flight += self.plan.pages_to_fetch()
        assert len(self.in_flight) <= self.ahead + 1

    # what happens to the list

    @rule(row=positions)
    def one_leaves(self, row):
        if self.server.ids:
            self.change({*self.server.ids} - {sorted(self.server.ids)[row % len(self.server.ids)]})

    @rule(first=positions, count=st.integers(2, 30))
    def many_leave(self, first, count):
        self.change({*self.server.ids} - {*sorted(self.server.ids)[first : first + count]})

    @rule(count=positions)
    def all_but_the_first_leave(self, count):
        self.change({*sorted(self.server.ids)[:count]})

    @rule(row=ids)
    def one_comes_anywhere(self, row):
        self.change({*self.server.ids, row})

    @rule(first=ids, count=st.integers(2, 30), spread=spreads)
    def many_come_anywhere(self, first, count, spread):
        self.change({*self.server.ids, *range(first, first + count * spread, spread)})

    @rule(distance=st.integers(1, 3))
    def one_comes_at_the_end(self, distance):
        self.change({*self.server.ids, max(self.server.ids, default=0) + distance})

    @precondition(lambda self: self.delivered)
    @rule(count=st.integers(1, 30))
    def rows_come_back_before_the_last_one(self, count):
        last = self.delivered[-1][0]
        self.change({*self.server.ids, *range(max(0, last - count), last)})

    def change(self, rows):
        self.server.ids = sorted(rows)
        self.stayed &= rows
        self.moves += 1

    # what happens to the server

    @rule(row=positions)
    def a_row_spoils_its_pages(self, row):
        if self.server.ids and len(self.server.spoilt) < 2:
            self.server.spoilt.add(sorted(self.server.ids)[row % len(self.server.ids)])
            self.moves += 1

    @rule(cap=page_sizes)
    def the_cap_changes(self, cap):
        self.server.cap = cap
        self.moves += 1

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
        self.resume(page_size, ahead)

    def resume(self, page_size, ahead):
        last, rank = self.delivered[-1] if self.delivered else (None, 0)
        if self.plan.is_plain:  # it begins anew
            last, rank, self.delivered = None, 0, []
        mirrored = self.plan.is_mirrored if self.delivered else None
        self.start(Start(last, rank, mirrored), page_size, ahead)

    def serve(self, fetch):
        rows, spoilt = {*self.server.ids}, self.server.spoilt
        self.looked_empty = self.looked_empty or (self.server.spoils in NOTHINGS and rows and rows <= spoilt)
        self.answers[fetch.token] = self.server.answer(fetch)

    def deliver(self, fetch):
        self.in_flight.remove(fetch)
        answer = self.answers.pop(fetch.token)
        failed = isinstance(answer, FuseDeskError)
        attempts = answer.request.attempts if failed and answer.request else 1
        receive = self.plan.page_failed if failed else self.plan.page_received
        try:
            pages = receive(fetch, answer, attempts)
        except FuseDeskError as error:
            self.gave_up(error)
            return
        self.take(pages, attempts)
        if self.plan.done:
            self.in_flight.clear()
        cancelled = self.plan.pages_to_cancel()
        self.in_flight = [fetch for fetch in self.in_flight if fetch.token not in cancelled]
        self.fetch()

    def take(self, pages, attempts):
        for page in pages:
            self.unreadable += page.unreadable
            for rank, case in enumerate(page.items, page.first_rank):
                assert case.id not in {row for row, _ in self.delivered}
                sign = -1 if self.plan.is_mirrored else 1
                in_order = len(self.delivered) < 2 or sign * case.id > sign * self.delivered[-1][0]
                assert in_order or self.plan.is_plain
                self.delivered.append((case.id, rank))
        progress = any(page.items or page.unreadable for page in pages)
        self.given_up *= not progress
        self.streak = 0 if progress else self.streak + attempts
        assert self.streak <= MOST_DOUBTS * MOST_WITHOUT_PROGRESS + self.most_looks + 2 * self.ahead
        self.whoever_stayed_was_delivered_or_is_told_of()
        self.moves = 0 if progress else self.moves

    @property
    def most_looks(self):
        """Requests that bring nothing new but are part of a pass over all."""
        return 0

    @property
    def may_give_up(self):
        """Whether the server is such that a walk may raise an error on rows at rest."""
        return bool(self.server.spoilt)

    def gave_up(self, error):
        """It may, if rows moved all the time or spoil their pages; it begins anew where it was."""
        # single rows, one by one, tell no order, so that it may go the wrong way
        misled = self.plan.is_mirrored != (self.sign < 0) or (len(self.delivered) <= 1 and is_disorder(error))
        misled = misled or self.plan.is_plain
        self.delivered = [] if misled else self.delivered  # so it begins anew
        allowed = self.moves or self.may_give_up or misled or self.given_up < 2 or self.is_far()
        assert allowed or not isinstance(error, PaginationError), error
        self.moves = 0
        self.given_up += 1
        self.given_up_at_rest += 1
        self.resume(self.page_size, self.ahead)

    def is_far(self):
        """Whether the last row is many pages from where it was; if so, it is from now on known where it is."""
        last, rank = self.delivered[-1] if self.delivered else (0, 0)
        now = sum(self.sign * row < self.sign * last for row in self.server.ids)
        self.delivered[-1:] = [(last, now)] if self.delivered else []
        return abs(now - rank) > 10 * min(self.server.cap, self.page_size)

    def exchange(self, fetch):
        if fetch.token not in self.answers:
            self.serve(fetch)
        self.deliver(fetch)

    @invariant()
    def it_goes_on_until_it_has_ended(self):
        assert not hasattr(self, "plan") or self.plan.done != bool(self.in_flight)

    def whoever_stayed_was_delivered_or_is_told_of(self):
        last = self.delivered[-1][0] if self.delivered else None
        passed = {
            row for row in self.stayed if self.plan.done or (last is not None and self.sign * row <= self.sign * last)
        }
        missing = passed - {row for row, _ in self.delivered}
        spoilt = self.server.spoilt
        if self.looked_empty and missing <= spoilt:
            return  # an empty list looks just like that
        assert not [row for row in missing if not self.is_told_of(row)]

    def is_told_of(self, row):
        sign, bounds = self.sign, [(told.after, told.before) for told in self.unreadable]
        return any(
            (after is None or sign * after < sign * row) and (before is None or sign * row < sign * before)
            for after, before in bounds
        )

    def teardown(self):
        """Once nothing moves it ends, soon, and has delivered whatever stayed."""
        if not hasattr(self, "plan"):
            return
        self.server.cap = max(self.server.cap, 2)
        rows = max(1, min(self.server.cap, self.page_size, self.server.largest_limit) - 1)
        bound = 40 * (len(self.server.ids) // rows + len(self.server.spoilt) + 4 + self.ahead)
        self.given_up = self.given_up_at_rest = 0
        while not self.plan.done and bound:
            self.exchange(self.in_flight[0])
            bound -= 1
            if self.given_up_at_rest > 2 and self.may_give_up:
                return
        assert self.plan.done
        self.whoever_stayed_was_delivered_or_is_told_of()


TestLists = ListsWhileRowsMove.TestCase
TestLists.settings = settings(max_examples=EXAMPLES, stateful_step_count=60)


class OddListsWhileRowsMove(ListsWhileRowsMove):
    """As its base, but a walk that says that it is not lossless may miss rows."""

    may_be_unordered = True

    @initialize(
        count=st.integers(0, 120),
        spread=spreads,
        cap=larger_page_sizes,
        page_size=larger_page_sizes,
        ahead=aheads,
        oddity=st.sampled_from(["text", "as given", "rounds", "twins"]),
        twins=st.sets(st.integers(0, 180), max_size=3),
        tells_newest=st.booleans(),
        spoils=st.sampled_from(["", "false", "null", "5xx", "unparsable"]),
    )
    def begin(self, count, spread, cap, page_size, ahead, oddity, twins, tells_newest, spoils):
        self.oddity = oddity
        self.server = HostileList(
            range(0, count * spread, spread),
            cap,
            order=oddity if oddity in {"text", "as given"} else "asc",
            tells_newest=tells_newest,
            spoils=spoils,
            rounds=oddity == "rounds",
            twins=twins if oddity == "twins" else (),
        )
        self.shuffle()
        self.go(page_size, ahead)

    @rule(which=positions, page_size=larger_page_sizes, ahead=aheads)
    def killed_and_resumed(self, which, page_size, ahead):
        super().killed_and_resumed(which, page_size, ahead)

    @rule(cap=larger_page_sizes)
    def the_cap_changes(self, cap):
        super().the_cap_changes(cap)

    def change(self, rows):
        super().change(rows)
        self.shuffle()

    @rule(row=positions)
    def a_row_spoils_its_pages(self, row):
        if self.oddity in {"text", "as given"}:  # others hide which row it is
            super().a_row_spoils_its_pages(row)

    def shuffle(self):
        if self.server.order == "as given":
            self.server.ids = random.Random(len(self.server.ids)).sample(self.server.ids, len(self.server.ids))

    @property
    def may_give_up(self):
        return self.server.spoilt or self.oddity in {"rounds", "twins"}

    @property
    def most_looks(self):
        """A pass over all that brings nothing new."""
        return 2 * len(self.server.ids) if self.plan.unordered else 0

    def whoever_stayed_was_delivered_or_is_told_of(self):
        is_known = self.plan.done or self.server.order == "asc"  # another order may show later
        if is_known and not self.plan.unordered:
            super().whoever_stayed_was_delivered_or_is_told_of()


TestOddLists = OddListsWhileRowsMove.TestCase
TestOddLists.settings = settings(max_examples=EXAMPLES, stateful_step_count=40)
