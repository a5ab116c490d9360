"""A list in place of a server that may do whatever servers do, and somebody who goes through it by a plan."""

from collections.abc import Callable, Iterable
from typing import Any

import attrs

from fusedesk_async import (
    Case,
    FuseDeskError,
    Request,
    RequestRejectedError,
    ServerError,
    UnexpectedResponseError,
    UnreadableRow,
)
from fusedesk_async._pagination.asking import MOST_WITHOUT_PROGRESS, FetchPage
from fusedesk_async._pagination.id_plan import IdPlan
from fusedesk_async._pagination.plain import PlainPlan
from fusedesk_async._wire.profile import LearnedProfile, Nothing
from fusedesk_async._wire.readers import Records

MOST_CALLS = 6_000
NOTHINGS: dict[str, Nothing] = {"[]": "list", "": "empty", "false": "false", "null": "null"}
POLICY = {"5xx": 4, "unparsable": 2}
"""How often a call that fails so is sent by the usual policy."""


@attrs.define(eq=False, slots=False)
class HostileList:
    """A list of ids; None is a row whose id cannot be read.

    Attributes:
        ids: Its rows, in whatever order they are given.
        cap: Rows at most in a page.
        spoilt: Rows that spoil each page that holds one.
        spoils: What becomes of such a page: `[]`, an empty text, `false`, `null`, `5xx` or `unparsable`.
        heaviest: Rows of those in `heavy` that one page can hold; with more it fails as a spoilt one.
        heavy: First and last of the ids that weigh something.
        order: `asc` as asked for, `desc` whatever is asked, `text`, `as given`, or `bare`: only without a direction.
        tells_newest: Whether `caseid desc` is honoured.
        rounds: Whether offsets are rounded down to multiples of the limit.
        beyond: What comes beyond the end: nothing, the `last` page, or a `clipped` offset.
        passes: Rows that pass a filter which is applied after the page was cut out.
        twins: Rows that come twice in their page.
        offset_counts: Whether the offset does.
        largest_limit: Larger ones are refused.
        refused_orders: These are refused.
        nothing: How it says that there is nothing.
        between: Changes it before each call but the first.
        asked: What was asked for.
    """

    ids: list[int | None] = attrs.field(converter=list)
    cap: int = 500
    spoilt: Iterable[int] = ()
    spoils: str = ""
    heavy: tuple[int, int] = (0, 0)
    heaviest: int = 10**9
    order: str = "asc"
    tells_newest: bool = True
    rounds: bool = False
    beyond: str = "nothing"
    passes: Callable[[int], bool] | None = None
    twins: Iterable[int] = ()
    offset_counts: bool = True
    largest_limit: int = 500
    refused_orders: Iterable[str] = ()
    nothing: str = "[]"
    between: Callable[["HostileList"], object] | None = None
    asked: list[FetchPage] = attrs.field(factory=list[FetchPage])

    @property
    def offsets(self) -> list[int]:
        """What was asked for."""
        return [fetch.offset for fetch in self.asked]

    def answer(self, fetch: FetchPage) -> Records[Case] | FuseDeskError:
        """What comes of a page."""
        if self.asked and self.between:
            self.between(self)
        self.asked.append(fetch)
        if (fetch.order or "caseid asc" if fetch.order is None else fetch.order) in self.refused_orders:
            return RequestRejectedError("there is no such order", None, 405)
        if fetch.limit > self.largest_limit:
            return RequestRejectedError("the limit is too large", None, 405)
        rows = self.page(fetch)
        if not rows:
            return self.say_nothing(self.nothing, fetch)
        weight = sum(row is not None and self.heavy[0] <= row <= self.heavy[1] for row in rows)
        if weight > self.heaviest or not {*self.spoilt}.isdisjoint(rows):
            return self.say_nothing(self.spoils, fetch)
        errors = tuple(UnexpectedResponseError("no id") for row in rows if row is None)
        return Records(tuple(Case(id=row) for row in rows if row is not None), errors)

    def page(self, fetch: FetchPage) -> list[int | None]:
        """The rows of a page."""
        rows, limit, offset = self.ordered(fetch.order), min(fetch.limit, self.cap), fetch.offset
        if self.rounds:
            offset -= offset % limit
        if self.beyond == "clipped" or (self.beyond == "last" and offset >= len(rows)):
            offset = max(0, min(offset, len(rows) - limit))
        page = rows[offset : offset + limit] if self.offset_counts else rows[:limit]
        if self.passes:
            page = [row for row in page if row is not None and self.passes(row)]
        return [row for row in page for _ in range(2 if row in {*self.twins} else 1)]

    def ordered(self, asked: str | None) -> list[int | None]:
        """The rows in the order that it keeps."""
        if self.order == "as given" or None in self.ids:
            return self.ids
        numbers = [row for row in self.ids if row is not None]
        if self.order == "text" or (self.order == "bare" and asked != "caseid"):
            return sorted(self.ids, key=str)
        newest_first = self.order == "desc" or (asked == "caseid desc" and self.tells_newest)
        return [*sorted(numbers, reverse=newest_first)]

    @staticmethod
    def say_nothing(how: str, fetch: FetchPage) -> Records[Case] | FuseDeskError:
        """An answer that brings nothing."""
        attempts = min(POLICY.get(how, 1), fetch.attempts or 4)
        request = Request("GET", "v1/cases", attempts)
        if how == "5xx":
            return ServerError("out of order", request, 500)
        if how == "unparsable":
            return UnexpectedResponseError("not JSON", request)
        return Records(nothing=NOTHINGS[how])


@attrs.define(eq=False)
class Outcomes:
    """What became of it.

    Attributes:
        ids: What was delivered.
        unreadable: What was passed over.
        plan: The plan.
        most_without_progress: Requests in a row that brought nothing.
    """

    ids: list[int]
    unreadable: list[UnreadableRow]
    plan: Any
    most_without_progress: int = 0


def go_through(
    server: HostileList,
    page_size: int = 10,
    *,
    chance: Any = None,
    close: bool = False,
    plain: bool = False,
    **options: Any,
) -> Outcomes:
    """Go through a list to its end. With `chance` answers come in any order; with `close` what is delivered leaves."""
    options.setdefault("profile", LearnedProfile())
    plan_ahead = 2 * options.get("ahead", 1)
    plan: Any = (PlainPlan if plain else IdPlan)(lambda case: case.id, page_size, **options)
    done, in_flight, streak, calls = Outcomes([], [], plan), list[FetchPage](), 0, 0
    while not plan.done:
        ahead = plan.pages_to_fetch()
        in_flight += ahead
        fetch = in_flight.pop(chance.randrange(len(in_flight)) if chance else 0)
        answer = server.answer(fetch)
        calls += 1
        assert calls <= MOST_CALLS
        attempts = answer.request.attempts if isinstance(answer, FuseDeskError) and answer.request else 1
        taken = plan.page_failed if isinstance(answer, FuseDeskError) else plan.page_received
        pages = taken(fetch, answer, attempts)
        new = [case.id for page in pages for case in page.items]
        done.ids += new
        done.unreadable += [row for page in pages for row in page.unreadable]
        streak = 0 if any(page.items or page.rejected or page.unreadable for page in pages) else streak + attempts
        done.most_without_progress = max(done.most_without_progress, streak)
        assert plan.unordered or streak <= 3 * MOST_WITHOUT_PROGRESS + plan_ahead, "endless"
        if close:
            server.ids = [row for row in server.ids if row not in new]
        cancelled = {*plan.pages_to_cancel()}
        in_flight = [fetch for fetch in in_flight if fetch.token not in cancelled]
    return done
