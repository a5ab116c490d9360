"""What a client knows by name."""

from typing import TYPE_CHECKING, TypeVar

from fusedesk_async._call import Call, Send
from fusedesk_async._named import unknown_names

if TYPE_CHECKING:
    from fusedesk_async.models.directory import Directory
    from fusedesk_async.resources._directory import Shelf

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
        from fusedesk_async.resources._directory import Shelf  # noqa: PLC0415 - few programs ask

        if not self._shelf:
            self._shelf.append(Shelf())
        return self._shelf[0]
