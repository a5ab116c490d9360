"""What is asked for, what came of it, and who asks: generators that yield a question and are sent the outcome."""

import re
from collections.abc import Generator, Sequence
from itertools import pairwise
from typing import TypeAlias, TypeVar

import attrs

from fusedesk_async._wire.profile import Direction, Nothing, OrderBy
from fusedesk_async.errors import (
    AnswerLostError,
    APIError,
    FuseDeskError,
    NotFoundError,
    RequestRejectedError,
    ServerError,
    UnexpectedResponseError,
)

T = TypeVar("T")

_REFUSALS = frozenset({400, 404, 405, 413, 414, 422})
"""Statuses of a server that does not like how it was asked."""

_NO_MATCHES = re.compile(
    r"\b(no|not|none|nothing|0)\b.*\b(found|match|matches|matched|results?|cases?|records?)\b", re.IGNORECASE
)
_OTHER_TROUBLE = re.compile(r"HTML page|\b(endpoint|route|url|page not)\b", re.IGNORECASE)


@attrs.frozen
class FetchPage:
    """Fetch a page: so many rows from this offset.

    Attributes:
        token: A number of its own.
        offset: The offset of its first row.
        limit: How many rows.
        order: How to ask for the order, `caseid desc` for the newest; None as the call has it.
        attempts: How often it is sent at most; None as the retry policy has it.
    """

    token: int
    offset: int
    limit: int
    order: OrderBy | str | None = None
    attempts: int | None = None


@attrs.frozen
class Outcome:
    """What came of a page.

    Attributes:
        fetch: What was asked for.
        ids: The ids of its rows in order, without those that cannot be read.
        received: All its rows.
        nothing: How the server said that there are none.
        error: Why it cannot be had; None if it came.
    """

    fetch: FetchPage
    ids: Sequence[int] = ()
    received: int = 0
    nothing: Nothing | None = None
    error: FuseDeskError | None = None

    @property
    def is_refused(self) -> bool:
        """Whether the server did not like how it was asked."""
        return isinstance(self.error, APIError) and not isinstance(self.error, ServerError)

    @property
    def reason(self) -> str:
        """Why a row of it cannot be had, in one line."""
        if self.error:
            return f"{type(self.error).__name__}: {self.error.message}"
        return f"a page that holds it comes as nothing ({self.nothing})"


Asking: TypeAlias = Generator[FetchPage, Outcome, T]


def failed(fetch: FetchPage, error: FuseDeskError) -> Outcome | None:
    """The outcome of a call that failed; None if the error is no matter of this page."""
    if isinstance(error, ServerError | AnswerLostError | UnexpectedResponseError):
        # the path of a record: it came, and is refused in strict mode
        return None if getattr(error, "path", "") else Outcome(fetch, error=error)
    if not isinstance(error, NotFoundError | RequestRejectedError) and not _is_refusal(error):
        return None
    if not _OTHER_TROUBLE.search(error.message):
        if isinstance(error, NotFoundError):
            return Outcome(fetch, nothing="404")
        if _NO_MATCHES.search(error.message):
            return Outcome(fetch, nothing="error")
    return Outcome(fetch, error=error)


def is_matter_of_page(error: FuseDeskError) -> bool:
    """Whether it may be this page alone that cannot be had."""
    return failed(FetchPage(0, 0, 0), error) is not None


def _is_refusal(error: FuseDeskError) -> bool:
    return type(error) is APIError and error.status in _REFUSALS


def direction_of(ids: Sequence[int]) -> Direction | None:
    """How ids run; None if they do not say, being less than two."""
    steps = {one < other for one, other in pairwise(ids) if one != other}
    if len(steps) > 1:
        return "none"
    return ("ascending" if steps.pop() else "descending") if steps else None


MOST_WITHOUT_PROGRESS = 12
"""Requests in a row that bring nothing new, and it ends."""


class Conversation:
    """Somebody who asks for pages one after the other, and whoever fetches them."""

    def __init__(self, asking: Asking[object]) -> None:
        self._asking = asking
        self._sent = False
        self._next: FetchPage | None = next(asking, None)

    @property
    def is_over(self) -> bool:
        """Whether nothing more is asked for."""
        return self._next is None

    def pages_to_fetch(self) -> list[FetchPage]:
        """The page to fetch now, if it is not in flight."""
        fetches = [self._next] if self._next and not self._sent else []
        self._sent = True
        return fetches

    def waits_for(self, fetch: FetchPage) -> bool:
        """Whether this is the page that was asked for."""
        return self._next is not None and self._next.token == fetch.token

    def send(self, outcome: Outcome) -> None:
        """Tell what came of it."""
        self._sent = False
        try:
            self._next = self._asking.send(outcome)
        except StopIteration:
            self._next = None
        except BaseException:
            self._next = None
            raise


class Effort:
    """How many requests in a row brought nothing new."""

    def __init__(self) -> None:
        self._spent = 0

    def bounded(self, fetch: FetchPage) -> FetchPage:
        """The page with no more attempts than are left."""
        left = MOST_WITHOUT_PROGRESS - self._spent
        return attrs.evolve(fetch, attempts=left if fetch.attempts is None else min(fetch.attempts, left))

    def on_outcome(self, attempts: int, *, progress: bool) -> bool:
        """A page was answered, or failed, after so many attempts; whether to go on."""
        self._spent = 0 if progress else self._spent + attempts
        return self._spent < MOST_WITHOUT_PROGRESS
