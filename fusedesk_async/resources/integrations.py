"""What the account is connected with."""

from fusedesk_async._wire.call import get
from fusedesk_async._wire.readers import every
from fusedesk_async.models.account import Integration
from fusedesk_async.resources._resource import Resource


class Integrations(Resource):
    """What the account is connected with."""

    async def all(self) -> list[Integration]:
        """All integrations (`GET integrations`, plugin). The key needs the permission `integrations`."""
        return await self._send(get("v1/integrations", every(Integration)))
