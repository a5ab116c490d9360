"""Many records by their ids: fetched ahead, given in the order asked for, failures among them."""

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Generic, Self, TypeAlias, TypeVar

import anyio
import attrs

from fusedesk_async._checks import at_least_one
from fusedesk_async._exports import public
from fusedesk_async._pagination.bookmark import Bookmark
from fusedesk_async._pagination.prefetch import Stream
from fusedesk_async._pagination.walk import Walk
from fusedesk_async._wire.call import Call, CallSender
from fusedesk_async.errors import (
    AuthenticationError,
    ConfigurationError,
    FuseDeskError,
    PaginationError,
    RateLimitError,
)
from fusedesk_async.models import Case, Record

R = TypeVar("R", bound=Record)
AnyIterable: TypeAlias = Iterable[Any] | AsyncIterable[Any]

_SAME_FOR_EVERY_ID = (AuthenticationError, RateLimitError, ConfigurationError)
"""What would be the same for every other id, too. A `ConfigurationError` of a call means that the client is closed."""


@attrs.define(eq=False)
class _Entry(Generic[R]):
    """One id, and what became of it. The last one holds what ended the job instead.

    Attributes:
        id: The id.
        result: What to give for it, once it is known.
        end: What to raise in its place.
        bookmark: Where the walk that the id came from was then, if it came from one.
        scope: Ends the call, if there is one.
    """

    id: Any = None
    result: R | FuseDeskError | None = None
    end: Exception | None = None
    bookmark: Bookmark | None = None
    scope: anyio.CancelScope | None = None


@public
class Lookup(Stream[tuple[int, R | FuseDeskError]], Generic[R]):
    """Records by their ids, each with its id. Made by `desk.cases.get_many`.

    `async with … as lookup`, then `async for id, result in lookup` once. Ids are read and records fetched ahead while
    you work on one, but no more than twice `concurrency` of them. Nothing is read or sent before the first is asked
    for, and no new call after the block is left.
    """

    _name = "lookup"

    def __init__(
        self, send: CallSender, call_for: Callable[[Any], Call[R]], ids: AnyIterable, *, concurrency: int
    ) -> None:
        """Prepare the lookup.

        Args:
            send: Carries out a call.
            call_for: The call that fetches the record of an id.
            ids: Which records.
            concurrency: How many calls may be in flight at once.

        Raises:
            ConfigurationError: One of these cannot be right.
        """
        if not isinstance(ids, Iterable | AsyncIterable):
            message = f"ids come from an iterable or an async iterable, not from {type(ids).__name__}"
            raise ConfigurationError(message)
        self._send = send
        self._call_for = call_for
        self._ids = ids
        self._walk: Walk[Any] | None = ids if isinstance(ids, Walk) else None
        self._bookmark: Bookmark | None = None
        self._most_in_flight = at_least_one(concurrency, "concurrency")
        self._in_flight = 0
        self._entries: deque[_Entry[R]] = deque()
        self._begun = self._over = False
        self._completed = 0

    @property
    def completed(self) -> int:
        """How many results were given."""
        return self._completed

    @property
    def bookmark(self) -> Bookmark:
        """Where another walk resumes for the results that were not given yet, if the ids come from a walk.

            async with desk.cases.walk(after=lookup.bookmark) as walk, desk.cases.get_many(walk) as lookup: …

        The walk itself is ahead of it by what is fetched ahead. A result counts as done once it was given.

        Raises:
            ConfigurationError: The ids come from something else, or as `Walk.bookmark`.
            PaginationError: As `Walk.bookmark`.
        """
        if self._walk is None:
            message = "the ids of this lookup come from no walk, so it has no bookmark; remember the last id given"
            raise ConfigurationError(message)
        return self._bookmark or self._walk.bookmark

    @property
    def _wants_more(self) -> bool:
        return self._open and not self._over

    def _next(self) -> tuple[int, R | FuseDeskError] | None:
        if not self._begun:
            self._begun, self._bookmark = True, self._bookmark_of_walk()
            self._start(self._read_ids)
        entry = self._entries[0] if self._entries else None
        if entry and entry.end:
            if isinstance(entry.end, StopAsyncIteration):
                raise entry.end
            self._fail(entry.end)
        if entry is None or entry.result is None:
            return None
        self._entries.popleft()
        self._notify()
        self._completed += 1
        self._bookmark = entry.bookmark
        return entry.id, entry.result

    async def _read_ids(self) -> None:
        """Read one id after the other as there is room, and fetch what they stand for."""
        try:
            ids = as_async_iterator(self._ids)
            while await self._wait_for_room():
                case = await anext(ids)
                if self._wants_more:
                    self._look_up(case)
        except Exception as error:  # noqa: BLE001 - the end of the ids, or whatever their source raised
            self._entries.append(_Entry(end=error))
            self._notify()

    async def _wait_for_room(self) -> bool:
        """Wait until there is room for one more; False if none is wanted any more."""
        most = self._most_in_flight
        while self._wants_more and (self._in_flight >= most or len(self._entries) >= 2 * most):
            await self._wait_changed()
        return self._wants_more

    def _look_up(self, case: Any) -> None:
        entry = _Entry[R](case.id if isinstance(case, Case) else case, bookmark=self._bookmark_of_walk())
        if entry.bookmark and not self._bookmark:  # the names of the walk are looked up by now
            self._bookmark = attrs.evolve(entry.bookmark, id=None, rank=0)
        self._entries.append(entry)
        try:
            call = attrs.evolve(self._call_for(entry.id), bulk=True)
        except ConfigurationError as error:
            entry.result = error
            self._notify()
        else:
            self._in_flight += 1
            entry.scope = self._start(self._fetch, entry, call)

    def _bookmark_of_walk(self) -> Bookmark | None:
        """Where the walk is; None if there is none, or if it does not know."""
        try:
            return self._walk.bookmark if self._walk else None
        except (ConfigurationError, PaginationError):
            return None

    async def _fetch(self, entry: _Entry[R], call: Call[R]) -> None:
        try:
            entry.result = await self._send(call)
        except _SAME_FOR_EVERY_ID as error:
            self._end(entry, error)
        except FuseDeskError as error:
            entry.result = error
        except Exception as error:  # noqa: BLE001 - whatever it is, the consumer is to see it
            self._end(entry, error)
        finally:
            self._in_flight -= 1
            self._notify()

    def _end(self, entry: _Entry[R], error: Exception) -> None:
        """Keep an error that ends the job until its turn has come; what was asked later is not wanted any more."""
        entry.end, self._over = error, True
        for later in islice(self._entries, self._entries.index(entry) + 1, None):
            if later.scope:
                later.scope.cancel()


def as_async_iterator(values: AnyIterable) -> AsyncIterator[Any]:
    """The values of an iterable of either kind."""
    return aiter(values if isinstance(values, AsyncIterable) else _AsyncIterator(iter(values)))


class _AsyncIterator:
    """An ordinary iterator as an asynchronous one; a generator would want closing when it is left half-way."""

    def __init__(self, values: Iterator[Any]) -> None:
        self._values = values

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        for value in self._values:
            return value
        raise StopAsyncIteration
