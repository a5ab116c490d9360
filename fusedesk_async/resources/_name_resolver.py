"""Keeps what has a name, and looks names up."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import attrs

from fusedesk_async._wire.call import Call, CallSender
from fusedesk_async._wire.name_refs import KINDS, Kind, NameRef, names_in, with_ids
from fusedesk_async.errors import PermissionDeniedError

if TYPE_CHECKING:
    from fusedesk_async.models.directory import Directory

T = TypeVar("T")

_LISTS: dict[Kind, str] = {"department": "departments", "rep": "reps", "tag": "tags"}


class NameResolver:
    """The directory of a client and its views. Each of its lists is fetched when it is first needed.

    The records and resources that this takes are imported then, too, as few programs need them.
    """

    def __init__(self) -> None:
        self._directory: Directory | None = None
        self._known: set[Kind] = set()
        self._lock = anyio.Lock()

    async def directory(self, send: CallSender, kinds: Iterable[Kind] = KINDS, *, refresh: bool = False) -> "Directory":
        """What is known, with these kinds in it.

        Args:
            send: Carries out a call.
            kinds: What is needed.
            refresh: Fetch these anew.

        Raises:
            PermissionDeniedError: The key may read none of them.
        """
        from fusedesk_async.models.directory import Directory

        async with self._lock:  # else each of many tasks would fetch the same
            directory = self._directory or Directory()
            for kind in kinds:
                if refresh or kind not in self._known:
                    directory = self._directory = await _with_list(directory, kind, send)
                    self._known.add(kind)
        denied = directory.denied
        if all(kind in denied for kind in kinds):
            first = next(denied[kind] for kind in kinds)
            raise type(first)(*first.args)
        return directory

    async def resolve(self, call: Call[T], send: CallSender) -> Call[T]:
        """The call with ids in place of its names; the same call if it has none.

        Args:
            call: A call, which is left as it is.
            send: Carries out a call.

        Raises:
            NameLookupError: None or several have such a name.
            PermissionDeniedError: The key may not read what has it.
        """
        wanted = {name.kind for name in names_in(call)}
        if not wanted:
            return call
        directory = await self.directory(send, [kind for kind in KINDS if kind in wanted])
        return with_ids(call, lambda name: _id(directory, name))


async def _with_list(directory: "Directory", kind: Kind, send: CallSender) -> "Directory":
    """The directory with one of its lists fetched anew."""
    denied = {other: error for other, error in directory.denied.items() if other != kind}
    found: Sequence[Any] = ()
    try:
        found = await _fetch(kind, send)
    except PermissionDeniedError as error:
        denied[kind] = error
    return attrs.evolve(directory, **{_LISTS[kind]: tuple(found)}, denied=denied)


async def _fetch(kind: Kind, send: CallSender) -> Sequence[Any]:
    from fusedesk_async.resources.case_tags import CaseTags
    from fusedesk_async.resources.departments import Departments
    from fusedesk_async.resources.reps import Reps

    fetch: dict[Kind, Callable[[], Awaitable[Sequence[Any]]]] = {
        "department": Departments(send).all,
        "rep": Reps(send).all,
        "tag": CaseTags(send).all,
    }
    return await fetch[kind]()


def _id(directory: "Directory", name: NameRef) -> int:
    if name.kind == "rep":
        return directory.rep(name.text).user_id
    return (directory.department if name.kind == "department" else directory.tag)(name.text).id
