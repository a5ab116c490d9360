"""Keeps what has a name, and looks names up."""

from typing import TYPE_CHECKING, TypeVar

from fusedesk_async._wire.call import Call, Send
from fusedesk_async._wire.name_refs import unknown_names

if TYPE_CHECKING:
    from fusedesk_async.models.directory import Directory
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import anyio
import attrs

from fusedesk_async._wire.name_refs import KINDS, Kind, Named
from fusedesk_async.errors import PermissionDeniedError
from fusedesk_async.models.directory import Directory
from fusedesk_async.resources.case_tags import CaseTags
from fusedesk_async.resources.departments import Departments
from fusedesk_async.resources.reps import Reps

T = TypeVar("T")


class ByName:
    """Looks names up. A client and its views share what they have fetched."""

    _sender: Send
    _shelf: "list[Shelf]"

    async def directory(self, *, refresh: bool = False) -> "Directory":
        """Departments, reps and case tags by their names; three calls the first time, none after that.

            directory = await desk.directory()
            directory.rep("Marta Lindgren").user_id

        Wherever a name is given in place of an id (`department="Billing"`), the client looks it up here, and fetches of
        the three lists the one that it needs if that has not been done. What was renamed or added since is found after
        a refresh.

        Args:
            refresh: Fetch all three lists anew.

        Raises:
            PermissionDeniedError: The key may read none of them. One that it may not read is refused when it is asked.
        """
        return await self._names().directory(self._sender, refresh=refresh)

    async def _without_names(self, call: Call[T]) -> Call[T]:
        """The call with ids in place of its names; the same if it has none."""
        return await self._names().resolved(call, self._sender) if any(unknown_names(call)) else call

    def _names(self) -> "Shelf":

        if not self._shelf:
            self._shelf.append(Shelf())
        return self._shelf[0]


_LISTS: dict[Kind, str] = {"department": "departments", "rep": "reps", "tag": "tags"}


class Shelf:
    """The directory of a client and its views. Each of its lists is fetched when it is first needed."""

    def __init__(self) -> None:
        self._directory = Directory()
        self._known: set[Kind] = set()
        self._lock = anyio.Lock()

    async def directory(self, send: Send, kinds: Iterable[Kind] = KINDS, *, refresh: bool = False) -> Directory:
        """What is known, with these kinds in it.

        Args:
            send: Carries out a call.
            kinds: What is needed.
            refresh: Fetch these anew.

        Raises:
            PermissionDeniedError: The key may read none of them.
        """
        async with self._lock:  # else each of many tasks would fetch the same
            for kind in kinds:
                if refresh or kind not in self._known:
                    await self._fetch(kind, send)
        denied = self._directory.denied
        if all(kind in denied for kind in kinds):
            first = next(denied[kind] for kind in kinds)
            raise type(first)(*first.args)
        return self._directory

    async def resolved(self, call: Call[T], send: Send) -> Call[T]:
        """The call with ids in place of its names.

        Raises:
            NameLookupError: None or several have such a name.
            PermissionDeniedError: The key may not read what has it.
        """
        names = list(unknown_names(call))
        directory = await self.directory(send, dict.fromkeys(name.kind for name in names))
        for name in names:
            name.id = _id(directory, name)
        if isinstance(call.tail, Named):
            return attrs.evolve(call, path=f"{call.path}/{call.tail.id}", tail=None)
        return call

    async def _fetch(self, kind: Kind, send: Send) -> None:
        fetch: dict[Kind, Callable[[], Awaitable[Sequence[Any]]]] = {
            "department": Departments(send).all,
            "rep": Reps(send).all,
            "tag": CaseTags(send).all,
        }
        denied = {other: error for other, error in self._directory.denied.items() if other != kind}
        found: Sequence[Any] = ()
        try:
            found = await fetch[kind]()
        except PermissionDeniedError as error:
            denied[kind] = error
        self._directory = attrs.evolve(self._directory, **{_LISTS[kind]: tuple(found)}, denied=denied)
        self._known.add(kind)


def _id(directory: Directory, name: Named) -> int:
    if name.kind == "rep":
        return directory.rep(name.text).user_id
    return (directory.department if name.kind == "department" else directory.tag)(name.text).id
