"""Whatever happens to the cases between any two pages, a walk gives every one that matched throughout, once.

The real client in front of the sandbox, in process. `FUSEDESK_TEST_EXAMPLES` asks for more than the usual examples.
"""

import os
import random

import anyio
import httpx
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fusedesk_async import Bookmark, FuseDesk, PaginationError
from fusedesk_async._pagination.asking import MOST_WITHOUT_PROGRESS
from fusedesk_async.sandbox import Sandbox, SandboxProfile, VirtualClock

pytestmark = pytest.mark.anyio

EXAMPLES = int(os.environ.get("FUSEDESK_TEST_EXAMPLES", "300"))
MOST_CHANGES = 40
"""After so many pages the cases come to rest, so that every walk has an end."""
MOST_CALLS = 400
"""No walk over so few cases needs more."""
MOST_ROWS = 1000


class Turns:
    """A clock for the sandbox whose seconds are turns of the event loop: quick, and any order of answers can be had."""

    def monotonic(self):
        return 0.0

    def time(self):
        return 1.78e9

    async def sleep(self, seconds):
        for _ in range(int(seconds)):
            await checkpoint()


KINDS = ["nothing", "open", "close", "reopen", "retag", "untag", "delete"]
CHANGES = st.tuples(st.sampled_from(KINDS), st.integers(0, 50), st.integers(0, 50))


class World:
    """Cases that change before each page, and what is known of them.

    Args:
        cases: How many there are at first.
        cap: Rows at most in a page.
        by_tag: Whether it is a tag that is walked by, rather than the status.
        before: What has happened already.
        changes: What happens before the first pages.
        accidents: The pages, counted from 1, during which `scope` is cancelled.
        turns: How long an answer takes at most.
        seed: Decides how long each takes.

    Attributes:
        stayed: The ids of those that matched at every instant so far.
        seen: Those of all that ever did.
    """

    def __init__(self, *, cases, cap, by_tag, before, changes, accidents, turns, seed):
        chance = random.Random(seed)
        self.sandbox = Sandbox(
            cases,
            profile=SandboxProfile(largest_limit=cap, over_limit="cut"),
            latency=lambda: chance.randint(0, turns),
            clock=Turns(),
        )
        self.tag = next(iter(self.sandbox.state.tags)) if by_tag else None
        self.filters = {"tag_id": self.tag} if by_tag else {"status": "active"}
        self.changes, self.accidents, self.scope = changes, accidents, None
        self.pages, self.stayed, self.seen = 0, None, set()
        for change in before:
            self.change(*change)
        self.sandbox.churn("search", lambda _: self.page())

    def page(self):
        """A page is about to be read."""
        self.pages += 1
        assert self.pages < MOST_CALLS, "it does not end"
        if self.pages <= len(self.changes):
            self.change(*self.changes[self.pages - 1])
        matching = self.matching()
        self.stayed = matching if self.stayed is None else self.stayed & matching
        self.seen |= matching
        if self.pages in self.accidents:
            self.scope.cancel()

    def matching(self):
        cases = self.sandbox.state.cases
        if self.tag is None:
            return {case for case in cases.ids() if cases.value(case, "status") != "closed"}
        return {case for case in cases.ids() if self.tag in cases.value(case, "tags")}

    def change(self, kind, start, end):
        """Something happens to one case, to several in a row, to a head, a tail or all of them."""
        ids = list(self.sandbox.state.cases.ids())
        if kind == "open":
            tags = () if self.tag is None else (self.tag,)
            self.sandbox.open_cases(1 + start % 12, tags=tags, status="open")
        elif kind != "nothing":
            getattr(self, kind)(ids[min(start, end) : max(start, end)] or ids[start : start + 1])

    def close(self, ids):
        self.sandbox.close_cases(ids=ids)

    def reopen(self, ids):
        self.sandbox.reopen_cases(ids=ids)

    def delete(self, ids):
        self.sandbox.delete_cases(ids=ids)

    def tag_all(self, ids, tags):
        for case in ids:
            self.sandbox.state.change(case, 0, tags=tags)

    def untag(self, ids):
        self.tag_all(ids, ())

    def retag(self, ids):
        self.tag_all(ids, tuple(self.sandbox.state.tags)[:2])


WORLDS = st.builds(
    World,
    cases=st.integers(0, 40),
    cap=st.sampled_from([None, None, 2, 3, 5]),
    by_tag=st.booleans(),
    before=st.lists(CHANGES, max_size=3),
    changes=st.lists(CHANGES, max_size=MOST_CHANGES),
    accidents=st.sets(st.integers(1, MOST_CHANGES), max_size=4),
    turns=st.sampled_from([0, 3, 30]),
    seed=st.integers(0, 1000),
)


async def taken(world, walk, into, most):
    """Take some cases from a walk; whether it ended with them. It may give up on cases that move all the time."""
    try:
        async with walk:
            async for case in walk:
                into.append(case.id)
                most -= 1
                if not most:
                    return False
    except PaginationError:
        assert world.pages <= MOST_CHANGES + MOST_WITHOUT_PROGRESS, "but not on cases at rest"
        return False
    return True


@pytest.mark.filterwarnings(r"ignore:row \d+ .*cannot be had")  # a list may be empty whenever it is looked at
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(
    world=WORLDS,
    page_size=st.integers(2, 9),
    concurrency=st.sampled_from([1, 2, 4]),
    leaves=st.lists(st.integers(1, 30), max_size=3),
)
async def test_every_case_that_matched_throughout_comes_exactly_once(world, page_size, concurrency, leaves):
    got, bookmark, ended = [], None, False
    transport = httpx.ASGITransport(world.sandbox.app)
    async with FuseDesk("acme", api_key="sandbox-key", transport=transport, clock=VirtualClock()) as desk:
        while not ended:
            walk = desk.cases.walk(page_size=page_size, concurrency=concurrency, after=bookmark, **world.filters)
            with anyio.CancelScope() as world.scope:
                ended = await taken(world, walk, got, leaves.pop() if leaves else MOST_ROWS)
            assert not walk.report.unordered, "cases that move are no gaps"
            bookmark = Bookmark.parse(str(walk.bookmark))
    assert got == sorted(set(got)), "in order, and none twice"
    assert (world.stayed or set()) <= set(got) <= world.seen
