"""Webhooks."""

from fusedesk_async._wire.call import delete, get, post, text_id
from fusedesk_async._wire.field_names import request_names
from fusedesk_async._wire.readers import acknowledgement, every
from fusedesk_async.models.created import Created
from fusedesk_async.models.session import Acknowledgement
from fusedesk_async.models.webhook import Webhook
from fusedesk_async.resources._created import created_text
from fusedesk_async.resources._resource import Resource, filled


class Webhooks(Resource):
    """Addresses that FuseDesk calls when something happens. Their ids are texts."""

    async def all(self) -> list[Webhook]:
        """All webhooks (`GET v2/webhooks`, third-party source; their shape is assumed)."""
        return await self._send(get("v2/webhooks", every(Webhook)))

    async def create(self, url: str, *, object_type: str, action: str) -> Created[str]:
        """Have an address called when something happens (`POST v2/webhooks`, third-party source). Sent once.

        Args:
            url: The address.
            object_type: What it is about (`objectType`); which words the server knows is not public.
            action: What must happen to that; likewise.

        Returns:
            What the server said; that it tells the new id is assumed.

        Raises:
            RequestRejectedError: FuseDesk refused it; the message says why.
            OutcomeUnknownError: It may have been made.
        """
        fields = {"url": url, "object_type": object_type, "action": action}
        form = request_names({name: filled(value, name) for name, value in fields.items()}, "Webhook")
        return await self._send(post("v2/webhooks", created_text, form))

    async def delete(self, webhook_id: str) -> Acknowledgement:
        """Have an address called no more (`DELETE v2/webhooks/{id}`, third-party source). The answer is assumed.

        Idempotent, so it is retried when the response is lost; a refusal after that is `OutcomeUnknownError`.
        """
        return await self._send(delete(f"v2/webhooks/{text_id(webhook_id, 'a webhook id')}", acknowledgement))
