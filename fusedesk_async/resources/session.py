"""The session: what the key may do."""

from fusedesk_async._call import get
from fusedesk_async._readers import strings
from fusedesk_async.resources._resource import Resource


class Session(Resource):
    """Calls about the key itself."""

    async def permissions(self) -> frozenset[str]:
        """The scopes of the key, such as `cases` and `cases_update`.

        Known from FuseDesk's own plugin (`GET session/permissions`). The set is open: not all names are public.

        Raises:
            AuthenticationError: The key is wrong.
        """
        return await self._send(get("v1/session/permissions", strings))
