"""The session: what the key may do, and what the account says of itself."""

from typing import TYPE_CHECKING

from fusedesk_async._wire.call import get, post
from fusedesk_async._wire.readers import one, strings
from fusedesk_async.models import Record
from fusedesk_async.resources._resource import Resource

if TYPE_CHECKING:
    from fusedesk_async.models.account import PoweredBy


class Session(Resource):
    """Calls about the key itself."""

    async def permissions(self) -> frozenset[str]:
        """The scopes of the key, such as `cases` and `cases_update` (`GET session/permissions`, plugin).

        The set is open: not all names are public.

        Raises:
            AuthenticationError: The key is wrong.
        """
        return await self._send(get("v1/session/permissions", strings))

    async def powered_by(self) -> "PoweredBy":
        """The plan of the account, and how to link to FuseDesk (`GET session/poweredby`, plugin)."""
        from fusedesk_async.models.account import PoweredBy  # noqa: PLC0415 - few programs ask

        return await self._send(get("v1/session/poweredby", one(PoweredBy)))

    async def usage(self) -> Record:
        """What the server counts of the key (`POST usage`, an old release of the plugin).

        The members of the answer are not public, so it has nothing but `raw`; `FuseDesk.allowance` needs no call.
        It changes nothing, so it is retried when the response is lost.

        Raises:
            AuthenticationError: The key is wrong.
        """
        return await self._send(post("v1/usage", one(Record), repeatable=True))
